import type { EventKind } from '@headrace/engine'
import type { Prepared } from './prepared.ts'

/** What every job goes through: its cursor stands in the job's own rows, and `log` lists it for those who follow all jobs. */
export const LISTED_KINDS = [
  'queued',
  'started',
  'ended',
  'retried',
  'lapsed',
  'released',
  'parked',
] as const satisfies readonly EventKind[]
export type ListedKind = (typeof LISTED_KINDS)[number]

type Listed = {
  readonly kind: ListedKind
  readonly attempt: number
  readonly at: number
  readonly worker: number | null
}

/** Jobs to which the same happened one after another, with consecutive cursors. */
type Run = Listed & { readonly first: number; readonly seqs: number[] }

type Row = readonly [cursor: number, seq: number, kind: EventKind, attempt: number, at: number, data: string | null]

/** At most so many jobs in one row of `log`, so that whoever reads a page of events unpacks little more than that page. */
const RUN_MAX = 1_024

/** Up to so many, an insert for each is cheaper than one for all. */
const SINGLE_MAX = 2

/**
 * The events of one transaction, in the order in which they happened. Writers go one after another, so a cursor is simply
 * the next number. What happens to every job costs one row for all that one transaction did of a kind, instead of one
 * with an index entry for each job.
 */
export class EventLog {
  readonly #sql: Prepared
  /** The next cursor; undefined until this transaction has asked for one. */
  #next: number | undefined
  #runs: Run[] = []
  #rows: Row[] = []

  constructor(sql: Prepared) {
    this.#sql = sql
  }

  /** Takes so many cursors, without a gap. Within the transaction that writes them. @returns the first of them */
  cursors(count = 1): number {
    const first = this.#next ?? (this.#sql.get<{ cursor: number | null }>('lastCursor')?.cursor ?? 0) + 1
    this.#next = first + count
    return first
  }

  /** Lists what the job's own rows say with this cursor. */
  list(cursor: number, seq: number, what: Listed): void {
    const run = this.#runs.at(-1)
    if (run !== undefined && continues(run, cursor, what)) run.seqs.push(seq)
    else this.#runs.push({ ...what, first: cursor, seqs: [seq] })
  }

  /** An event that no other row tells of. */
  add(seq: number, kind: Exclude<EventKind, ListedKind>, attempt: number, at: number, data: string): void {
    this.#rows.push([this.cursors(), seq, kind, attempt, at, data])
  }

  /** Writes what there is, as the last thing within the transaction. */
  flush(): void {
    this.#writeRuns()
    this.#writeRows()
    this.#next = undefined
  }

  /** The transaction came to nothing. */
  forget(): void {
    this.#runs = []
    this.#rows = []
    this.#next = undefined
  }

  #writeRuns(): void {
    if (this.#runs.length === 0) return
    for (const { first, kind, attempt, at, worker, seqs } of this.#runs) {
      this.#sql.run('insertLog', first, first + seqs.length - 1, kind, attempt, at, worker, JSON.stringify(seqs))
    }
    this.#runs = []
  }

  #writeRows(): void {
    const rows = this.#rows
    if (rows.length === 0) return
    this.#rows = []
    if (rows.length > SINGLE_MAX) this.#sql.run('insertEvents', JSON.stringify(rows))
    else for (const row of rows) this.#sql.run('insertEvent', ...row)
  }
}

function continues(run: Run, cursor: number, { kind, attempt, at, worker }: Listed): boolean {
  return (
    cursor === run.first + run.seqs.length &&
    kind === run.kind &&
    attempt === run.attempt &&
    at === run.at &&
    worker === run.worker &&
    run.seqs.length < RUN_MAX
  )
}
