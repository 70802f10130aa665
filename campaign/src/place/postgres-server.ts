import { execFileSync, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { chownSync, globSync, mkdirSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { UsageError } from '../options.ts'

/** The account that packages make: PostgreSQL refuses to run as root. */
const ACCOUNT = 'postgres'
/** Small, so that a small disk holds it; as durable as PostgreSQL comes. */
const SETTINGS = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  fsync: 'on',
  synchronous_commit: 'on',
  shared_buffers: '32MB',
  min_wal_size: '8MB',
  max_wal_size: '64MB',
  max_connections: '200',
}

/** A PostgreSQL of the campaign's own, that may be stopped as by a power cut and started again. */
export class PostgresServer {
  readonly url: string
  readonly #bin: string
  readonly #data: string
  readonly #log: string

  private constructor(bin: string, folder: string, port: number) {
    this.#bin = bin
    this.#data = join(folder, 'data')
    this.#log = join(folder, 'postgres.log')
    this.url = `postgres://postgres@127.0.0.1:${port}/postgres`
  }

  /** @throws {UsageError} where no PostgreSQL is installed */
  static async make(folder: string): Promise<PostgresServer> {
    const bin = binaries()
    if (bin === undefined)
      throw new UsageError('PostgreSQL is not installed here; name a server with --store postgres://…')
    mkdirSync(folder, { recursive: true })
    if (isRoot()) chownSync(folder, idOf('-u'), idOf('-g'))
    const port = await freePort()
    const server = new PostgresServer(bin, folder, port)
    server.#run('initdb', ['-D', server.#data, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--wal-segsize=1', '-N'])
    const settings = Object.entries({ ...SETTINGS, port }).map(([name, value]) => `-c ${name}=${value}`)
    server.#options = settings.join(' ').replace('unix_socket_directories=', `unix_socket_directories=''`)
    server.start()
    return server
  }

  #options = ''

  get isRunning(): boolean {
    const [program, ...args] = asAccount(join(this.#bin, 'pg_ctl'), ['status', '-D', this.#data])
    return spawnSync(program, args, { stdio: 'ignore' }).status === 0
  }

  /** Starts it unless it runs, and waits until it answers. */
  start(): void {
    if (this.isRunning) return
    this.#run('pg_ctl', ['start', '-w', '-t', '60', '-D', this.#data, '-l', this.#log, '-o', this.#options])
  }

  /** Ends it without a word to anybody, and with nothing written but its log. */
  crash(): void {
    this.#stop('immediate')
  }

  stop(): void {
    this.#stop('fast')
  }

  #stop(mode: 'immediate' | 'fast'): void {
    if (this.isRunning) this.#run('pg_ctl', ['stop', '-w', '-t', '30', '-m', mode, '-D', this.#data])
  }

  #run(program: string, args: readonly string[]): void {
    const [command, ...rest] = asAccount(join(this.#bin, program), args)
    execFileSync(command, rest, { stdio: ['ignore', 'ignore', 'inherit'], cwd: '/' })
  }
}

/** The folder of the newest `initdb`: where Debian puts it, or the one on the path. */
export function binaries(): string | undefined {
  const versionOf = (path: string) => Number(/(\d+)\/bin$/.exec(path)?.[1])
  const found = globSync('/usr/lib/postgresql/*/bin').sort((a, b) => versionOf(b) - versionOf(a))
  const onPath = spawnSync('pg_config', ['--bindir'], { encoding: 'utf8' }).stdout?.trim()
  return found[0] ?? (onPath || undefined)
}

function isRoot(): boolean {
  return process.getuid?.() === 0
}

function idOf(flag: '-u' | '-g'): number {
  return Number(execFileSync('id', [flag, ACCOUNT], { encoding: 'utf8' }))
}

function asAccount(program: string, args: readonly string[]): [string, ...string[]] {
  return isRoot() ? ['runuser', '-u', ACCOUNT, '--', program, ...args] : [program, ...args]
}

/** A port on the loopback interface that nobody listens on at this moment. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  if (address === null || typeof address === 'string') throw new Error('the system gave no port')
  return address.port
}
