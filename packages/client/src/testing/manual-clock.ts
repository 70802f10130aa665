import type { Clock } from '../clock/clock.ts'

/** A clock that stands still until `advance` moves it. */
export class ManualClock implements Clock {
  #now = 0
  #timers = new Map<number, { readonly at: number; readonly fn: () => void }>()
  #nextId = 1
  #onTimer: (() => void) | undefined

  now(): number {
    return this.#now
  }

  setTimeout(fn: () => void, delayMs: number): { cancel(): void } {
    const id = this.#nextId++
    this.#timers.set(id, { at: this.#now + delayMs, fn })
    this.#onTimer?.()
    return { cancel: () => this.#timers.delete(id) }
  }

  /** Fires, in order, what falls due within `ms`. */
  advance(ms: number): void {
    const until = this.#now + ms
    for (let due = this.#due(until); due; due = this.#due(until)) {
      this.#timers.delete(due.id)
      this.#now = due.at
      due.fn()
    }
    this.#now = until
  }

  /** Resolves once a timer is set that fires in exactly `delayMs`; what the code under test sleeps for. */
  async timerIn(delayMs: number): Promise<void> {
    while (![...this.#timers.values()].some((timer) => timer.at - this.#now === delayMs)) {
      await new Promise<void>((resolve) => {
        this.#onTimer = resolve
      })
    }
  }

  #due(until: number): { id: number; at: number; fn: () => void } | undefined {
    const due = [...this.#timers].filter(([, timer]) => timer.at <= until).sort(([, a], [, b]) => a.at - b.at)[0]
    return due && { id: due[0], ...due[1] }
  }
}
