import type { EventKind } from '@headrace/engine'
import type { Prepared } from './prepared.ts'

type Entry = readonly [seq: number, kind: EventKind, attempt: number, at: number, data: string | null]

/** Up to so many, an insert for each is cheaper than one for all. */
const SINGLE_MAX = 2

/**
 * The events of one transaction, in the order in which they happened. They are written at its end, by one statement: a
 * commit of a worker may bring hundreds, and a call into SQLite for each cost a tenth of the whole throughput.
 */
export class EventLog {
  readonly #sql: Prepared
  #entries: Entry[] = []

  constructor(sql: Prepared) {
    this.#sql = sql
  }

  add(...entry: Entry): void {
    this.#entries.push(entry)
  }

  /** Writes what there is; within the transaction, as the last thing or before anything else writes events. */
  flush(): void {
    const entries = this.#entries
    if (entries.length === 0) return
    this.#entries = []
    if (entries.length > SINGLE_MAX) this.#sql.run('insertEvents', JSON.stringify(entries))
    else for (const entry of entries) this.#sql.run('insertEvent', ...entry)
  }

  /** The transaction came to nothing. */
  forget(): void {
    this.#entries = []
  }
}
