import { statements } from './connection/named.ts'
import type { Call } from './connection/pipeline.ts'
import { call } from './connection/session.ts'
import type { Transaction } from './connection/transaction.ts'

const BLOCK = 1024

/** What happens to every job; numbered as in `log.kind`. */
export const LOGGED = { queued: 1, started: 2, ended: 3, retried: 4, lapsed: 5, released: 6, parked: 7 } as const

/** Deals out the cursors of what a transaction decides, and writes the list of what happened. */
export class Ledger {
  readonly #tx: Transaction
  readonly #now: number
  #next = 0
  #end = 0

  constructor(tx: Transaction, now: number) {
    this.#tx = tx
    this.#now = now
  }

  /** The question for a first block, to go out with others; its answer is for `open`. */
  get draw(): Call {
    return call(statements.drawBlocks, 1)
  }

  open([row]: readonly Readonly<Record<string, unknown>>[]): void {
    // The statement gives one array of numbers.
    this.#begin((row as { blocks: number[] }).blocks)
  }

  /** A run of cursors without a gap, at most so many. */
  async #run(count: number): Promise<{ readonly first: number; readonly count: number }> {
    if (this.#next === this.#end) this.open(await this.#tx.rows('drawBlocks', 1))
    const run = { first: this.#next, count: Math.min(count, this.#end - this.#next) }
    this.#next += run.count
    return run
  }

  async cursors(count: number): Promise<number[]> {
    const cursors: number[] = []
    while (cursors.length < count) {
      const run = await this.#run(count - cursors.length)
      for (let index = 0; index < run.count; index++) cursors.push(run.first + index)
    }
    return cursors
  }

  /** Lists what happened to these jobs. @returns the cursor of each */
  async log(kind: number, jobs: readonly { readonly seq: number; readonly attempt: number }[]): Promise<number[]> {
    const cursors: number[] = []
    while (cursors.length < jobs.length) {
      const run = await this.#run(jobs.length - cursors.length)
      const part = jobs.slice(cursors.length, cursors.length + run.count)
      const [seqs, attempts] = [part.map(({ seq }) => seq), part.map(({ attempt }) => attempt)]
      this.#tx.later('insertLog', run.first, kind, this.#now, null, seqs, attempts)
      for (let index = 0; index < run.count; index++) cursors.push(run.first + index)
    }
    return cursors
  }

  #begin([block]: readonly number[]): void {
    this.#next = (block ?? 0) * BLOCK
    this.#end = this.#next + BLOCK
  }
}
