import { randomBytes } from 'node:crypto'
import { chmodSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { atExit } from './at-exit.ts'
import type { Place, PlaceHarm } from './place.ts'
import { PostgresServer } from './postgres-server.ts'
import { SmallDisk } from './small-disk.ts'

const DISK_MB = 400

/** A database of its own: on a server that the campaign starts and stops, or on one that it was given and leaves alone. */
export class PostgresPlace implements Place {
  readonly store: string
  readonly harms: readonly PlaceHarm[]
  readonly skipped: readonly string[]
  readonly #close: () => Promise<void>

  private constructor(
    store: string,
    harms: readonly PlaceHarm[],
    skipped: readonly string[],
    close: () => Promise<void>,
  ) {
    this.store = store
    this.harms = [{ name: 'connections cut', inflict: () => cutConnections(store) }, ...harms]
    this.skipped = skipped
    this.#close = close
  }

  static async start(folder: string): Promise<PostgresPlace> {
    // The server's account must come to its own folder within this one.
    chmodSync(folder, 0o755)
    const disk = SmallDisk.mount(join(folder, 'disk'), DISK_MB)
    const server = await PostgresServer.make(join(folder, 'disk', 'server'))
    const leaving = atExit(() => server.stop())
    const crash: PlaceHarm = { name: 'server crash', inflict: (forMs) => crashed(server, forMs) }
    const full: PlaceHarm[] =
      disk === undefined ? [] : [{ name: 'disk full', inflict: (forMs) => filled(disk, server, forMs) }]
    const skipped = disk === undefined ? ['disk full: a small disk may only be mounted by root'] : []
    return new PostgresPlace(server.url, [crash, ...full], skipped, async () => {
      leaving[Symbol.dispose]()
      server.stop()
      disk?.[Symbol.dispose]()
    })
  }

  static async on(url: string): Promise<PostgresPlace> {
    const name = `headrace_campaign_${randomBytes(6).toString('hex')}`
    await ask(url, `create database ${name}`)
    const store = new URL(url)
    store.pathname = `/${name}`
    const skipped = ['server crash and disk full: the server was given, and is not the campaign’s own']
    return new PostgresPlace(store.href, [], skipped, () => ask(url, `drop database ${name} with (force)`))
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#close()
  }
}

async function crashed(server: PostgresServer, forMs: number): Promise<void> {
  server.crash()
  await sleep(forMs)
  server.start()
}

async function filled(disk: SmallDisk, server: PostgresServer, forMs: number): Promise<void> {
  await disk.harm.inflict(forMs)
  // A server that cannot write its log ends itself.
  server.start()
}

/** About half of all connections to the database, whosever they are. */
async function cutConnections(url: string): Promise<void> {
  await ask(
    url,
    `select pg_terminate_backend(pid) from pg_stat_activity
    where datname = current_database() and pid <> pg_backend_pid() and random() < 0.5`,
  )
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
