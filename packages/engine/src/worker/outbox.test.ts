import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { StoreUnavailableError } from '../errors.ts'
import type { JobId, WorkerId } from '../job/job.ts'
import type { Claimed, Commit, CommitResult, Lease, Store } from '../store/store.ts'
import { ManualClock } from '../testing/manual-clock.ts'
import { Outbox } from './outbox.ts'
import { Slots } from './slots.ts'

const WORKER = 'ada' as WorkerId

function lease(row: number): Lease {
  return { jobId: `job-${row}` as JobId, attempt: 1, worker: WORKER, row }
}

type Asked = { readonly batch: Commit; answer(result?: Partial<CommitResult>): void; fail(): void }

/** An outbox whose store answers when the test says so. */
function rig(slotCount = 1) {
  const clock = new ManualClock()
  const slots = new Slots({ tiles: slotCount })
  const commits: Asked[] = []
  const claimed: Claimed[] = []
  const failures: number[] = []
  const held: Lease[] = []
  const commit = (batch: Commit) =>
    new Promise<CommitResult>((resolve, reject) => {
      const settled = batch.settle.map(() => 'settled' as const)
      const advanced = batch.advance.map(() => 'recorded' as const)
      commits.push({
        batch,
        answer: (result = {}) => resolve({ settled, advanced, claimed: [], released: [], ...result }),
        fail: () => reject(new StoreUnavailableError('fake', 0)),
      })
    })
  const outbox = new Outbox({
    // All that an outbox asks of a store.
    store: { commit } as unknown as Store,
    clock,
    worker: WORKER,
    slots,
    events: {
      claimed: (jobs) => claimed.push(...jobs),
      released: () => {},
      refused: () => {},
      failed: (_, retryMs) => failures.push(retryMs),
      holds: () => held,
    },
  })
  return { clock, slots, commits, claimed, failures, held, outbox }
}

function job(row: number): Claimed {
  return {
    lease: lease(row),
    task: 't',
    kind: 'task',
    queue: 'tiles',
    priority: 0,
    input: '1',
    createdAt: 0,
    failures: 0,
  }
}

suite('what a worker says to the store', () => {
  test('what comes up while a commit is under way goes into the next one', async () => {
    const { clock, commits, outbox } = rig()
    void outbox.settle({ lease: lease(1), outcome: 'succeeded', result: '1' })
    await clock.rest()
    void outbox.settle({ lease: lease(2), outcome: 'succeeded', result: '2' })
    void outbox.settle({ lease: lease(3), outcome: 'succeeded', result: '3' })
    await clock.rest()
    assert.equal(commits.length, 1)
    commits[0]?.answer()
    await clock.rest()
    assert.deepEqual(
      commits[1]?.batch.settle.map((settlement) => settlement.lease.row),
      [2, 3],
    )
  })

  test('progress and logs wait a moment for company, and no longer', async () => {
    const { clock, commits, outbox } = rig()
    outbox.tell({ lease: lease(1), at: 0, kind: 'progress', fraction: 0.5 })
    await clock.pass({ ms: 49 })
    assert.equal(commits.length, 0)
    await clock.pass({ ms: 1 })
    assert.equal(commits[0]?.batch.tell.length, 1)
  })

  test('what is told during a slow commit is said after it, though nothing else comes up', async () => {
    const { clock, commits, outbox } = rig()
    outbox.tell({ lease: lease(1), at: 0, kind: 'progress', fraction: 0.1 })
    await clock.pass({ ms: 60 })
    outbox.tell({ lease: lease(1), at: 0, kind: 'progress', fraction: 0.2 })
    await clock.pass({ ms: 500 })
    commits[0]?.answer()
    await clock.pass({ ms: 60 })
    assert.equal(commits.length, 2)
    assert.equal(commits[1]?.batch.tell.length, 1)
  })

  test('a hint that comes while a claim is under way is not lost with its empty answer', async () => {
    const { clock, commits, outbox } = rig()
    outbox.look()
    await clock.rest()
    assert.equal(commits.length, 1)
    outbox.look(['tiles'])
    commits[0]?.answer()
    await clock.rest()
    assert.equal(commits.length, 2)
    commits[1]?.answer()
    await clock.rest()
    assert.equal(commits.length, 2)
  })

  test('a queue that gave all that was asked for is asked again as soon as a slot is free', async () => {
    const { clock, slots, commits, outbox } = rig()
    outbox.look()
    await clock.rest()
    slots.take('tiles')
    commits[0]?.answer({ claimed: [job(1)] })
    await clock.rest()
    assert.equal(commits.length, 1)
    slots.release('tiles')
    void outbox.settle({ lease: lease(1), outcome: 'succeeded', result: '1' })
    await clock.rest()
    assert.deepEqual(commits[1]?.batch.claim, [{ queue: 'tiles', slots: 1 }])
  })

  test('a failed commit is said again in its order, with what is held, until it is heard', async () => {
    const { clock, commits, failures, held, outbox } = rig()
    held.push(lease(7))
    const first = outbox.settle({ lease: lease(1), outcome: 'succeeded', result: '1' })
    await clock.rest()
    assert.equal(commits[0]?.batch.holds, undefined)
    commits[0]?.fail()
    void outbox.settle({ lease: lease(2), outcome: 'succeeded', result: '2' })
    await clock.pass({ ms: 100 })
    assert.deepEqual(
      commits[1]?.batch.settle.map((settlement) => settlement.lease.row),
      [1, 2],
    )
    assert.deepEqual(commits[1]?.batch.holds, [lease(7)])
    commits[1]?.fail()
    await clock.pass({ ms: 200 })
    commits[2]?.answer()
    assert.equal(await first, 'settled')
    assert.deepEqual(failures, [100, 200])
    void outbox.settle({ lease: lease(3), outcome: 'succeeded', result: '3' })
    await clock.rest()
    assert.equal(commits[3]?.batch.holds, undefined)
  })

  test('a claim whose answer was lost is given back even when there is nothing else to say', async () => {
    const { clock, slots, commits, outbox } = rig()
    outbox.look()
    await clock.rest()
    commits[0]?.fail()
    slots.take('tiles') // no slot is free any more, so there is nothing to claim either
    await clock.pass({ ms: 100 })
    assert.deepEqual(commits[1]?.batch.holds, [])
  })

  test('what is held is said from time to time, since a commit that was given up may be heard late and claim jobs', async () => {
    const { clock, commits, held, outbox } = rig()
    held.push(lease(7))
    outbox.look()
    await clock.rest()
    assert.equal(commits[0]?.batch.holds, undefined)
    commits[0]?.answer()
    await clock.pass({ ms: 10_000 })
    outbox.look()
    await clock.rest()
    assert.deepEqual(commits[1]?.batch.holds, [lease(7)])
    commits[1]?.answer()
    await clock.pass({ ms: 1_000 })
    outbox.look()
    await clock.rest()
    assert.equal(commits[2]?.batch.holds, undefined)
  })

  test('an outbox that was closed hears nothing more, and says nothing more', async () => {
    const { clock, commits, claimed, outbox } = rig()
    outbox.look()
    await clock.rest()
    outbox.close()
    commits[0]?.answer({ claimed: [job(1)] })
    void outbox.settle({ lease: lease(1), outcome: 'succeeded', result: '1' })
    await clock.pass({ ms: 10_000 })
    assert.equal(claimed.length, 0)
    assert.equal(commits.length, 1)
  })
})
