import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, suite, test } from 'node:test'
import type { Claimed, CommitResult, JobId, Lease, NewJob, Store, WorkerId } from '@headrace/engine'
import { testCrashes } from '@headrace/engine/conformance'
import pg from 'pg'
import { openPostgresStore } from './postgres-store.ts'
import { startPostgres, WITHOUT_POSTGRES } from './testing/server.ts'

// What nobody waits for is written every ten seconds; meanwhile its writer sleeps, and can be stopped with no lock in its hands.
const server = await startPostgres([], ['wal_writer_delay=10s'])
after(() => server?.stop())

let schemas = 0

/** A store on a server of its own, which can be made to forget what is not on the disk. */
class Place implements AsyncDisposable {
  readonly #schema = `crash_${++schemas}`
  readonly #stores: Store[] = []
  readonly ada = randomUUID() as WorkerId
  readonly bob = randomUUID() as WorkerId

  async store(worker?: WorkerId): Promise<Store> {
    const store = await openPostgresStore(server?.url ?? '', { schema: this.#schema })
    this.#stores.push(store)
    if (worker !== undefined) await addWorker(store, worker)
    return store
  }

  /** Does something while nothing is written to the disk but what somebody waits for, and then cuts the power. */
  async forgetting<T>(work: () => Promise<T>): Promise<T> {
    const walWriter = await pidOfWalWriter()
    process.kill(walWriter, 'SIGSTOP')
    const result = await work()
    const gone = server?.crash()
    process.kill(walWriter, 'SIGCONT')
    await gone
    await server?.start()
    return result
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const store of this.#stores) await store[Symbol.asyncDispose]()
  }
}

async function pidOfWalWriter(): Promise<number> {
  const client = new pg.Client({ connectionString: server?.url })
  await client.connect()
  try {
    const { rows } = await client.query(`select pid from pg_stat_activity where backend_type = 'walwriter'`)
    return Number(rows[0]?.pid)
  } finally {
    await client.end()
  }
}

function addWorker(store: Store, id: WorkerId): Promise<void> {
  return store.addWorker({ id, name: 'one', queues: { tiles: 1 }, leaseMs: 600_000 }, () => {})
}

async function enqueueOne(store: Store): Promise<JobId> {
  const id = randomUUID() as JobId
  const job: NewJob = { id, task: 'render', kind: 'task', queue: 'tiles', priority: 0, input: '{}' }
  await store.enqueue([job])
  return id
}

const NOTHING = { settle: [], advance: [], tell: [], claim: [] }

/** The database may have to be found again first. */
async function commit(store: Store, batch: Parameters<Store['commit']>[0]): Promise<CommitResult> {
  await store.check().catch(() => store.check())
  return store.commit(batch)
}

async function claim(store: Store, worker: WorkerId): Promise<readonly Claimed[]> {
  const { claimed } = await commit(store, { ...NOTHING, worker, claim: [{ queue: 'tiles', slots: 1 }] })
  return claimed
}

async function settle(store: Store, lease: Lease): Promise<string | undefined> {
  const settlement = { lease, outcome: 'succeeded', result: '1' } as const
  const { settled } = await commit(store, { ...NOTHING, worker: lease.worker, settle: [settlement] })
  return settled[0]
}

async function stateOf(store: Store, id: JobId): Promise<string | undefined> {
  await store.check().catch(() => store.check())
  return (await store.states([id])).get(id)
}

function theOne(claimed: readonly Claimed[]): Claimed {
  assert.equal(claimed.length, 1)
  return claimed[0] as Claimed
}

suite('a claim that a crash of PostgreSQL forgets', { skip: server === undefined && WITHOUT_POSTGRES }, () => {
  test('is made again for the worker that runs the job, which is not begun a second time', async () => {
    await using place = new Place()
    const store = await place.store(place.ada)
    const id = await enqueueOne(store)
    const { lease } = theOne(await place.forgetting(() => claim(store, place.ada)))
    assert.equal(await stateOf(store, id), 'waiting')
    assert.deepEqual(await claim(store, place.ada), [])
    assert.equal(await stateOf(store, id), 'running')
    assert.equal(await settle(store, lease), 'settled')
    assert.equal(await stateOf(store, id), 'succeeded')
  })

  test('may be made by another worker, and the first one’s late result is dropped', async () => {
    await using place = new Place()
    const store = await place.store(place.ada)
    const id = await enqueueOne(store)
    const late = theOne(await place.forgetting(() => claim(store, place.ada)))
    const other = await place.store(place.bob)
    const next = theOne(await claim(other, place.bob))
    assert.equal(next.lease.attempt, late.lease.attempt)
    assert.equal(await settle(store, late.lease), 'lease_lost')
    assert.equal(await settle(other, next.lease), 'settled')
    assert.equal(await stateOf(other, id), 'succeeded')
  })

  test('costs the worker a result that it has before it claims again; then it begins the job anew', async () => {
    await using place = new Place()
    const store = await place.store(place.ada)
    const id = await enqueueOne(store)
    const { lease } = theOne(await place.forgetting(() => claim(store, place.ada)))
    assert.equal(await settle(store, lease), 'lease_lost')
    const again = theOne(await claim(store, place.ada))
    assert.equal(await settle(store, again.lease), 'settled')
    assert.equal(await stateOf(store, id), 'succeeded')
  })

  test('is never one of which somebody has read the event', async () => {
    await using place = new Place()
    const store = await place.store(place.ada)
    const id = await enqueueOne(store)
    const seen = await place.forgetting(async () => {
      await claim(store, place.ada)
      return store.events({ after: 0, limit: 10, jobId: id })
    })
    assert.deepEqual(
      seen.map(({ kind }) => kind),
      ['queued', 'started'],
    )
    assert.equal(await stateOf(store, id), 'running')
  })
})

suite('processes on PostgreSQL', { skip: server === undefined && WITHOUT_POSTGRES }, () => {
  testCrashes('a PostgreSQL schema', {
    program: new URL('./testing/crash-process.ts', import.meta.url),
    makeAddress: () => `${server?.url}?schema=crash_${++schemas}`,
    open: openPostgresStore,
  })
})
