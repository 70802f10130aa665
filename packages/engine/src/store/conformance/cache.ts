import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import type { NewJob } from '../store.ts'
import { children, ERROR, type OpenStore, Rig } from './rig.ts'

const TTL_MS = 60_000

function cached(key = 'k', mode: 'use' | 'refresh' = 'use'): Pick<NewJob, 'cache'> {
  return { cache: { key, ttlMs: TTL_MS, mode } }
}

export function testCache(open: OpenStore): void {
  suite('result cache', () => {
    test('the first job of a key runs, and those that come meanwhile follow it and end with its result', async () => {
      await using rig = await Rig.open(open)
      const ada = await rig.worker()
      const [first, second] = [await rig.enqueue(cached()), await rig.enqueue(cached())]
      const lead = await ada.claimOne()
      const third = await rig.enqueue(cached())
      assert.equal(lead.lease.jobId, first)
      assert.deepEqual(await ada.claim(), [])
      assert.deepEqual((await rig.store.job(second))?.cache, { hit: false, following: first })
      assert.equal(await rig.state(third), 'waiting')
      using hints = rig.hints()
      await ada.succeed(lead.lease, '{"n":1}')
      assert.deepEqual(new Set(hints.flatMap(({ ended }) => ended ?? [])), new Set([first, second, third]))
      for (const id of [second, third]) {
        assert.deepEqual(await rig.store.outcome(id), { state: 'succeeded', result: '{"n":1}' })
        const job = await rig.store.job(id)
        assert.deepEqual(job?.cache, { hit: true, from: first })
        assert.equal(job?.attempt, 0)
        assert.deepEqual(await rig.kinds(id), ['queued', 'ended succeeded'])
        assert.deepEqual(await rig.store.attempts(id), [])
      }
      assert.deepEqual((await rig.store.job(first))?.cache, { hit: false })
    })

    test('a job that comes while a result is fresh ends when it is stored, and one that comes later runs', async () => {
      await using rig = await Rig.open(open)
      const ada = await rig.worker()
      const first = await rig.enqueue(cached())
      await ada.succeed((await ada.claimOne()).lease, '7')
      rig.clock.advance({ ms: TTL_MS - 1 })
      const hit = await rig.enqueue(cached())
      assert.deepEqual(await rig.store.outcome(hit), { state: 'succeeded', result: '7' })
      assert.deepEqual((await rig.store.job(hit))?.cache, { hit: true, from: first })
      rig.clock.advance({ ms: 1 })
      const late = await rig.enqueue(cached())
      assert.equal((await ada.claimOne()).lease.jobId, late)
    })

    test('another key is another result, and a job without a key is nobody’s', async () => {
      await using rig = await Rig.open(open)
      const ada = await rig.worker()
      await rig.enqueue(cached('one'))
      await ada.succeed((await ada.claimOne()).lease)
      const others = [await rig.enqueue(cached('two')), await rig.enqueue()]
      assert.deepEqual(
        (await ada.claim()).map(({ lease }) => lease.jobId),
        others,
      )
      assert.equal((await rig.store.job(others[1] as (typeof others)[0]))?.cache, undefined)
    })

    for (const end of ['failed', 'cancelled', 'past its deadline'] as const) {
      test(`when the one at it ends ${end}, the first that waited takes over and the others wait for that one`, async () => {
        await using rig = await Rig.open(open)
        const ada = await rig.worker()
        const deadline = end === 'past its deadline' ? { deadlineAt: rig.clock.now() + 1_000 } : {}
        const first = await rig.enqueue({ ...cached(), ...deadline })
        const [second, third] = [await rig.enqueue(cached()), await rig.enqueue(cached())]
        if (end === 'failed') await ada.fail((await ada.claimOne()).lease)
        else if (end === 'cancelled') await rig.store.cancel(first, 'No need.')
        else {
          rig.clock.advance({ ms: 1_000 })
          await rig.store.sweep()
        }
        assert.notEqual((await rig.store.outcome(first))?.state, 'succeeded')
        const [lead, ...more] = await ada.claim()
        assert.equal(lead?.lease.jobId, second)
        assert.deepEqual(more, [])
        assert.deepEqual((await rig.store.job(third))?.cache, { hit: false, following: second })
        await ada.succeed(lead.lease, '2')
        assert.deepEqual(await rig.store.outcome(third), { state: 'succeeded', result: '2' })
      })
    }

    test('while the one at it waits for its next attempt, or is handed back, the others go on waiting', async () => {
      await using rig = await Rig.open(open)
      const ada = await rig.worker()
      const first = await rig.enqueue(cached())
      const second = await rig.enqueue(cached())
      const dueAt = rig.clock.now() + 5_000
      await ada.settle((await ada.claimOne()).lease, { outcome: 'retried', error: { code: 'x', message: 'x' }, dueAt })
      assert.deepEqual(await ada.claim(), [])
      rig.clock.advance({ ms: 5_000 })
      const again = await ada.claimOne()
      assert.equal(again.lease.jobId, first)
      await ada.settle(again.lease, { outcome: 'released', dueAt: rig.clock.now(), reason: 'It stops.' })
      const last = await ada.claimOne()
      assert.equal(last.lease.jobId, first)
      assert.deepEqual(await ada.claim(), [])
      await ada.succeed(last.lease, '3')
      assert.deepEqual(await rig.store.outcome(second), { state: 'succeeded', result: '3' })
    })

    test('one that waits may be cancelled, and its deadline counts; that is nothing to the one at it', async () => {
      await using rig = await Rig.open(open)
      const ada = await rig.worker()
      const first = await rig.enqueue(cached())
      const [second, third] = [
        await rig.enqueue(cached()),
        await rig.enqueue({ ...cached(), deadlineAt: rig.clock.now() + 1_000 }),
      ]
      assert.equal(await rig.store.cancel(second, 'No need.'), 'cancelled')
      rig.clock.advance({ ms: 1_000 })
      await rig.store.sweep()
      assert.equal((await rig.store.outcome(third))?.error?.code, 'deadline_exceeded')
      const lead = await ada.claimOne()
      assert.equal(lead.lease.jobId, first)
      assert.equal(await ada.succeed(lead.lease), 'settled')
      assert.equal(await rig.state(second), 'cancelled')
    })

    test('a renewal runs though there is a result, and its own counts from then on', async () => {
      await using rig = await Rig.open(open)
      const ada = await rig.worker()
      await rig.enqueue(cached())
      await ada.succeed((await ada.claimOne()).lease, '"old"')
      const renewal = await rig.enqueue(cached('k', 'refresh'))
      const lead = await ada.claimOne()
      assert.equal(lead.lease.jobId, renewal)
      assert.equal((await rig.store.outcome(await rig.enqueue(cached())))?.result, '"old"')
      await ada.succeed(lead.lease, '"new"')
      assert.equal((await rig.store.outcome(await rig.enqueue(cached())))?.result, '"new"')
    })

    test('a renewal that fails leaves the result that there was', async () => {
      await using rig = await Rig.open(open)
      const ada = await rig.worker()
      await rig.enqueue(cached())
      await ada.succeed((await ada.claimOne()).lease, '"old"')
      await rig.enqueue(cached('k', 'refresh'))
      await ada.fail((await ada.claimOne()).lease)
      assert.equal((await rig.store.outcome(await rig.enqueue(cached())))?.result, '"old"')
    })

    test('a renewal beside one that is at it gives its result to those who wait, and the other keeps its own', async () => {
      await using rig = await Rig.open(open)
      const ada = await rig.worker()
      const [first, second] = [await rig.enqueue(cached()), await rig.enqueue(cached())]
      const renewal = await rig.enqueue(cached('k', 'refresh'))
      const [slow, fast] = await ada.claim()
      assert.deepEqual([slow?.lease.jobId, fast?.lease.jobId], [first, renewal])
      await ada.succeed(fast?.lease as NonNullable<typeof fast>['lease'], '"fresh"')
      assert.equal((await rig.store.outcome(second))?.result, '"fresh"')
      await ada.succeed(slow?.lease as NonNullable<typeof slow>['lease'], '"slow"')
      assert.equal((await rig.store.outcome(first))?.result, '"slow"')
      assert.equal((await rig.store.outcome(await rig.enqueue(cached())))?.result, '"fresh"')
    })

    test('one that is due later asks when it is due', async () => {
      await using rig = await Rig.open(open)
      const ada = await rig.worker()
      const later = await rig.enqueue({ ...cached(), dueAt: rig.clock.now() + 1_000 })
      await rig.enqueue(cached())
      await ada.succeed((await ada.claimOne()).lease, '1')
      assert.equal(await rig.state(later), 'waiting')
      rig.clock.advance({ ms: 1_000 })
      await rig.store.sweep()
      assert.deepEqual(await rig.store.outcome(later), { state: 'succeeded', result: '1' })
    })

    test('a step whose children are all answered is released by the commit that stores it', async () => {
      await using rig = await Rig.open(open)
      const ada = await rig.worker()
      await rig.enqueue(cached())
      await ada.succeed((await ada.claimOne()).lease, '5')
      const { hand, lease, id } = await rig.workflow()
      const map = children(1, [rig.job(cached()), rig.job(cached())], { policy: 'fail' })
      const call = children(2, [rig.job(cached())])
      const { released } = await hand.commit({ advance: [{ lease, steps: [map, call] }] })
      assert.deepEqual(released, [
        { parentId: id, step: 1 },
        { parentId: id, step: 2 },
      ])
      const outcomes = await rig.store.outcomes(lease.row, 1)
      assert.deepEqual(
        outcomes.map((child) => child.state === 'succeeded' && child.result),
        ['5', '5'],
      )
    })

    test('a step is released when what its child follows has ended', async () => {
      await using rig = await Rig.open(open)
      await rig.enqueue(cached())
      const { hand, lease, id } = await rig.workflow()
      await hand.advance(lease, children(1, [rig.job(cached())]))
      const lead = await hand.claimOne()
      const { released } = await hand.commit({ settle: [{ lease: lead.lease, outcome: 'succeeded', result: '5' }] })
      assert.deepEqual(released, [{ parentId: id, step: 1 }])
    })

    test('a child that asks for what a job above it is at runs by itself', async () => {
      await using rig = await Rig.open(open)
      const { hand, lease } = await rig.workflow(cached())
      const child = rig.job(cached())
      await hand.advance(lease, children(1, [child]))
      const claimed = await hand.claimOne()
      assert.equal(claimed.lease.jobId, child.id)
      await hand.succeed(claimed.lease, '"child"')
      assert.equal(await hand.succeed(lease, '"parent"'), 'settled')
      assert.equal((await rig.store.outcome(await rig.enqueue(cached())))?.result, '"parent"')
    })

    test('a workflow that cleans up takes no result, and follows nobody: its last word is its own', async () => {
      await using rig = await Rig.open(open)
      const { hand, lease, id } = await rig.workflow({ ...cached(), cleanup: true })
      await rig.enqueue(cached('k', 'refresh'))
      await hand.settle(lease, { outcome: 'failed', error: ERROR })
      await hand.succeed((await hand.claimOne()).lease, '"fresh"')
      const cleaning = await hand.claimOne('flows')
      assert.equal(cleaning.ending?.to, 'failed')
      // Handed back, it comes to the line once more, and is due while there is a result.
      await hand.settle(cleaning.lease, { outcome: 'released', dueAt: rig.clock.now(), reason: 'tired' })
      assert.equal(await rig.state(id), 'waiting')
      await hand.fail((await hand.claimOne('flows')).lease)
      assert.equal(await rig.state(id), 'failed')
    })

    test('a limit holds up neither what is answered nor what follows', async () => {
      await using rig = await Rig.open(open)
      const ada = await rig.worker()
      const limit = { key: 'l', max: 1, whenFull: 'reject' } as const
      await rig.enqueue(cached())
      await ada.succeed((await ada.claimOne()).lease, '5')
      await rig.enqueue({ limit })
      const hit = await rig.enqueue({ ...cached(), limit })
      assert.equal((await rig.store.outcome(hit))?.result, '5')
      const [full] = await rig.store.enqueue([rig.job({ ...cached('other'), limit })])
      assert.equal(full?.outcome, 'rejected')
    })

    test('of two processes that ask at once, one makes the result', async () => {
      await using rig = await Rig.open(open)
      await using other = await rig.neighbour()
      const [one, two] = [rig.job(cached()), rig.job(cached())]
      await Promise.all([rig.store.enqueue([one]), other.store.enqueue([two])])
      const ada = await rig.worker()
      const [lead, ...more] = await ada.claim()
      assert.ok(lead)
      assert.deepEqual(more, [])
      await ada.succeed(lead.lease, '1')
      for (const { id } of [one, two]) assert.equal((await other.store.outcome(id))?.result, '1')
    })

    test('of those that fall due at one instant, the one that was stored first makes the result', async () => {
      await using rig = await Rig.open(open)
      const now = rig.clock.now()
      const first = await rig.enqueue({ ...cached(), dueAt: now + 2_000 })
      const second = await rig.enqueue({ ...cached(), dueAt: now + 1_000 })
      const ada = await rig.worker()
      rig.clock.advance({ ms: 3_000 })
      const [lead, ...more] = await ada.claim()
      assert.deepEqual([lead?.lease.jobId, more], [first, []])
      if (lead) await ada.succeed(lead.lease, '1')
      assert.equal((await rig.store.outcome(second))?.result, '1')
    })

    test('a purged result is made anew; those of other tasks and keys stay', async () => {
      await using rig = await Rig.open(open)
      const ada = await rig.worker()
      const keys = [
        ['render', 'a'],
        ['render', 'b'],
        ['count', 'c'],
      ] as const
      for (const [task, key] of keys) {
        await rig.enqueue({ task, ...cached(key) })
        await ada.succeed((await ada.claimOne()).lease, '1')
      }
      assert.equal(await rig.store.purgeCache({ key: 'a' }), 1)
      assert.equal(await rig.store.purgeCache({ key: 'a' }), 0)
      assert.equal(await rig.state(await rig.enqueue({ task: 'render', ...cached('a') })), 'waiting')
      assert.equal(await rig.state(await rig.enqueue({ task: 'render', ...cached('b') })), 'succeeded')
      assert.equal(await rig.store.purgeCache({ task: 'render' }), 2)
      assert.equal(await rig.state(await rig.enqueue({ task: 'count', ...cached('c') })), 'succeeded')
      assert.equal(await rig.store.purgeCache({}), 1)
      assert.equal(await rig.state(await rig.enqueue({ task: 'count', ...cached('c') })), 'waiting')
    })

    test('what is being made during a purge goes to those who wait for it, and is not kept', async () => {
      await using rig = await Rig.open(open)
      const ada = await rig.worker()
      await rig.enqueue(cached())
      const waiting = await rig.enqueue(cached())
      const lead = await ada.claimOne()
      await rig.store.purgeCache({})
      await ada.succeed(lead.lease, '"stale"')
      assert.equal((await rig.store.outcome(waiting))?.result, '"stale"')
      assert.equal(await rig.state(await rig.enqueue(cached())), 'waiting')
    })

    test('a sweep forgets the results whose time is over', async () => {
      await using rig = await Rig.open(open)
      const ada = await rig.worker()
      for (const key of ['a', 'b']) {
        await rig.enqueue(cached(key))
        await ada.succeed((await ada.claimOne()).lease, '1')
        rig.clock.advance({ ms: TTL_MS / 2 })
      }
      await rig.store.sweep()
      assert.equal(await rig.store.purgeCache({}), 1)
    })
  })
}
