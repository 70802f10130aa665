import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { benchFolder } from '../machine/about.ts'
import { createDatabase } from '../postgres/database.ts'
import { postgresServer } from '../postgres/postgres-server.ts'
import { isPostgresUrl } from './open-store.ts'

/** An empty database of Headrace's own, which is gone when it is disposed of. */
export interface BenchDatabase extends AsyncDisposable {
  /** What `openStore` opens: a path, or a URL of PostgreSQL. */
  readonly url: string
  /** The settings that decide what a power cut may take: here, nothing that was answered for. */
  readonly durability: string
  readonly serverPid: number | undefined
  readonly versions: Readonly<Record<string, string>>
  /** A session that reads and then keeps its snapshot. */
  holdReader(): Promise<AsyncDisposable>
}

export function isStore(store: string): boolean {
  return store === 'sqlite' || store === 'postgres' || isPostgresUrl(store)
}

/** @param store `sqlite`; `postgres://…`, a server to make a database in; or `postgres`, a server of the bench's own */
export async function freshDatabase(store: string): Promise<BenchDatabase> {
  if (store === 'sqlite') return freshSqlite()
  return freshPostgres(isPostgresUrl(store) ? store : (await postgresServer()).url)
}

function freshSqlite(): BenchDatabase {
  const folder = benchFolder('sqlite')
  const url = join(folder, 'bench.db')
  return {
    url,
    durability: 'WAL, synchronous full',
    serverPid: undefined,
    versions: { sqlite: new DatabaseSync(':memory:').prepare('select sqlite_version() as v').get()?.v as string },
    async holdReader() {
      const db = new DatabaseSync(url)
      db.exec('begin')
      db.prepare('select count(*) from processes').get()
      return { [Symbol.asyncDispose]: async () => db.close() }
    },
    [Symbol.asyncDispose]: async () => rmSync(folder, { recursive: true, force: true }),
  }
}

async function freshPostgres(server: string): Promise<BenchDatabase> {
  const database = await createDatabase(server)
  return {
    url: database.url,
    durability: database.durability,
    serverPid: database.serverPid,
    versions: { postgresql: database.version },
    holdReader: () => database.holdReader(),
    [Symbol.asyncDispose]: () => database[Symbol.asyncDispose](),
  }
}
