import pg from 'pg'
import { parentOf } from '../machine/processes.ts'

/** A database of its own in a server, dropped when it is disposed of. */
export interface PostgresDatabase extends AsyncDisposable {
  readonly url: string
  readonly version: string
  /** The settings that decide what a power cut may take. */
  readonly durability: string
  /** The root of the server's processes, where it runs on this machine. */
  readonly serverPid: number | undefined
  /** A session that reads and then keeps its snapshot. */
  holdReader(): Promise<AsyncDisposable>
}

let made = 0

export async function createDatabase(serverUrl: string): Promise<PostgresDatabase> {
  const name = `${prefixOf(process.pid)}${++made}`
  const about = await asAdmin(serverUrl, async (client) => {
    await client.query(`create database ${name}`)
    const { rows } = await client.query(`
      select current_setting('server_version') as version, current_setting('fsync') as fsync,
        current_setting('synchronous_commit') as synchronous_commit, pg_backend_pid() as pid`)
    const row = rows[0] as { version: string; fsync: string; synchronous_commit: string; pid: number }
    // Looked up while the connection is open: its process is a child of the server's.
    return { ...row, serverPid: isHere(new URL(serverUrl)) ? parentOf(row.pid) : undefined }
  })
  const url = new URL(serverUrl)
  url.pathname = `/${name}`
  return {
    url: url.href,
    version: about.version.split(' ')[0] ?? about.version,
    durability: `fsync ${about.fsync}, synchronous_commit ${about.synchronous_commit}`,
    serverPid: about.serverPid,
    holdReader: () => holdReader(url.href),
    [Symbol.asyncDispose]: () =>
      asAdmin(serverUrl, async (client) => {
        await client.query(`drop database if exists ${name} with (force)`)
        // So that what this one has left to be written does not fall on the next one's time.
        await client.query('checkpoint')
      }),
  }
}

/** Drops what a process of the bench that was killed has left in the server that `BENCH_POSTGRES` names. */
export async function dropDatabasesOf(pid: number): Promise<void> {
  const server = process.env.BENCH_POSTGRES
  if (server === undefined) return
  await asAdmin(server, async (client) => {
    const { rows } = await client.query('select datname from pg_database where starts_with(datname, $1)', [
      prefixOf(pid),
    ])
    for (const { datname } of rows) await client.query(`drop database if exists ${datname} with (force)`)
  })
}

function prefixOf(pid: number): string {
  return `hr_bench_${pid}_`
}

export async function asAdmin<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client(url)
  await client.connect()
  try {
    return await work(client)
  } finally {
    await client.end()
  }
}

async function holdReader(url: string): Promise<AsyncDisposable> {
  const client = new pg.Client(url)
  await client.connect()
  await client.query('begin isolation level repeatable read')
  await client.query('select count(*) from pg_class')
  return { [Symbol.asyncDispose]: () => client.end() }
}

function isHere({ hostname }: URL): boolean {
  return ['127.0.0.1', 'localhost', '[::1]', ''].includes(hostname)
}
