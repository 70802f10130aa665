import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { createEngine, type Engine, type JobId, type Store, task } from '@headrace/engine'
import { ManualClock, seededRandom } from '@headrace/engine/testing'
import { openSqliteStore } from '@headrace/store-sqlite'
import { type ArtifactStore, artifactIdOfBytes, openArtifacts, openStoreArtifacts, parseArtifactId } from './index.ts'

const PROCESSES = 3
const CONTENTS = 5
const TURNS = 200
const SEED = process.env.SEED ?? 'artifacts'

const read = task({ name: 'read', run: () => null })

type Desk = { readonly store: Store; readonly engine: Engine; readonly artifacts: ArtifactStore }

/** Processes that put, name, forget and collect the same few contents, as the dice say; now and then one dies over a removal. */
class Race {
  readonly clock = new ManualClock('2030-01-01T00:00:00Z')
  readonly #random = seededRandom(SEED)
  readonly #files: ArtifactStore
  readonly #desks: Desk[] = []
  /** By job: what it names. Jobs that are being removed are not here any more. */
  readonly #named = new Map<JobId, string>()
  removed = 0
  killed = 0

  constructor(files: ArtifactStore) {
    this.#files = files
  }

  async open(dir: string): Promise<void> {
    for (let process = 0; process < PROCESSES; process++) {
      const store = await openSqliteStore(join(dir, 'jobs.db'), { clock: this.clock, fsync: false })
      const artifacts = await openStoreArtifacts(this.#dying(), store)
      this.#desks.push({ store, artifacts, engine: createEngine({ store, artifacts, tasks: [read] }) })
    }
    await this.#draw(this.#desks).engine.retention.set({ keep: {}, artifacts: '0s' })
  }

  async turn(): Promise<void> {
    const acts = Array.from({ length: 1 + this.#below(8) }, () => this.#act())
    await this.#drive(Promise.all(acts))
    for (const artifact of this.#named.values()) {
      assert.ok(await this.#files.has(parseArtifactId(artifact)), `${artifact} is named, and is gone: SEED=${SEED}`)
    }
    this.clock.advance({ ms: this.#below(5) === 0 ? 130_000 : this.#below(20_000) })
  }

  async close(): Promise<void> {
    for (const { store } of this.#desks) await store[Symbol.asyncDispose]()
  }

  async #act(): Promise<void> {
    await this.#wait(this.#below(5_000))
    const desk = this.#draw(this.#desks)
    const dice = this.#below(10)
    if (dice < 3) return this.#bring(desk)
    if (dice < 5) return this.#nameAgain(desk)
    if (dice < 7) return this.#collect(desk)
    return this.#forget(desk)
  }

  async #bring({ artifacts, engine }: Desk): Promise<void> {
    const put = artifacts.put(`content ${this.#below(CONTENTS)}`)
    const id = await put.then(
      (stored) => stored.id,
      (error: { readonly code?: string }) => assert.equal(error.code, 'artifact_store_unavailable'),
    )
    if (id === undefined) return
    const job = await engine.submit(read, { document: id }, { delayMs: 1e12 })
    this.#named.set(job.id, id)
  }

  /** It may be gone by the time that the job is stored; if it is there then, it stays. */
  async #nameAgain({ artifacts, engine, store }: Desk): Promise<void> {
    const id = artifactIdOfBytes(Buffer.from(`content ${this.#below(CONTENTS)}`))
    if (!(await artifacts.has(id))) return
    const job = await engine.submit(read, { document: id }, { delayMs: 1e12 })
    const isBeingRemoved = async () => {
      const removals = await store.settings.list('artifact-removing', { prefix: id })
      return removals.some(({ value }) => this.clock.now() - Number(value) < 120_000)
    }
    while (await isBeingRemoved()) await this.#wait(100)
    if (await artifacts.has(id)) this.#named.set(job.id, id)
  }

  async #forget({ engine }: Desk): Promise<void> {
    for (const id of [...this.#named.keys()].slice(0, 3)) {
      this.#named.delete(id)
      await engine.cancel(id)
    }
    await engine.retention.prune({ olderThanMs: 0 })
  }

  async #collect({ engine }: Desk): Promise<void> {
    try {
      for (let after: string | undefined = 'artifacts'; after !== undefined; ) {
        const step: Awaited<ReturnType<Engine['retention']['prune']>> = await engine.retention.prune({ after })
        this.removed += step.artifacts?.removed.artifacts ?? 0
        after = step.next
      }
    } catch (error) {
      const { code, message } = error as { readonly code?: string; readonly message?: string }
      if (message === 'killed') this.killed++
      else assert.equal(code, 'prune_interrupted')
    }
  }

  /** The folder, for a process that dies before or after one removal in eight. */
  #dying(): ArtifactStore {
    const files = this.#files
    const remove: ArtifactStore['delete'] = async (id) => {
      await this.#wait(this.#below(3_000))
      const dice = this.#below(16)
      if (dice === 0) throw new Error('killed')
      const isGone = await files.delete(id)
      if (dice === 1) throw new Error('killed')
      return isGone
    }
    return new Proxy(files, {
      get(target, name) {
        if (name === 'delete') return remove
        const value: unknown = Reflect.get(target, name, target)
        return typeof value === 'function' ? value.bind(target) : value
      },
    })
  }

  async #drive(work: Promise<unknown>): Promise<void> {
    let isOver = false
    const end = () => {
      isOver = true
    }
    work.then(end, end)
    while (!isOver) await this.clock.pass({ ms: 5 })
    await work
  }

  #wait(ms: number): Promise<void> {
    return new Promise((resolve) => this.clock.setTimeout(resolve, ms))
  }

  #draw<T>(all: readonly T[]): T {
    return all[this.#below(all.length)] as T
  }

  #below(count: number): number {
    return Math.floor(this.#random() * count)
  }
}

test('whoever puts, names, forgets and collects the same contents at once, no artifact is gone that a job names', async (t) => {
  const dir = await mkdtemp(join(tmpdir(), 'headrace-race-'))
  const race = new Race(await openArtifacts(join(dir, 'artifacts')))
  t.after(async () => {
    await race.close()
    await rm(dir, { recursive: true, force: true })
  })
  // A put that takes long looks again; the time that counts is the one in which others remove.
  t.mock.method(performance, 'now', () => race.clock.now())
  await race.open(dir)
  for (let turn = 0; turn < TURNS; turn++) await race.turn()
  // It was a race.
  assert.ok(race.removed > 10, `${race.removed} were removed`)
  assert.ok(race.killed > 0, `${race.killed} were killed`)
})
