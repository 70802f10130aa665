import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { ARTIFACT_NOTES, type JobId, type Store } from '@headrace/engine'
import pg from 'pg'
import { openPostgresStore } from './postgres-store.ts'
import { deadlocks } from './testing/race.ts'
import { postgresForTests, WITHOUT_POSTGRES } from './testing/server.ts'

const server = await postgresForTests(2)
after(() => server?.close())
const skip = server === undefined && WITHOUT_POSTGRES

function artifact(number: number): string {
  return `sha256:${number.toString(16).padStart(64, '0')}`
}

function jobNaming(...names: readonly string[]) {
  const id = crypto.randomUUID() as JobId
  return { id, task: 'render', kind: 'task', queue: 'tiles', priority: 0, input: JSON.stringify(names) } as const
}

/** The pages from one on. */
async function namesAfter(store: Store, page: { readonly next?: string }): Promise<readonly string[]> {
  const names: string[] = []
  for (let { next } = page; next !== undefined; ) {
    const { names: more, next: following } = await store.artifactNames({ limit: 100, after: next })
    assert.notEqual(following, next)
    names.push(...more)
    next = following
  }
  return names
}

test('a name that a transaction has on its way when the first page is asked for is waited for, and is on the pages', {
  skip,
}, async () => {
  const [url = ''] = server?.urls ?? []
  await using store = await openPostgresStore(url)
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    await store.settings.put(ARTIFACT_NOTES, artifact(1), 1)
    await client.query('begin')
    await store.enqueueIn(client, [jobNaming(artifact(1))])
    // Its note has gone already; and whoever notes it again looks for names only from here on.
    assert.equal(await store.settings.get(ARTIFACT_NOTES, artifact(1)), undefined)
    const first = await store.artifactNames({ limit: 100 })
    const again = await store.artifactNames({ limit: 100, after: first.next ?? '' })
    assert.deepEqual([first.names, again], [[], first])
    // Nobody else is held up meanwhile who names the same.
    await store.enqueue([jobNaming(artifact(1), artifact(2))])
    await client.query('commit')
    assert.deepEqual([...(await namesAfter(store, first))].sort(), [artifact(1), artifact(1), artifact(2)])
  } finally {
    await client.end()
  }
})

test('of many who name and note the same artifacts at once, nobody deadlocks, and no named one is left to be removed', {
  skip,
}, async () => {
  const [, url = ''] = server?.urls ?? []
  const stores = await Promise.all([1, 2, 3, 4].map(() => openPostgresStore(url)))
  const [first] = stores as [Store]
  try {
    const removed = new Set<string>()
    for (let round = 0; round < 20; round++) {
      const names = Array.from({ length: 20 }, (_, index) => artifact(round * 100 + index))
      for (const name of names) await first.settings.put(ARTIFACT_NOTES, name, round)
      await Promise.all([
        ...stores.map((store, index) => store.enqueue([jobNaming(...(index % 2 === 0 ? names : names.toReversed()))])),
        // Whoever takes the note may remove the file; the others' commits came after it then.
        ...names
          .slice(0, 5)
          .map(async (name) => (await first.settings.delete(ARTIFACT_NOTES, name)) && removed.add(name)),
      ])
      assert.deepEqual(await first.settings.list(ARTIFACT_NOTES), [])
    }
    assert.equal(await deadlocks(url), 0)
    const page = await first.artifactNames({ limit: 1_000 })
    const named = new Set([...page.names, ...(await namesAfter(first, page))])
    assert.equal(named.size, 400)
    assert.ok(removed.size <= 100)
  } finally {
    for (const store of stores) await store[Symbol.asyncDispose]()
  }
})
