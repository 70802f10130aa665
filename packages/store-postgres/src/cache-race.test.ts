import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import type { Claimed, JobId, Store, WorkerId } from '@headrace/engine'
import { openPostgresStore } from './postgres-store.ts'
import { deadlocks, drain } from './testing/race.ts'
import { postgresForTests, WITHOUT_POSTGRES } from './testing/server.ts'

const KEYS = 3
const PROCESSES = 4
const TURNS = 40

let drawn = 5
function draw(below: number): number {
  drawn = (drawn * 48_271) % 2_147_483_647
  return drawn % below
}

type Asked = { readonly id: JobId; readonly key: string }

/** One process: it asks for results, makes some of them, fails at some, and cancels some, as the dice say. */
async function askAWhile(store: Store, asked: Asked[], making: Map<string, number>): Promise<void> {
  const worker = crypto.randomUUID() as WorkerId
  await store.addWorker({ id: worker, name: 'racer', queues: { tiles: 4 }, leaseMs: 60_000 }, () => {})
  const keyOf = ({ lease }: Claimed) => asked.find(({ id }) => id === lease.jobId)?.key ?? ''
  const count = (key: string, by: number) => making.set(key, (making.get(key) ?? 0) + by)
  let mine: Claimed[] = []
  for (let turn = 0; turn < TURNS; turn++) {
    const jobs = Array.from({ length: 1 + draw(3) }, () => {
      const key = `key:${draw(KEYS)}`
      const id = crypto.randomUUID() as JobId
      asked.push({ id, key })
      const cache = { key, ttlMs: 20 + draw(50), mode: 'use' } as const
      return { id, task: 'render', kind: 'task', queue: 'tiles', priority: 0, input: '1', cache } as const
    })
    await store.enqueue(jobs)
    if (draw(4) === 0) await store.cancel((asked[draw(asked.length)] as Asked).id, 'no need')
    for (const one of mine) count(keyOf(one), -1)
    const settle = mine.map((one) => {
      const result = JSON.stringify(keyOf(one))
      return draw(4) === 0
        ? ({ lease: one.lease, outcome: 'failed', error: { code: 'x', message: 'x' } } as const)
        : ({ lease: one.lease, outcome: 'succeeded', result } as const)
    })
    const claim = [{ queue: 'tiles', slots: 3 }]
    mine = [...(await store.commit({ worker, settle, advance: [], tell: [], claim })).claimed]
    for (const one of mine) {
      count(keyOf(one), 1)
      assert.equal(making.get(keyOf(one)), 1, 'two were at one result')
    }
  }
  for (const one of mine) count(keyOf(one), -1)
  await store.removeWorker(worker)
}

const server = await postgresForTests()
after(() => server?.close())

test('of several processes that ask for results at once, one is at each, and everybody is answered', {
  skip: server === undefined && WITHOUT_POSTGRES,
}, async () => {
  const [url = ''] = server?.urls ?? []
  const stores = await Promise.all(Array.from({ length: PROCESSES }, () => openPostgresStore(url)))
  try {
    const asked: Asked[] = []
    const making = new Map<string, number>()
    await Promise.all(stores.map((store) => askAWhile(store, asked, making)))
    const [first] = stores as [Store]
    await drain(first, '"last"')
    for (const { id, key } of asked) {
      const outcome = await first.outcome(id)
      assert.ok(outcome, `job ${id} of ${key} was left behind`)
      if (outcome.state === 'succeeded') assert.match(outcome.result ?? '', new RegExp(`^"(${key}|last)"$`))
    }
    assert.equal(await deadlocks(url), 0)
  } finally {
    for (const store of stores) await store[Symbol.asyncDispose]()
  }
})
