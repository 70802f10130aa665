import type { JobEvent } from '@headrace/engine'

/** `overflowed`: it was not read for so long that events were dropped; they are still in the store. */
export type FeedPage = readonly JobEvent[] | 'overflowed' | 'closed'

const HELD_MAX = 1_000

/** What the hub hands one follower: a bounded buffer that is pushed to and read, never at once more than it holds. */
export class Feed {
  #held: JobEvent[] = []
  #overflowed = false
  #closed = false
  #wake: (() => void) | undefined

  push(events: readonly JobEvent[]): void {
    if (this.#overflowed) return
    this.#held.push(...events)
    if (this.#held.length > HELD_MAX) {
      this.#held = []
      this.#overflowed = true
    }
    this.#wake?.()
  }

  close(): void {
    this.#closed = true
    this.#wake?.()
  }

  /** What came since the last call; waits for it, up to `idleMs`, after which it may be nothing. */
  async next(idleMs: number): Promise<FeedPage> {
    if (!this.#hasNews()) await this.#news(idleMs)
    if (this.#closed) return 'closed'
    if (this.#overflowed) return 'overflowed'
    const events = this.#held
    this.#held = []
    return events
  }

  #hasNews(): boolean {
    return this.#held.length > 0 || this.#overflowed || this.#closed
  }

  /** The timer is about a connection, not about jobs, so it is the process's own and not the store's clock. */
  #news(idleMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, idleMs)
      timer.unref()
      this.#wake = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }
}
