import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { Logger, makeWorkerUtils, type WorkerUtils } from 'graphile-worker'
import pg from 'pg'
import { chunks, inflight } from '../inflight.ts'
import { installedVersion } from '../installed-version.ts'
import { benchInput } from '../payload.ts'
import type { Bench, Peer, PeerKind, Urgency } from '../peer.ts'
import { createDatabase, type PostgresDatabase } from '../postgres/database.ts'
import { NO_POSTGRES, postgresServer, postgresVersion } from '../postgres/postgres-server.ts'
import { nodeModule, startWorkerProcess, type WorkerProcess } from '../process/worker-process.ts'
import { COUNTERS_TABLE, DONE_CHANNEL, RESULTS_TABLE, tellErrors } from './tasks.ts'

const LOOK_MS = 20
const INFLIGHT_MAX = 50
/** The lower, the more urgent. */
const URGENT = { priority: -10 }

/** graphile-worker on PostgreSQL, with results stored by its tasks. */
export const graphile: PeerKind = {
  name: 'graphile-worker:postgres',
  lacks: {},
  share: { each: 0.25 },
  async find() {
    const postgresql = await postgresVersion()
    if (postgresql === undefined) return { missing: NO_POSTGRES }
    const version = installedVersion('graphile-worker')
    return { versions: { 'graphile-worker': version, postgresql }, open: openGraphile }
  },
}

async function openGraphile(bench: Bench): Promise<Peer> {
  const database = await createDatabase((await postgresServer()).url)
  const pool = new pg.Pool({ connectionString: database.url, max: INFLIGHT_MAX + 5 })
  tellErrors(pool)
  const utils = await makeWorkerUtils({ pgPool: pool, logger: new Logger(() => () => {}) })
  await utils.migrate()
  await pool.query(RESULTS_TABLE)
  await pool.query(COUNTERS_TABLE)
  return new Graphile({ bench, database, pool, utils })
}

class Graphile implements Peer {
  readonly durability: string
  readonly serverPid: number | undefined
  readonly #bench: Bench
  readonly #database: PostgresDatabase
  readonly #pool: pg.Pool
  readonly #utils: WorkerUtils
  readonly #waiting = new Map<number, () => void>()
  #listener: pg.Client | undefined
  #next = 0

  constructor(parts: { bench: Bench; database: PostgresDatabase; pool: pg.Pool; utils: WorkerUtils }) {
    this.#bench = parts.bench
    this.#database = parts.database
    this.#pool = parts.pool
    this.#utils = parts.utils
    this.durability = parts.database.durability
    this.serverPid = parts.database.serverPid
  }

  startWorker(): Promise<WorkerProcess> {
    const module = new URL('./worker.ts', import.meta.url)
    return startWorkerProcess(nodeModule(module, [this.#database.url, this.#bench]))
  }

  async enqueueBulk(count: number): Promise<void> {
    const from = this.#take(count)
    for (const chunk of chunks(count)) {
      await this.#utils.addJobs(chunk.map((i) => ({ identifier: 'noop', payload: benchInput(from + i) })))
    }
  }

  async enqueueEach(count: number, inflightMax: number): Promise<void> {
    const from = this.#take(count)
    await inflight(count, inflightMax, async (i) => void (await this.#utils.addJob('noop', benchInput(from + i))))
  }

  async allEnded(): Promise<void> {
    while ((await this.#count('select count(*)::int as n from bench_results')) < this.#next) await sleep(LOOK_MS)
    while ((await this.unended()) > 0) await sleep(LOOK_MS)
  }

  unended(): Promise<number> {
    return this.#count('select count(*)::int as n from graphile_worker._private_jobs')
  }

  async verify(): Promise<void> {
    const { rows } = await this.#pool.query('select result from bench_results limit 10')
    assert.ok(rows.length > 0 && rows.every(({ result }) => result.ok === true))
  }

  async roundTrips(count: number, urgency: Urgency): Promise<number[]> {
    await this.#listen()
    const times: number[] = []
    for (let k = 0; k < count; k++) {
      const i = this.#take(1)
      const start = performance.now()
      const done = this.#done(i)
      await this.#utils.addJob('noop', { ...benchInput(i), tell: true }, urgency === 'urgent' ? URGENT : {})
      await done
      await this.#pool.query('select result from bench_results where i = $1', [i])
      times.push(performance.now() - start)
    }
    return times
  }

  /** It has no parent jobs, so its users count: the child that brings the counter to zero adds the job that joins them. */
  async runChord(children: number): Promise<number> {
    await this.#listen()
    const join = this.#take(1)
    const from = this.#take(children)
    await this.#pool.query('insert into bench_counters (i, first, remaining) values ($1, $2, $3)', [
      join,
      from,
      children,
    ])
    const joined = this.#done(join)
    for (const chunk of chunks(children)) {
      const parts = chunk.map((k) => ({ ...benchInput(from + k), join }))
      await this.#utils.addJobs(parts.map((payload) => ({ identifier: 'part', payload })))
    }
    await joined
    const { rows } = await this.#pool.query('select result from bench_results where i = $1', [join])
    return Number(rows[0]?.result.received)
  }

  async runChains(chains: number, steps: number): Promise<number> {
    await this.#listen()
    const from = this.#take(chains)
    const ids = Array.from({ length: chains }, (_, k) => from + k)
    const ended = ids.map((i) => this.#done(i))
    await this.#utils.addJobs(
      ids.map((i) => ({ identifier: 'step', payload: { ...benchInput(i), step: 0, steps, i } })),
    )
    await Promise.all(ended)
    const { rows } = await this.#pool.query('select result from bench_results where i = any ($1)', [ids])
    return rows.filter(({ result }) => result.i === steps).length
  }

  async enqueueSlow(count: number, ms: number): Promise<void> {
    const from = this.#take(count)
    await this.#utils.addJobs(
      Array.from({ length: count }, (_, k) => ({ identifier: 'slow', payload: { i: from + k, ms } })),
    )
  }

  holdReader(): Promise<AsyncDisposable> {
    return this.#database.holdReader()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#listener?.end()
    await this.#utils.release()
    await this.#pool.end()
    await this.#database[Symbol.asyncDispose]()
  }

  /** The first of so many numbers that no job had before. */
  #take(count: number): number {
    const from = this.#next
    this.#next += count
    return from
  }

  async #count(sql: string): Promise<number> {
    const { rows } = await this.#pool.query(sql)
    return (rows[0] as { n: number }).n
  }

  async #listen(): Promise<void> {
    if (this.#listener !== undefined) return
    this.#listener = new pg.Client(this.#database.url)
    await this.#listener.connect()
    this.#listener.on('notification', ({ payload }) => this.#waiting.get(Number(payload))?.())
    await this.#listener.query(`listen ${DONE_CHANNEL}`)
  }

  #done(i: number): Promise<void> {
    return new Promise((resolve) =>
      this.#waiting.set(i, () => {
        this.#waiting.delete(i)
        resolve()
      }),
    )
  }
}
