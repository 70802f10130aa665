import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { children, type OpenStore, Rig } from './rig.ts'

export function testParking(open: OpenStore): void {
  suite('parking', () => {
    test('a parked workflow waits in no worker, and wakes when a child of it has ended', async () => {
      await using rig = await Rig.open(open)
      const { hand, lease, id } = await rig.workflow()
      await hand.advance(lease, children(1, [rig.job()]))
      assert.equal(await hand.settle(lease, { outcome: 'parked', waits: [1] }), 'settled')
      const job = await rig.store.job(id)
      assert.deepEqual([job?.state, job?.state === 'waiting' && job.dueAt], ['waiting', undefined])
      assert.deepEqual(await hand.claim('flows'), [])
      using hints = rig.hints()
      await hand.succeed((await hand.claimOne()).lease, '7')
      assert.ok(hints.some((hint) => hint.queues?.includes('flows')))
      const again = await hand.claimOne('flows')
      assert.deepEqual([again.lease.jobId, again.lease.attempt, again.failures], [id, 2, 0])
      assert.deepEqual(await rig.kinds(id), ['queued', 'started', 'parked', 'started'])
      assert.deepEqual(
        (await rig.store.attempts(id)).map(({ outcome }) => outcome),
        ['parked', 'running'],
      )
    })

    test('one whose step was released before it was parked is due at once', async () => {
      await using rig = await Rig.open(open)
      const { hand, lease, id } = await rig.workflow()
      const wait = { step: 2, kind: 'signal', name: 'go', delivered: [], deliveredFrom: 0 } as const
      await hand.advance(lease, children(1, [rig.job()]), wait)
      await hand.succeed((await hand.claimOne()).lease)
      await hand.settle(lease, { outcome: 'parked', waits: [1, 2] })
      assert.equal((await hand.claimOne('flows')).lease.jobId, id)
    })

    test('one whose last child ends in the very commit that parks it is due at once', async () => {
      await using rig = await Rig.open(open)
      for (const isParkedFirst of [true, false]) {
        const { hand, lease, id } = await rig.workflow()
        await hand.advance(lease, children(1, [rig.job()]))
        const child = await hand.claimOne()
        const ended = { lease: child.lease, outcome: 'succeeded', result: '7' } as const
        const parked = { lease, outcome: 'parked', waits: [1] } as const
        await hand.commit({ settle: isParkedFirst ? [parked, ended] : [ended, parked] })
        const again = await hand.claimOne('flows')
        assert.equal(again.lease.jobId, id)
        await hand.succeed(again.lease)
      }
    })

    test('a signal wakes it, and so does the end of its wait for one', async () => {
      await using rig = await Rig.open(open)
      const { hand, lease, id } = await rig.workflow()
      const wait = { kind: 'signal', name: 'go', delivered: [], deliveredFrom: 0 } as const
      await hand.advance(lease, { step: 1, ...wait })
      await hand.settle(lease, { outcome: 'parked', waits: [1] })
      await rig.store.signal(id, 'halt', '1')
      assert.deepEqual(await hand.claim('flows'), [])
      await rig.store.signal(id, 'go', '1')
      const second = await hand.claimOne('flows')
      await hand.advance(second.lease, { step: 2, ...wait, dueAt: rig.clock.now() + 5_000 })
      await hand.settle(second.lease, { outcome: 'parked', waits: [2] })
      rig.clock.advance({ ms: 5_000 })
      await rig.store.sweep()
      assert.equal((await hand.claimOne('flows')).lease.attempt, 3)
    })

    test('an instant wakes it, and the store knows which', async () => {
      await using rig = await Rig.open(open)
      const { hand, lease, id } = await rig.workflow()
      const dueAt = rig.clock.now() + 5_000
      await hand.settle(lease, { outcome: 'parked', waits: [], dueAt })
      const job = await rig.store.job(id)
      assert.equal(job?.state === 'waiting' && job.dueAt, dueAt)
      assert.equal((await rig.store.sweep()).nextDueAt, dueAt)
      rig.clock.advance({ ms: 5_000 })
      await rig.store.sweep()
      assert.equal((await hand.claimOne('flows')).lease.jobId, id)
    })

    test('one that waits for no instant leaves nothing to fall due', async () => {
      await using rig = await Rig.open(open)
      const { hand, lease } = await rig.workflow()
      await hand.advance(lease, children(1, [rig.job()]))
      await hand.settle(lease, { outcome: 'parked', waits: [1] })
      assert.equal((await rig.store.sweep()).nextDueAt, undefined)
    })

    test('a child that it had only started does not wake it', async () => {
      await using rig = await Rig.open(open)
      const { hand, lease } = await rig.workflow()
      await hand.advance(lease, children(1, [rig.job()], { kind: 'start', attached: false }))
      await hand.advance(lease, children(2, [rig.job({ queue: 'slow' })]))
      await hand.settle(lease, { outcome: 'parked', waits: [2] })
      await hand.succeed((await hand.claimOne()).lease)
      assert.deepEqual(await hand.claim('flows'), [])
    })

    test('what is left of a group that was released before does not wake it', async () => {
      await using rig = await Rig.open(open)
      const { hand, lease } = await rig.workflow()
      await hand.advance(lease, children(1, [rig.job(), rig.job()], { policy: 'fail' }))
      await hand.advance(lease, children(2, [rig.job({ queue: 'slow' })]))
      const [first, stubborn] = await hand.claim()
      assert.ok(first && stubborn)
      await hand.fail(first.lease)
      await hand.settle(lease, { outcome: 'parked', waits: [2] })
      await hand.succeed(stubborn.lease)
      assert.deepEqual(await hand.claim('flows'), [])
    })

    test('a parked workflow is cancelled at once, and its deadline ends it', async () => {
      await using rig = await Rig.open(open)
      for (const end of ['cancelled', 'failed'] as const) {
        const { hand, lease, id } = await rig.workflow({ deadlineAt: rig.clock.now() + 5_000 })
        await hand.advance(lease, children(1, [rig.job()]))
        await hand.settle(lease, { outcome: 'parked', waits: [1] })
        if (end === 'cancelled') assert.equal(await rig.store.cancel(id, 'Enough.'), 'cancelled')
        else {
          rig.clock.advance({ ms: 5_000 })
          await rig.store.sweep()
        }
        assert.equal(await rig.state(id), end)
      }
    })

    test('a workflow that is asked to stop ends cancelled, and is not parked', async () => {
      await using rig = await Rig.open(open)
      const { hand, lease, id } = await rig.workflow()
      await rig.store.cancel(id, 'Enough.')
      assert.equal(await hand.settle(lease, { outcome: 'parked', waits: [] }), 'cancelled')
      assert.equal(await rig.state(id), 'cancelled')
    })
  })
}
