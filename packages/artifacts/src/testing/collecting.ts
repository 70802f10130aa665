import assert from 'node:assert/strict'
import { suite, type TestContext, test } from 'node:test'
import { createEngine, type Engine, type JobId, noteArtifactOwner, type Store, task } from '@headrace/engine'
import { ManualClock } from '@headrace/engine/testing'
import { MemoryPlace, openMemoryStore } from '@headrace/store-memory'
import type { ArtifactId } from '../artifact-id.ts'
import type { ArtifactStore } from '../artifact-store.ts'
import { openStoreArtifacts, type StoreArtifacts } from '../store-artifacts.ts'

const HOUR = 3_600_000
const MINUTE = 60_000
const DAY = 24 * HOUR

const read = task({ name: 'read', run: () => null })
const keep = task({ name: 'keep', run: (_input, job) => job.artifact('map', 'a map') })
const large = task({ name: 'large', run: (input) => ({ input, padding: 'x'.repeat(300_000) }) })
const echo = task({ name: 'echo', cache: { ttlMs: HOUR }, run: (input) => input })

/** What is to happen at one moment of a pass. */
type Moments = {
  /** All names were read, and the artifacts are looked at. */
  afterMarking?: (() => Promise<void>) | undefined
  /** One is about to be removed, and its note is gone. */
  beforeDelete?: ((id: string) => Promise<void>) | undefined
}

type Desk = {
  readonly engine: Engine
  readonly store: Store
  readonly artifacts: StoreArtifacts
  readonly moments: Moments
}

/** Stores of jobs on one clock of 2030, so that everything was put long ago and only notes keep it. */
class Scene implements AsyncDisposable {
  readonly clock = new ManualClock('2030-01-01T00:00:00Z')
  readonly files: ArtifactStore
  readonly #place = new MemoryPlace()
  readonly #stores: Store[] = []

  constructor(files: ArtifactStore) {
    this.files = files
  }

  /** One more process. @param place its jobs are not the others' */
  async desk(place = this.#place): Promise<Desk> {
    const store = openMemoryStore({ clock: this.clock, place })
    this.#stores.push(store)
    const moments: Moments = {}
    const artifacts = await openStoreArtifacts(withMoments(this.files, moments), store)
    const tasks = [read, keep, large, echo]
    const report = (message: string, error: unknown) => assert.fail(`${message} ${error}`)
    return { engine: createEngine({ store, artifacts, tasks, report }), store, artifacts, moments }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const store of this.#stores) await store[Symbol.asyncDispose]()
  }
}

function withMoments(files: ArtifactStore, moments: Moments): ArtifactStore {
  const list = async function* () {
    await moments.afterMarking?.()
    yield* files.list()
  }
  const remove = async (id: ArtifactId) => {
    await moments.beforeDelete?.(id)
    return files.delete(id)
  }
  return new Proxy(files, {
    get(target, name) {
      if (name === 'list') return list
      if (name === 'delete') return remove
      const value: unknown = Reflect.get(target, name, target)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
}

/** A pass by hand. */
async function collect({ engine }: Pick<Desk, 'engine'>, options: { readonly dryRun?: boolean } = {}) {
  let after: string | undefined = 'artifacts'
  for (;;) {
    const step = await engine.retention.prune({ ...options, after })
    after = step.next
    if (after === undefined) return step.artifacts
  }
}

/** A job that a worker has run to its end. */
async function run({ engine }: Desk, job: string, input: unknown): Promise<JobId> {
  const worker = await engine.startWorker()
  const { id } = await engine.submit(job, input)
  await engine.wait(id)
  await worker.stop()
  return id
}

async function removeJobs({ engine }: Desk): Promise<number> {
  // The newest one stays.
  await engine.submit(read, null, { delayMs: 1_000 * DAY })
  return (await engine.retention.prune({ olderThanMs: 0 })).jobs
}

/** Lets time go by until it is over, whatever it waits for. */
async function driven<T>(clock: ManualClock, work: Promise<T>): Promise<T> {
  let isOver = false
  const end = () => {
    isOver = true
  }
  work.then(end, end)
  while (!isOver) await clock.pass({ ms: 50 })
  return work
}

const none = { artifacts: 0, bytes: 0 }

/** What becomes of artifacts that nothing names. @param open an empty place for each test */
export function testCollecting(
  name: string,
  open: (t: TestContext) => Promise<ArtifactStore>,
  options: { readonly skip?: string | false; readonly isFar?: boolean } = {},
): void {
  async function scene(t: TestContext) {
    const all = new Scene(await open(t))
    t.after(() => all[Symbol.asyncDispose]())
    const desk = await all.desk()
    await desk.engine.retention.set({ keep: {}, artifacts: '1h' })
    return { ...desk, all, desk, clock: all.clock }
  }

  suite(`collecting ${name}`, { skip: options.skip ?? false }, () => {
    test('an artifact goes when nothing has named it for as long as the policy says, and one that is named stays', async (t) => {
      const { desk, engine, artifacts, clock } = await scene(t)
      const [lost, kept] = [(await artifacts.put('lost')).id, (await artifacts.put('kept')).id]
      await engine.submit(read, { document: kept })
      assert.deepEqual(await collect(desk), { removed: none, unnamed: { artifacts: 1, bytes: 4 } })
      clock.advance({ ms: HOUR - 1 })
      assert.deepEqual((await collect(desk))?.removed, none)
      clock.advance({ ms: 1 })
      const one = { artifacts: 1, bytes: 4 }
      assert.deepEqual(await collect(desk, { dryRun: true }), { removed: one, unnamed: none })
      assert.equal(await artifacts.has(lost), true)
      assert.deepEqual(await collect(desk), { removed: one, unnamed: none })
      assert.deepEqual([await artifacts.has(lost), await artifacts.has(kept)], [false, true])
      assert.deepEqual(await collect(desk), { removed: none, unnamed: none })
    })

    test('its time begins anew when the last job that named it has gone', async (t) => {
      const { desk, artifacts, clock } = await scene(t)
      const { id } = await artifacts.put('kept')
      await run(desk, 'read', id)
      clock.advance({ ms: 10 * DAY })
      await collect(desk)
      clock.advance({ ms: 10 * DAY })
      assert.equal(await removeJobs(desk), 1)
      assert.deepEqual((await collect(desk))?.unnamed.artifacts, 1)
      clock.advance({ ms: HOUR })
      assert.equal((await collect(desk))?.removed.artifacts, 1)
    })

    test('however short the policy, one is looked for twice, a minute apart', async (t) => {
      const { desk, engine, artifacts, clock } = await scene(t)
      await engine.retention.set({ keep: {}, artifacts: 0 })
      await artifacts.put('lost')
      await collect(desk)
      clock.advance({ ms: MINUTE - 1 })
      assert.equal((await collect(desk))?.removed.artifacts, 0)
      clock.advance({ ms: 1 })
      assert.equal((await collect(desk))?.removed.artifacts, 1)
    })

    test('a dry run notes nothing', async (t) => {
      const { desk, artifacts, clock } = await scene(t)
      await artifacts.put('lost')
      for (let days = 0; days < 3; days++) {
        const { removed, unnamed } = (await collect(desk, { dryRun: true })) ?? {}
        assert.deepEqual([removed?.artifacts, unnamed?.artifacts], [0, 1])
        clock.advance({ ms: DAY })
      }
    })

    test('what a task keeps, and a result that lies in an artifact with what it names itself, stay with their jobs', async (t) => {
      const { desk, engine, artifacts, clock } = await scene(t)
      const inside = (await artifacts.put('inside')).id
      await run(desk, 'keep', null)
      const job = await run(desk, 'large', { page: inside })
      for (let passes = 0; passes < 2; passes++) {
        assert.deepEqual(await collect(desk), { removed: none, unnamed: none })
        clock.advance({ ms: DAY })
      }
      assert.equal((await Array.fromAsync(artifacts.list())).length, 3)
      assert.equal(((await engine.result(job)) as { padding: string }).padding.length, 300_000)
      await removeJobs(desk)
      await collect(desk)
      clock.advance({ ms: HOUR })
      assert.equal((await collect(desk))?.removed.artifacts, 3)
    })

    test('a result in an artifact of which an earlier release did not say what it names is read', async (t) => {
      const { desk, store, artifacts, clock } = await scene(t)
      const inside = (await artifacts.put('inside')).id
      const payload = await artifacts.put(JSON.stringify({ page: inside }))
      await collect(desk)
      const job = {
        id: crypto.randomUUID() as JobId,
        task: 'read',
        kind: 'task',
        queue: 'default',
        priority: 0,
      } as const
      await store.enqueue([{ ...job, input: `@${payload.id}:${payload.sizeBytes}` }])
      clock.advance({ ms: DAY })
      assert.equal((await collect(desk))?.removed.artifacts, 0)
      assert.equal(await artifacts.has(inside), true)
    })

    test('whose it was is forgotten with it', async (t) => {
      const { desk, store, artifacts, clock } = await scene(t)
      const { id } = await artifacts.put('lost')
      for (const owner of ['ada', 'bob']) await noteArtifactOwner(store.settings, id, owner)
      await collect(desk)
      clock.advance({ ms: HOUR })
      assert.equal((await collect(desk))?.removed.artifacts, 1)
      assert.deepEqual(await store.settings.list('artifact-owners'), [])
    })

    // On a clock that is turned, answers that take their time are waited for by many looks.
    if (!options.isFar)
      test('a worker collects by itself, and how far it has come is known', async (t) => {
        const { engine, artifacts, clock } = await scene(t)
        const { id } = await artifacts.put('lost')
        const worker = await engine.startWorker()
        await clock.until(async () => !(await artifacts.has(id)), { ms: 3 * HOUR })
        await clock.until(async () => (await engine.retention.status()).artifactPass?.endedAt !== undefined)
        const { artifactPass } = await engine.retention.status()
        assert.deepEqual([artifactPass?.by, artifactPass?.removed], [worker.id, { artifacts: 1, bytes: 4 }])
        assert.equal(artifactPass?.progress.artifacts, 1)
        await worker.stop()
      })

    test('one worker makes a pass, and another one begins it anew when that has been silent for a minute', async (t) => {
      const { all, engine, artifacts, clock } = await scene(t)
      await artifacts.put('lost')
      const other = await all.desk()
      const begunAt = clock.now()
      assert.equal(await engine.retention.collectTurn('ada'), begunAt + 500)
      assert.equal(await other.engine.retention.collectTurn('bob'), begunAt + MINUTE)
      clock.advance({ ms: MINUTE })
      for (let next = clock.now(); next < clock.now() + MINUTE; ) {
        next = await other.engine.retention.collectTurn('bob')
      }
      const { artifactPass } = await engine.retention.status()
      assert.deepEqual([artifactPass?.by, artifactPass?.unnamed.artifacts], ['bob', 1])
      assert.equal(artifactPass?.startedAt, begunAt + MINUTE)
      // The next pass begins an hour after the end of this one: artifacts are kept for so long.
      clock.advance({ ms: HOUR - 1 })
      assert.equal(await engine.retention.collectTurn('ada'), clock.now() + MINUTE)
      clock.advance({ ms: 1 })
      assert.equal(await engine.retention.collectTurn('ada'), clock.now() + 500)
    })

    test('with artifacts kept for ever, none goes', async (t) => {
      const { desk, engine, artifacts, clock } = await scene(t)
      await artifacts.put('lost')
      await collect(desk)
      await engine.retention.set({ keep: {}, artifacts: 'forever' })
      clock.advance({ ms: 1_000 * DAY })
      assert.equal(await collect(desk), undefined)
      assert.equal((await Array.fromAsync(artifacts.list())).length, 1)
    })
  })

  suite(`racing with who collects ${name}`, { skip: options.skip ?? false }, () => {
    /** An artifact that the next pass will remove. */
    async function ripe(t: TestContext) {
      const given = await scene(t)
      const { id } = await given.artifacts.put('contested')
      await collect(given.desk)
      given.clock.advance({ ms: HOUR })
      return { ...given, id }
    }

    test('content that is put again between the marking and the removal stays', async (t) => {
      const { all, desk, id, moments, artifacts } = await ripe(t)
      const other = await all.desk()
      moments.afterMarking = async () => void (await other.artifacts.put('contested'))
      assert.deepEqual((await collect(desk))?.removed, none)
      assert.equal(Buffer.from(await artifacts.readBytes(id)).toString(), 'contested')
    })

    test('content that is put while its removal is under way waits for that, and is there afterwards', async (t) => {
      const { all, desk, id, moments, artifacts, clock } = await ripe(t)
      const other = await all.desk()
      let isPut = false
      let putting: Promise<unknown> | undefined
      moments.beforeDelete = async () => {
        putting = other.artifacts.put('contested').then(() => {
          isPut = true
        })
        await clock.pass({ ms: 1_000 })
        assert.equal(isPut, false)
      }
      assert.equal((await collect(desk))?.removed.artifacts, 1)
      await driven(clock, putting ?? Promise.resolve())
      assert.equal(Buffer.from(await artifacts.readBytes(id)).toString(), 'contested')
      moments.beforeDelete = undefined
      assert.deepEqual(await collect(desk), { removed: none, unnamed: { artifacts: 1, bytes: 9 } })
    })

    test('one that a job names between the marking and the removal stays', async (t) => {
      const { all, desk, id, moments, artifacts } = await ripe(t)
      const other = await all.desk()
      moments.afterMarking = async () => void (await other.engine.submit(read, { document: id }))
      assert.deepEqual((await collect(desk))?.removed, none)
      assert.equal(await artifacts.has(id), true)
    })

    test('one that is named after its note has gone is gone for whoever named it, and nothing else is', async (t) => {
      const { all, desk, id, moments, artifacts } = await ripe(t)
      const other = await all.desk()
      moments.beforeDelete = async () => void (await other.engine.submit(read, { document: id }))
      assert.equal((await collect(desk))?.removed.artifacts, 1)
      await assert.rejects(artifacts.readBytes(id), { code: 'artifact_not_found' })
    })

    test('one stays that a retry names when the job that it repeats has gone', async (t) => {
      const { desk, engine, artifacts, clock, moments } = await scene(t)
      const { id } = await artifacts.put('kept')
      const old = await run(desk, 'read', id)
      moments.afterMarking = async () => {
        moments.afterMarking = undefined
        await engine.retry(old)
      }
      await collect(desk)
      await removeJobs(desk)
      for (let passes = 0; passes < 2; passes++) {
        clock.advance({ ms: HOUR })
        assert.deepEqual(await collect(desk), { removed: none, unnamed: none })
      }
      assert.equal(await artifacts.has(id), true)
    })

    test('one stays that a stored result names, for the job that took it when the one that made it has gone', async (t) => {
      const { desk, engine, store, artifacts, clock } = await scene(t)
      const { id } = await artifacts.put('kept')
      const first = await run(desk, 'echo', id)
      const second = await run(desk, 'echo', id)
      assert.deepEqual((await engine.job(second))?.cache, { hit: true, from: first })
      clock.advance({ ms: 2 * HOUR })
      await store.sweep()
      await engine.retention.prune({ olderThanMs: 0 })
      assert.equal(await engine.job(first), undefined)
      for (let passes = 0; passes < 2; passes++) {
        clock.advance({ ms: HOUR })
        assert.deepEqual(await collect(desk), { removed: none, unnamed: none })
      }
    })

    test('of two who collect at once, one removes it', async (t) => {
      const { all, desk, artifacts, id, moments } = await ripe(t)
      const other = await all.desk()
      const deleted: string[] = []
      moments.beforeDelete = other.moments.beforeDelete = async (one) => void deleted.push(one)
      const counts = await Promise.all([collect(desk), collect(other)])
      assert.equal(
        counts.reduce((sum, one) => sum + (one?.removed.artifacts ?? 0), 0),
        1,
      )
      assert.deepEqual(deleted, [id])
      assert.equal(await artifacts.has(id), false)
    })

    test('one whose removal was cut off can be put again two minutes later, and is noted anew', async (t) => {
      const { all, desk, artifacts, id, moments, clock } = await ripe(t)
      const other = await all.desk()
      moments.beforeDelete = () => Promise.reject(new Error('the process was killed'))
      await assert.rejects(collect(desk), /was killed/)
      const killedAt = clock.now()
      await driven(clock, other.artifacts.put('contested'))
      assert.ok(clock.now() - killedAt >= 2 * MINUTE)
      moments.beforeDelete = undefined
      assert.equal((await collect(other))?.unnamed.artifacts, 1)
      assert.equal(await artifacts.has(id), true)
      clock.advance({ ms: HOUR })
      assert.equal((await collect(other))?.removed.artifacts, 1)
    })

    test('a removal that was held up for half a minute lets the file be, for somebody may have taken it for dead', async (t) => {
      const { desk, store, artifacts, id, clock } = await ripe(t)
      const take = store.settings.delete
      store.settings.delete = async (namespace, key) => {
        if (namespace === 'artifact-notes') clock.advance({ ms: 31_000 })
        return take(namespace, key)
      }
      assert.equal((await collect(desk))?.removed.artifacts, 0)
      assert.equal(await artifacts.has(id), true)
    })

    test('a place that two stores use loses nothing, and each says so, until one has gone', async (t) => {
      const { all, desk, artifacts, id } = await ripe(t)
      const stranger = await all.desk(new MemoryPlace())
      const users = await all.files.users()
      assert.equal(users.length, 2)
      const shared = await collect(desk)
      assert.equal(shared?.sharedWith?.length, 1)
      assert.ok(users.includes(shared?.sharedWith?.[0] ?? ''))
      assert.notDeepEqual((await collect(stranger))?.sharedWith, shared?.sharedWith)
      assert.equal(await artifacts.has(id), true)
    })

    test('a pass waits for what was on its way when it began, and says so', async (t) => {
      const { engine, store, clock } = await scene(t)
      const answer = store.artifactNames.bind(store)
      let open = 3
      store.artifactNames = async ({ limit, after }) => {
        if (open-- > 0) return { names: [], payloads: [], next: 'open' }
        return answer({ limit, ...(after !== undefined && after !== 'open' && { after }) })
      }
      const first = await driven(clock, engine.retention.prune({ after: 'artifacts' }))
      assert.equal(first.isWaiting, true)
      const second = await driven(clock, engine.retention.prune({ after: first.next ?? '' }))
      assert.equal(second.isWaiting, true)
      assert.equal((await driven(clock, engine.retention.prune({ after: second.next ?? '' }))).isWaiting, undefined)
    })

    test('a pass by hand that another one has replaced says to begin again', async (t) => {
      const { engine } = await scene(t)
      const first = await engine.retention.prune({ after: 'artifacts' })
      await engine.retention.prune({ after: 'artifacts' })
      await assert.rejects(engine.retention.prune({ after: first.next ?? '' }), { code: 'prune_interrupted' })
    })
  })
}
