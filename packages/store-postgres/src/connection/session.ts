import { hostname } from 'node:os'
import { Client, type Notification } from 'pg'
import type { Address } from './address.ts'
import { namedError } from './errors.ts'
import { type Call, Pipeline, type Statements } from './pipeline.ts'
import type { Prepared } from './prepared.ts'
import { encodeValue, type Value } from './values.ts'

const CONNECT_MS = 5_000
/** A server that does not answer for so long is taken for gone; the connection is closed then. */
const ANSWER_MS = 30_000

/**
 * What our statements are planned with. Statistics of a table that is empty one moment and has a million rows the next
 * are always wrong, so a plan is chosen once, for its index, and kept.
 */
const SETTINGS: Readonly<Record<string, string>> = {
  plan_cache_mode: 'force_generic_plan',
  enable_seqscan: 'off',
  enable_bitmapscan: 'off',
  enable_hashjoin: 'off',
  enable_mergejoin: 'off',
  enable_material: 'off',
  jit: 'off',
  // A process that was stopped in the middle of a transaction must not keep its locks for ever.
  idle_in_transaction_session_timeout: '10s',
  // A machine that is gone without a word is noticed by its connections after 15 seconds.
  tcp_keepalives_idle: '5',
  tcp_keepalives_interval: '5',
  tcp_keepalives_count: '2',
}

type Row = Readonly<Record<string, unknown>>

/** What was prepared on callers' connections. */
const CALLERS = new WeakMap<Client, Session>()

/** What can be asked of a connection. */
export interface Questions {
  run<R>(statement: Prepared, values: readonly Value[]): Promise<readonly R[]>
  pipeline(calls: readonly Call[], behind?: readonly Call[]): Promise<readonly (readonly Row[])[]>
  script(sql: string): Promise<readonly Row[]>
}

/** One connection, with the statements that it has prepared. One question at a time. */
export class Session implements Questions {
  readonly #client: Client
  readonly #address: Address
  /** Undefined on a caller's connection, where his own questions may stand before ours. */
  readonly #answerMs: number | undefined
  readonly #prepared: Statements = { known: new Map(), doubtful: new Set() }
  #behind: Promise<void> | undefined
  #isOver = false

  /** Called once, when the connection is gone without having been closed from here. */
  onEnd: (error: Error) => void = () => {}

  private constructor(client: Client, address: Address, answerMs?: number) {
    this.#client = client
    this.#address = address
    this.#answerMs = answerMs
    if (answerMs === undefined) return
    client.on('error', (error) => this.#end(error))
    client.on('end', () => this.#end(new Error('the connection ended')))
  }

  /**
   * @param role for `pg_stat_activity`: what the connection is for
   * @param answerMs how long an answer may take before the connection is given up
   * @throws {StoreUnavailableError} {StoreUnusableError}
   */
  static async open(
    address: Address,
    role: string,
    { settings = {}, answerMs = ANSWER_MS }: { settings?: Readonly<Record<string, string>>; answerMs?: number } = {},
  ): Promise<Session> {
    const all = { search_path: address.schema, ...SETTINGS, ...settings }
    const client = new Client({
      ...address.config,
      application_name: programName(role),
      connectionTimeoutMillis: CONNECT_MS,
      keepAlive: true,
      options: Object.entries(all)
        .map(([name, value]) => `-c ${name}=${value}`)
        .join(' '),
    })
    const startedAt = performance.now()
    const session = new Session(client, address, answerMs)
    try {
      await client.connect()
      return session
    } catch (error) {
      session.close()
      throw namedError(error, address.shown, performance.now() - startedAt)
    }
  }

  /** A caller's own connection: only asked, never closed. */
  static over(client: Client): Session {
    const known = CALLERS.get(client)
    if (known !== undefined) return known
    const address = { shown: 'the caller’s connection', schema: '', config: {} }
    const session = new Session(client, address)
    CALLERS.set(client, session)
    return session
  }

  get isOver(): boolean {
    return this.#isOver
  }

  /** Rows as the statement's own columns; `Row` says what the SQL beside it selects. */
  async run<R = Row>(statement: Prepared, values: readonly Value[]): Promise<readonly R[]> {
    const [rows] = await this.pipeline([call(statement, ...values)])
    return rows as readonly R[]
  }

  /**
   * Sends all at once. Outside of an open transaction they are one of their own.
   * @param behind sent in a transaction of its own as soon as that is over; nobody waits for it, or hears that it failed
   * @throws what PostgreSQL said, under our names where there are some
   */
  async pipeline(calls: readonly Call[], behind: readonly Call[] = []): Promise<readonly (readonly Row[])[]> {
    return this.#inTime(() => {
      const answered = this.#ask(calls)
      if (behind.length > 0) this.#sendBehind(behind)
      return answered
    }, this.#answerMs)
  }

  /** One or more statements without values, as text. */
  script(sql: string, answerMs = this.#answerMs): Promise<readonly Row[]> {
    return this.#inTime(async () => ((await this.#client.query(sql)).rows ?? []) as readonly Row[], answerMs)
  }

  /** Behind what is still on its way; a connection on which that, or this, takes too long is over. */
  async #inTime<T>(ask: () => Promise<T>, answerMs: number | undefined): Promise<T> {
    const startedAt = performance.now()
    const timer = answerMs === undefined ? undefined : setTimeout(() => this.#abandon(), answerMs)
    timer?.unref()
    try {
      if (this.#behind !== undefined) await this.#behind
      return await ask()
    } catch (error) {
      throw namedError(error, this.#address.shown, performance.now() - startedAt)
    } finally {
      clearTimeout(timer)
    }
  }

  onNotification(listener: (message: Notification) => void): void {
    this.#client.on('notification', listener)
  }

  /** The process may end although the connection is open. */
  unref(): void {
    ;(this.#client as Client & Refs).unref()
  }

  async close(): Promise<void> {
    if (this.#isOver) return
    this.#isOver = true
    // Whoever waits for the end of an idle one must not be the last thing that this process does.
    ;(this.#client as Client & Refs).ref()
    // Whatever goes wrong now, the connection is gone in the end.
    await this.#client.end().catch(() => {})
  }

  #ask(calls: readonly Call[]): Promise<Row[][]> {
    return new Promise((resolve, reject) => {
      this.#client.query(new Pipeline(calls, this.#prepared, { resolve, reject }))
    })
  }

  #sendBehind(calls: readonly Call[]): void {
    const done = () => {
      this.#behind = undefined
    }
    this.#behind = this.#ask(calls).then(done, done)
  }

  #abandon(): void {
    this.#end(new Error('the server did not answer'))
  }

  #end(error: Error): void {
    if (this.#isOver) return
    this.#isOver = true
    void this.#client.end().catch(() => {})
    this.onEnd(error)
  }
}

/** What `pg_stat_activity` calls a connection: what it is for, and whose it is. PostgreSQL takes 63 bytes. */
function programName(role: string): string {
  return `headrace ${role} ${process.pid}@${hostname()}`.slice(0, 63)
}

/** What of `pg`'s client its types leave out. */
type Refs = { ref(): void; unref(): void }

export function call(statement: Prepared, ...values: readonly Value[]): Call {
  return { statement, values: values.map(encodeValue) }
}
