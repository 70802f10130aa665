import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import type { Claimed, JobId, NewJob, Store, WorkerId } from '@headrace/engine'
import pg from 'pg'
import { openPostgresStore } from './postgres-store.ts'
import { deadlocks, drain } from './testing/race.ts'
import { postgresForTests, WITHOUT_POSTGRES } from './testing/server.ts'

const MAX = 2
const KEYS = 3
const PROCESSES = 4
const TURNS = 60

let drawn = 11
function draw(below: number): number {
  drawn = (drawn * 48_271) % 2_147_483_647
  return drawn % below
}

/** What all of them hold at this moment, by key. */
class Held {
  readonly #byKey = new Map<string, number>()
  most = 0

  change(key: string, by: number): void {
    const now = (this.#byKey.get(key) ?? 0) + by
    this.#byKey.set(key, now)
    this.most = Math.max(this.most, now)
  }
}

type Rules = { readonly keyOf: Map<JobId, string>; readonly held: Held; readonly stored: JobId[] }

function newJob(over: Partial<NewJob>): NewJob {
  return { id: newId(), task: 'render', kind: 'task', queue: 'tiles', priority: 0, input: '1', ...over }
}

function newId(): JobId {
  return crypto.randomUUID() as JobId
}

/** One process: it stores jobs of every rule, claims, and ends what it claimed in every way, as the dice say. */
async function workAWhile(store: Store, { keyOf, held, stored }: Rules): Promise<void> {
  const worker = crypto.randomUUID() as WorkerId
  await store.addWorker({ id: worker, name: 'racer', queues: { tiles: 4 }, leaseMs: 60_000 }, () => {})
  const mine: Claimed[] = []
  for (let turn = 0; turn < TURNS; turn++) {
    const jobs = Array.from({ length: 1 + draw(3) }, () => {
      const key = `key:${draw(KEYS)}`
      const whenFull = (['wait', 'wait', 'reject', 'replace'] as const)[draw(4)] ?? 'wait'
      const job = newJob({ limit: { key, max: MAX, whenFull } })
      keyOf.set(job.id, key)
      return job
    })
    for (const { outcome, id } of await store.enqueue(jobs)) if (outcome === 'created') stored.push(id)
    if (draw(5) === 0) await store.cancel(stored[draw(stored.length)] as JobId, 'no need')
    const settle = mine.splice(0).map(({ lease }) => {
      held.change(keyOf.get(lease.jobId) ?? '', -1)
      return draw(4) === 0
        ? ({ lease, outcome: 'released', dueAt: 0, reason: 'tired' } as const)
        : ({ lease, outcome: 'succeeded', result: '1' } as const)
    })
    const claim = [{ queue: 'tiles', slots: 3 }]
    const { claimed } = await store.commit({ worker, settle, advance: [], tell: [], claim })
    for (const one of claimed) held.change(keyOf.get(one.lease.jobId) ?? '', 1)
    mine.push(...claimed)
  }
  for (const { lease } of mine) held.change(keyOf.get(lease.jobId) ?? '', -1)
  await store.removeWorker(worker)
}

const server = await postgresForTests()
after(() => server?.close())

test('several processes at once never exceed a limit, never deadlock, and leave nobody behind', {
  skip: server === undefined && WITHOUT_POSTGRES,
}, async () => {
  const [url = ''] = server?.urls ?? []
  const stores = await Promise.all(Array.from({ length: PROCESSES }, () => openPostgresStore(url)))
  try {
    const rules = { keyOf: new Map<JobId, string>(), held: new Held(), stored: [] }
    await Promise.all(stores.map((store) => workAWhile(store, rules)))
    const [first] = stores as [Store]
    await drain(first, '1')
    assert.equal(rules.held.most, MAX)
    assert.deepEqual(await first.limits(), [])
    for (const state of (await first.states(rules.stored)).values())
      assert.ok(state === 'succeeded' || state === 'cancelled', state)
    assert.equal(await deadlocks(url), 0)
  } finally {
    for (const store of stores) await store[Symbol.asyncDispose]()
  }
})

test('a transaction of a caller that holds a limit keeps nobody from settling jobs of it', {
  skip: server === undefined && WITHOUT_POSTGRES,
}, async () => {
  const [url = ''] = server?.urls ?? []
  const schema = 'held'
  const store = await openPostgresStore(url, { schema })
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    const worker = crypto.randomUUID() as WorkerId
    await store.addWorker({ id: worker, name: 'ada', queues: { tiles: 4 }, leaseMs: 60_000 }, () => {})
    const limit = { key: 'held', max: 1, whenFull: 'wait' } as const
    const [first, second] = [newJob({ limit }), newJob({ limit })]
    await store.enqueue([first, second])
    const claim = [{ queue: 'tiles', slots: 4 }]
    const [claimed] = (await store.commit({ worker, settle: [], advance: [], tell: [], claim })).claimed
    assert.equal(claimed?.lease.jobId, first.id)
    await client.query('begin')
    const refusing = newJob({ limit: { ...limit, whenFull: 'reject' } })
    assert.equal((await store.enqueueIn(client, [refusing]))[0]?.outcome, 'rejected')
    const settle = [{ lease: claimed.lease, outcome: 'succeeded', result: '1' } as const]
    const { settled } = await store.commit({ worker, settle, advance: [], tell: [], claim: [] })
    assert.deepEqual([settled, (await store.job(second.id))?.state], [['settled'], 'waiting'])
    await client.query('rollback')
    await store.sweep()
    const next = (await store.commit({ worker, settle: [], advance: [], tell: [], claim })).claimed
    assert.deepEqual(
      next.map(({ lease }) => lease.jobId),
      [second.id],
    )
  } finally {
    await client.end()
    await store[Symbol.asyncDispose]()
  }
})
