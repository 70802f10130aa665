import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { createEngine, type Engine, type JobId } from '@headrace/engine'
import { openSqliteStore } from '@headrace/store-sqlite'
import { inflight } from '../inflight.ts'
import { benchInput } from '../payload.ts'
import type { Peer } from '../peer.ts'
import { startWorkerProcess, type WorkerProcess } from '../worker-process.ts'
import { benchTasks, chain, chord, noop } from './tasks.ts'

const CHUNK = 1_000
const LOOK_MS = 20

/** Headrace on a fresh SQLite file, everything flushed to the disk: producer and worker each in a process of their own. */
export async function openHeadrace(): Promise<Peer> {
  const dir = mkdtempSync(join(process.env.BENCH_DIR ?? tmpdir(), 'headrace-bench-'))
  const path = join(dir, 'bench.db')
  const store = await openSqliteStore(path)
  const engine = createEngine({ store, tasks: benchTasks })
  const worker = await startWorkerProcess(new URL('./worker.ts', import.meta.url), [path])
  return new Headrace(engine, worker, dir)
}

class Headrace implements Peer {
  readonly name = 'headrace:sqlite'
  readonly durability = 'each accepted job, step and result flushed to the disk before it is answered for (WAL)'
  readonly #engine: Engine
  readonly #worker: WorkerProcess
  readonly #dir: string
  #lastIds: readonly JobId[] = []

  constructor(engine: Engine, worker: WorkerProcess, dir: string) {
    this.#engine = engine
    this.#worker = worker
    this.#dir = dir
  }

  async runBulk(count: number): Promise<void> {
    const ids: JobId[] = []
    for (let from = 0; from < count; from += CHUNK) {
      const size = Math.min(CHUNK, count - from)
      const inputs = Array.from({ length: size }, (_, k) => benchInput(from + k))
      for (const { id } of await this.#engine.submitMany(noop, inputs)) ids.push(id)
    }
    await this.#allEnded()
    this.#lastIds = ids
  }

  async runEach(count: number, inflightMax: number): Promise<void> {
    const ids: JobId[] = []
    await inflight(count, inflightMax, async (i) => {
      ids.push((await this.#engine.submit(noop, benchInput(i))).id)
    })
    await this.#allEnded()
    this.#lastIds = ids
  }

  async roundTrips(count: number): Promise<number[]> {
    const times: number[] = []
    for (let i = 0; i < count; i++) {
      const start = performance.now()
      const { id } = await this.#engine.submit(noop, benchInput(i))
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
    const submitted = await this.#engine.submitMany(
      chain,
      Array.from({ length: chains }, () => steps),
    )
    const results = await Promise.all(submitted.map(({ id }) => this.#engine.result(id)))
    return results.filter((result) => result === steps).length
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#worker.stop()
    await this.#engine.store[Symbol.asyncDispose]()
    rmSync(this.#dir, { recursive: true, force: true })
  }

  async #allEnded(): Promise<void> {
    for (;;) {
      const counts = await this.#engine.store.queues()
      if (counts.every((queue) => queue.waiting + queue.scheduled + queue.running === 0)) return
      await sleep(LOOK_MS)
    }
  }

  async verify(): Promise<void> {
    const ids = this.#lastIds
    const states = await this.#engine.store.states(ids)
    const succeeded = [...states.values()].filter((state) => state === 'succeeded').length
    assert.equal(succeeded, ids.length, `${ids.length - succeeded} of ${ids.length} jobs did not succeed`)
  }
}
