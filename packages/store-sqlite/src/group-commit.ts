import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { type Clock, StoreUnavailableError } from '@headrace/engine'
import { namedError, SQLITE_BUSY, sqliteCode } from './database.ts'
import { LogFlush } from './log-flush.ts'

/**
 * When an operation is on the disk. `later`: some time after; lost with the power, never with the process alone (a
 * claim, a log line). `before-answer`: before its promise resolves, though others may see it a moment sooner (an
 * accepted job may already run while its id waits for the disk). `before-seen`: before anyone sees it (an outcome).
 */
export type Durability = 'later' | 'before-answer' | 'before-seen'

type Operation = {
  readonly durability: Durability
  readonly work: () => unknown
  readonly resolve: (value: never) => void
  readonly reject: (error: unknown) => void
}

const BUSY_WAIT_MS_MAX = 30_000
/** So many immediate tries before a busy writer is waited for with a timer: some two milliseconds, as long as most write. */
const BUSY_SPINS = 100

/**
 * Runs operations inside shared transactions: what is asked for during one turn of the event loop, or while another
 * process holds the write lock, is committed together, so that the price of a flush to disk is paid once for all.
 */
export class GroupCommit {
  readonly #db: DatabaseSync
  readonly #clock: Clock
  readonly #path: string
  readonly #log: LogFlush | undefined
  readonly #beforeCommit: () => void
  readonly #committed: () => void
  readonly #rolledBack: () => void
  readonly #statements: Readonly<Record<'begin' | 'commit', StatementSync>>
  #waiting: Operation[] = []
  #scheduled = false
  #busySince: number | undefined
  #busyTries = 0
  #synced = true
  #closed = false

  /**
   * @param fsync false leaves out every flush to the disk
   * @param beforeCommit called within each transaction, as the last thing before its commit
   * @param committed called after each transaction, before its operations resolve
   * @param rolledBack called after a transaction that came to nothing
   */
  constructor(options: {
    db: DatabaseSync
    clock: Clock
    path: string
    fsync: boolean
    beforeCommit?: () => void
    committed: () => void
    rolledBack?: () => void
  }) {
    this.#db = options.db
    this.#clock = options.clock
    this.#path = options.path
    this.#log = options.fsync ? new LogFlush(options.path) : undefined
    this.#beforeCommit = options.beforeCommit ?? (() => {})
    this.#committed = options.committed
    this.#rolledBack = options.rolledBack ?? (() => {})
    this.#statements = {
      begin: this.#db.prepare('begin immediate'),
      commit: this.#db.prepare('commit'),
    }
    if (this.#log === undefined) this.#db.exec('pragma synchronous = off')
  }

  /** @param options `isBatch`: the caller has gathered its company already, so it is committed now, with all who wait */
  run<T>(durability: Durability, work: () => T, options?: { readonly isBatch: boolean }): Promise<T> {
    if (this.#closed) return Promise.reject(this.#closedError())
    return new Promise<T>((resolve, reject) => {
      this.#waiting.push({ durability, work, resolve, reject })
      if (this.#scheduled && this.#busySince !== undefined) return
      if (options?.isBatch) {
        this.#flush()
        return
      }
      if (this.#scheduled) return
      this.#scheduled = true
      this.#clock.defer(() => this.#flush())
    })
  }

  /** Takes no more; what still waits is refused. */
  async close(): Promise<void> {
    this.#closed = true
    for (const operation of this.#waiting.splice(0)) operation.reject(this.#closedError())
    await this.#log?.close()
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
      this.#beforeCommit()
      this.#statements.commit.run()
    } catch (error) {
      this.#rollBack()
      if (group.length === 1) group[0]?.reject(namedError(error, this.#path))
      else this.#oneByOne(group)
      return
    }
    this.#committed()
    this.#answer(group, values)
  }

  #answer(group: readonly Operation[], values: readonly unknown[]): void {
    const waitsForDisk = !this.#synced && this.#log !== undefined
    const later: (() => void)[] = []
    const refusals: ((error: unknown) => void)[] = []
    for (const [index, operation] of group.entries()) {
      const answer = () => operation.resolve(values[index] as never)
      if (waitsForDisk && operation.durability !== 'later') {
        later.push(answer)
        refusals.push(operation.reject)
      } else answer()
    }
    if (later.length === 0) return
    this.#log?.flush().then(
      () => later.forEach((answer) => void answer()),
      (error: unknown) => refusals.forEach((refuse) => void refuse(namedError(error, this.#path))),
    )
  }

  /** One operation of the group failed and took the others with it: give each its own transaction. */
  #oneByOne(group: readonly Operation[]): void {
    for (const [index, operation] of group.entries()) {
      try {
        this.#statements.begin.run()
        const value = operation.work()
        this.#beforeCommit()
        this.#statements.commit.run()
        this.#committed()
        this.#answer([operation], [value])
      } catch (error) {
        this.#rollBack()
        if (sqliteCode(error) === SQLITE_BUSY) {
          // Another process came in between; the rest waits for its turn as everyone does.
          this.#waiting.unshift(...group.slice(index))
          this.#flush()
          return
        }
        operation.reject(namedError(error, this.#path))
      }
    }
  }

  #begin(): boolean {
    try {
      this.#setSynced(this.#waiting.some(({ durability }) => durability === 'before-seen'))
      this.#statements.begin.run()
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

  #closedError(): Error {
    return new StoreUnavailableError(this.#path, 0, { cause: new Error('the store was closed') })
  }

  #unavailable(cause: unknown): Error {
    return new StoreUnavailableError(this.#path, BUSY_WAIT_MS_MAX, { cause })
  }

  #setSynced(synced: boolean): void {
    if (synced === this.#synced || this.#log === undefined) return
    // Not prepared ahead: this pragma takes effect when it is prepared.
    this.#db.exec(synced ? 'pragma synchronous = full' : 'pragma synchronous = normal')
    this.#synced = synced
  }

  #rollBack(): void {
    if (this.#db.isTransaction) this.#db.exec('rollback')
    this.#rolledBack()
  }
}
