import type { JobId } from '../job/job.ts'
import type { Hint } from './store.ts'

/** Gathers hints into one, so that a transaction of a thousand jobs wakes everyone once. */
export class HintCollector {
  readonly #queues = new Set<string>()
  readonly #ended = new Set<JobId>()
  readonly #released = new Set<JobId>()
  readonly #cancelled = new Set<JobId>()
  #events = false
  #dueAt = Number.POSITIVE_INFINITY
  #all = false

  queue(name: string): void {
    this.#queues.add(name)
  }
  dueAt(instant: number): void {
    this.#dueAt = Math.min(this.#dueAt, instant)
  }
  ended(id: JobId): void {
    this.#ended.add(id)
  }
  released(id: JobId): void {
    this.#released.add(id)
  }
  cancelled(id: JobId): void {
    this.#cancelled.add(id)
  }
  events(): void {
    this.#events = true
  }
  everything(): void {
    this.#all = true
  }

  /** The hint so far, or undefined when there is nothing to tell; starts afresh. */
  take(): Hint | undefined {
    const hint: Hint = {
      ...(this.#queues.size > 0 && { queues: [...this.#queues] }),
      ...(this.#ended.size > 0 && { ended: [...this.#ended] }),
      ...(this.#released.size > 0 && { released: [...this.#released] }),
      ...(this.#cancelled.size > 0 && { cancelled: [...this.#cancelled] }),
      ...(this.#dueAt !== Number.POSITIVE_INFINITY && { dueAt: this.#dueAt }),
      ...(this.#events && { events: true }),
      ...(this.#all && { all: true }),
    }
    for (const set of [this.#queues, this.#ended, this.#released, this.#cancelled]) set.clear()
    this.#events = this.#all = false
    this.#dueAt = Number.POSITIVE_INFINITY
    return Object.keys(hint).length > 0 ? hint : undefined
  }
}

/** Those who watch a store. */
export class HintListeners {
  readonly #listeners = new Set<(hint: Hint) => void>()

  add(listener: (hint: Hint) => void): Disposable {
    this.#listeners.add(listener)
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) }
  }

  /** Tells them all; one that throws is reported as a warning of the process. */
  tell(hint: Hint): void {
    for (const listener of this.#listeners) {
      try {
        listener(hint)
      } catch (error) {
        // What was committed is committed, and whoever asked for it must hear so.
        process.emitWarning(`A listener of the store threw: ${error instanceof Error ? error.stack : error}`)
      }
    }
  }
}
