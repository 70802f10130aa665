import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import type { JobId } from '../../job/job.ts'
import { children, ERROR, type OpenStore, Rig, step } from './rig.ts'

export function testCancel(open: OpenStore): void {
  suite('cancel', () => {
    test('a waiting job ends at once, as cancelled and with the reason', async () => {
      await using rig = await Rig.open(open)
      const id = await rig.enqueue()
      assert.equal(await rig.store.cancel(id, 'Not needed.'), 'cancelled')
      const outcome = await rig.store.outcome(id)
      assert.deepEqual(outcome, {
        state: 'cancelled',
        error: { code: 'job_cancelled', message: 'Not needed.', retryable: false },
      })
      const ada = await rig.worker()
      assert.deepEqual(await ada.claim(), [])
      assert.deepEqual(await rig.kinds(id), ['queued', 'ended cancelled'])
      assert.deepEqual(await rig.store.attempts(id), [])
    })

    test('a scheduled job ends at once, and never falls due', async () => {
      await using rig = await Rig.open(open)
      const id = await rig.enqueue({ dueAt: rig.clock.now() + 1_000 })
      assert.equal(await rig.store.cancel(id, 'Not needed.'), 'cancelled')
      rig.clock.advance({ ms: 2_000 })
      const ada = await rig.worker()
      assert.deepEqual(await ada.claim(), [])
    })

    test('a running job is asked to stop, and ends cancelled when its worker says how it ended', async () => {
      await using rig = await Rig.open(open)
      const id = await rig.enqueue()
      const [ada, bob] = [await rig.worker('ada'), await rig.worker('bob')]
      const { lease } = await ada.claimOne()
      assert.equal(await rig.store.cancel(id, 'Not needed.'), 'cancelling')
      assert.deepEqual(await rig.store.cancelRequests(ada.id), [{ row: lease.row, reason: 'Not needed.' }])
      assert.deepEqual(await rig.store.cancelRequests(bob.id), [])
      const job = await rig.store.job(id)
      assert.ok(job?.state === 'running')
      assert.equal(job.cancelRequestedAt, rig.clock.now())
      assert.equal(await ada.settle(lease, { outcome: 'cancelled', error: ERROR }), 'cancelled')
      assert.deepEqual(await rig.kinds(id), ['queued', 'started', 'cancel-requested', 'ended cancelled'])
      assert.deepEqual(await rig.store.cancelRequests(ada.id), [])
    })

    for (const outcome of ['succeeded', 'failed', 'retried', 'released'] as const) {
      test(`once asked to stop a job ends cancelled, even where its attempt was to be settled as ${outcome}`, async () => {
        await using rig = await Rig.open(open)
        const id = await rig.enqueue()
        const ada = await rig.worker()
        const { lease } = await ada.claimOne()
        await rig.store.cancel(id, 'Not needed.')
        const dueAt = rig.clock.now()
        const how = {
          succeeded: { result: '1' },
          failed: { error: ERROR },
          retried: { error: ERROR, dueAt },
          released: { dueAt, reason: 'x' },
        }
        // Each outcome goes with its own fields; the compiler cannot pair them.
        assert.equal(
          await ada.settle(lease, { outcome, ...how[outcome] } as Parameters<typeof ada.settle>[1]),
          'cancelled',
        )
        assert.deepEqual((await rig.store.outcome(id))?.error?.message, 'Not needed.')
        assert.equal(await rig.state(id), 'cancelled')
      })
    }

    test('a job that was asked to stop ends cancelled when its worker is lost', async () => {
      await using rig = await Rig.open(open)
      await using frozen = await rig.frozen()
      const id = await rig.enqueue()
      const ada = await frozen.worker()
      await ada.claimOne()
      await rig.store.cancel(id, 'Not needed.')
      await rig.lapse(30_000)
      assert.equal(await rig.state(id), 'cancelled')
    })

    test('a job that was asked to stop ends cancelled when its worker says goodbye', async () => {
      await using rig = await Rig.open(open)
      const id = await rig.enqueue()
      const ada = await rig.worker()
      await ada.claimOne()
      await rig.store.cancel(id, 'Not needed.')
      await rig.store.removeWorker(ada.id)
      assert.equal(await rig.state(id), 'cancelled')
    })

    test('a second cancel asks nothing new, and the first reason stands', async () => {
      await using rig = await Rig.open(open)
      const id = await rig.enqueue()
      const ada = await rig.worker()
      const { lease } = await ada.claimOne()
      await rig.store.cancel(id, 'First.')
      assert.equal(await rig.store.cancel(id, 'Second.'), 'cancelling')
      await ada.succeed(lease)
      assert.equal((await rig.store.outcome(id))?.error?.message, 'First.')
      assert.deepEqual(await rig.kinds(id), ['queued', 'started', 'cancel-requested', 'ended cancelled'])
    })

    test('a job that has ended stays as it is', async () => {
      await using rig = await Rig.open(open)
      const id = await rig.enqueue()
      const ada = await rig.worker()
      await ada.succeed((await ada.claimOne()).lease)
      assert.equal(await rig.store.cancel(id, 'Too late.'), 'already_ended')
      assert.equal(await rig.state(id), 'succeeded')
    })

    test('a job that nobody knows cannot be cancelled', async () => {
      await using rig = await Rig.open(open)
      assert.equal(await rig.store.cancel(rig.job().id, 'What?'), 'unknown_job')
    })

    test('a tree is cancelled in every state: waiting, scheduled, held and retried jobs end, running ones are asked', async () => {
      await using rig = await Rig.open(open)
      const { hand, lease, id } = await rig.workflow()
      const inner = rig.job({ kind: 'workflow', queue: 'flows' })
      const scheduled = rig.job({ dueAt: rig.clock.now() + 9_000 })
      const retried = rig.job({ queue: 'again' })
      const started = rig.job({ queue: 'later' })
      const group = Array.from({ length: 3 }, () => rig.job())
      await hand.advance(
        lease,
        children(1, [inner]),
        children(2, [scheduled]),
        children(3, group, { policy: 'collect', concurrency: 1 }),
        children(4, [retried]),
        children(5, [started], { kind: 'start', attached: false }),
      )
      const middle = await hand.claimOne('flows')
      const leaf = rig.job({ queue: 'leaves' })
      await hand.advance(middle.lease, children(1, [leaf]))
      const again = await hand.claimOne('again')
      await hand.settle(again.lease, { outcome: 'retried', error: ERROR, dueAt: rig.clock.now() + 9_000 })
      const running = await hand.claimOne()
      assert.equal(await rig.store.cancel(id, 'All of it.'), 'cancelling')
      const ended = [scheduled, retried, started, leaf, ...group.slice(1)]
      for (const job of ended) assert.equal(await rig.state(job.id), 'cancelled')
      const asked = new Set((await rig.store.cancelRequests(hand.id)).map(({ row }) => row))
      assert.deepEqual(asked, new Set([lease.row, middle.lease.row, running.lease.row]))
      for (const claimed of [running, middle]) assert.equal(await hand.succeed(claimed.lease), 'cancelled')
      assert.equal(await hand.succeed(lease), 'cancelled')
      for (const job of await rig.store.tree(id, 100)) assert.equal(job.state, 'cancelled')
    })

    test('a workflow that waits for its next attempt is cancelled together with its children', async () => {
      await using rig = await Rig.open(open)
      await using frozen = await rig.frozen()
      const id = await rig.enqueue({ kind: 'workflow', queue: 'flows' })
      const [ada, bob] = [await frozen.worker('ada'), await rig.worker('bob')]
      const { lease } = await ada.claimOne('flows')
      const [waiting, running] = [rig.job({ queue: 'later' }), rig.job()]
      await ada.advance(lease, children(1, [waiting]), children(2, [running]))
      const held = await bob.claimOne()
      await rig.lapse(30_000)
      assert.equal(await rig.state(id), 'waiting')
      assert.equal(await rig.store.cancel(id, 'Enough.'), 'cancelled')
      assert.equal(await rig.state(waiting.id), 'cancelled')
      assert.deepEqual(await rig.store.cancelRequests(bob.id), [{ row: held.lease.row, reason: 'Enough.' }])
      assert.deepEqual(await rig.kinds(waiting.id), ['queued', 'ended cancelled'])
      assert.deepEqual(await rig.kinds(running.id), ['queued', 'started', 'cancel-requested'])
    })

    test('a lost worker that held a cancelled workflow and its child leaves both cancelled', async () => {
      await using rig = await Rig.open(open)
      await using frozen = await rig.frozen()
      const id = await rig.enqueue({ kind: 'workflow', queue: 'flows' })
      const ada = await frozen.worker('ada')
      const { lease } = await ada.claimOne('flows')
      const child = rig.job()
      await ada.advance(lease, step(1), children(2, [child]))
      await ada.claimOne()
      await rig.store.cancel(id, 'Enough.')
      await rig.lapse(30_000)
      assert.deepEqual([await rig.state(id), await rig.state(child.id)], ['cancelled', 'cancelled'])
    })

    test('a lost worker whose workflow fails for good takes the child that it held along', async () => {
      await using rig = await Rig.open(open)
      await using frozen = await rig.frozen()
      const deadlineAt = rig.clock.now() + 1_000
      const id = await rig.enqueue({ kind: 'workflow', queue: 'flows', deadlineAt })
      const ada = await frozen.worker('ada')
      const { lease } = await ada.claimOne('flows')
      const child = rig.job()
      await ada.advance(lease, children(1, [child]))
      await ada.claimOne()
      await rig.lapse(30_000)
      assert.deepEqual([await rig.state(id), await rig.state(child.id)], ['failed', 'cancelled'])
    })

    test('the cancel of one child releases its workflow', async () => {
      await using rig = await Rig.open(open)
      const { hand, lease, id } = await rig.workflow()
      const child = rig.job()
      await hand.advance(lease, children(1, [child]))
      await rig.store.cancel(child.id, 'This one.')
      assert.equal(await rig.state(id), 'running')
      assert.deepEqual(await rig.store.releases([{ row: lease.row, step: 1 }]), [{ parentId: id, step: 1 }])
      const [outcome] = await rig.store.outcomes(lease.row, 1)
      assert.equal(outcome?.state, 'cancelled')
    })

    test('cancelling reaches a worker of another process', async () => {
      await using rig = await Rig.open(open)
      await using other = await rig.neighbour()
      const id: JobId = await rig.enqueue()
      const eve = await other.worker('eve')
      const { lease } = await eve.claimOne()
      await rig.store.cancel(id, 'Enough.')
      assert.deepEqual(await other.store.cancelRequests(eve.id), [{ row: lease.row, reason: 'Enough.' }])
    })
  })
}
