import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { StoreUnavailableError } from '../errors.ts'
import type { JobId, WorkerId } from '../job/job.ts'
import type { Commit, Lease, NewStep, Settlement, Store, Told } from '../store/store.ts'
import { ManualClock } from '../testing/manual-clock.ts'
import { Outbox } from './outbox.ts'
import { Slots } from './slots.ts'

const WORKER = 'ada' as WorkerId

function lease(row: number): Lease {
  return { jobId: `job-${row}` as JobId, attempt: 1, worker: WORKER, row }
}

function succeeded(row: number, result = '1'): Settlement {
  return { lease: lease(row), outcome: 'succeeded', result }
}

function logged(row: number, message: string): Told {
  return { lease: lease(row), at: 0, kind: 'log', level: 'info', message }
}

function step(number: number, name: string): NewStep {
  return { step: number, kind: 'step', name, value: '1', delivered: [], deliveredFrom: 0 }
}

/** An outbox on a store that takes a commit whole or, when `refuses` gives an error for it, not at all. */
function rig(refuses: (batch: Commit) => Error | undefined = refusesPoison) {
  const clock = new ManualClock()
  const stored = { settled: [] as string[], steps: [] as string[], told: [] as string[] }
  const commits: Commit[] = []
  const reports: string[] = []
  const held: Lease[] = []
  const health = { wrong: undefined as Error | undefined }
  const commit = async (batch: Commit) => {
    commits.push(batch)
    const error = refuses(batch)
    if (error !== undefined) throw error
    for (const { lease, outcome } of batch.settle) stored.settled.push(`${lease.jobId} ${outcome}`)
    for (const { lease, steps } of batch.advance)
      for (const { name } of steps) stored.steps.push(`${lease.jobId} ${name}`)
    for (const told of batch.tell) if (told.kind === 'log') stored.told.push(told.message)
    const settled = batch.settle.map(() => 'settled' as const)
    return { settled, advanced: batch.advance.map(() => 'recorded' as const), claimed: [], released: [] }
  }
  const check = async () => {
    if (health.wrong !== undefined) throw health.wrong
  }
  const outbox = new Outbox({
    // All that an outbox asks of a store.
    store: { commit, check } as unknown as Store,
    clock,
    worker: WORKER,
    slots: new Slots({ tiles: 1 }),
    events: {
      claimed: () => {},
      released: () => {},
      failed: (error, retryMs) => reports.push(`${(error as Error).message} Again in ${retryMs} ms.`),
      refused: (message) => reports.push(message),
      holds: () => held,
    },
  })
  return { clock, stored, commits, reports, held, health, outbox }
}

function refusesPoison(batch: Commit): Error | undefined {
  return JSON.stringify(batch).includes('poison') ? new Error('CHECK constraint failed') : undefined
}

suite('what the store refuses for good', () => {
  test('a line that is refused is dropped, and all that was said with it goes through', async () => {
    const { clock, stored, reports, outbox } = rig()
    for (const message of ['before', 'poison', 'after']) outbox.tell(logged(1, message))
    const advanced = outbox.advance(lease(2), [step(1, 'load')])
    const settled = outbox.settle(succeeded(1))
    await clock.rest()
    assert.deepEqual(stored, { settled: ['job-1 succeeded'], steps: ['job-2 load'], told: ['before', 'after'] })
    assert.deepEqual([await advanced, await settled], ['recorded', 'settled'])
    assert.deepEqual(reports, ['The store refused a log of attempt 1 of job job-1; it is dropped.'])
  })

  test('a job whose end is refused fails instead, and says why', async () => {
    const { clock, stored, commits, reports, outbox } = rig()
    const ends = [succeeded(1), succeeded(2, 'poison'), succeeded(3)].map((end) => outbox.settle(end))
    await clock.rest()
    assert.deepEqual(stored.settled, ['job-1 succeeded', 'job-2 failed', 'job-3 succeeded'])
    assert.deepEqual(await Promise.all(ends), ['settled', 'settled', 'settled'])
    const [instead] = commits.flatMap(({ settle }) => settle.filter(({ outcome }) => outcome === 'failed'))
    assert.ok(instead?.outcome === 'failed')
    assert.deepEqual([instead.error.code, instead.error.retryable], ['store_refused', false])
    assert.match(instead.error.message, /the end "succeeded": CHECK constraint failed/)
    assert.equal(reports.length, 1)
  })

  test('a job of which not even the failure is taken is left to the lease: no later commit hands it back', async () => {
    const { clock, stored, commits, reports, outbox } = rig(({ settle }) =>
      settle.some(({ lease }) => lease.row === 2) ? new Error('no') : undefined,
    )
    const ends = [outbox.settle(succeeded(1)), outbox.settle(succeeded(2))]
    await clock.rest()
    assert.deepEqual(stored.settled, ['job-1 succeeded'])
    assert.deepEqual(await Promise.all(ends), ['settled', 'lease_lost'])
    assert.match(reports[1] ?? '', /refused even that attempt 1 of job job-2 failed/)
    assert.deepEqual(commits.at(-1)?.holds, [lease(2)])
  })

  test('a workflow of which a step is refused fails, and records no step after it', async () => {
    const { clock, stored, reports, outbox } = rig()
    const answers = [
      outbox.advance(lease(1), [step(1, 'load')]),
      outbox.advance(lease(1), [step(2, 'poison')]),
      outbox.advance(lease(1), [step(3, 'after')]),
      outbox.advance(lease(2), [step(1, 'other')]),
      outbox.settle(succeeded(1)),
    ]
    await clock.rest()
    assert.deepEqual(await Promise.all(answers), ['recorded', 'lease_lost', 'lease_lost', 'recorded', 'lease_lost'])
    assert.deepEqual(stored.steps, ['job-1 load', 'job-2 other'])
    assert.deepEqual(stored.settled, ['job-1 failed'])
    assert.deepEqual(reports, ['The store refused step 2 of attempt 1 of job job-1; the job fails.'])
  })

  test('what is said after it goes out in batches as before, the first one with what is held', async () => {
    const { clock, stored, commits, held, outbox } = rig()
    held.push(lease(7))
    void outbox.settle(succeeded(1, 'poison'))
    await clock.rest()
    assert.deepEqual(commits.at(-1)?.holds, [lease(7)])
    const before = commits.length
    for (const row of [2, 3, 4]) void outbox.settle(succeeded(row))
    await clock.rest()
    assert.equal(commits.length, before + 1)
    assert.equal(commits.at(-1)?.holds, undefined)
    assert.equal(stored.settled.length, 4)
  })

  test('a store that stops answering in the midst of it is told the rest when it answers again', async () => {
    let outages = 1
    const { clock, stored, reports, outbox } = rig((batch) => {
      const isAlone = batch.settle.length === 1 && batch.tell.length === 0
      return isAlone && outages-- > 0 ? new StoreUnavailableError('fake', 0) : refusesPoison(batch)
    })
    outbox.tell(logged(1, 'poison'))
    const ends = [outbox.settle(succeeded(1)), outbox.settle(succeeded(2))]
    await clock.rest()
    assert.deepEqual(stored.settled, [])
    await clock.pass({ ms: 100 })
    assert.deepEqual(await Promise.all(ends), ['settled', 'settled'])
    assert.deepEqual(stored.settled, ['job-1 succeeded', 'job-2 succeeded'])
    assert.match(reports[1] ?? '', /did not answer.*Again in 100 ms/)
  })

  test('an error without a name refuses nothing while the store takes nothing else either', async () => {
    const { clock, stored, commits, reports, health, outbox } = rig(() => health.wrong)
    health.wrong = new Error('disk I/O error')
    const ends = [outbox.settle(succeeded(1)), outbox.settle(succeeded(2))]
    await clock.pass({ ms: 250 })
    assert.deepEqual(
      commits.map(({ settle }) => settle.length),
      [2, 2],
    )
    health.wrong = undefined
    await clock.pass({ ms: 100 })
    assert.deepEqual(await Promise.all(ends), ['settled', 'settled'])
    assert.deepEqual(stored.settled, ['job-1 succeeded', 'job-2 succeeded'])
    assert.equal(reports.length, 2)
  })
})
