import { realpathSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import {
  type Clock,
  type Enqueued,
  type Hint,
  HintCollector,
  type NewJob,
  TransactionRefusedError,
} from '@headrace/engine'
import { DeploymentBook } from './deployments.ts'
import { enqueueJobs } from './enqueue.ts'
import { EventLog } from './event-log.ts'
import { NodeSqliteConnection } from './kysely/node-sqlite-connection.ts'
import { Lanes } from './lanes.ts'
import { Prepared } from './prepared.ts'
import { QueueBook } from './queue-settings.ts'

/** How soon it is looked whether a caller's transaction is over; each look is further from the last one than that was. */
const LOOK_MS = 1
const LOOK_MS_MAX = 50

type Caller = { readonly sql: Prepared; readonly hints: HintCollector; isWatched: boolean }

/**
 * Stores jobs over a caller's own connection, inside the transaction that it has open there. The statements are those
 * of the store itself, prepared on that connection.
 */
export class CallersTransactions {
  readonly #path: string
  readonly #clock: Clock
  readonly #tell: (hint: Hint) => void
  readonly #callers = new WeakMap<DatabaseSync, Caller>()
  #isClosed = false

  /** @param tell is given what to wake up once a transaction is over; it may have been rolled back */
  constructor(path: string, clock: Clock, tell: (hint: Hint) => void) {
    this.#path = path
    this.#clock = clock
    this.#tell = tell
  }

  /** @throws {TransactionRefusedError} when it is no open transaction on this file; nothing was stored */
  async enqueue(transaction: unknown, jobs: readonly NewJob[]): Promise<readonly Enqueued[]> {
    const db = await databaseOf(transaction)
    this.#check(db)
    const caller = this.#callers.get(db) ?? { sql: new Prepared(db), hints: new HintCollector(), isWatched: false }
    this.#callers.set(db, caller)
    const { sql, hints } = caller
    // What the last transaction on this connection has added may have been rolled back.
    const context = {
      sql,
      hints,
      clock: this.#clock,
      lanes: new Lanes(sql),
      queues: new QueueBook(sql),
      deployments: new DeploymentBook(sql),
      events: new EventLog(sql),
    }
    context.lanes.refresh()
    db.exec('savepoint headrace_enqueue')
    try {
      const enqueued = enqueueJobs(context, jobs)
      context.events.flush()
      db.exec('release headrace_enqueue')
      this.#watch(db, caller)
      return enqueued
    } catch (error) {
      if (db.isTransaction) db.exec('rollback to headrace_enqueue; release headrace_enqueue')
      throw error
    }
  }

  close(): void {
    this.#isClosed = true
  }

  #check(db: DatabaseSync): void {
    if (!db.isOpen) throw new TransactionRefusedError('its connection is closed')
    if (!db.isTransaction) throw new TransactionRefusedError('no transaction is open on it; begin one first')
    const location = db.location()
    if (location !== null && this.#path !== ':memory:' && isSameFile(location, this.#path)) return
    throw new TransactionRefusedError(
      `it is on ${location ?? 'a database in memory'}, and the jobs are in ${this.#path}`,
    )
  }

  // SQLite tells nobody of a commit on another connection, so this looks whether it is over.
  #watch(db: DatabaseSync, caller: Caller): void {
    if (caller.isWatched) return
    caller.isWatched = true
    const look = (delayMs: number) => {
      if (this.#isClosed) return
      if (db.isOpen && db.isTransaction) {
        this.#clock.setTimeout(() => look(Math.min(delayMs * 2, LOOK_MS_MAX)), delayMs, { background: true })
        return
      }
      caller.isWatched = false
      const hint = caller.hints.take()
      if (hint !== undefined) this.#tell(hint)
    }
    this.#clock.defer(() => look(LOOK_MS))
  }
}

async function databaseOf(transaction: unknown): Promise<DatabaseSync> {
  if (transaction instanceof DatabaseSync) return transaction
  if (!isKysely(transaction)) {
    throw new TransactionRefusedError('it is neither a DatabaseSync nor a transaction of Kysely')
  }
  if (transaction.isTransaction !== true) throw new TransactionRefusedError('it is Kysely outside of a transaction')
  const connection = await connectionOf(transaction)
  if (connection instanceof NodeSqliteConnection) return connection.db
  throw new TransactionRefusedError('its Kysely has another dialect; make it with nodeSqliteDialect')
}

async function connectionOf(transaction: KyselyLike): Promise<unknown> {
  try {
    return await transaction.getExecutor().provideConnection(async (lent) => lent)
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new TransactionRefusedError(`Kysely lends out no connection of it (${why})`, { cause })
  }
}

/** What is needed of Kysely, so that the store does not load it. */
type KyselyLike = {
  readonly isTransaction: unknown
  getExecutor(): { provideConnection<T>(consumer: (connection: unknown) => Promise<T>): Promise<T> }
}

function isKysely(value: unknown): value is KyselyLike {
  return typeof value === 'object' && value !== null && 'isTransaction' in value && 'getExecutor' in value
}

function isSameFile(one: string, other: string): boolean {
  return one === other || realpathSync(one) === realpathSync(other)
}
