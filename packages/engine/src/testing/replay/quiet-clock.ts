import type { Clock, Timer } from '../../clock/clock.ts'

/** Code that awaits something of its own gets so many turns of the event loop. */
const TURNS = 5

/** A clock that stands still: no timer fires, and what is deferred runs. */
export class QuietClock implements Clock {
  readonly #now: number
  #deferred = 0

  constructor(now: number) {
    this.#now = now
  }

  now(): number {
    return this.#now
  }

  setTimeout(): Timer {
    return { cancel: () => {} }
  }

  defer(fn: () => void): void {
    this.#deferred++
    setImmediate(() => {
      this.#deferred--
      fn()
    })
  }

  /** Resolves when nothing is left to do. */
  async quiet(): Promise<void> {
    for (let turn = 0; turn < TURNS; turn = this.#deferred > 0 ? 0 : turn + 1)
      await new Promise<void>((resolve) => setImmediate(resolve))
  }
}
