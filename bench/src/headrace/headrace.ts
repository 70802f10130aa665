import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { createEngine, type Engine, type JobId, type WorkerId } from '@headrace/engine'
import { chunks, inflight } from '../inflight.ts'
import { benchInput } from '../payload.ts'
import type { Peer, PeerKind, Urgency } from '../peer.ts'
import { NO_POSTGRES, postgresVersion } from '../postgres/postgres-server.ts'
import { nodeModule, startWorkerProcess, type WorkerProcess } from '../process/worker-process.ts'
import { addHistory } from './add-history.ts'
import { addPostgresHistory } from './add-postgres-history.ts'
import { type BenchDatabase, freshDatabase } from './database.ts'
import { finishMixed } from './finish-mixed.ts'
import { openStore } from './open-store.ts'
import { attentive, benchTasks, chain, chord, noop, slow } from './tasks.ts'

const LOOK_MS = 20
const URGENT = 10

/** Headrace on an empty database: producer and worker each in a process of their own. */
export function headrace(store: string): PeerKind {
  const engine = store.startsWith('sqlite') ? 'sqlite' : 'postgres'
  return {
    name: `headrace:${engine}`,
    lacks: {},
    share: {},
    async find() {
      if (store === 'postgres' && (await postgresVersion()) === undefined) return { missing: NO_POSTGRES }
      await using database = await freshDatabase(store)
      return { versions: database.versions, open: () => openHeadrace(store) }
    },
  }
}

async function openHeadrace(store: string): Promise<Peer> {
  const database = await freshDatabase(store)
  return new Headrace(createEngine({ store: await openStore(database.url), tasks: benchTasks }), database)
}

class Headrace implements Peer {
  readonly durability: string
  readonly serverPid: number | undefined
  readonly #engine: Engine
  readonly #database: BenchDatabase
  #ids: JobId[] = []

  constructor(engine: Engine, database: BenchDatabase) {
    this.#engine = engine
    this.#database = database
    this.durability = database.durability
    this.serverPid = database.serverPid
  }

  startWorker(): Promise<WorkerProcess> {
    return startWorkerProcess(nodeModule(new URL('./worker.ts', import.meta.url), [this.#database.url]))
  }

  async enqueueBulk(count: number): Promise<void> {
    this.#ids = []
    for (const chunk of chunks(count)) {
      for (const { id } of await this.#engine.submitMany(noop, chunk.map(benchInput))) this.#ids.push(id)
    }
  }

  async enqueueEach(count: number, inflightMax: number): Promise<void> {
    this.#ids = []
    await inflight(count, inflightMax, async (i) => {
      this.#ids.push((await this.#engine.submit(noop, benchInput(i))).id)
    })
  }

  /** Jobs of one queue begin in the order in which they came; so the last one's end is waited for, and then all are counted. */
  async allEnded(): Promise<void> {
    const last = this.#ids.at(-1)
    if (last !== undefined) await this.#engine.wait(last)
    while ((await this.unended()) > 0) await sleep(LOOK_MS)
  }

  async unended(): Promise<number> {
    const counts = await this.#engine.store.queues()
    return counts.reduce((sum, { waiting, scheduled, running }) => sum + waiting + scheduled + running, 0)
  }

  async verify(): Promise<void> {
    const states = await this.#engine.store.states(this.#ids)
    const succeeded = [...states.values()].filter((state) => state === 'succeeded').length
    assert.equal(succeeded, this.#ids.length, `${this.#ids.length - succeeded} of ${this.#ids.length} did not succeed`)
  }

  async roundTrips(count: number, urgency: Urgency): Promise<number[]> {
    const times: number[] = []
    const options = urgency === 'urgent' ? { priority: URGENT } : {}
    for (let i = 0; i < count; i++) {
      const start = performance.now()
      const { id } = await this.#engine.submit(noop, benchInput(i), options)
      await this.#engine.result(id)
      times.push(performance.now() - start)
    }
    return times
  }

  async runChord(children: number): Promise<number> {
    const { id } = await this.#engine.submit(chord, children)
    return Number(await this.#engine.result(id))
  }

  async runChains(chains: number, steps: number): Promise<number> {
    const inputs = Array.from({ length: chains }, () => steps)
    const submitted = await this.#engine.submitMany(chain, inputs)
    const results = await Promise.all(submitted.map(({ id }) => this.#engine.result(id)))
    return results.filter((result) => result === steps).length
  }

  async enqueueSlow(count: number, ms: number): Promise<void> {
    await this.#engine.submitMany(
      slow,
      Array.from({ length: count }, (_, i) => ({ i, ms })),
    )
  }

  async waitForSignals(count: number): Promise<void> {
    this.#ids = []
    for (const chunk of chunks(count)) {
      for (const { id } of await this.#engine.submitMany(attentive, chunk)) this.#ids.push(id)
    }
    // A workflow that has not begun is ready; one that waits is running or parked.
    while ((await this.#engine.store.queues()).some(({ waiting }) => waiting > 0)) await sleep(LOOK_MS)
  }

  async signalAll(): Promise<void> {
    await inflight(this.#ids.length, 50, async (i) => {
      await this.#engine.signal(this.#ids[i] as JobId, 'go', i)
    })
    await this.allEnded()
  }

  async claimTimes(count: number, slots: number): Promise<number[]> {
    const { store } = this.#engine
    const worker = randomUUID() as WorkerId
    await store.addWorker({ id: worker, name: 'bench', queues: { default: slots }, leaseMs: 60_000 }, () => {})
    const nothing = { worker, settle: [], advance: [], tell: [], claim: [] }
    const times: number[] = []
    for (let i = 0; i < count; i++) {
      const start = performance.now()
      const { claimed } = await store.commit({ ...nothing, claim: [{ queue: 'default', slots }] })
      times.push(performance.now() - start)
      assert.equal(claimed.length, slots)
      const settle = claimed.map(({ lease }) => ({ lease, outcome: 'succeeded' as const, result: '{"ok":true}' }))
      await store.commit({ ...nothing, settle })
    }
    await store.removeWorker(worker)
    return times
  }

  async addHistory(finished: number): Promise<void> {
    const originals = await finishMixed(this.#engine)
    if (this.#engine.store.name === 'sqlite') addHistory(this.#database.url, originals, finished)
    else await addPostgresHistory(this.#database.url, originals, finished)
  }

  holdReader(): Promise<AsyncDisposable> {
    return this.#database.holdReader()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#engine.store[Symbol.asyncDispose]()
    await this.#database[Symbol.asyncDispose]()
  }
}
