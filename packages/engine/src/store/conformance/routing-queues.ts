import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import type { JobId } from '../../job/job.ts'
import type { QueueCounts } from '../store.ts'
import { ERROR, type Hand, type OpenStore, Rig } from './rig.ts'

async function claimed(hand: Hand, slots = 100): Promise<JobId[]> {
  return (await hand.claim('tiles', slots)).map(({ lease }) => lease.jobId)
}

async function tiles(rig: Rig): Promise<QueueCounts | undefined> {
  return (await rig.store.queues()).find(({ queue }) => queue === 'tiles')
}

/** So many jobs of each owner, all of one owner after all of the other. */
async function backlog(rig: Rig, ...owners: readonly [owner: string, count: number][]): Promise<void> {
  for (const [owner, count] of owners) for (let index = 0; index < count; index++) await rig.enqueue({ owner })
}

async function owners(hand: Hand, slots: number): Promise<string> {
  return (await hand.claim('tiles', slots)).map(({ owner }) => owner).join('')
}

export function testRoutingQueues(open: OpenStore): void {
  suite('settings of a queue', () => {
    test('of a paused queue nothing is claimed, what runs goes on, and others are not touched', async () => {
      await using rig = await Rig.open(open)
      const [first, second] = [await rig.enqueue(), await rig.enqueue()]
      const mail = await rig.enqueue({ queue: 'mail' })
      const hand = await rig.worker()
      const { lease } = await hand.claimOne()
      await rig.store.configureQueue('tiles', { paused: true })
      assert.deepEqual(await claimed(hand), [])
      assert.equal((await hand.claimOne('mail')).lease.jobId, mail)
      assert.equal(await hand.succeed(lease), 'settled')
      assert.equal(await rig.state(first), 'succeeded')
      assert.equal((await tiles(rig))?.paused, true)
      using hints = rig.hints()
      await rig.store.configureQueue('tiles', { paused: false })
      assert.ok(hints.some((hint) => hint.queues?.includes('tiles')))
      assert.deepEqual(await claimed(hand), [second])
      assert.equal((await tiles(rig))?.paused, undefined)
    })

    test('a queue may be set before it has jobs, and by another process', async () => {
      await using rig = await Rig.open(open)
      await using other = await rig.neighbour()
      await other.store.configureQueue('tiles', { paused: true, rate: { count: 2, perMs: 1_000 } })
      const hand = await rig.worker()
      await rig.enqueue()
      assert.deepEqual(await claimed(hand), [])
      const counts = await tiles(rig)
      assert.deepEqual([counts?.waiting, counts?.paused, counts?.rate], [1, true, { count: 2, perMs: 1_000 }])
      await other.store.configureQueue('tiles', { paused: false })
      assert.equal((await claimed(hand)).length, 1)
    })

    test('of a queue with a rate no more is claimed than its bucket has tokens, over all workers', async () => {
      await using rig = await Rig.open(open)
      await using other = await rig.neighbour()
      await rig.store.configureQueue('tiles', { rate: { count: 3, perMs: 3_000 } })
      const ids: JobId[] = []
      for (let index = 0; index < 6; index++) ids.push(await rig.enqueue())
      const [ada, bob] = [await rig.worker('ada', 60_000), await other.worker('bob', 60_000)]
      assert.deepEqual(await claimed(ada, 2), ids.slice(0, 2))
      assert.deepEqual(await claimed(bob), ids.slice(2, 3))
      assert.deepEqual(await claimed(ada), [])
      rig.clock.advance({ ms: 999 })
      assert.deepEqual(await claimed(ada), [])
      rig.clock.advance({ ms: 1 })
      assert.deepEqual(await claimed(bob), ids.slice(3, 4))
      rig.clock.advance({ ms: 2_000 })
      assert.deepEqual(await claimed(ada), ids.slice(4, 6))
    })

    test('a sweep says when the next token comes, and wakes those who wait for it', async () => {
      await using rig = await Rig.open(open)
      await rig.store.configureQueue('tiles', { rate: { count: 1, perMs: 2_000 } })
      await rig.enqueue()
      await rig.enqueue()
      const hand = await rig.worker('ada', 60_000)
      assert.equal((await claimed(hand)).length, 1)
      assert.equal((await rig.store.sweep()).nextDueAt, rig.clock.now() + 2_000)
      rig.clock.advance({ ms: 2_000 })
      using hints = rig.hints()
      assert.equal((await rig.store.sweep()).nextDueAt, undefined)
      assert.ok(hints.some((hint) => hint.queues?.includes('tiles')))
      assert.equal((await claimed(hand)).length, 1)
      // Nobody waits for the next one.
      assert.equal((await rig.store.sweep()).nextDueAt, undefined)
    })

    test('a rate may be taken away again', async () => {
      await using rig = await Rig.open(open)
      await rig.store.configureQueue('tiles', { rate: { count: 1, perMs: 60_000 } })
      for (let index = 0; index < 5; index++) await rig.enqueue()
      const hand = await rig.worker()
      assert.equal((await claimed(hand)).length, 1)
      await rig.store.configureQueue('tiles', { rate: null })
      assert.equal((await claimed(hand)).length, 4)
      assert.equal((await tiles(rig))?.rate, undefined)
    })

    test('in a fair queue the owners take turns, however many jobs each has in line', async () => {
      await using rig = await Rig.open(open)
      await rig.store.configureQueue('tiles', { fair: true })
      await backlog(rig, ['a', 6], ['b', 3])
      const hand = await rig.worker()
      assert.equal(await owners(hand, 4), 'abab')
      // A newcomer begins with the others, not before all of them.
      await backlog(rig, ['c', 2])
      assert.equal(await owners(hand, 9), 'cabcaaa')
    })

    test('an owner of twice the weight gets twice as many turns', async () => {
      await using rig = await Rig.open(open)
      await rig.store.configureQueue('tiles', { fair: true, shares: { b: 2 } })
      await backlog(rig, ['a', 9], ['b', 9])
      assert.deepEqual((await tiles(rig))?.shares, { b: 2 })
      const hand = await rig.worker()
      const turns = await owners(hand, 9)
      assert.equal([...turns].filter((owner) => owner === 'b').length, 6)
    })

    test('a higher priority goes before any turn', async () => {
      await using rig = await Rig.open(open)
      await rig.store.configureQueue('tiles', { fair: true })
      await backlog(rig, ['a', 2], ['b', 2])
      await rig.enqueue({ owner: 'a', priority: 1 })
      await rig.enqueue({ owner: 'a', priority: 1 })
      assert.equal(await owners(await rig.worker(), 4), 'aaab')
    })

    test('those in line when a queue is made fair take turns too, and go as they came when it is no longer', async () => {
      await using rig = await Rig.open(open)
      await backlog(rig, ['a', 4], ['b', 2])
      await rig.store.configureQueue('tiles', { fair: true })
      const hand = await rig.worker()
      assert.equal(await owners(hand, 2), 'ab')
      await rig.store.configureQueue('tiles', { fair: false })
      assert.equal(await owners(hand, 9), 'aaab')
    })

    test('in a fair queue, what is handed back keeps its turn, and what is tried again takes a new one', async () => {
      await using rig = await Rig.open(open)
      await rig.store.configureQueue('tiles', { fair: true })
      await backlog(rig, ['a', 3], ['b', 2])
      const hand = await rig.worker()
      const [first, second] = await hand.claim('tiles', 2)
      assert.ok(first && second)
      await hand.settle(first.lease, { outcome: 'released', dueAt: rig.clock.now(), reason: 'tired' })
      const again = await hand.claimOne()
      assert.equal(again.lease.jobId, first.lease.jobId)
      await hand.settle(second.lease, { outcome: 'retried', error: ERROR, dueAt: rig.clock.now() })
      assert.equal(await owners(hand, 9), 'abab')
    })

    test('a queue shows since when the first of those that could be claimed is due', async () => {
      await using rig = await Rig.open(open)
      const since = rig.clock.now()
      await rig.enqueue()
      rig.clock.advance({ ms: 500 })
      await rig.enqueue()
      assert.equal((await tiles(rig))?.oldestDueAt, since)
    })
  })
}
