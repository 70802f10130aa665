import { existsSync, mkdirSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { StoreFullError, StoreNotOursError, StoreTooNewError, StoreUnavailableError } from '@headrace/engine'
import { migrations } from './migrations.ts'

/** `HdRc`: says in the file's header whose database this is. */
const APPLICATION_ID = 0x48_64_52_63
const MIGRATE_WAIT_MS = 10_000
/** The smallest page that SQLite knows, and so the smallest file with anything in it. */
const PAGE_BYTES_MIN = 512

/**
 * Opens a database file of ours, makes it when it is missing, and brings its schema up to date.
 * @throws {StoreNotOursError} when the file is something else; it is left untouched
 * @throws {StoreTooNewError} when a newer Headrace made it
 */
export function openDatabase(path: string): DatabaseSync {
  if (path !== ':memory:') {
    mkdirSync(dirname(path), { recursive: true })
    refuseForeignFile(path)
  }
  const db = connect(path)
  try {
    db.exec('pragma journal_mode = wal')
    migrate(db, path)
    tune(db)
    return db
  } catch (error) {
    db.close()
    throw namedError(error, path)
  }
}

/** Our terms for what SQLite throws; anything else is passed on as it is. */
export function namedError(error: unknown, path: string): unknown {
  const code = sqliteCode(error)
  if (code === SQLITE_FULL || isDiskFull(error)) return new StoreFullError(path, { cause: error })
  if (code === SQLITE_NOTADB || code === SQLITE_CORRUPT) {
    return new StoreNotOursError(path, 'it is damaged, or no SQLite file at all', { cause: error })
  }
  return error
}

export const SQLITE_BUSY = 5
const SQLITE_IOERR = 10
const SQLITE_CORRUPT = 11
const SQLITE_FULL = 13
const SQLITE_NOTADB = 26

/** The primary result code of an error from SQLite, or undefined for another error. */
export function sqliteCode(error: unknown): number | undefined {
  const code = (error as { errcode?: unknown } | null)?.errcode
  return typeof code === 'number' ? code & 0xff : undefined
}

function isDiskFull(error: unknown): boolean {
  return sqliteCode(error) === SQLITE_IOERR && /disk (is )?full|no space/i.test((error as Error).message)
}

function connect(path: string, options: { readonly readOnly: boolean } = { readOnly: false }): DatabaseSync {
  try {
    return new DatabaseSync(path, { ...options, timeout: MIGRATE_WAIT_MS })
  } catch (error) {
    throw new StoreUnavailableError(path, 0, { cause: error })
  }
}

// Looked at without a right to write, so that a foreign file stays as it is; and through SQLite rather than by reading its
// header, since closing a descriptor of the file would drop the locks that this process may hold on it elsewhere
// (https://www.sqlite.org/howtocorrupt.html, 2.2).
function refuseForeignFile(path: string): void {
  if (!existsSync(path)) return
  const stats = statSync(path)
  if (stats.isDirectory()) throw new StoreNotOursError(path, 'it is a folder')
  if (stats.size === 0) return
  // SQLite would take such a file for an empty one, and write over it.
  if (stats.size < PAGE_BYTES_MIN) throw new StoreNotOursError(path, 'it is no SQLite file')
  const db = connect(path, { readOnly: true })
  try {
    checkOwner(db, path)
  } catch (error) {
    throw namedError(error, path)
  } finally {
    db.close()
  }
}

function checkOwner(db: DatabaseSync, path: string): void {
  const id = pragma(db, 'application_id')
  const tables = Number(db.prepare('select count(*) as n from sqlite_schema').get()?.n ?? 0)
  if (id === APPLICATION_ID || (id === 0 && tables === 0)) return
  throw new StoreNotOursError(path, `it is another program's SQLite database, with ${tables} tables and indexes`)
}

function migrate(db: DatabaseSync, path: string): void {
  if (pragma(db, 'user_version') === migrations.length) return
  db.exec('begin immediate')
  try {
    const from = pragma(db, 'user_version')
    if (from > migrations.length) throw new StoreTooNewError(path, from, migrations.length)
    for (const sql of migrations.slice(from)) db.exec(sql)
    db.exec(`pragma application_id = ${APPLICATION_ID}`)
    db.exec(`pragma user_version = ${migrations.length}`)
    db.exec('commit')
  } catch (error) {
    if (db.isTransaction) db.exec('rollback')
    throw error
  }
}

function tune(db: DatabaseSync): void {
  // Waiting for the writer is done by the group commit, without blocking the event loop.
  db.exec('pragma busy_timeout = 0')
  db.exec('pragma synchronous = full')
  db.exec('pragma cache_size = -32000')
  db.exec('pragma temp_store = memory')
  // 16 MiB of log between check-points: a page that changes often is then copied once instead of many times.
  db.exec('pragma wal_autocheckpoint = 4000')
  db.exec('pragma journal_size_limit = 67108864')
}

function pragma(db: DatabaseSync, name: 'application_id' | 'user_version'): number {
  return Number(db.prepare(`pragma ${name}`).get()?.[name])
}
