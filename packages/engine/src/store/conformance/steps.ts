import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { LAPSES_MAX } from '../../job/transition.ts'
import type { Claimed, NewStep } from '../store.ts'
import { children, ERROR, type Hand, type OpenStore, Rig, step } from './rig.ts'

/** A worker claims the workflow, does this much, and is lost. */
async function loseWorker(rig: Rig, doing?: (hand: Hand, claimed: Claimed) => Promise<unknown>): Promise<void> {
  await using doomed = await rig.frozen()
  const hand = await doomed.worker('doomed', 1_000)
  const claimed = await hand.claimOne('flows')
  await doing?.(hand, claimed)
  await rig.lapse(1_000)
}

export function testSteps(open: OpenStore): void {
  suite('steps', () => {
    test('recorded steps are read back in step order, whatever the order of their recording', async () => {
      await using rig = await Rig.open(open)
      const { hand, lease, id } = await rig.workflow()
      const dueAt = rig.clock.now() + 60_000
      assert.equal(await hand.advance(lease, step(2, { delivered: [1], deliveredFrom: 0 })), 'recorded')
      assert.equal(
        await hand.advance(lease, { ...step(1), kind: 'sleep', name: '60000 ms', dueAt, value: 'null' }),
        'recorded',
      )
      const failed = { step: 3, kind: 'step', name: 'odd', error: ERROR, delivered: [], deliveredFrom: 1 } as const
      assert.equal(await hand.advance(lease, failed), 'recorded')
      const history = await rig.store.history(lease.row)
      const at = rig.clock.now()
      const common = { children: [], recordedAt: at }
      assert.deepEqual(history, [
        { step: 1, kind: 'sleep', name: '60000 ms', dueAt, value: 'null', delivered: [], deliveredFrom: 0, ...common },
        { step: 2, kind: 'step', name: 'step-2', value: '1', delivered: [1], deliveredFrom: 0, ...common },
        { step: 3, kind: 'step', name: 'odd', error: ERROR, delivered: [], deliveredFrom: 1, ...common },
      ])
      assert.deepEqual(await rig.store.steps(id), history)
    })

    test('a job without steps has an empty history', async () => {
      await using rig = await Rig.open(open)
      const id = await rig.enqueue()
      const ada = await rig.worker()
      const { lease } = await ada.claimOne()
      assert.deepEqual(await rig.store.history(lease.row), [])
      assert.deepEqual(await rig.store.steps(id), [])
    })

    test('a called child belongs to its workflow, and its outcome is kept for it', async () => {
      await using rig = await Rig.open(open)
      const { hand, lease, id } = await rig.workflow({ owner: 'ada' })
      const child = rig.job()
      await hand.advance(lease, children(1, [child]))
      const stored = await rig.store.job(child.id)
      assert.deepEqual([stored?.parentId, stored?.rootId, stored?.step, stored?.item], [id, id, 1, 0])
      assert.deepEqual(await rig.store.outcomes(lease.row, 1), [
        { jobId: child.id, task: 'render', item: 0, state: 'pending' },
      ])
      assert.deepEqual(await rig.store.releases([{ row: lease.row, step: 1 }]), [])
      const claimed = await hand.claimOne()
      const settle = [{ lease: claimed.lease, outcome: 'succeeded', result: '7' } as const]
      assert.deepEqual((await hand.commit({ settle })).released, [{ parentId: id, step: 1 }])
      assert.deepEqual(await rig.store.outcomes(lease.row, 1), [
        { jobId: child.id, task: 'render', item: 0, state: 'succeeded', result: '7' },
      ])
      assert.deepEqual(await rig.store.releases([{ row: lease.row, step: 1 }]), [{ parentId: id, step: 1 }])
    })

    test('a grandchild knows the top of its tree', async () => {
      await using rig = await Rig.open(open)
      const { hand, lease, id } = await rig.workflow()
      await hand.advance(lease, children(1, [rig.job({ kind: 'workflow', queue: 'flows' })]))
      const middle = await hand.claimOne('flows')
      const leaf = rig.job()
      await hand.advance(middle.lease, children(1, [leaf]))
      const stored = await rig.store.job(leaf.id)
      assert.deepEqual([stored?.parentId, stored?.rootId], [middle.lease.jobId, id])
    })

    test('the outcome of a failed child carries its error', async () => {
      await using rig = await Rig.open(open)
      const { hand, lease } = await rig.workflow()
      await hand.advance(lease, children(1, [rig.job()]))
      await hand.fail((await hand.claimOne()).lease)
      const [outcome] = await rig.store.outcomes(lease.row, 1)
      assert.ok(outcome?.state === 'failed')
      assert.deepEqual(outcome.error, ERROR)
    })

    test('steps are all stored or none: a late worker stores nothing', async () => {
      await using rig = await Rig.open(open)
      await using frozen = await rig.frozen()
      await rig.enqueue({ kind: 'workflow', queue: 'flows' })
      const [ada, bob] = [await frozen.worker('ada'), await rig.worker('bob')]
      const late = await ada.claimOne('flows')
      await rig.lapse(30_000)
      const next = await bob.claimOne('flows')
      const child = rig.job()
      assert.equal(await ada.advance(late.lease, step(1), children(2, [child])), 'lease_lost')
      assert.deepEqual(await rig.store.history(next.lease.row), [])
      assert.equal(await rig.store.job(child.id), undefined)
    })

    test('a workflow that is to be cancelled records nothing more', async () => {
      await using rig = await Rig.open(open)
      const { hand, lease, id } = await rig.workflow()
      assert.equal(await rig.store.cancel(id, 'Enough.'), 'cancelling')
      const child = rig.job()
      assert.equal(await hand.advance(lease, children(1, [child])), 'cancelling')
      assert.equal(await rig.store.job(child.id), undefined)
      assert.deepEqual(await rig.store.history(lease.row), [])
    })

    test('steps go before the settlement that comes with them', async () => {
      await using rig = await Rig.open(open)
      const { hand, lease, id } = await rig.workflow()
      const settle = [{ lease, outcome: 'succeeded', result: '1' } as const]
      const { advanced, settled } = await hand.commit({ settle, advance: [{ lease, steps: [step(1)] }] })
      assert.deepEqual([advanced, settled], [['recorded'], ['settled']])
      assert.equal((await rig.store.steps(id)).length, 1)
    })

    test('the next attempt finds what the last one recorded', async () => {
      await using rig = await Rig.open(open)
      await using frozen = await rig.frozen()
      await rig.enqueue({ kind: 'workflow', queue: 'flows' })
      const [ada, bob] = [await frozen.worker('ada'), await rig.worker('bob')]
      const first = await ada.claimOne('flows')
      await ada.advance(first.lease, step(1))
      await rig.lapse(30_000)
      const second = await bob.claimOne('flows')
      assert.equal(second.lease.row, first.lease.row)
      assert.deepEqual(
        (await rig.store.history(second.lease.row)).map(({ name }) => name),
        ['step-1'],
      )
    })

    test('a workflow that gets on is not taken to kill its workers', async () => {
      await using rig = await Rig.open(open)
      const id = await rig.enqueue({ kind: 'workflow', queue: 'flows' })
      for (let number = 1; number <= LAPSES_MAX + 1; number++) {
        await using doomed = await rig.frozen()
        const hand = await doomed.worker('doomed', 1_000)
        await hand.advance((await hand.claimOne('flows')).lease, step(number))
        await rig.lapse(1_000)
      }
      assert.equal(await rig.state(id), 'waiting')
    })

    test('a workflow that waits for a child, for a group or for time outlives any number of workers', async () => {
      await using rig = await Rig.open(open)
      const waits: Record<string, (queue: string) => NewStep> = {
        child: (queue) => children(1, [rig.job({ queue })]),
        group: (queue) => children(1, [rig.job({ queue }), rig.job({ queue })], { policy: 'fail' }),
        sleep: () => ({ ...step(1), kind: 'sleep', dueAt: rig.clock.now() + 3_600_000 }),
      }
      for (const [queue, wait] of Object.entries(waits)) {
        const id = await rig.enqueue({ kind: 'workflow', queue: 'flows' })
        await loseWorker(rig, (hand, { lease }) => hand.advance(lease, wait(queue)))
        for (let loss = 0; loss < LAPSES_MAX; loss++) await loseWorker(rig)
        assert.equal(await rig.state(id), 'waiting', queue)
        await rig.store.cancel(id, 'Seen.')
      }
    })

    test('a workflow whose steps have all ended is taken to kill its workers', async () => {
      await using rig = await Rig.open(open)
      const id = await rig.enqueue({ kind: 'workflow', queue: 'flows' })
      const child = rig.job()
      const until = rig.clock.now() + 60_000
      const sleep = { ...step(3), kind: 'sleep', dueAt: until } as const
      const started = children(2, [rig.job({ queue: 'later' })], { kind: 'start', attached: false })
      await loseWorker(rig, (hand, { lease }) => hand.advance(lease, children(1, [child]), started, sleep))
      for (let loss = 0; loss < LAPSES_MAX; loss++) await loseWorker(rig)
      const ada = await rig.worker('ada', 3_600_000)
      await ada.succeed((await ada.claimOne()).lease)
      rig.clock.advance({ ms: until - rig.clock.now() })
      for (let loss = 1; loss < LAPSES_MAX; loss++) await loseWorker(rig)
      assert.equal(await rig.state(id), 'waiting')
      await loseWorker(rig)
      assert.equal(await rig.state(id), 'failed')
    })

    test('a workflow that waits and says that it does something meanwhile is taken to kill its workers', async () => {
      await using rig = await Rig.open(open)
      const id = await rig.enqueue({ kind: 'workflow', queue: 'flows' })
      const busy = (hand: Hand, { lease }: Claimed) => hand.advance(lease)
      await loseWorker(rig, (hand, { lease }) => hand.advance(lease, children(1, [rig.job()])))
      for (let loss = 1; loss < LAPSES_MAX; loss++) await loseWorker(rig, busy)
      await loseWorker(rig)
      assert.equal(await rig.state(id), 'waiting')
      await loseWorker(rig, busy)
      assert.equal(await rig.state(id), 'failed')
    })

    test('children that are called end with their workflow, and those that were started go on', async () => {
      await using rig = await Rig.open(open)
      const { hand, lease } = await rig.workflow()
      const [attached, running, started] = [rig.job({ queue: 'later' }), rig.job(), rig.job({ queue: 'later' })]
      await hand.advance(lease, children(1, [running]))
      const held = await hand.claimOne()
      await hand.advance(lease, children(2, [attached]), children(3, [started], { kind: 'start', attached: false }))
      await hand.succeed(lease)
      assert.equal(await rig.state(attached.id), 'cancelled')
      assert.equal(await rig.state(started.id), 'waiting')
      assert.equal(await rig.state(running.id), 'running')
      assert.equal((await rig.store.cancelRequests(hand.id)).length, 1)
      assert.equal(await hand.succeed(held.lease), 'cancelled')
      assert.equal(await rig.state(running.id), 'cancelled')
    })

    test('a started child knows where it came from, and its end releases nothing that is waited for twice', async () => {
      await using rig = await Rig.open(open)
      const { hand, lease, id } = await rig.workflow()
      const started = rig.job()
      await hand.advance(lease, children(1, [started], { kind: 'start', attached: false }))
      const claimed = await hand.claimOne()
      await hand.succeed(lease)
      assert.equal((await rig.store.job(started.id))?.parentId, id)
      assert.equal(await hand.succeed(claimed.lease), 'settled')
      assert.equal(await rig.state(started.id), 'succeeded')
    })
  })
}
