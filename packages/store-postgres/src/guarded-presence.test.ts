import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, suite, test } from 'node:test'
import type { Claimed, JobId, Store, WorkerId } from '@headrace/engine'
import pg from 'pg'
import { openPostgresStore } from './postgres-store.ts'
import { postgresForTests, WITHOUT_POSTGRES } from './testing/server.ts'

const databases = await postgresForTests()
after(() => databases?.close())
const [url = ''] = databases?.urls ?? []

let schemas = 0

/** Two stores that others could be; the worker is known to the first. */
class Place implements AsyncDisposable {
  readonly worker = randomUUID() as WorkerId
  readonly lost: string[] = []
  readonly #stores: readonly [Store, Store]

  private constructor(stores: readonly [Store, Store]) {
    this.#stores = stores
  }

  static async open({ leaseMs }: { readonly leaseMs: number }): Promise<Place> {
    const schema = `presence_${++schemas}`
    const place = new Place([await openPostgresStore(url, { schema }), await openPostgresStore(url, { schema })])
    const info = { id: place.worker, name: 'one', queues: { tiles: 1 }, leaseMs }
    await place.store.addWorker(info, (reason) => place.lost.push(reason))
    // So that it has its connections.
    await place.other.sweep()
    return place
  }

  get store(): Store {
    return this.#stores[0]
  }

  get other(): Store {
    return this.#stores[1]
  }

  async claim(): Promise<readonly Claimed[]> {
    const job = {
      id: randomUUID() as JobId,
      task: 'render',
      kind: 'task',
      queue: 'tiles',
      priority: 0,
      input: '{}',
    } as const
    await this.store.enqueue([job])
    const claim = [{ queue: 'tiles', slots: 1 }]
    return (await this.store.commit({ worker: this.worker, settle: [], advance: [], tell: [], claim })).claimed
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const store of this.#stores) await store[Symbol.asyncDispose]()
  }
}

/** Keeps this process's event loop busy, as a task may. */
function block(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms)
}

/** The sessions that show a process, by their servers' pids. */
async function presences(client: pg.Client): Promise<number[]> {
  const { rows } = await client.query<{ pid: number }>(
    `select pid from pg_stat_activity where application_name like 'headrace presence%' and datname = current_database()`,
  )
  return rows.map(({ pid }) => pid)
}

async function untilShownByOther(client: pg.Client, pid: number): Promise<void> {
  for (let shown = [pid]; shown.length !== 1 || shown[0] === pid; ) shown = await presences(client)
}

suite('a process that shows that it lives', {
  skip: databases === undefined && WITHOUT_POSTGRES,
  timeout: 60_000,
}, () => {
  test('keeps its lease from its very first job on, however busy that keeps the event loop', async () => {
    await using place = await Place.open({ leaseMs: 1_500 })
    assert.equal((await place.claim()).length, 1)
    block(4_000)
    // Asked for before this process's own timers are heard.
    assert.equal((await place.other.sweep()).lostWorkers, 0)
    assert.deepEqual(place.lost, [])
  })

  test('does so by one session in its event loop, and by one in a thread from its first job on', async () => {
    await using place = await Place.open({ leaseMs: 60_000 })
    await using client = await connect()
    const [idle = 0] = await presences(client)
    await place.claim()
    await untilShownByOther(client, idle)
    assert.equal((await place.other.sweep()).lostWorkers, 0)
    assert.equal((await place.store.workers()).length, 1)
  })

  for (const when of ['before its first job', 'with a job']) {
    test(`comes back under its number when the connection by which it does so is cut ${when}`, async () => {
      await using place = await Place.open({ leaseMs: 60_000 })
      await using client = await connect()
      let [shown = 0] = await presences(client)
      if (when === 'with a job') {
        await place.claim()
        await untilShownByOther(client, shown)
        shown = (await presences(client))[0] ?? 0
      }
      await client.query('select pg_terminate_backend($1)', [shown])
      await untilShownByOther(client, shown)
      assert.equal((await place.other.sweep()).lostWorkers, 0)
      assert.deepEqual(place.lost, [])
    })
  }

  test('says so to a worker whose lease others have ended, before its first job', async () => {
    await using place = await Place.open({ leaseMs: 1_500 })
    await using client = await connect()
    const schema = `presence_${schemas}`
    await client.query(`update ${schema}.workers set ended_at = 1`)
    while (place.lost.length === 0) await place.other.sweep()
    assert.deepEqual(place.lost, ['its lease lapsed'])
  })
})

async function connect(): Promise<pg.Client & AsyncDisposable> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  return Object.assign(client, { [Symbol.asyncDispose]: () => client.end() })
}
