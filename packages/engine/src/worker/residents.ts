import type { Clock, Timer } from '../clock/clock.ts'
import type { Parkable } from '../flow/workflow-services.ts'

export type ResidentLimits = {
  /** More resting workflows than this are parked, those first that rest longest. */
  readonly residentMax: number
  /** One that rests longer than this is parked. */
  readonly residentMs: number
}

/**
 * The workflows that rest in a worker's memory. To keep one there makes it quick when it goes on; to keep all of them
 * would make ten thousand that wait for a signal fill the memory.
 */
export class Residents {
  readonly #clock: Clock
  readonly #limits: ResidentLimits
  /** Since when each has rested; the longest first. */
  readonly #restingSince = new Map<Parkable, number>()
  #timer: Timer | undefined

  constructor(clock: Clock, limits: ResidentLimits) {
    this.#clock = clock
    this.#limits = limits
  }

  rest(run: Parkable): void {
    // One that comes to rest again without having been at work has rested all the while.
    if (this.#restingSince.has(run)) return
    this.#restingSince.set(run, this.#clock.now())
    if (this.#restingSince.size > this.#limits.residentMax) this.#parkLongest()
    else this.#arm()
  }

  wake(run: Parkable): void {
    this.#restingSince.delete(run)
  }

  close(): void {
    this.#timer?.cancel()
    this.#restingSince.clear()
  }

  #longest(): [Parkable, number] | undefined {
    return this.#restingSince.entries().next().value
  }

  #parkLongest(): void {
    const longest = this.#longest()
    if (longest === undefined) return
    this.#restingSince.delete(longest[0])
    longest[0].park()
  }

  #arm(): void {
    const longest = this.#longest()
    if (this.#timer !== undefined || longest === undefined) return
    const leftMs = Math.max(1, longest[1] + this.#limits.residentMs - this.#clock.now())
    this.#timer = this.#clock.setTimeout(() => this.#parkDue(), leftMs, { background: true })
  }

  #parkDue(): void {
    this.#timer = undefined
    const until = this.#clock.now() - this.#limits.residentMs
    for (let longest = this.#longest(); longest !== undefined && longest[1] <= until; longest = this.#longest())
      this.#parkLongest()
    this.#arm()
  }
}
