import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { asPostgres, freePort, giveToPostgres, postgresBinaries } from '@headrace/store-postgres/testing'
import type pg from 'pg'
import { benchFolder } from '../machine/about.ts'
import { endWithBench } from '../process/end-with-bench.ts'
import { asAdmin } from './database.ts'

export type PostgresServer = { readonly url: string }

const READY_WITHIN_MS = 30_000

/** Durable as PostgreSQL comes; with the memory that its users give it on a machine of this size. */
const SETTINGS = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  fsync: 'on',
  synchronous_commit: 'on',
  shared_buffers: '1GB',
  max_wal_size: '4GB',
  max_connections: '200',
}

let server: Promise<{ readonly url: string; readonly stop: () => Promise<void> }> | undefined

/** Where to make databases: the server that `BENCH_POSTGRES` names, or one of the bench's own, started at the first call. */
export async function postgresServer(): Promise<PostgresServer> {
  const given = process.env.BENCH_POSTGRES
  if (given !== undefined) return { url: given }
  server ??= startServer()
  return server
}

/** Stops the bench's own server, if it was started. */
export async function stopPostgresServer(): Promise<void> {
  await (await server)?.stop()
  server = undefined
}

export const NO_POSTGRES = 'PostgreSQL is not installed, and BENCH_POSTGRES names no server'

/** Undefined where there is none to be had. */
export async function postgresVersion(): Promise<string | undefined> {
  const given = process.env.BENCH_POSTGRES
  if (given !== undefined) return (await asAdmin(given, serverVersion)).split(' ')[0]
  const folder = postgresBinaries()
  if (folder === undefined) return undefined
  return spawnSync(join(folder, 'postgres'), ['--version'], { encoding: 'utf8' }).stdout.match(/\d+(\.\d+)?/)?.[0]
}

async function startServer() {
  const bin = postgresBinaries()
  if (bin === undefined) throw new Error('PostgreSQL is not installed; set BENCH_POSTGRES to a server, or install it.')
  const folder = benchFolder('postgres')
  const data = join(folder, 'data')
  giveToPostgres(folder)
  const [initdb, ...initdbArgs] = asPostgres(join(bin, 'initdb'), [
    ...['-D', data, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--locale=C.UTF-8', '--no-sync'],
  ])
  execFileSync(initdb, initdbArgs, { stdio: ['ignore', 'ignore', 'inherit'] })
  const port = await freePort()
  const settings = Object.entries({ ...SETTINGS, port: String(port) }).flatMap(([name, value]) => [
    '-c',
    `${name}=${value}`,
  ])
  const [postgres, ...postgresArgs] = asPostgres(join(bin, 'postgres'), ['-D', data, ...settings])
  const child = spawn(postgres, postgresArgs, { stdio: ['ignore', 'ignore', 'ignore'] })
  endWithBench(child, folder)
  const url = `postgres://postgres@127.0.0.1:${port}/postgres`
  await untilReady(url, child)
  return {
    url,
    async stop() {
      const exited = once(child, 'exit')
      // SIGINT: PostgreSQL's fast shutdown. Through runuser it is told to the postmaster itself.
      const postmaster = await postmasterPid(url)
      process.kill(postmaster, 'SIGINT')
      await exited
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

async function serverVersion(client: pg.Client): Promise<string> {
  const { rows } = await client.query(`select current_setting('server_version') as version`)
  return (rows[0] as { version: string }).version
}

function postmasterPid(url: string): Promise<number> {
  return asAdmin(url, async (client) => {
    const { rows } = await client.query(`select split_part(pg_read_file('postmaster.pid'), e'\\n', 1)::int as pid`)
    return (rows[0] as { pid: number }).pid
  })
}

async function untilReady(url: string, child: ChildProcess): Promise<void> {
  const end = Date.now() + READY_WITHIN_MS
  while (child.exitCode === null) {
    try {
      await asAdmin(url, (client) => client.query('select 1'))
      return
    } catch (error) {
      if (Date.now() > end) throw new Error('PostgreSQL did not begin to answer in time', { cause: error })
      await sleep(100)
    }
  }
  throw new Error(`PostgreSQL ended at its start with ${child.exitCode}`)
}
