import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { LAPSES_MAX } from '../../job/transition.ts'
import { children, ERROR, type OpenStore, Rig } from './rig.ts'

export function testSettle(open: OpenStore): void {
  suite('settle', () => {
    test('a success keeps its result, who had it, and when', async () => {
      await using rig = await Rig.open(open)
      const id = await rig.enqueue()
      const start = rig.clock.now()
      const ada = await rig.worker()
      const { lease } = await ada.claimOne()
      rig.clock.advance({ ms: 70 })
      assert.equal(await ada.succeed(lease, '{"tiles":[1,2]}'), 'settled')
      const job = await rig.store.job(id)
      assert.ok(job?.state === 'succeeded')
      assert.deepEqual([job.startedAt, job.endedAt, job.worker, job.attempt], [start, start + 70, ada.id, 1])
      assert.deepEqual(await rig.store.outcome(id), { state: 'succeeded', result: '{"tiles":[1,2]}' })
      assert.deepEqual(await rig.store.attempts(id), [
        { attempt: 1, worker: ada.id, startedAt: start, endedAt: start + 70, outcome: 'succeeded' },
      ])
      assert.deepEqual(await rig.kinds(id), ['queued', 'started', 'ended succeeded'])
    })

    test('a failure keeps its whole error', async () => {
      await using rig = await Rig.open(open)
      const id = await rig.enqueue()
      const ada = await rig.worker()
      const error = {
        ...ERROR,
        stack: 'at …',
        retryable: false,
        name: 'Oops',
        origin: { jobId: id, task: 'render' },
        details: [1],
      }
      await ada.settle((await ada.claimOne()).lease, { outcome: 'failed', error })
      assert.deepEqual(await rig.store.outcome(id), { state: 'failed', error })
      const job = await rig.store.job(id)
      assert.ok(job?.state === 'failed')
      assert.deepEqual(job.error, error)
    })

    test('an end never changes: a second settlement of the same attempt is told that the lease is lost', async () => {
      await using rig = await Rig.open(open)
      const id = await rig.enqueue()
      const ada = await rig.worker()
      const { lease } = await ada.claimOne()
      await ada.succeed(lease, '1')
      assert.equal(await ada.fail(lease), 'lease_lost')
      assert.deepEqual(await rig.store.outcome(id), { state: 'succeeded', result: '1' })
      assert.deepEqual(await rig.kinds(id), ['queued', 'started', 'ended succeeded'])
    })

    test('a job that is to be retried waits until then, and counts its failures', async () => {
      await using rig = await Rig.open(open)
      const id = await rig.enqueue()
      const ada = await rig.worker()
      const { lease } = await ada.claimOne()
      const dueAt = rig.clock.now() + 500
      assert.equal(await ada.settle(lease, { outcome: 'retried', error: ERROR, dueAt }), 'settled')
      const job = await rig.store.job(id)
      assert.ok(job?.state === 'waiting')
      assert.deepEqual([job.dueAt, job.attempt], [dueAt, 1])
      rig.clock.advance({ ms: 499 })
      assert.deepEqual(await ada.claim(), [])
      rig.clock.advance({ ms: 1 })
      const next = await ada.claimOne()
      assert.deepEqual([next.lease.attempt, next.failures], [2, 1])
      assert.deepEqual(await rig.kinds(id), ['queued', 'started', 'retried', 'started'])
      const [first, second] = await rig.store.attempts(id)
      assert.deepEqual([first?.outcome, first?.error?.message, second?.outcome], ['retried', ERROR.message, 'running'])
    })

    test('a job that is handed back waits unharmed', async () => {
      await using rig = await Rig.open(open)
      const id = await rig.enqueue()
      const [ada, bob] = [await rig.worker('ada'), await rig.worker('bob')]
      const { lease } = await ada.claimOne()
      const back = { outcome: 'released', dueAt: rig.clock.now(), reason: 'The worker stops.' } as const
      assert.equal(await ada.settle(lease, back), 'settled')
      assert.equal(await rig.state(id), 'waiting')
      const next = await bob.claimOne()
      assert.deepEqual([next.lease.attempt, next.failures], [2, 0])
      assert.deepEqual(await rig.kinds(id), ['queued', 'started', 'released', 'started'])
      assert.equal((await rig.store.attempts(id))[0]?.outcome, 'released')
    })

    test('a job whose lease lapsed goes to the next worker, and the late result is dropped', async () => {
      await using rig = await Rig.open(open)
      await using frozen = await rig.frozen()
      const id = await rig.enqueue()
      const ada = await frozen.worker('ada', 30_000)
      const bob = await rig.worker('bob', 30_000)
      const late = await ada.claimOne()
      await rig.lapse(30_000)
      const next = await bob.claimOne()
      assert.equal(next.lease.attempt, 2)
      assert.equal(await ada.succeed(late.lease), 'lease_lost')
      assert.equal(await bob.succeed(next.lease, '2'), 'settled')
      assert.deepEqual(await rig.store.outcome(id), { state: 'succeeded', result: '2' })
      assert.deepEqual(await rig.kinds(id), ['queued', 'started', 'lapsed', 'started', 'ended succeeded'])
      assert.deepEqual(
        (await rig.store.attempts(id)).map(({ outcome }) => outcome),
        ['lapsed', 'succeeded'],
      )
    })

    test('a lapse costs the job no failure', async () => {
      await using rig = await Rig.open(open)
      await using frozen = await rig.frozen()
      await rig.enqueue()
      const [ada, bob] = [await frozen.worker('ada'), await rig.worker('bob')]
      await ada.claimOne()
      await rig.lapse(30_000)
      assert.equal((await bob.claimOne()).failures, 0)
    })

    test('an attempt of another worker is not one’s own to settle', async () => {
      await using rig = await Rig.open(open)
      await rig.enqueue()
      const [ada, bob] = [await rig.worker('ada'), await rig.worker('bob')]
      const { lease } = await ada.claimOne()
      assert.equal(await bob.succeed({ ...lease, worker: bob.id }), 'lease_lost')
      assert.equal(await ada.succeed({ ...lease, attempt: 2 }), 'lease_lost')
      assert.equal(await ada.succeed(lease), 'settled')
    })

    test('one commit settles many, each on its own', async () => {
      await using rig = await Rig.open(open)
      for (let index = 0; index < 3; index++) await rig.enqueue()
      const ada = await rig.worker()
      const [one, two, three] = await ada.claim()
      assert.ok(one && two && three)
      await ada.succeed(two.lease)
      const { settled } = await ada.commit({
        settle: [
          { lease: one.lease, outcome: 'succeeded', result: '1' },
          { lease: two.lease, outcome: 'succeeded', result: '2' },
          { lease: three.lease, outcome: 'failed', error: ERROR },
        ],
      })
      assert.deepEqual(settled, ['settled', 'lease_lost', 'settled'])
    })

    test('a job that loses one worker after another fails, since it may be what kills them', async () => {
      await using rig = await Rig.open(open)
      const id = await rig.enqueue()
      for (let lapse = 1; lapse <= LAPSES_MAX; lapse++) {
        await using doomed = await rig.frozen()
        const hand = await doomed.worker('doomed', 1_000)
        await hand.claimOne()
        await rig.lapse(1_000)
      }
      const job = await rig.store.job(id)
      assert.ok(job?.state === 'failed')
      assert.equal(job.error.code, 'poison_job')
      assert.equal(job.attempt, LAPSES_MAX)
      assert.deepEqual((await rig.kinds(id)).filter((kind) => kind === 'lapsed').length, LAPSES_MAX - 1)
    })

    test('a job, and a child, may say how many workers it may lose', async () => {
      await using rig = await Rig.open(open)
      const { hand, lease } = await rig.workflow()
      const child = rig.job({ queue: 'fragile', lapsesMax: 1 })
      await hand.advance(lease, children(1, [child]))
      const two = await rig.enqueue({ queue: 'fragile', lapsesMax: 2 })
      const seven = await rig.enqueue({ queue: 'fragile', lapsesMax: LAPSES_MAX + 2 })
      const states = async () => [await rig.state(child.id), await rig.state(two), await rig.state(seven)]
      const lose = async () => {
        await using doomed = await rig.frozen()
        const doomedHand = await doomed.worker('doomed', 1_000)
        await doomedHand.claim('fragile', 10)
        await rig.lapse(1_000)
      }
      await lose()
      assert.deepEqual(await states(), ['failed', 'waiting', 'waiting'])
      const [failed] = await rig.store.outcomes(lease.row, 1)
      assert.ok(failed?.state === 'failed' && failed.error.code === 'poison_job')
      await lose()
      assert.deepEqual(await states(), ['failed', 'failed', 'waiting'])
      for (let lapse = 3; lapse < LAPSES_MAX + 2; lapse++) await lose()
      assert.deepEqual(await states(), ['failed', 'failed', 'waiting'])
      await lose()
      assert.deepEqual(await states(), ['failed', 'failed', 'failed'])
    })
  })
}
