import type { Clock, Timer } from '@headrace/engine'
import type { Session } from './connection/session.ts'

/** A jump of the database's clock that is larger than this is followed back, too; below it time only grows. */
const JUMP_MS = 1_000
const MEASURE = `select extract(epoch from clock_timestamp()) * 1000 as ms`
/** The longest delay that Node's timers know; longer ones are cut short, as the interface allows. */
const DELAY_MS_MAX = 2_147_483_647

/**
 * The database's clock as this process knows it: its distance from this machine's monotonic clock is measured again and
 * again, so that a machine whose own clock is wrong, or is set, decides by the same time as the others.
 */
export class DatabaseClock implements Clock {
  #offsetMs = Date.now() - performance.now()
  #lastMs = 0
  #skewMs = 0

  /** How far this machine's own clock is ahead of the database's. */
  get skewMs(): number {
    return this.#skewMs
  }

  now(): number {
    const now = Math.floor(performance.now() + this.#offsetMs)
    if (now > this.#lastMs || this.#lastMs - now > JUMP_MS) this.#lastMs = now
    return this.#lastMs
  }

  setTimeout(fn: () => void, delayMs: number, options?: { readonly background?: boolean }): Timer {
    const timer = setTimeout(fn, Math.min(delayMs, DELAY_MS_MAX))
    if (options?.background) timer.unref()
    return { cancel: () => clearTimeout(timer) }
  }

  defer(fn: () => void): void {
    setImmediate(fn)
  }

  /** The quickest of a few answers is the one that tells best. */
  async measure(session: Session, times = 1): Promise<void> {
    let quickestMs = Number.POSITIVE_INFINITY
    for (let time = 0; time < times; time++) {
      const askedAt = performance.now()
      const [row] = await session.script(MEASURE)
      const answeredAt = performance.now()
      if (answeredAt - askedAt >= quickestMs) continue
      quickestMs = answeredAt - askedAt
      this.#offsetMs = Number(row?.ms) - (askedAt + answeredAt) / 2
    }
    this.#skewMs = Date.now() - performance.now() - this.#offsetMs
  }
}
