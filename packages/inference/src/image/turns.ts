/** How much of the newest work goes into the estimate of the next. */
const NEWEST_SHARE = 0.1

/** Lets so many at once, the others in the order in which they came. */
export class Turns {
  readonly #atOnce: number
  #free: number
  readonly #waiting: (() => void)[] = []
  /** Of one, smoothed. */
  #workMs = 0

  constructor(atOnce: number) {
    this.#atOnce = atOnce
    this.#free = atOnce
  }

  /** Until so many that came now would be done, as far as can be told. */
  expectedMs(count: number): number {
    const ahead = this.#waiting.length + this.#atOnce - this.#free
    return ahead === 0 || count === 0 ? 0 : ((ahead + count) / this.#atOnce) * this.#workMs
  }

  async take<Value>(work: () => Promise<Value>): Promise<Value> {
    if (this.#free > 0) this.#free--
    else await new Promise<void>((resolve) => this.#waiting.push(resolve))
    const startedAt = performance.now()
    try {
      const value = await work()
      this.#workMs += NEWEST_SHARE * (performance.now() - startedAt - this.#workMs)
      return value
    } finally {
      const next = this.#waiting.shift()
      if (next) next()
      else this.#free++
    }
  }
}
