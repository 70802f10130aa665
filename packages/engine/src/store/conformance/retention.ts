import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import type { JobId } from '../../job/job.ts'
import { type RetentionPolicy, readRetention } from '../../retention/policy.ts'
import { keptSteps } from '../../retry/kept-steps.ts'
import type { PruneRequest } from '../store.ts'
import { children, type OpenStore, Rig, step } from './rig.ts'

/** Short times, since the leases of workers are renewed all the while. */
const MINUTE = 60_000
const POLICY: RetentionPolicy = { keep: { succeeded: '10m', failed: '20m', cancelled: 'forever' } }

/** All steps. @returns how many jobs each removed */
async function pruneAll(rig: Rig, policy = POLICY, over: Partial<PruneRequest> = {}): Promise<number[]> {
  const steps: number[] = []
  let after: string | undefined
  do {
    const request = { retention: readRetention(policy), limit: 1_000, ...over, ...(after !== undefined && { after }) }
    const { jobs, next } = await rig.store.prune(request)
    steps.push(jobs)
    after = next
  } while (after !== undefined)
  return steps
}

/** Jobs that the store still knows, of these. */
async function known(rig: Rig, ids: readonly JobId[]): Promise<readonly JobId[]> {
  const states = await rig.store.states(ids)
  return ids.filter((id) => states.has(id))
}

async function succeeded(rig: Rig, over: Parameters<Rig['enqueue']>[0] = {}): Promise<JobId> {
  const id = await rig.enqueue(over)
  const hand = await rig.worker()
  await hand.succeed((await hand.claimOne(over.queue)).lease, '"result"')
  return id
}

async function failed(rig: Rig): Promise<JobId> {
  const id = await rig.enqueue()
  const hand = await rig.worker()
  await hand.fail((await hand.claimOne()).lease)
  return id
}

export function testRetention(open: OpenStore): void {
  suite('retention', () => {
    test('ended jobs go when the time of their state has passed, and what lives stays', async () => {
      await using rig = await Rig.open(open)
      const [good, bad] = [await succeeded(rig), await failed(rig)]
      const gone = await rig.enqueue({ dueAt: rig.clock.now() + 1_000 })
      await rig.store.cancel(gone, 'Enough.')
      const waiting = await rig.enqueue({ dueAt: rig.clock.now() + 365 * MINUTE })
      rig.clock.advance({ ms: 10 * MINUTE })
      const newest = await rig.enqueue()
      const all = [good, bad, gone, waiting, newest]
      rig.clock.advance({ ms: -1 })
      assert.deepEqual(await pruneAll(rig), [0])
      rig.clock.advance({ ms: 1 })
      assert.deepEqual(await pruneAll(rig, POLICY, { dryRun: true }), [1])
      assert.deepEqual(await known(rig, all), all)
      assert.deepEqual(await pruneAll(rig), [1])
      assert.deepEqual(await known(rig, all), [bad, gone, waiting, newest])
      rig.clock.advance({ ms: 10 * MINUTE })
      assert.deepEqual(await pruneAll(rig), [1])
      assert.deepEqual(await known(rig, all), [gone, waiting, newest])
    })

    test('nothing is left of a job that is gone, and everything of the others', async () => {
      await using rig = await Rig.open(open)
      const idempotency = { scope: 'ada', key: 'once', fingerprint: 'x' }
      const gone = await rig.enqueue({ tags: ['red', 'blue'], idempotency })
      const kept = await rig.enqueue({ tags: ['red'] })
      const hand = await rig.worker()
      for (const { lease } of await hand.claim()) {
        const at = rig.clock.now()
        await hand.tell({ lease, at, kind: 'log', level: 'info', message: 'hello' })
        await hand.tell({ lease, at, kind: 'progress', fraction: 0.5 })
        if (lease.jobId === gone) await hand.succeed(lease)
        else await hand.fail(lease)
      }
      await rig.enqueue()
      const before = await rig.store.events({ after: 0, limit: 100, jobId: kept })
      const cursor = await rig.store.lastCursor()
      rig.clock.advance({ ms: 11 * MINUTE })
      assert.deepEqual(await pruneAll(rig), [1])
      assert.equal(await rig.store.job(gone), undefined)
      assert.equal(await rig.store.input(gone), undefined)
      assert.equal(await rig.store.outcome(gone), undefined)
      assert.deepEqual(await rig.store.attempts(gone), [])
      assert.deepEqual(await rig.store.events({ after: 0, limit: 100, jobId: gone }), [])
      const found = await rig.store.jobs({ tag: 'red' }, { limit: 10 })
      assert.deepEqual(
        found.jobs.map(({ id }) => id),
        [kept],
      )
      assert.deepEqual(await rig.store.events({ after: 0, limit: 100, jobId: kept }), before)
      const all = await rig.store.events({ after: 0, limit: 100 })
      assert.ok(all.every(({ jobId }) => jobId !== gone))
      assert.equal(all.filter(({ jobId }) => jobId === kept).length, before.length)
      assert.equal(await rig.store.lastCursor(), cursor)
      // Its key is free again.
      const again = rig.job({ idempotency })
      assert.deepEqual(await rig.store.enqueue([again]), [{ outcome: 'created', id: again.id }])
      assert.deepEqual(await rig.store.attempts(again.id), [])
    })

    test('a page of events is full although jobs are gone that came together with others', async () => {
      await using rig = await Rig.open(open)
      const jobs = [rig.job(), rig.job(), rig.job(), rig.job({ dueAt: rig.clock.now() + 60 * MINUTE }), rig.job()]
      await rig.store.enqueue(jobs)
      const hand = await rig.worker()
      for (const { lease } of await hand.claim()) await hand.succeed(lease)
      const last = await rig.enqueue({ dueAt: rig.clock.now() + 60 * MINUTE })
      rig.clock.advance({ ms: 11 * MINUTE })
      assert.deepEqual(await pruneAll(rig), [4])
      const events = await rig.store.events({ after: 0, limit: 2 })
      assert.deepEqual(
        events.map(({ jobId, kind }) => [jobId, kind]),
        [jobs[3]?.id, last].map((id) => [id, 'queued']),
      )
    })

    test('a tree goes as a whole once its top may go, and never while something of it lives', async () => {
      await using rig = await Rig.open(open)
      const { hand, lease, id } = await rig.workflow()
      const [called, started] = [rig.job(), rig.job()]
      await hand.advance(lease, children(1, [called]), step(2))
      await hand.advance(lease, { ...children(3, [started]), kind: 'start', attached: false })
      const [first, second] = await hand.claim()
      assert.ok(first && second)
      await hand.succeed(first.lease)
      await hand.succeed(lease)
      await rig.enqueue()
      rig.clock.advance({ ms: 15 * MINUTE })
      const tree = [id, called.id, started.id]
      assert.deepEqual(await pruneAll(rig), [0])
      await hand.fail(second.lease)
      assert.deepEqual(await pruneAll(rig), [3])
      assert.deepEqual(await known(rig, tree), [])
      assert.deepEqual(await rig.store.steps(id), [])
    })

    test('a large tree goes in several steps, and is found from its top until the last', async () => {
      await using rig = await Rig.open(open)
      const { hand, lease, id } = await rig.workflow()
      const jobs = Array.from({ length: 7 }, () => rig.job())
      await hand.advance(lease, children(1, jobs, { policy: 'collect' }))
      for (const claimed of await hand.claim()) await hand.succeed(claimed.lease)
      await hand.succeed(lease)
      const other = await succeeded(rig)
      await rig.enqueue()
      rig.clock.advance({ ms: 15 * MINUTE })
      const { jobs: removed, next } = await rig.store.prune({ retention: readRetention(POLICY), limit: 4 })
      assert.equal(removed, 4)
      assert.equal((await rig.store.tree(id, 100)).length, 4)
      const rest = await rig.store.prune({ retention: readRetention(POLICY), limit: 4, ...(next && { after: next }) })
      assert.equal(rest.jobs, 4)
      assert.deepEqual(await known(rig, [id, other]), [other])
      assert.deepEqual((await pruneAll(rig, POLICY, { limit: 4 })).at(0), 1)
    })

    test('a task, and a queue, may have other times', async () => {
      await using rig = await Rig.open(open)
      const [tile, plain, kept] = [
        await succeeded(rig, { task: 'tile' }),
        await succeeded(rig),
        await succeeded(rig, { queue: 'archive', task: 'tidy' }),
      ]
      await rig.enqueue()
      const policy = { ...POLICY, tasks: { tile: { succeeded: '1m' } }, queues: { archive: { succeeded: 'forever' } } }
      rig.clock.advance({ ms: 2 * MINUTE })
      await pruneAll(rig, policy)
      assert.deepEqual(await known(rig, [tile, plain, kept]), [plain, kept])
      rig.clock.advance({ ms: 20 * MINUTE })
      await pruneAll(rig, policy)
      assert.deepEqual(await known(rig, [plain, kept]), [kept])
    })

    test('a retry stays with the job that it repeats, and what a live retry has taken over stays with it', async () => {
      await using rig = await Rig.open(open)
      const bad = await failed(rig)
      const again = await succeeded(rig, { retryOf: bad })
      const { hand, lease, id } = await rig.workflow()
      await hand.advance(lease, step(1))
      await hand.fail(lease)
      const keeps = [{ step: 1, delivered: [], deliveredFrom: 0 }]
      const next = await rig.workflow({ retryOf: id, keeps })
      await rig.enqueue()
      rig.clock.advance({ ms: 15 * MINUTE })
      assert.deepEqual(await pruneAll(rig), [0])
      rig.clock.advance({ ms: 15 * MINUTE })
      await pruneAll(rig)
      assert.deepEqual(await known(rig, [bad, again, id]), [id])
      assert.equal((await rig.store.history(next.lease.row)).length, 1)
      await next.hand.succeed(next.lease)
      await pruneAll(rig)
      assert.deepEqual(await known(rig, [id, next.id]), [next.id])
    })

    test('what was taken over says so when the job that ran it is gone, and is not there to be taken over again', async () => {
      await using rig = await Rig.open(open)
      const { hand, lease, id } = await rig.workflow()
      await hand.advance(lease, children(1, [rig.job(), rig.job()], { policy: 'fail' }))
      for (const claimed of await hand.claim()) await hand.succeed(claimed.lease)
      await hand.fail(lease)
      const keeps = [{ step: 1, delivered: [], deliveredFrom: 0 }]
      const second = await rig.workflow({ retryOf: id, keeps })
      await second.hand.advance(second.lease, step(2, { value: '"two"', delivered: [1] }))
      await second.hand.fail(second.lease)
      const both = [...keeps, { step: 2, delivered: [1], deliveredFrom: 0 }]
      const third = await rig.workflow({ retryOf: second.id, keeps: both })
      await third.hand.fail(third.lease)
      await rig.enqueue()
      rig.clock.advance({ ms: 20 * MINUTE })
      // As much as the first tree has: the retries come after it.
      await rig.store.prune({ retention: readRetention(POLICY), limit: 3 })
      assert.deepEqual(await known(rig, [id, second.id, third.id]), [second.id, third.id])
      const keptFrom = async (job: JobId) =>
        (await rig.store.steps(job)).map((one) => [one.step, one.keptFrom, one.children.length])
      assert.deepEqual(await keptFrom(second.id), [
        [1, id, 0],
        [2, undefined, 0],
      ])
      assert.deepEqual(await keptFrom(third.id), [
        [1, id, 0],
        [2, second.id, 0],
      ])
      assert.deepEqual(keptSteps(await rig.store.steps(third.id), undefined), [])
      await rig.store.prune({ retention: readRetention(POLICY), limit: 1 })
      assert.deepEqual(await known(rig, [second.id, third.id]), [third.id])
      assert.deepEqual(await keptFrom(third.id), [
        [1, id, 0],
        [2, id, 0],
      ])
    })

    test('a job that took the result of one that is gone says so still', async () => {
      await using rig = await Rig.open(open)
      const first = await succeeded(rig, { cache: { key: 'k', ttlMs: MINUTE, mode: 'use' } })
      rig.clock.advance({ ms: MINUTE - 1 })
      const hit = await rig.enqueue({ cache: { key: 'k', ttlMs: MINUTE, mode: 'use' } })
      assert.deepEqual((await rig.store.job(hit))?.cache, { hit: true, from: first })
      rig.clock.advance({ ms: 9 * MINUTE + 1 })
      await rig.store.sweep()
      await rig.enqueue()
      await pruneAll(rig)
      assert.deepEqual(await known(rig, [first, hit]), [hit])
      assert.deepEqual((await rig.store.job(hit))?.cache, { hit: true })
    })

    test('the newest job stays, so that its number is given once', async () => {
      await using rig = await Rig.open(open)
      const only = await succeeded(rig)
      const cursor = await rig.store.lastCursor()
      rig.clock.advance({ ms: 100 * MINUTE })
      assert.deepEqual(await pruneAll(rig), [0])
      assert.deepEqual(await known(rig, [only]), [only])
      const next = await succeeded(rig)
      await pruneAll(rig)
      assert.deepEqual(await known(rig, [only, next]), [next])
      const events = await rig.store.events({ after: cursor, limit: 100 })
      assert.ok(events.length >= 3 && events.every(({ jobId }) => jobId === next))
    })
  })
}
