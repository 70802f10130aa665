import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import type { JobId, NewJob, Store, WorkerId } from '@headrace/engine'
import pg from 'pg'
import { openPostgresStore } from './postgres-store.ts'
import { postgresForTests, WITHOUT_POSTGRES } from './testing/server.ts'

const PROCESSES = 4

const server = await postgresForTests()
after(() => server?.close())
const skip = server === undefined && WITHOUT_POSTGRES
let schemas = 0

type Claims = () => Promise<number>

/** Several processes on one new store, each with a worker that takes what it gets. */
async function withProcesses(
  run: (stores: readonly Store[], claims: readonly Claims[]) => Promise<void>,
): Promise<void> {
  const schema = `race_${++schemas}`
  const open = () => openPostgresStore(server?.urls[0] ?? '', { schema })
  const stores = await Promise.all(Array.from({ length: PROCESSES }, open))
  try {
    await run(stores, await Promise.all(stores.map(claimsOf)))
  } finally {
    for (const store of stores) await store[Symbol.asyncDispose]()
  }
}

async function claimsOf(store: Store): Promise<Claims> {
  const worker = crypto.randomUUID() as WorkerId
  await store.addWorker({ id: worker, name: 'racer', queues: { tiles: 4 }, leaseMs: 60_000 }, () => {})
  const batch = { worker, settle: [], advance: [], tell: [], claim: [{ queue: 'tiles', slots: 7 }] }
  return async () => (await store.commit(batch)).claimed.length
}

function jobs(count: number): NewJob[] {
  return Array.from({ length: count }, () => {
    const id = crypto.randomUUID() as JobId
    return { id, task: 'render', kind: 'task', queue: 'tiles', priority: 0, input: '1' }
  })
}

async function all(claims: readonly Claims[], times: number): Promise<number> {
  const counts = await Promise.all(claims.flatMap((claim) => Array.from({ length: times }, claim)))
  return counts.reduce((sum, count) => sum + count, 0)
}

test('several processes that claim at once begin no more jobs than the rate of their queue allows', {
  skip,
}, async () => {
  await withProcesses(async ([first], claims) => {
    await first?.configureQueue('tiles', { rate: { count: 20, perMs: 36_000_000 } })
    await first?.enqueue(jobs(200))
    assert.equal(await all(claims, 5), 20)
  })
})

test('once a queue is paused no process begins a job of it, and each goes on when it is resumed elsewhere', {
  skip,
}, async () => {
  await withProcesses(async ([first, second], claims) => {
    await first?.enqueue(jobs(100))
    assert.ok((await all(claims, 1)) > 0)
    await second?.configureQueue('tiles', { paused: true })
    assert.equal(await all(claims, 3), 0)
    await first?.configureQueue('tiles', { paused: false })
    assert.ok((await all(claims, 1)) > 0)
  })
})

test('jobs that several processes store while deployments take turns go to the one that is active then', {
  skip,
}, async () => {
  await withProcesses(async (stores) => {
    const [first, second] = stores as [Store, Store]
    for (const deployment of ['blue', 'green', 'blue', 'green']) {
      const worker = crypto.randomUUID() as WorkerId
      await first.addWorker(
        { id: worker, name: deployment, queues: { tiles: 1 }, leaseMs: 60_000, deployment },
        () => {},
      )
      assert.equal(await second.changeDeployment(deployment, 'active'), 'changed')
      const stored = jobs(stores.length)
      await Promise.all(stores.map((store, index) => store.enqueue(stored.slice(index, index + 1))))
      for (const { id } of stored) assert.equal((await first.job(id))?.deployment, deployment)
    }
  })
})

test('a job that is stored in a transaction with an older view of the database goes to the deployment that is active now', {
  skip,
}, async () => {
  await withProcesses(async ([first, second]) => {
    assert.ok(first && second)
    const client = new pg.Client({ connectionString: server?.urls[0] ?? '' })
    await client.connect()
    try {
      await client.query('begin isolation level repeatable read')
      await client.query('select 1')
      const worker = crypto.randomUUID() as WorkerId
      const traits = { name: 'teal', queues: { tiles: 1 }, leaseMs: 60_000, deployment: 'teal' }
      await second.addWorker({ id: worker, ...traits }, () => {})
      await second.changeDeployment('teal', 'active')
      const [job] = jobs(1) as [NewJob]
      assert.deepEqual(await first.enqueueIn(client, [job]), [{ outcome: 'created', id: job.id }])
      await client.query('commit')
      assert.equal((await first.job(job.id))?.deployment, 'teal')
    } finally {
      await client.end()
    }
  })
})
