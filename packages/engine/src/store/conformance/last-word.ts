import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { cancelled } from '../../job/transition.ts'
import { children, ERROR, type OpenStore, Rig, step } from './rig.ts'

const FAILED = { outcome: 'failed', error: ERROR } as const

export function testLastWord(open: OpenStore): void {
  suite('the last word of a workflow', () => {
    test('one with onFailure that fails is claimed once more to clean up, and then ends as it was to', async () => {
      await using rig = await Rig.open(open)
      const { hand, lease, id } = await rig.workflow({ cleanup: true })
      await hand.advance(lease, step(1))
      assert.equal(await hand.settle(lease, FAILED), 'settled')
      assert.equal(await rig.state(id), 'waiting')
      const again = await hand.claimOne('flows')
      assert.deepEqual(again.ending, { to: 'failed', error: ERROR, step: 2 })
      assert.deepEqual(
        (await rig.store.history(lease.row)).map(({ kind }) => kind),
        ['step', 'ending'],
      )
      const details = { cleanup: [] }
      await hand.settle(again.lease, { outcome: 'failed', error: { ...ERROR, details } })
      assert.deepEqual(await rig.store.outcome(id), { state: 'failed', error: { ...ERROR, details } })
      assert.deepEqual(await rig.kinds(id), ['queued', 'started', 'step', 'ending', 'started', 'ended failed'])
      assert.deepEqual(
        (await rig.store.attempts(id)).map(({ outcome }) => outcome),
        ['failed', 'failed'],
      )
    })

    test('one that succeeds, or is cancelled with nothing to undo, ends at once', async () => {
      await using rig = await Rig.open(open)
      const first = await rig.workflow({ cleanup: true })
      await first.hand.succeed(first.lease)
      assert.equal(await rig.state(first.id), 'succeeded')
      const waiting = await rig.enqueue({ kind: 'workflow', cleanup: true })
      assert.equal(await rig.store.cancel(waiting, 'Enough.'), 'cancelled')
    })

    test('one that began a step to be undone is claimed once more when it is cancelled, running or parked', async () => {
      await using rig = await Rig.open(open)
      for (const isParked of [false, true]) {
        const { hand, lease, id } = await rig.workflow()
        await hand.advance(lease, {
          step: 1,
          kind: 'step',
          name: 'book',
          compensates: true,
          delivered: [],
          deliveredFrom: 0,
        })
        if (isParked) await hand.settle(lease, { outcome: 'parked', waits: [] })
        assert.equal(await rig.store.cancel(id, 'Enough.'), 'cancelling')
        if (!isParked) assert.equal(await hand.settle(lease, { outcome: 'cancelled', error: ERROR }), 'cancelled')
        const again = await hand.claimOne('flows')
        assert.deepEqual(again.ending, { ...cancelled('Enough.'), step: 2 })
        assert.deepEqual(await rig.store.cancelRequests(hand.id), [])
        assert.equal(await hand.advance(again.lease, { ...step(3), kind: 'compensate', name: 'book' }), 'recorded')
        assert.equal(await rig.store.cancel(id, 'Again.'), 'cancelling')
        await hand.settle(again.lease, { outcome: 'cancelled', error: cancelled('Enough.').error })
        assert.deepEqual(await rig.store.outcome(id), { state: 'cancelled', error: cancelled('Enough.').error })
      }
    })

    test('a step that is stored when it begins is stored once more when it is over, and then stays', async () => {
      await using rig = await Rig.open(open)
      const { hand, lease } = await rig.workflow()
      const book = { step: 1, kind: 'step', name: 'book', delivered: [], deliveredFrom: 0 } as const
      await hand.advance(lease, { ...book, compensates: true })
      const [begun] = await rig.store.history(lease.row)
      assert.deepEqual([begun?.compensates, begun?.value], [true, undefined])
      await hand.advance(lease, { ...book, value: '7' })
      await hand.advance(lease, { ...book, value: '8' })
      assert.equal((await rig.store.history(lease.row))[0]?.value, '7')
    })

    test('it cleans up once its children have ended, which are asked to stop', async () => {
      await using rig = await Rig.open(open)
      const { hand, lease } = await rig.workflow({ cleanup: true })
      await hand.advance(lease, children(1, [rig.job(), rig.job(), rig.job()], { policy: 'collect' }))
      const [one, two] = await hand.claim('tiles', 2)
      assert.ok(one && two)
      await hand.settle(lease, FAILED)
      assert.deepEqual(await hand.claim('flows'), [])
      assert.equal((await rig.store.cancelRequests(hand.id)).length, 2)
      assert.deepEqual(await hand.claim(), [])
      await hand.succeed(one.lease)
      assert.deepEqual(await hand.claim('flows'), [])
      await hand.succeed(two.lease)
      assert.equal((await hand.claimOne('flows')).ending?.to, 'failed')
    })

    test('a passed deadline leaves it the time to clean up', async () => {
      await using rig = await Rig.open(open)
      const id = await rig.enqueue({
        kind: 'workflow',
        queue: 'flows',
        cleanup: true,
        deadlineAt: rig.clock.now() + 5_000,
      })
      rig.clock.advance({ ms: 5_000 })
      await rig.store.sweep()
      await rig.store.sweep()
      const hand = await rig.worker()
      const { ending, deadlineAt, lease } = await hand.claimOne('flows')
      assert.deepEqual([ending?.error.code, deadlineAt], ['deadline_exceeded', undefined])
      await hand.settle(lease, { outcome: 'failed', error: ERROR })
      assert.equal(await rig.state(id), 'failed')
    })

    test('a deadline that it shares with the workflow that called it leaves both the time to clean up', async () => {
      await using rig = await Rig.open(open)
      const deadlineAt = rig.clock.now() + 1_000
      const { hand, lease, id } = await rig.workflow({ cleanup: true, deadlineAt })
      const child = rig.job({ task: 'survey', kind: 'workflow', queue: 'flows', deadlineAt })
      await hand.advance(lease, children(1, [child]))
      const below = await hand.claimOne('flows')
      await hand.advance(below.lease, step(1, { compensates: true }), step(2, { kind: 'signal', name: 'go' }))
      await hand.settle(below.lease, { outcome: 'parked', waits: [2] })
      await hand.settle(lease, { outcome: 'parked', waits: [1] })
      rig.clock.advance({ ms: 1_000 })
      await rig.store.sweep()
      for (const one of [id, child.id]) assert.equal(await rig.state(one), 'waiting')
      const first = await hand.claimOne('flows')
      assert.equal(first.lease.jobId, child.id)
      assert.ok(first.ending)
      await hand.settle(first.lease, { outcome: first.ending.to, error: first.ending.error })
      const last = await hand.claimOne('flows')
      assert.deepEqual([last.lease.jobId, last.ending?.to], [id, 'failed'])
    })

    test('the loss of a worker while it cleans up costs nothing, and its end stays what it was', async () => {
      await using rig = await Rig.open(open)
      const { hand, lease } = await rig.workflow({ cleanup: true })
      await hand.settle(lease, FAILED)
      await using doomed = await rig.frozen()
      const lost = await doomed.worker('doomed', 1_000)
      await lost.claimOne('flows')
      await rig.lapse(1_000)
      const again = await (await rig.worker()).claimOne('flows')
      assert.deepEqual(again.ending, { to: 'failed', error: ERROR, step: 1 })
    })

    test('its parent hears of its end when it has cleaned up', async () => {
      await using rig = await Rig.open(open)
      const { hand, lease } = await rig.workflow()
      const child = rig.job({ kind: 'workflow', queue: 'flows', cleanup: true })
      await hand.advance(lease, children(1, [child]))
      const claimed = await hand.claimOne('flows')
      assert.deepEqual((await hand.commit({ settle: [{ lease: claimed.lease, ...FAILED }] })).released, [])
      const again = await hand.claimOne('flows')
      const { released } = await hand.commit({ settle: [{ lease: again.lease, ...FAILED }] })
      assert.deepEqual(released, [{ parentId: lease.jobId, step: 1 }])
    })
  })
}
