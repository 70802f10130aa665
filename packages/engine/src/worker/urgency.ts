import type { Claimed } from '../store/store.ts'

/** A commit of so many takes a store of one file one to two milliseconds; and an urgent job waits for two or three. */
const BATCH_MAX = 48
/** After the last urgent job, batches are short for so much longer: another one may come. */
const STAYS_MS = 1_000
/** For so long a priority is remembered as that of the ordinary jobs. */
const ORDINARY_MS = 5_000

/**
 * Keeps batches short while urgent jobs come in among others. Large batches are what makes a worker fast; but whoever sends
 * an urgent job waits until the batch under way is over, then for the one that claims it, then for the one that says how
 * it ended. Jobs of one priority alone never shorten a batch.
 */
export class Urgency {
  /** Claimed, and of a higher priority than the ordinary ones; by the store's number of the job. */
  readonly #rows = new Set<number>()
  #ordinary = Number.POSITIVE_INFINITY
  #ordinaryAt = Number.NEGATIVE_INFINITY
  #until = Number.NEGATIVE_INFINITY

  claimed(jobs: readonly Claimed[], now: number): void {
    if (jobs.length === 0) return
    const lowest = jobs.reduce((least, { priority }) => Math.min(least, priority), Number.POSITIVE_INFINITY)
    if (lowest <= this.#ordinary || now - this.#ordinaryAt > ORDINARY_MS) {
      this.#ordinary = lowest
      this.#ordinaryAt = now
    }
    for (const { priority, lease } of jobs) {
      if (priority <= this.#ordinary) continue
      this.#rows.add(lease.row)
      this.#until = now + STAYS_MS
    }
  }

  /** Of so many a commit takes the end, and as many it claims. */
  batchMax(now: number): number {
    return now < this.#until ? BATCH_MAX : Number.POSITIVE_INFINITY
  }

  /** Splits what has ended: what the next commit takes, the urgent first, and the rest in its order. */
  split<T extends { readonly what: { readonly lease: { readonly row: number } } }>(
    ended: readonly T[],
    now: number,
  ): [T[], T[]] {
    const isUrgent = ({ what }: T) => this.#rows.delete(what.lease.row)
    const max = this.batchMax(now)
    if (max === Number.POSITIVE_INFINITY) {
      this.#rows.clear()
      return [[...ended], []]
    }
    const { urgent = [], others = [] } = Object.groupBy(ended, (one) => (isUrgent(one) ? 'urgent' : 'others'))
    const ordered = [...urgent, ...others]
    const count = Math.max(urgent.length, Math.min(max, ordered.length))
    return [ordered.slice(0, count), ordered.slice(count)]
  }
}
