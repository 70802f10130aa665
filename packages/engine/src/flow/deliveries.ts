import type { Clock } from '../clock/clock.ts'
import type { RecordedStep } from '../store/store.ts'

export type Delivery = () => void

/**
 * Hands the outcomes of steps to the workflow's code one by one, and remembers in which order: between two outcomes the
 * code runs on until it rests. What the code asks for next depends on that order alone, so a replay that hands the same
 * outcomes over in the same order sees the same code do the same.
 */
export class Deliveries {
  readonly #clock: Clock
  /** The order in which an earlier attempt's code received its outcomes. */
  readonly #recorded: readonly number[]
  readonly #ready = new Map<number, Delivery>()
  readonly #rested: (missing: number | undefined) => void
  #replayed = 0
  #fresh: number[] = []
  #freshFrom: number
  #isRunning = false
  #isStopped = false
  /** Of a run that only cleans up: nothing from this step on is handed over, and nothing that was not received before. */
  #replayUntil: number | undefined

  /**
   * @param rested called when the code rests and nothing can be handed over; `missing` is a step whose outcome an
   *   earlier attempt's code received at this point
   */
  constructor(clock: Clock, history: readonly RecordedStep[], rested: (missing: number | undefined) => void) {
    this.#clock = clock
    this.#recorded = history
      .filter((step) => step.delivered.length > 0)
      .sort((a, b) => a.deliveredFrom - b.deliveredFrom)
      .flatMap((step) => step.delivered)
    this.#freshFrom = this.#recorded.length
    this.#rested = rested
  }

  /** Nothing is handed over but what an earlier attempt's code received, of the steps before this one. */
  replayUntil(step: number): void {
    this.#replayUntil = step
  }

  /** What the code has not received by now, it does not receive; what was asked for since is handed over as usual. */
  goOn(): void {
    this.#replayUntil = undefined
    this.#ready.clear()
    this.start()
  }

  /** The outcome of a step is at hand. */
  add(step: number, deliver: Delivery): void {
    this.#ready.set(step, deliver)
    this.start()
  }

  /** Lets the code run until it rests, then hands over what is there. */
  start(): void {
    if (this.#isRunning || this.#isStopped) return
    this.#isRunning = true
    this.#clock.defer(() => this.#next())
  }

  /** The code waits for something that is not at hand. */
  get isResting(): boolean {
    return !this.#isRunning && !this.#isStopped
  }

  stop(): void {
    this.#isStopped = true
    this.#ready.clear()
  }

  /** What the code received since the last stored step; the caller stores it with the next one. */
  takeFresh(): { readonly delivered: readonly number[]; readonly deliveredFrom: number } {
    const taken = { delivered: this.#fresh, deliveredFrom: this.#freshFrom }
    this.#freshFrom += this.#fresh.length
    this.#fresh = []
    return taken
  }

  #next(): void {
    if (this.#isStopped) return
    const step = this.#choose()
    const deliver = step === undefined ? undefined : this.#ready.get(step)
    if (step === undefined || deliver === undefined) {
      this.#isRunning = false
      this.#rested(step)
      return
    }
    this.#ready.delete(step)
    if (this.#replayed < this.#recorded.length) this.#replayed++
    else this.#fresh.push(step)
    deliver()
    this.#clock.defer(() => this.#next())
  }

  #choose(): number | undefined {
    const next = this.#recorded[this.#replayed]
    if (this.#replayUntil !== undefined && (next === undefined || next >= this.#replayUntil)) return undefined
    if (next !== undefined) return next
    return this.#ready.keys().next().value
  }
}
