import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { createEngine, type Engine, type JobEvent, task } from '@headrace/engine'
import { openSqliteStore } from '@headrace/store-sqlite'
import { EventHub } from './event-hub.ts'
import { followEvents } from './follow-events.ts'

const nothing = task({ name: 'nothing', run: () => null })

async function openHub() {
  const dir = await mkdtemp(join(tmpdir(), 'headrace-hub-'))
  const store = await openSqliteStore(join(dir, 'jobs.db'))
  const engine = createEngine({ store, tasks: [nothing] })
  const hub = new EventHub(store, assert.ifError)
  return {
    engine,
    hub,
    follow: (signal = new AbortController().signal, idleMs = 60_000) =>
      followEvents(store, hub, { after: 0, accepts: () => true, idleMs, signal }),
    async [Symbol.asyncDispose]() {
      hub.close()
      await store[Symbol.asyncDispose]()
      await rm(dir, { recursive: true, force: true })
    },
  }
}

/** Each submission is one event, `queued`. */
async function submit(engine: Engine, count: number): Promise<readonly string[]> {
  const submitted = await engine.submitMany(nothing, Array(count).fill(null))
  return submitted.map(({ id }) => id)
}

async function take(pages: AsyncGenerator<readonly JobEvent[], void>, count: number): Promise<readonly string[]> {
  const ids: string[] = []
  while (ids.length < count) {
    const page = await pages.next()
    assert.ok(!page.done)
    ids.push(...page.value.map((event) => event.jobId))
  }
  return ids
}

test('a follower that does not keep up reads the rest from the store, and misses nothing', async () => {
  await using here = await openHub()
  const pages = here.follow()
  const first = await submit(here.engine, 1)
  assert.deepEqual(await take(pages, 1), first)
  assert.deepEqual((await pages.next()).value, [], 'all that is stored was given')
  // Far more than a feed holds, while nobody reads it.
  const rest = [
    ...(await submit(here.engine, 900)),
    ...(await submit(here.engine, 900)),
    ...(await submit(here.engine, 900)),
  ]
  assert.deepEqual(await take(pages, rest.length), rest)
  await pages.return()
})

test('a hub that nobody follows reads nothing, and one that is followed again goes on', async () => {
  await using here = await openHub()
  const early = here.follow()
  const first = await submit(here.engine, 3)
  assert.deepEqual(await take(early, 3), first)
  await early.return()
  assert.equal(here.hub.feeds, 0)
  const second = await submit(here.engine, 3)
  const late = here.follow()
  assert.deepEqual(await take(late, 6), [...first, ...second])
  const third = await submit(here.engine, 1)
  assert.deepEqual(await take(late, 1), third)
  await late.return()
})

test('a quiet stream gives a sign of life, however much happens elsewhere', async () => {
  await using here = await openHub()
  const pages = followEvents(here.engine.store, here.hub, {
    after: 0,
    accepts: () => false,
    idleMs: 20,
    signal: new AbortController().signal,
  })
  assert.deepEqual((await pages.next()).value, [])
  for (let beat = 0; beat < 3; beat++) {
    const next = pages.next()
    await submit(here.engine, 10)
    assert.deepEqual((await next).value, [])
  }
  await pages.return()
})

test('following ends when its signal fires, even while it waits', async () => {
  await using here = await openHub()
  const stop = new AbortController()
  const pages = here.follow(stop.signal)
  await pages.next()
  const next = pages.next()
  stop.abort()
  assert.equal((await next).done, true)
  assert.equal(here.hub.feeds, 0)
})
