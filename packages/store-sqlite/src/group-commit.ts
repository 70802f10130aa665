import type { DatabaseSync } from 'node:sqlite'
import { type Clock, StoreUnavailableError } from '@headrace/engine'
import { namedError, SQLITE_BUSY, sqliteCode } from './database.ts'

type Operation = {
  readonly durable: boolean
  readonly work: () => unknown
  readonly resolve: (value: never) => void
  readonly reject: (error: unknown) => void
}

const BUSY_WAIT_MS_MAX = 30_000
/** So many immediate tries before a busy writer is waited for with a timer. */
const BUSY_SPINS = 20

/**
 * Runs operations inside shared transactions: what is asked for during one turn of the event loop, or while another
 * process holds the write lock, is committed together, so that the price of a flush to disk is paid once for all.
 */
export class GroupCommit {
  readonly #db: DatabaseSync
  readonly #clock: Clock
  readonly #path: string
  readonly #fsync: boolean
  readonly #committed: () => void
  #waiting: Operation[] = []
  #scheduled = false
  #busySince: number | undefined
  #busyTries = 0
  #synced = true
  #closed = false

  /** @param committed called after each transaction that changed something, before its operations resolve */
  constructor(options: { db: DatabaseSync; clock: Clock; path: string; fsync: boolean; committed: () => void }) {
    this.#db = options.db
    this.#clock = options.clock
    this.#path = options.path
    this.#fsync = options.fsync
    this.#committed = options.committed
    if (!this.#fsync) this.#db.exec('pragma synchronous = off')
  }

  /**
   * @param durable false for what may be lost with the power (a claim, a log line): the next durable commit, or the
   *   next check-point, carries it to the disk. It is never lost with the process alone.
   */
  run<T>(durable: boolean, work: () => T): Promise<T> {
    if (this.#closed)
      return Promise.reject(new StoreUnavailableError(this.#path, 0, { cause: new Error('the store was closed') }))
    return new Promise<T>((resolve, reject) => {
      this.#waiting.push({ durable, work, resolve, reject })
      if (this.#scheduled) return
      this.#scheduled = true
      this.#clock.defer(() => this.#flush())
    })
  }

  /** Commits what waits, then takes no more. */
  close(): void {
    if (this.#waiting.length > 0) this.#flush()
    this.#closed = true
    for (const operation of this.#waiting.splice(0)) operation.reject(new StoreUnavailableError(this.#path, 0))
  }

  #flush(): void {
    this.#scheduled = false
    if (this.#closed || this.#waiting.length === 0) return
    if (!this.#begin()) return
    const group = this.#waiting
    this.#waiting = []
    const values: unknown[] = []
    try {
      for (const operation of group) values.push(operation.work())
      this.#db.exec('commit')
    } catch (error) {
      this.#rollBack()
      if (group.length === 1) group[0]?.reject(namedError(error, this.#path))
      else this.#oneByOne(group)
      return
    }
    this.#committed()
    for (const [index, operation] of group.entries()) operation.resolve(values[index] as never)
  }

  /** One operation of the group failed and took the others with it: give each its own transaction. */
  #oneByOne(group: readonly Operation[]): void {
    for (const operation of group) {
      try {
        this.#db.exec('begin immediate')
        const value = operation.work()
        this.#db.exec('commit')
        this.#committed()
        operation.resolve(value as never)
      } catch (error) {
        this.#rollBack()
        operation.reject(namedError(error, this.#path))
      }
    }
  }

  #begin(): boolean {
    try {
      this.#setSynced(this.#waiting.some((operation) => operation.durable))
      this.#db.exec('begin immediate')
      this.#busySince = undefined
      this.#busyTries = 0
      return true
    } catch (error) {
      if (sqliteCode(error) === SQLITE_BUSY && this.#waitLonger()) return false
      const reason = sqliteCode(error) === SQLITE_BUSY ? this.#unavailable(error) : namedError(error, this.#path)
      this.#busySince = undefined
      for (const operation of this.#waiting.splice(0)) operation.reject(reason)
      return false
    }
  }

  #waitLonger(): boolean {
    const now = this.#clock.now()
    this.#busySince ??= now
    if (now - this.#busySince >= BUSY_WAIT_MS_MAX) return false
    this.#busyTries++
    this.#scheduled = true
    const again = () => this.#flush()
    if (this.#busyTries <= BUSY_SPINS) this.#clock.defer(again)
    else this.#clock.setTimeout(again, 1)
    return true
  }

  #unavailable(cause: unknown): Error {
    return new StoreUnavailableError(this.#path, BUSY_WAIT_MS_MAX, { cause })
  }

  #setSynced(synced: boolean): void {
    if (synced === this.#synced || !this.#fsync) return
    this.#db.exec(synced ? 'pragma synchronous = full' : 'pragma synchronous = normal')
    this.#synced = synced
  }

  #rollBack(): void {
    if (this.#db.isTransaction) this.#db.exec('rollback')
  }
}
