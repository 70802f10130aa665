import assert from 'node:assert/strict'
import { after, suite, test } from 'node:test'
import type { WorkerId } from '@headrace/engine'
import { ManualClock } from '@headrace/engine/testing'
import pg from 'pg'
import { openPostgresStore } from '../postgres-store.ts'
import { startPostgres, WITHOUT_POSTGRES } from '../testing/server.ts'
import { diagnosePostgres } from './diagnose.ts'
import type { Diagnosis, Subject } from './diagnosis.ts'

// A server of its own: what is wrong with one is seen from all of its databases.
const server = await startPostgres()
after(() => server?.stop())
const url = server?.url ?? ''

let schemas = 0

async function withStore(run: (schema: string) => Promise<void>): Promise<void> {
  const schema = `sick_${++schemas}`
  const store = await openPostgresStore(url, { schema })
  try {
    await run(schema)
  } finally {
    await store[Symbol.asyncDispose]()
  }
}

async function client(run: (client: pg.Client) => Promise<void>): Promise<void> {
  const one = new pg.Client({ connectionString: url, application_name: 'report' })
  await one.connect()
  try {
    await run(one)
  } finally {
    await one.end()
  }
}

async function found(
  subject: Subject,
  schema: string,
  options: Parameters<typeof diagnosePostgres>[1] = {},
): Promise<readonly Diagnosis[]> {
  return (await diagnosePostgres(url, { schema, ...options })).filter((one) => one.subject === subject)
}

suite('the look at a PostgreSQL server', { skip: server === undefined && WITHOUT_POSTGRES }, () => {
  test('a store that is well is well in every subject but the durability that tests do without', async () => {
    await withStore(async (schema) => {
      const all = await diagnosePostgres(url, { schema })
      const unwell = all.filter(({ outcome }) => outcome !== 'ok').map(({ subject, detail }) => [subject, detail])
      assert.deepEqual(unwell, [['durability', 'fsync are off on this server']])
      const subjects = ['store', 'bloat', 'listeners', 'vacuum', 'clock', 'durability', 'connections']
      assert.deepEqual([...new Set(all.map(({ subject }) => subject))], subjects)
    })
  })

  test('dead rows that vacuum has not taken away are named with their table and what to run', async () => {
    await withStore((schema) =>
      client(async (db) => {
        await db.query(`alter table ${schema}.live set (autovacuum_enabled = off)`)
        await db.query(`
          insert into ${schema}.live (seq, state, lane, urgency, rank, due_at, is_workflow)
          select n, 6, 1, 0, n, n, false from generate_series(1, 30000) as n`)
        await db.query(`delete from ${schema}.live`)
        await db.query('select pg_stat_force_next_flush()')
        await db.query('select 1')
        const [bloat, ...more] = await found('bloat', schema)
        assert.deepEqual(more, [])
        assert.equal(bloat?.outcome, 'warn')
        assert.match(bloat?.detail ?? '', new RegExp(`${schema}\\.live has 30000 dead rows beside 0 living ones`))
        assert.match(bloat?.remedy ?? '', new RegExp(`vacuum \\(analyze\\) ${schema}\\.live`))
        await db.query(`vacuum (analyze) ${schema}.live`)
        await db.query('select pg_stat_force_next_flush()')
        await db.query('select 1')
        assert.deepEqual(
          (await found('bloat', schema)).map(({ outcome }) => outcome),
          ['ok'],
        )
      }),
    )
  })

  test('a transaction that holds vacuum back is named with its program, and how to end it', async () => {
    await withStore((schema) =>
      client(async (db) => {
        await db.query('begin isolation level repeatable read')
        const { rows } = await db.query('select pg_backend_pid() as pid')
        const pid = rows[0].pid
        assert.deepEqual(
          (await found('vacuum', schema)).map(({ outcome }) => outcome),
          ['ok'],
        )
        const [one] = await found('vacuum', schema, { oldSeconds: 0 })
        assert.equal(one?.outcome, 'warn')
        assert.match(one?.detail ?? '', new RegExp(`a transaction of report .*process ${pid}\\) .*idle in transaction`))
        assert.match(one?.remedy ?? '', new RegExp(`pg_terminate_backend\\(${pid}\\)`))
      }),
    )
  })

  test('a process that has workers and does not listen is named', async () => {
    await withStore(async (schema) => {
      // On a clock of its own a store is woken by nobody.
      const deaf = await openPostgresStore(url, { schema, clock: new ManualClock(Date.now()) })
      const id = crypto.randomUUID() as WorkerId
      await deaf.addWorker({ id, name: 'deaf', queues: { tiles: 1 }, leaseMs: 60_000 }, () => {})
      // The other store of this process listens under the same number, so it is not here.
      const others = await found('listeners', schema)
      assert.deepEqual(
        others.map(({ outcome }) => outcome),
        ['ok'],
      )
      await deaf[Symbol.asyncDispose]()
    })
    const schema = `sick_${++schemas}`
    const deaf = await openPostgresStore(url, { schema, clock: new ManualClock(Date.now()) })
    const id = crypto.randomUUID() as WorkerId
    await deaf.addWorker({ id, name: 'deaf', queues: { tiles: 1 }, leaseMs: 60_000 }, () => {})
    const [one] = await found('listeners', schema)
    assert.match(one?.detail ?? '', new RegExp(`process ${process.pid} on .* does not listen`))
    assert.match(one?.remedy ?? '', /PgBouncer/)
    await deaf[Symbol.asyncDispose]()
  })

  test('a clock of this machine that is wrong is told, in which direction and how far', async () => {
    await withStore(async (schema) => {
      const [ahead] = await found('clock', schema, { now: () => Date.now() + 90_000 })
      assert.match(ahead?.detail ?? '', /is (89|90)\d{3} ms ahead of the database's/)
      const [behind] = await found('clock', schema, { now: () => Date.now() - 90_000 })
      assert.match(behind?.detail ?? '', /is (89|90)\d{3} ms behind the database's/)
    })
  })

  test('a schema that is not there yet stays away, and a server that does not answer is a failure with its place', async () => {
    const [store] = await diagnosePostgres(url, { schema: 'nobody' })
    assert.deepEqual([store?.subject, store?.outcome], ['store', 'warn'])
    await client(async (db) => {
      const { rows } = await db.query(`select to_regnamespace('nobody') is null as is_missing`)
      assert.equal(rows[0].is_missing, true)
    })
    const [gone] = await diagnosePostgres('postgres://headrace:secret@127.0.0.1:1/jobs')
    assert.equal(gone?.outcome, 'fail')
    assert.match(gone?.detail ?? '', /headrace@127\.0\.0\.1:1\/jobs/)
    assert.doesNotMatch(JSON.stringify(gone), /secret/)
  })
})
