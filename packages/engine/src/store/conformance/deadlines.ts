import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { children, type OpenStore, Rig } from './rig.ts'

export function testDeadlines(open: OpenStore): void {
  suite('deadlines', () => {
    test('a job that still waits at its deadline fails', async () => {
      await using rig = await Rig.open(open)
      const id = await rig.enqueue({ deadlineAt: rig.clock.now() + 1_000 })
      rig.clock.advance({ ms: 999 })
      await rig.store.sweep()
      assert.equal(await rig.state(id), 'waiting')
      rig.clock.advance({ ms: 1 })
      await rig.store.sweep()
      const outcome = await rig.store.outcome(id)
      assert.deepEqual([outcome?.state, outcome?.error?.code], ['failed', 'deadline_exceeded'])
      assert.deepEqual(await rig.kinds(id), ['queued', 'ended failed'])
    })

    test('a job that runs at its deadline is its worker’s to end', async () => {
      await using rig = await Rig.open(open)
      const id = await rig.enqueue({ deadlineAt: rig.clock.now() + 1_000 })
      const ada = await rig.worker()
      const { lease } = await ada.claimOne()
      rig.clock.advance({ ms: 1_001 })
      await rig.store.sweep()
      assert.equal(await rig.state(id), 'running')
      assert.equal(await ada.succeed(lease), 'settled')
    })

    test('a job whose worker is lost after its deadline fails by it', async () => {
      await using rig = await Rig.open(open)
      await using frozen = await rig.frozen()
      const id = await rig.enqueue({ deadlineAt: rig.clock.now() + 1_000 })
      const ada = await frozen.worker()
      await ada.claimOne()
      await rig.lapse(30_000)
      assert.equal((await rig.store.outcome(id))?.error?.code, 'deadline_exceeded')
    })

    test('the children of a workflow that waits past its deadline end with it, each as what it was', async () => {
      await using rig = await Rig.open(open)
      await using frozen = await rig.frozen()
      const deadlineAt = rig.clock.now() + 60_000
      const id = await rig.enqueue({ kind: 'workflow', queue: 'flows', deadlineAt })
      const [ada, bob] = [await frozen.worker('ada'), await rig.worker('bob', 600_000)]
      const top = await ada.claimOne('flows')
      const middle = rig.job({ kind: 'workflow', queue: 'flows', deadlineAt })
      await ada.advance(top.lease, children(1, [middle]))
      const inner = await ada.claimOne('flows')
      const leaf = rig.job({ deadlineAt })
      await ada.advance(inner.lease, children(1, [leaf]))
      const held = await bob.claimOne()
      await rig.lapse(30_000)
      assert.deepEqual([await rig.state(id), await rig.state(middle.id)], ['waiting', 'waiting'])
      rig.clock.advance({ ms: 60_000 })
      await rig.store.sweep()
      assert.equal(await rig.state(id), 'failed')
      assert.notEqual(await rig.state(middle.id), 'waiting')
      // Its worker still has it, and learns that it is to stop.
      assert.equal(await rig.state(leaf.id), 'running')
      assert.deepEqual(
        (await rig.store.cancelRequests(bob.id)).map(({ row }) => row),
        [held.lease.row],
      )
      assert.equal(await bob.succeed(held.lease), 'cancelled')
    })

    test('a started child goes on after its workflow passed its deadline', async () => {
      await using rig = await Rig.open(open)
      await using frozen = await rig.frozen()
      const id = await rig.enqueue({ kind: 'workflow', queue: 'flows', deadlineAt: rig.clock.now() + 60_000 })
      const ada = await frozen.worker('ada')
      const { lease } = await ada.claimOne('flows')
      const started = rig.job()
      await ada.advance(lease, children(1, [started], { kind: 'start', attached: false }))
      await rig.lapse(30_000)
      rig.clock.advance({ ms: 60_000 })
      await rig.store.sweep()
      assert.deepEqual([await rig.state(id), await rig.state(started.id)], ['failed', 'waiting'])
    })

    test('sweeping tells when the next scheduled job falls due', async () => {
      await using rig = await Rig.open(open)
      assert.equal((await rig.store.sweep()).nextDueAt, undefined)
      await rig.enqueue({ dueAt: rig.clock.now() + 700 })
      await rig.enqueue({ dueAt: rig.clock.now() + 500 })
      assert.equal((await rig.store.sweep()).nextDueAt, rig.clock.now() + 500)
    })

    test('a sweep makes due what has fallen due, and says so', async () => {
      await using rig = await Rig.open(open)
      const id = await rig.enqueue({ dueAt: rig.clock.now() + 500 })
      rig.clock.advance({ ms: 500 })
      using hints = rig.hints()
      await rig.store.sweep()
      assert.deepEqual(
        hints.flatMap(({ queues }) => queues ?? []),
        ['tiles'],
      )
      assert.equal(await rig.state(id), 'waiting')
    })
  })
}
