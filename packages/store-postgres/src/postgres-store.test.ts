import { after, suite } from 'node:test'
import { type CallersConnection, type OpenStore, testReuse, testRouting, testStore } from '@headrace/engine/conformance'
import type { ManualClock } from '@headrace/engine/testing'
import { Kysely, PostgresDialect, sql } from 'kysely'
import pg from 'pg'
import { openPostgresStore } from './postgres-store.ts'
import { postgresForTests, WITHOUT_POSTGRES } from './testing/server.ts'

const server = await postgresForTests(2)
after(() => server?.close())

/** Places that follow one another lie in different databases, so that what is elsewhere is really elsewhere. */
function urlOf(place: string): string {
  const number = Number(place.match(/\d+$/)?.[0] ?? 0)
  return server?.urls[number % 2] ?? ''
}

let places = 0
const schemaOf = (place: string) => `s_${place.replaceAll('-', '_')}`
const open: OpenStore = (clock, options = {}) => openAt(clock, options.place ?? `own-${++places}`)
const openAt = (clock: ManualClock, place: string) =>
  openPostgresStore(urlOf(place), { clock, schema: schemaOf(place) })

const bare: CallersConnection = {
  name: 'a pg client',
  async open(place) {
    const client = new pg.Client({ connectionString: urlOf(place) })
    await client.connect()
    const table = `notes_${schemaOf(place)}`
    await client.query(`create table if not exists public.${table} (note text)`)
    return {
      async begin() {
        await client.query('begin')
        return {
          handle: client,
          write: async (note) => void (await client.query(`insert into ${table} values ($1)`, [note])),
          commit: async () => void (await client.query('commit')),
          rollBack: async () => void (await client.query('rollback')),
        }
      },
      notes: async () => (await client.query(`select note from ${table}`)).rows.map(({ note }) => String(note)),
      outside: client,
      close: () => client.end(),
    }
  },
}

const kysely: CallersConnection = {
  name: 'a Kysely transaction',
  async open(place) {
    const pool = new pg.Pool({ connectionString: urlOf(place), max: 2 })
    const db = new Kysely<Record<string, { note: string }>>({ dialect: new PostgresDialect({ pool }) })
    const table = `notes_${schemaOf(place)}`
    await sql`create table if not exists ${sql.table(table)} (note text)`.execute(db)
    return {
      async begin() {
        const transaction = await db.startTransaction().execute()
        return {
          handle: transaction,
          write: async (note) => void (await transaction.insertInto(table).values({ note }).execute()),
          commit: () => transaction.commit().execute(),
          rollBack: () => transaction.rollback().execute(),
        }
      },
      notes: async () => (await db.selectFrom(table).select('note').execute()).map(({ note }) => note),
      outside: db,
      close: () => db.destroy(),
    }
  },
}

suite('on PostgreSQL', { skip: server === undefined && WITHOUT_POSTGRES }, () => {
  if (server === undefined) return
  testStore('the PostgreSQL store', open, [bare, kysely])
  testRouting('the PostgreSQL store', open)
  testReuse('the PostgreSQL store', open)
})
