import { spawn, spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { asPostgres, freePort, giveToPostgres, postgresBinaries } from './installed-postgres.ts'

export const WITHOUT_POSTGRES = 'PostgreSQL is not installed here, and HEADRACE_TEST_POSTGRES names no server'

/** Databases for one test file alone. */
export type TestDatabases = { readonly urls: readonly string[]; close(): Promise<void> }

/** On the server that HEADRACE_TEST_POSTGRES names, or on one that is started for it; undefined where there is neither. */
export async function postgresForTests(databases = 1): Promise<TestDatabases | undefined> {
  const named = process.env.HEADRACE_TEST_POSTGRES
  if (named !== undefined) return makeDatabases(databases, named, async () => {})
  const server = await startPostgres()
  return server && makeDatabases(databases, server.url, () => server.stop())
}

async function makeDatabases(count: number, server: string, stop: () => Promise<void>): Promise<TestDatabases> {
  const names = Array.from({ length: count }, () => `headrace_test_${randomBytes(6).toString('hex')}`)
  for (const name of names) await ask(server, `create database ${name}`)
  return {
    urls: names.map((name) => Object.assign(new URL(server), { pathname: `/${name}` }).href),
    async close() {
      for (const name of names) await ask(server, `drop database if exists ${name} with (force)`)
      await stop()
    },
  }
}

async function ask(url: string, sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    await client.query(sql)
  } finally {
    await client.end()
  }
}

/** A server that can be stopped as by a power cut, and started again on what it had on the disk. */
export type TestServer = {
  readonly url: string
  /** Ends it without a word to anybody, as `pg_ctl stop -m immediate` does. */
  crash(): Promise<void>
  start(): Promise<void>
  stop(): Promise<void>
}

/**
 * A PostgreSQL of our own on a free port; undefined where none is installed.
 * @param locked users who need a password; all others are trusted
 * @param more settings, as `name=value`
 */
export async function startPostgres(
  locked: readonly string[] = [],
  more: readonly string[] = [],
): Promise<TestServer | undefined> {
  const found = postgresBinaries()
  if (found === undefined) return undefined
  const folder = mkdtempSync(join(tmpdir(), 'headrace-postgres-'))
  const data = join(folder, 'data')
  const [initdb, postgres] = ['initdb', 'postgres'].map((name) => join(found, name)) as [string, string]
  giveToPostgres(folder)
  const options = ['-D', data, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--locale=C', '-N']
  const [init, ...initArgs] = asPostgres(initdb, options)
  const made = spawnSync(init, initArgs)
  if (made.status !== 0) throw new Error(`initdb failed: ${made.stderr}`)
  const rules = join(data, 'pg_hba.conf')
  const lines = locked.map((user) => `host all ${user} all scram-sha-256\n`)
  writeFileSync(rules, lines.join('') + readFileSync(rules, 'utf8'))
  const port = await freePort()
  const url = `postgres://postgres@127.0.0.1:${port}/postgres`
  const run = () => {
    // Not even SIGKILL takes what the system holds for the disk; without the flushes a schema is made three times as fast.
    const settings = ['listen_addresses=127.0.0.1', 'max_connections=300', 'fsync=off', 'shared_buffers=64MB']
    const [command, ...args] = asPostgres(postgres, [
      ...['-D', data, '-p', String(port), '-k', folder],
      ...[...settings, ...more].flatMap((setting) => ['-c', setting]),
    ])
    return spawn(command, args, { stdio: 'ignore' })
  }
  let server = run()
  await answers(url)
  const end = async (signal: NodeJS.Signals) => {
    const exited = once(server, 'exit')
    // The process that asks for the right user passes it on.
    server.kill(signal)
    await exited
  }
  return {
    url,
    crash: () => end('SIGQUIT'),
    async start() {
      server = run()
      await answers(url)
    },
    async stop() {
      await end('SIGINT')
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

async function answers(url: string): Promise<void> {
  for (let tries = 0; tries < 200; tries++) {
    try {
      await ask(url, 'select 1')
      return
    } catch {
      // It is starting, or brings back what was in its log.
      await sleep(50)
    }
  }
  throw new Error('PostgreSQL did not begin to answer within 10 s')
}
