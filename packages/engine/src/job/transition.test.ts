import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import type { Lease, Settlement } from '../store/store.ts'
import type { JobId, WorkerId } from './job.ts'
import { afterLapse, afterSettlement, cancelled, LAPSES_MAX, type Running } from './transition.ts'

const lease: Lease = { jobId: 'job' as JobId, attempt: 1, worker: 'ada' as WorkerId, row: 1 }
const error = { code: 'task_threw', message: 'It broke.' }
const running: Running = { cancelReason: undefined, deadlineAt: undefined, lapses: 0 }

const settlements: readonly Settlement[] = [
  { lease, outcome: 'succeeded', result: '1' },
  { lease, outcome: 'failed', error },
  { lease, outcome: 'retried', error, dueAt: 5 },
  { lease, outcome: 'cancelled', error },
  { lease, outcome: 'released', dueAt: 5, reason: 'x' },
]

suite('what a job may become', () => {
  test('a settled job becomes what its attempt was settled as', () => {
    assert.deepEqual(
      settlements.map((settlement) => afterSettlement(running, settlement)),
      [
        { to: 'succeeded', result: '1' },
        { to: 'failed', error },
        { to: 'waiting', dueAt: 5, because: 'retried', error },
        { to: 'cancelled', error },
        { to: 'waiting', dueAt: 5, because: 'released' },
      ],
    )
  })

  test('a job that was asked to stop becomes cancelled, whatever its attempt was settled as', () => {
    for (const settlement of settlements) {
      const transition = afterSettlement({ ...running, cancelReason: 'Enough.' }, settlement)
      assert.deepEqual(transition, cancelled('Enough.'))
      assert.equal(transition.error?.message, 'Enough.')
    }
  })

  test('a job whose worker is lost waits again, due at once, with the loss as its error', () => {
    const transition = afterLapse(running, { now: 100, why: 'its process ended', isResting: false })
    assert.ok(transition.to === 'waiting')
    assert.deepEqual([transition.dueAt, transition.because, transition.error?.code], [100, 'lapsed', 'worker_lost'])
    assert.match(transition.error?.message ?? '', /its process ended/)
  })

  test('a job that was asked to stop becomes cancelled when its worker is lost', () => {
    const both = { ...running, cancelReason: 'Enough.', deadlineAt: 1 }
    assert.deepEqual(afterLapse(both, { now: 100, why: 'x', isResting: false }), cancelled('Enough.'))
  })

  test('a job past its deadline fails when its worker is lost, and one before it does not', () => {
    const late = afterLapse({ ...running, deadlineAt: 100 }, { now: 100, why: 'x', isResting: false })
    assert.deepEqual([late.to, late.error?.code], ['failed', 'deadline_exceeded'])
    assert.equal(afterLapse({ ...running, deadlineAt: 101 }, { now: 100, why: 'x', isResting: false }).to, 'waiting')
  })

  test('a job that has lost too many workers in a row fails, and will not be tried again', () => {
    assert.equal(
      afterLapse({ ...running, lapses: LAPSES_MAX - 2 }, { now: 0, why: 'x', isResting: false }).to,
      'waiting',
    )
    const last = afterLapse({ ...running, lapses: LAPSES_MAX - 1 }, { now: 0, why: 'x', isResting: false })
    assert.deepEqual([last.to, last.error?.code, last.error?.retryable], ['failed', 'poison_job', false])
  })

  test('a workflow that rested is not blamed for the loss of its worker, however many it has outlived', () => {
    const rested = afterLapse({ ...running, lapses: LAPSES_MAX - 1 }, { now: 7, why: 'x', isResting: true })
    assert.ok(rested.to === 'waiting')
    assert.deepEqual([rested.dueAt, rested.because, rested.isBlamed], [7, 'lapsed', false])
    const ran = afterLapse(running, { now: 7, why: 'x', isResting: false })
    assert.equal(ran.to === 'waiting' && ran.isBlamed, true)
  })

  test('a workflow that rested still ends with the loss of its worker when it is cancelled or past its deadline', () => {
    const lapse = { now: 100, why: 'x', isResting: true }
    assert.equal(afterLapse({ ...running, cancelReason: 'Enough.' }, lapse).to, 'cancelled')
    assert.equal(afterLapse({ ...running, deadlineAt: 100 }, lapse).to, 'failed')
  })
})
