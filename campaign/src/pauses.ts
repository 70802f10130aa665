import { setTimeout as sleep } from 'node:timers/promises'
import type { Store } from '@headrace/engine'
import { openStore } from './place/open-store.ts'
import { untilAnswered } from './process/submitter.ts'

export const PAUSED_QUEUE = 'default'

/** Between these instants of the store's clock a queue was paused. */
export type Pause = { readonly fromAt: number; readonly toAt: number }

/** Processes read the clock of a database a little apart from one another. */
const SKEW_MS = 250
const REST_MS = 4_000
const PAUSE_MS_MAX = 2_500

/** Pauses a queue now and then, and resumes it, until it is told to end. Whatever it was answered is so. */
export class Pauser {
  readonly #pauses: Pause[] = []
  readonly #place: string
  readonly #random: () => number
  readonly #ending = new AbortController()
  #running: Promise<void> | undefined

  constructor(place: string, random: () => number) {
    this.#place = place
    this.#random = random
  }

  start(): void {
    this.#running = this.#run()
  }

  /** Leaves the queue as it was. @returns when it was paused */
  async end(): Promise<readonly Pause[]> {
    this.#ending.abort()
    await this.#running
    return this.#pauses
  }

  async #run(): Promise<void> {
    await using store = await untilAnswered(() => openStore(this.#place))
    while (!this.#ending.signal.aborted) {
      await this.#rest(REST_MS * (0.5 + this.#random()))
      await this.#pause(store)
    }
  }

  async #pause(store: Store): Promise<void> {
    await untilAnswered(() => store.configureQueue(PAUSED_QUEUE, { paused: true }))
    const fromAt = store.clock.now() + SKEW_MS
    await this.#rest(PAUSE_MS_MAX * this.#random())
    const toAt = store.clock.now() - SKEW_MS
    await untilAnswered(() => store.configureQueue(PAUSED_QUEUE, { paused: false }))
    if (toAt > fromAt) this.#pauses.push({ fromAt, toAt })
  }

  #rest(forMs: number): Promise<void> {
    return sleep(forMs, undefined, { signal: this.#ending.signal }).catch(() => {})
  }
}
