import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { children, type OpenStore, Rig } from './rig.ts'

export function testWatch(open: OpenStore): void {
  suite('watch', () => {
    test('new work is hinted at by its queue, before the call that stored it returns', async () => {
      await using rig = await Rig.open(open)
      using hints = rig.hints()
      await rig.store.enqueue([rig.job(), rig.job({ queue: 'mail' }), rig.job()])
      assert.deepEqual(hints.flatMap(({ queues }) => queues ?? []).sort(), ['mail', 'tiles'])
      assert.ok(hints.some(({ events }) => events === true))
    })

    test('later work is hinted at by its instant', async () => {
      await using rig = await Rig.open(open)
      using hints = rig.hints()
      const dueAt = rig.clock.now() + 500
      await rig.enqueue({ dueAt: dueAt + 100 })
      await rig.store.enqueue([rig.job({ dueAt: dueAt + 50 }), rig.job({ dueAt })])
      assert.equal(Math.min(...hints.flatMap((hint) => hint.dueAt ?? [])), dueAt)
      assert.deepEqual(
        hints.flatMap(({ queues }) => queues ?? []),
        [],
      )
    })

    test('an end, a release and a cancel are hinted at by their jobs', async () => {
      await using rig = await Rig.open(open)
      const { hand, lease, id } = await rig.workflow()
      const child = rig.job()
      await hand.advance(lease, children(1, [child]))
      const claimed = await hand.claimOne()
      using hints = rig.hints()
      await hand.succeed(claimed.lease)
      assert.deepEqual(
        hints.flatMap(({ ended }) => ended ?? []),
        [child.id],
      )
      assert.deepEqual(
        hints.flatMap(({ released }) => released ?? []),
        [id],
      )
      await rig.store.cancel(id, 'x')
      assert.deepEqual(
        hints.flatMap(({ cancelled }) => cancelled ?? []),
        [id],
      )
    })

    test('work that comes back is hinted at', async () => {
      await using rig = await Rig.open(open)
      await rig.enqueue()
      const ada = await rig.worker()
      await ada.claimOne()
      using hints = rig.hints()
      await rig.store.removeWorker(ada.id)
      assert.deepEqual(
        hints.flatMap(({ queues }) => queues ?? []),
        ['tiles'],
      )
    })

    test('who no longer watches hears nothing', async () => {
      await using rig = await Rig.open(open)
      const hints = rig.hints()
      hints[Symbol.dispose]()
      await rig.enqueue()
      assert.equal(hints.length, 0)
    })

    test('a listener that throws keeps nobody from the answer, nor from hearing', async () => {
      await using rig = await Rig.open(open)
      using _bad = rig.store.watch(() => {
        throw new Error('a bug in a listener')
      })
      using hints = rig.hints()
      const id = await rig.enqueue()
      assert.equal(await rig.state(id), 'waiting')
      assert.equal(hints.length, 1)
    })
  })
}
