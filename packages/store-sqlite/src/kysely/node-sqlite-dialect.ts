import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import {
  CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  type Driver,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
} from 'kysely'
import { SQLITE_BUSY, sqliteCode } from '../database.ts'
import { NodeSqliteConnection } from './node-sqlite-connection.ts'

/** So long a transaction waits for another process to end its own, without blocking the event loop. */
const BUSY_WAIT_MS_MAX = 30_000

/**
 * Kysely over Node's own SQLite. A job that is submitted with `in: transaction` of such a Kysely is stored by that
 * transaction, when both name the same file.
 *
 * A transaction takes the right to write at its beginning (`begin immediate`), so that it never fails in its middle
 * because somebody else has written since it first read. Headrace's own tables share the file: name yours otherwise.
 * @param path the file, which is made when it is missing
 * @example
 * const db = new Kysely<Tables>({ dialect: nodeSqliteDialect('app.db') })
 * await db.transaction().execute(async (transaction) => {
 *   await transaction.insertInto('orders').values({ number: 7 }).execute()
 *   await engine.submit('orders.pack', { number: 7 }, { in: transaction })
 * })
 */
export function nodeSqliteDialect(path: string): Dialect {
  return {
    createDriver: () => new NodeSqliteDriver(path),
    createQueryCompiler: () => new SqliteQueryCompiler(),
    createAdapter: () => new SqliteAdapter(),
    createIntrospector: (db) => new SqliteIntrospector(db),
  }
}

class NodeSqliteDriver implements Driver {
  readonly #path: string
  #connection: NodeSqliteConnection | undefined

  constructor(path: string) {
    this.#path = path
  }

  async init(): Promise<void> {
    if (this.#path !== ':memory:') mkdirSync(dirname(this.#path), { recursive: true })
    const db = new DatabaseSync(this.#path, { timeout: 0 })
    // The same promise as the store's: what was committed is on the disk.
    db.exec('pragma journal_mode = wal; pragma synchronous = full')
    this.#connection = new NodeSqliteConnection(db)
  }

  // Kysely itself lends out the one connection to one user at a time.
  async acquireConnection(): Promise<DatabaseConnection> {
    if (this.#connection === undefined) throw new Error('the driver was used before its init')
    return this.#connection
  }

  async beginTransaction(connection: DatabaseConnection): Promise<void> {
    const begin = CompiledQuery.raw('begin immediate')
    for (let waitedMs = 0, waitMs = 1; ; waitedMs += waitMs, waitMs = Math.min(waitMs * 2, 20)) {
      try {
        await connection.executeQuery(begin)
        return
      } catch (error) {
        if (sqliteCode(error) !== SQLITE_BUSY || waitedMs >= BUSY_WAIT_MS_MAX) throw error
        await new Promise((resolve) => setTimeout(resolve, waitMs))
      }
    }
  }

  async commitTransaction(connection: DatabaseConnection): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw('commit'))
  }

  async rollbackTransaction(connection: DatabaseConnection): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw('rollback'))
  }

  async savepoint(connection: DatabaseConnection, name: string): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw(`savepoint ${quoted(name)}`))
  }

  async rollbackToSavepoint(connection: DatabaseConnection, name: string): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw(`rollback to ${quoted(name)}`))
  }

  async releaseSavepoint(connection: DatabaseConnection, name: string): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw(`release ${quoted(name)}`))
  }

  async releaseConnection(): Promise<void> {}

  async destroy(): Promise<void> {
    this.#connection?.db.close()
    this.#connection = undefined
  }
}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}
