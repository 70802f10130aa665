import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import type { PgBoss } from 'pg-boss'
import { chunks, inflight } from '../inflight.ts'
import { installedVersion } from '../installed-version.ts'
import { benchInput } from '../payload.ts'
import type { Peer, PeerKind, Urgency } from '../peer.ts'
import { createDatabase, type PostgresDatabase } from '../postgres/database.ts'
import { NO_POSTGRES, postgresServer, postgresVersion } from '../postgres/postgres-server.ts'
import { nodeModule, startWorkerProcess, type WorkerProcess } from '../process/worker-process.ts'
import { queues, startBoss } from './queues.ts'

const LOOK_MS = 20
/** pg-boss tells nobody of a result, so its users ask for it; each question costs a query. */
const ASK_MS = 2
const URGENT = { priority: 10 }
type Output = { readonly i?: number; readonly received?: number }

export const pgboss: PeerKind = {
  name: 'pg-boss:postgres',
  lacks: {},
  share: { each: 0.25 },
  async find() {
    const postgresql = await postgresVersion()
    if (postgresql === undefined) return { missing: NO_POSTGRES }
    const version = installedVersion('pg-boss')
    return { versions: { 'pg-boss': version, postgresql }, open: openPgboss }
  },
}

async function openPgboss(): Promise<Peer> {
  const database = await createDatabase((await postgresServer()).url)
  const boss = await startBoss(database.url, 50, { supervise: false })
  for (const name of queues) await boss.createQueue(name, { notify: true })
  return new Pgboss(database, boss, new pg.Pool({ connectionString: database.url, max: 2 }))
}

class Pgboss implements Peer {
  readonly durability: string
  readonly serverPid: number | undefined
  readonly #database: PostgresDatabase
  readonly #boss: PgBoss
  readonly #pool: pg.Pool

  constructor(database: PostgresDatabase, boss: PgBoss, pool: pg.Pool) {
    this.#database = database
    this.#boss = boss
    this.#pool = pool
    this.durability = database.durability
    this.serverPid = database.serverPid
  }

  startWorker(): Promise<WorkerProcess> {
    return startWorkerProcess(nodeModule(new URL('./worker.ts', import.meta.url), [this.#database.url]))
  }

  async enqueueBulk(count: number): Promise<void> {
    for (const chunk of chunks(count)) {
      await this.#boss.insert(
        'noop',
        chunk.map((i) => ({ data: benchInput(i) })),
      )
    }
  }

  async enqueueEach(count: number, inflightMax: number): Promise<void> {
    await inflight(count, inflightMax, async (i) => void (await this.#boss.send('noop', benchInput(i))))
  }

  async allEnded(): Promise<void> {
    while ((await this.unended()) > 0) await sleep(LOOK_MS)
  }

  async unended(): Promise<number> {
    const { rows } = await this.#pool.query(
      `select count(*)::int as n from pgboss.job where name = 'noop' and state < 'completed'`,
    )
    return (rows[0] as { n: number }).n
  }

  async verify(): Promise<void> {
    const { rows } = await this.#pool.query(
      `select output from pgboss.job where name = 'noop' and state = 'completed' limit 10`,
    )
    assert.ok(rows.length > 0 && rows.every(({ output }) => output.ok === true))
  }

  async roundTrips(count: number, urgency: Urgency): Promise<number[]> {
    const times: number[] = []
    for (let i = 0; i < count; i++) {
      const start = performance.now()
      await this.#output('noop', await this.#boss.send('noop', benchInput(i), urgency === 'urgent' ? URGENT : {}))
      times.push(performance.now() - start)
    }
    return times
  }

  async runChord(children: number): Promise<number> {
    const parts = Array.from({ length: children }, (_, i) => ({ ref: `child${i}`, name: 'noop', data: benchInput(i) }))
    const parent = { ref: 'parent', name: 'chord', dependsOn: parts.map(({ ref }) => ref) }
    const ids = await this.#boss.flow([...parts, parent])
    return (await this.#output('chord', ids.parent)).received ?? 0
  }

  async runChains(chains: number, steps: number): Promise<number> {
    const last: (string | undefined)[] = []
    await inflight(chains, 20, async (i) => {
      const jobs = Array.from({ length: steps }, (_, step) => ({
        ref: `step${step}`,
        name: 'chain',
        data: benchInput(i),
        ...(step > 0 && { dependsOn: [`step${step - 1}`] }),
      }))
      last.push((await this.#boss.flow(jobs))[`step${steps - 1}`])
    })
    let right = 0
    await inflight(chains, 10, async (k) => {
      if ((await this.#output('chain', last[k], LOOK_MS)).i === steps) right++
    })
    return right
  }

  async enqueueSlow(count: number, ms: number): Promise<void> {
    await this.#boss.insert(
      'slow',
      Array.from({ length: count }, (_, i) => ({ data: { i, ms } })),
    )
  }

  holdReader(): Promise<AsyncDisposable> {
    return this.#database.holdReader()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#boss.stop({ graceful: false })
    await this.#pool.end()
    await this.#database[Symbol.asyncDispose]()
  }

  async #output(queue: string, id: string | null | undefined, everyMs = ASK_MS): Promise<Output> {
    if (id === null || id === undefined) throw new Error(`pg-boss took no job into ${queue}`)
    for (;;) {
      const [job] = await this.#boss.findJobs(queue, { id })
      if (job?.state === 'completed') return job.output as Output
      if (job?.state === 'failed') throw new Error(`pg-boss: a job of ${queue} failed: ${JSON.stringify(job.output)}`)
      await sleep(everyMs)
    }
  }
}
