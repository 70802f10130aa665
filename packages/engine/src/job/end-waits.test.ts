import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { StoreUnavailableError } from '../errors.ts'
import type { Hint, Store } from '../store/store.ts'
import { ManualClock } from '../testing/manual-clock.ts'
import { EndWaits } from './end-waits.ts'
import type { JobId, JobState } from './job.ts'

const ID = 'job-1' as JobId

/** Waits on a store that fails as often as `failures` says, and knows one job. */
function rig(failures: number) {
  const clock = new ManualClock(0)
  const jobs = new Map<JobId, JobState>([[ID, 'running']])
  const reports: string[] = []
  let looks = 0
  const states = async () => {
    if (looks++ < failures) throw new StoreUnavailableError('fake', 0)
    return jobs
  }
  const watch = () => ({ [Symbol.dispose]: () => {} })
  // All that is asked of a store here.
  const store = { clock, states, watch } as unknown as Store
  const waits = new EndWaits(store, (message) => reports.push(message))
  return { clock, jobs, reports, waits }
}

suite('waiting for an end while the store does not answer', () => {
  test('goes on, looks again after a second, and says once that it had to', async () => {
    const { clock, jobs, reports, waits } = rig(3)
    jobs.set(ID, 'succeeded')
    const ends = [waits.wait(ID, {}), waits.wait(ID, {})]
    await clock.pass({ ms: 3_000 })
    assert.deepEqual(await Promise.all(ends), ['succeeded', 'succeeded'])
    assert.equal(reports.length, 1)
    assert.equal(clock.pending, 0)
  })

  test('ends at its timeout', async () => {
    const { clock, waits } = rig(Number.POSITIVE_INFINITY)
    const waiting = assert.rejects(waits.wait(ID, { timeoutMs: 2_500 }), { code: 'wait_timeout' })
    await clock.pass({ ms: 2_500 })
    await waiting
  })

  test('ends with its signal', async () => {
    const { clock, waits } = rig(Number.POSITIVE_INFINITY)
    const controller = new AbortController()
    const waiting = assert.rejects(waits.wait(ID, { signal: controller.signal }), { message: 'Enough.' })
    await clock.pass({ ms: 2_500 })
    controller.abort(new Error('Enough.'))
    await waiting
  })

  test('ends when the store answers that it knows no such job', async () => {
    const { clock, jobs, waits } = rig(2)
    jobs.clear()
    const waiting = assert.rejects(waits.wait(ID, {}), { code: 'unknown_job' })
    await clock.pass({ ms: 2_000 })
    await waiting
  })
})

suite('waiting for what came of a job', () => {
  /** A store that knows one running job, and notes what it is asked. */
  function watchedRig() {
    const clock = new ManualClock(0)
    const asked: string[] = []
    let outcome: object | undefined
    let tell: (hint: Hint) => void = () => {}
    const store = {
      clock,
      async states() {
        asked.push('states')
        return new Map([[ID, 'running']])
      },
      async outcome() {
        asked.push('outcome')
        return outcome
      },
      watch(listener: (hint: Hint) => void) {
        tell = listener
        return { [Symbol.dispose]: () => {} }
      },
    } as unknown as Store
    const end = () => {
      outcome = { state: 'succeeded', result: '42' }
    }
    return { clock, asked, end, tell: (hint: Hint) => tell(hint), waits: new EndWaits(store, () => {}) }
  }

  test('reads it at once when the job is said to have ended, and asks for nothing else', async () => {
    const { clock, asked, end, tell, waits } = watchedRig()
    const waiting = waits.outcome(ID, {})
    await clock.pass({ ms: 10 })
    end()
    tell({ ended: [ID] })
    assert.deepEqual(await waiting, { state: 'succeeded', result: '42' })
    assert.deepEqual(asked, ['states', 'outcome'])
  })

  test('waits on when that was not true', async () => {
    const { clock, asked, end, tell, waits } = watchedRig()
    const waiting = waits.outcome(ID, {})
    await clock.pass({ ms: 10 })
    tell({ ended: [ID] })
    await clock.pass({ ms: 10 })
    end()
    tell({ ended: [ID] })
    assert.deepEqual(await waiting, { state: 'succeeded', result: '42' })
    assert.deepEqual(asked, ['states', 'outcome', 'outcome'])
  })
})
