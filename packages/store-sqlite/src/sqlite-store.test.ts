import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after } from 'node:test'
import { type CallersConnection, type OpenStore, testReuse, testRouting, testStore } from '@headrace/engine/conformance'
import { Kysely, sql } from 'kysely'
import { nodeSqliteDialect } from './kysely/index.ts'
import { openSqliteStore } from './sqlite-store.ts'

const folder = mkdtempSync(join(tmpdir(), 'headrace-sqlite-'))
after(() => rmSync(folder, { recursive: true, force: true }))

const fileOf = (place: string) => join(folder, `${place}.db`)

const bare: CallersConnection = {
  name: 'a DatabaseSync',
  async open(place) {
    const db = new DatabaseSync(fileOf(place))
    db.exec('create table if not exists notes (note text)')
    return {
      async begin() {
        db.exec('begin immediate')
        return {
          handle: db,
          write: async (note) => void db.prepare('insert into notes values (?)').run(note),
          commit: async () => db.exec('commit'),
          rollBack: async () => db.exec('rollback'),
        }
      },
      notes: async () =>
        db
          .prepare('select note from notes')
          .all()
          .map(({ note }) => String(note)),
      outside: db,
      close: async () => db.close(),
    }
  },
}

const kysely: CallersConnection = {
  name: 'a Kysely transaction',
  async open(place) {
    const db = new Kysely<{ notes: { note: string } }>({ dialect: nodeSqliteDialect(fileOf(place)) })
    await sql`create table if not exists notes (note text)`.execute(db)
    return {
      async begin() {
        const transaction = await db.startTransaction().execute()
        return {
          handle: transaction,
          write: async (note) => void (await transaction.insertInto('notes').values({ note }).execute()),
          commit: () => transaction.commit().execute(),
          rollBack: () => transaction.rollback().execute(),
        }
      },
      notes: async () => (await db.selectFrom('notes').select('note').execute()).map(({ note }) => note),
      outside: db,
      close: () => db.destroy(),
    }
  },
}

let files = 0
const open: OpenStore = (clock, options = {}) =>
  openSqliteStore(fileOf(options.place ?? `file-${++files}`), { clock, fsync: false })

testStore('the SQLite store', open, [bare, kysely])
testRouting('the SQLite store', open)
testReuse('the SQLite store', open)
