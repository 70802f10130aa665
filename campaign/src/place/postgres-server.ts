import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { asPostgres, freePort, giveToPostgres, postgresBinaries } from '@headrace/store-postgres/testing'
import { UsageError } from '../options.ts'

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
    const bin = postgresBinaries()
    if (bin === undefined)
      throw new UsageError('PostgreSQL is not installed here; name a server with --store postgres://…')
    mkdirSync(folder, { recursive: true })
    giveToPostgres(folder)
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
    const [program, ...args] = asPostgres(join(this.#bin, 'pg_ctl'), ['status', '-D', this.#data])
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
    const [command, ...rest] = asPostgres(join(this.#bin, program), args)
    execFileSync(command, rest, { stdio: ['ignore', 'ignore', 'inherit'], cwd: '/' })
  }
}
