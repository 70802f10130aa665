import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import type { JobId } from '../../job/job.ts'
import type { Claimed, GroupPolicy, Lease, NewJob } from '../store.ts'
import { children, ERROR, type Hand, type OpenStore, Rig } from './rig.ts'

type Group = { readonly hand: Hand; readonly lease: Lease; readonly id: JobId; readonly jobs: readonly NewJob[] }

async function group(rig: Rig, size: number, policy: GroupPolicy, over: { concurrency?: number } = {}): Promise<Group> {
  const workflow = await rig.workflow()
  const jobs = Array.from({ length: size }, (_, item) => rig.job({ input: String(item) }))
  assert.equal(await workflow.hand.advance(workflow.lease, children(1, jobs, { policy, ...over })), 'recorded')
  return { ...workflow, jobs }
}

function isReleased(rig: Rig, { lease }: Group): Promise<boolean> {
  return rig.store.releases([{ row: lease.row, step: 1 }]).then(({ length }) => length === 1)
}

/** The children that are said to have ended the group. */
async function endedBy(rig: Rig, { lease }: Group): Promise<JobId[]> {
  const outcomes = await rig.store.outcomes(lease.row, 1)
  return outcomes.filter((outcome) => 'endedGroup' in outcome && outcome.endedGroup).map(({ jobId }) => jobId)
}

export function testGroups(open: OpenStore): void {
  suite('groups', () => {
    test('the barrier is released by the last child, and by no other', async () => {
      await using rig = await Rig.open(open)
      const all = await group(rig, 4, 'fail')
      for (const [index, { lease }] of (await all.hand.claim()).entries()) {
        assert.equal(await isReleased(rig, all), false)
        const { released } = await all.hand.commit({ settle: [{ lease, outcome: 'succeeded', result: `${index}` }] })
        assert.deepEqual(released, index === 3 ? [{ parentId: all.id, step: 1 }] : [])
      }
      assert.equal(await isReleased(rig, all), true)
    })

    test('children that end in one commit release their barrier once', async () => {
      await using rig = await Rig.open(open)
      const all = await group(rig, 3, 'collect')
      const settle = (await all.hand.claim()).map(
        ({ lease }) => ({ lease, outcome: 'succeeded', result: '1' }) as const,
      )
      assert.deepEqual((await all.hand.commit({ settle })).released, [{ parentId: all.id, step: 1 }])
    })

    test('children that end in many processes release their barrier once', async () => {
      await using rig = await Rig.open(open)
      await using other = await rig.neighbour()
      const all = await group(rig, 6, 'fail')
      const eve = await other.worker('eve')
      const hands = [all.hand, eve]
      const claims = await Promise.all(hands.map((hand) => hand.claim('tiles', 3)))
      const commits = claims.flatMap((jobs, index) =>
        jobs.map(({ lease }) => hands[index]?.commit({ settle: [{ lease, outcome: 'succeeded', result: '1' }] })),
      )
      const released = (await Promise.all(commits)).flatMap((result) => result?.released ?? [])
      assert.deepEqual(released, [{ parentId: all.id, step: 1 }])
    })

    test('outcomes come in item order, whatever the order of their ends', async () => {
      await using rig = await Rig.open(open)
      const all = await group(rig, 3, 'fail')
      const claimed = await all.hand.claim()
      for (const { lease, input } of [...claimed].reverse()) await all.hand.succeed(lease, `${Number(input) * 10}`)
      const outcomes = await rig.store.outcomes(all.lease.row, 1)
      assert.deepEqual(
        outcomes.map((outcome) => (outcome.state === 'succeeded' ? outcome.result : '')),
        ['0', '10', '20'],
      )
      assert.deepEqual(
        outcomes.map(({ item }) => item),
        [0, 1, 2],
      )
      const [recorded] = await rig.store.history(all.lease.row)
      assert.equal(recorded?.policy, 'fail')
      assert.deepEqual(recorded?.children, outcomes)
    })

    test('the first failure ends a group of policy fail: what waits is cancelled, what runs is asked to stop', async () => {
      await using rig = await Rig.open(open)
      const all = await group(rig, 4, 'fail')
      const [failing, running] = await all.hand.claim('tiles', 2)
      assert.ok(failing && running)
      const { released } = await all.hand.commit({
        settle: [{ lease: failing.lease, outcome: 'failed', error: { code: 'x', message: 'no' } }],
      })
      assert.deepEqual(released, [{ parentId: all.id, step: 1 }])
      const states = await Promise.all(all.jobs.map(({ id }) => rig.state(id)))
      assert.deepEqual(states, ['failed', 'running', 'cancelled', 'cancelled'])
      assert.deepEqual(
        (await rig.store.cancelRequests(all.hand.id)).map(({ row }) => row),
        [running.lease.row],
      )
      const end = await all.hand.commit({ settle: [{ lease: running.lease, outcome: 'succeeded', result: '1' }] })
      assert.deepEqual([end.settled, end.released], [['cancelled'], []])
      assert.equal(await rig.state(all.id), 'running')
    })

    test('two failures in one commit release the barrier once', async () => {
      await using rig = await Rig.open(open)
      const all = await group(rig, 3, 'fail')
      const claimed = await all.hand.claim('tiles', 2)
      const error = { code: 'x', message: 'no' }
      const settle = claimed.map(({ lease }) => ({ lease, outcome: 'failed', error }) as const)
      assert.deepEqual((await all.hand.commit({ settle })).released, [{ parentId: all.id, step: 1 }])
    })

    test('the child that ended a group of policy fail is the same whenever one asks, whoever ends after it', async () => {
      await using rig = await Rig.open(open)
      const all = await group(rig, 3, 'fail')
      const { lease } = await all.hand.claimOne()
      const last = all.jobs[2]?.id as JobId
      await rig.store.cancel(last, 'Enough.')
      assert.deepEqual(await endedBy(rig, all), [last])
      assert.equal(await all.hand.fail(lease), 'cancelled')
      assert.equal(await rig.state(all.jobs[0]?.id as JobId), 'cancelled')
      assert.deepEqual(await endedBy(rig, all), [last])
      const [recorded] = await rig.store.history(all.lease.row)
      assert.deepEqual(recorded?.children, await rig.store.outcomes(all.lease.row, 1))
    })

    test('of the children that end in one commit, the first that failed ended the group', async () => {
      await using rig = await Rig.open(open)
      const all = await group(rig, 4, 'fail')
      const [one, two, three] = await all.hand.claim()
      assert.ok(one && two && three)
      const cancelled = { lease: one.lease, outcome: 'cancelled', error: ERROR } as const
      const failed = ({ lease }: Claimed) => ({ lease, outcome: 'failed', error: ERROR }) as const
      await all.hand.commit({ settle: [cancelled, failed(three), failed(two)] })
      assert.deepEqual(await endedBy(rig, all), [three.lease.jobId])
    })

    test('no child ends a group of policy collect', async () => {
      await using rig = await Rig.open(open)
      const all = await group(rig, 2, 'collect')
      for (const { lease } of await all.hand.claim()) await all.hand.fail(lease)
      assert.deepEqual(await endedBy(rig, all), [])
    })

    test('a group of policy collect waits for all, and gives every outcome', async () => {
      await using rig = await Rig.open(open)
      const all = await group(rig, 3, 'collect')
      const [one, two, three] = await all.hand.claim()
      assert.ok(one && two && three)
      await all.hand.fail(one.lease)
      await rig.store.cancel(two.lease.jobId, 'Enough.')
      assert.equal(await all.hand.succeed(two.lease), 'cancelled')
      assert.equal(await isReleased(rig, all), false)
      await all.hand.succeed(three.lease, '3')
      assert.equal(await isReleased(rig, all), true)
      const states = (await rig.store.outcomes(all.lease.row, 1)).map(({ state }) => state)
      assert.deepEqual(states, ['failed', 'cancelled', 'succeeded'])
    })

    test('a group of nobody is released at once', async () => {
      await using rig = await Rig.open(open)
      const all = await group(rig, 0, 'fail')
      assert.equal(await isReleased(rig, all), true)
      assert.deepEqual(await rig.store.outcomes(all.lease.row, 1), [])
    })

    test('at most so many children are due at once, and each end lets the next one go', async () => {
      await using rig = await Rig.open(open)
      const all = await group(rig, 5, 'collect', { concurrency: 2 })
      const done: string[] = []
      let held = [...(await all.hand.claim())]
      assert.equal(held.length, 2)
      while (held.length > 0) {
        const [next] = held.splice(0, 1)
        assert.ok(next)
        done.push(next.input)
        await all.hand.succeed(next.lease)
        held = [...held, ...(await all.hand.claim())]
        assert.ok(held.length <= 2)
      }
      assert.deepEqual(done, ['0', '1', '2', '3', '4'])
      assert.equal(await isReleased(rig, all), true)
    })

    test('children that end together let as many others go', async () => {
      await using rig = await Rig.open(open)
      const all = await group(rig, 5, 'collect', { concurrency: 2 })
      const settle = (await all.hand.claim()).map(
        ({ lease }) => ({ lease, outcome: 'succeeded', result: '1' }) as const,
      )
      const { claimed } = await all.hand.commit({ settle, claim: [{ queue: 'tiles', slots: 9 }] })
      assert.deepEqual(
        claimed.map(({ input }) => input),
        ['2', '3'],
      )
    })

    test('a child that is let go waits for its own time all the same', async () => {
      await using rig = await Rig.open(open)
      const { hand, lease } = await rig.workflow()
      const start = rig.clock.now()
      const dueAts = [undefined, start + 500, start + 100]
      const jobs = dueAts.map((dueAt) => rig.job(dueAt === undefined ? {} : { dueAt }))
      const shown = async () =>
        (await Promise.all(jobs.map(({ id }) => rig.store.job(id)))).map((job) => job && 'dueAt' in job && job.dueAt)
      await hand.advance(lease, children(1, jobs, { policy: 'collect', concurrency: 1 }))
      // When a held one may begin is not known yet.
      assert.deepEqual(await shown(), [start, false, false])
      await hand.succeed((await hand.claimOne()).lease)
      assert.deepEqual(await hand.claim(), [])
      assert.deepEqual((await shown()).slice(1), [start + 500, false])
      assert.equal((await rig.store.sweep()).nextDueAt, start + 500)
      rig.clock.advance({ ms: 500 })
      await hand.succeed((await hand.claimOne()).lease)
      assert.equal((await hand.claimOne()).lease.jobId, jobs[2]?.id)
    })

    test('a child that is to be retried keeps its place in the group', async () => {
      await using rig = await Rig.open(open)
      const all = await group(rig, 3, 'fail', { concurrency: 1 })
      const { lease } = await all.hand.claimOne()
      const dueAt = rig.clock.now() + 100
      await all.hand.settle(lease, { outcome: 'retried', error: { code: 'x', message: 'no' }, dueAt })
      assert.deepEqual(await all.hand.claim(), [])
      rig.clock.advance({ ms: 100 })
      assert.deepEqual(
        (await all.hand.claim()).map(({ input }) => input),
        ['0'],
      )
    })

    test('a held child that is cancelled frees no place, for it had none', async () => {
      await using rig = await Rig.open(open)
      const all = await group(rig, 4, 'collect', { concurrency: 1 })
      await all.hand.claimOne()
      await rig.store.cancel(all.jobs[3]?.id as JobId, 'Enough.')
      assert.deepEqual(await all.hand.claim(), [])
    })

    test('a held child that is the last one left releases the barrier when it is cancelled', async () => {
      await using rig = await Rig.open(open)
      const all = await group(rig, 2, 'collect', { concurrency: 1 })
      const { lease } = await all.hand.claimOne()
      await rig.store.cancel(all.jobs[1]?.id as JobId, 'Enough.')
      assert.equal(await isReleased(rig, all), false)
      await all.hand.succeed(lease)
      assert.equal(await isReleased(rig, all), true)
    })

    test('the failure of a child with children of its own takes the siblings’ trees along', async () => {
      await using rig = await Rig.open(open)
      const { hand, lease } = await rig.workflow()
      const inner = rig.job({ kind: 'workflow', queue: 'flows' })
      const leaf = rig.job({ queue: 'leaves' })
      await hand.advance(lease, children(1, [rig.job(), inner], { policy: 'fail' }))
      const middle = await hand.claimOne('flows')
      await hand.advance(middle.lease, children(1, [leaf, rig.job({ queue: 'leaves' })], { policy: 'collect' }))
      await hand.fail((await hand.claimOne()).lease)
      assert.equal(await rig.state(leaf.id), 'cancelled')
      assert.equal(await rig.state(inner.id), 'running')
      assert.equal(await hand.succeed(middle.lease), 'cancelled')
    })
  })
}
