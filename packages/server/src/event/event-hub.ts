import type { JobEvent, Store, Timer } from '@headrace/engine'
import { Feed } from './feed.ts'

const PAGE_SIZE = 1_000
/** A hint may be lost; then the tail looks by itself. */
const POLL_MS = 1_000

/**
 * The one reader of new events in this process. It follows the store's cursor, woken by the store's hints, and hands each
 * page to every feed. Without feeds it reads nothing.
 */
export class EventHub {
  readonly #store: Store
  readonly #onError: (error: unknown) => void
  readonly #watch: Disposable
  readonly #feeds = new Set<Feed>()
  /** All events up to here were handed out. Undefined while nobody listens. */
  #position: number | undefined
  #reading = false
  #isStale = false
  #poll: Timer | undefined
  #closed = false

  constructor(store: Store, onError: (error: unknown) => void) {
    this.#store = store
    this.#onError = onError
    this.#watch = store.watch((hint) => {
      if (hint.events || hint.ended || hint.all) this.#look()
    })
  }

  get feeds(): number {
    return this.#feeds.size
  }

  /** From when this resolves on, the feed gets every event that is stored; what was stored before is in the store. */
  async join(): Promise<Feed> {
    const feed = new Feed()
    if (this.#closed) feed.close()
    this.#feeds.add(feed)
    try {
      // Before the feed's owner reads the store: what is stored after this cursor comes through the feed.
      if (this.#position === undefined) await this.#begin()
    } catch (error) {
      this.leave(feed)
      throw error
    }
    return feed
  }

  leave(feed: Feed): void {
    this.#feeds.delete(feed)
    if (this.#feeds.size > 0) return
    this.#position = undefined
    this.#poll?.cancel()
  }

  close(): void {
    this.#closed = true
    this.#watch[Symbol.dispose]()
    this.#poll?.cancel()
    for (const feed of this.#feeds) feed.close()
  }

  async #begin(): Promise<void> {
    const position = await this.#store.lastCursor()
    // Another feed may have begun meanwhile, from an earlier cursor, which serves this one too.
    this.#position ??= position
    this.#pollLater()
  }

  #look(): void {
    this.#isStale = true
    if (this.#reading || this.#position === undefined || this.#closed) return
    this.#reading = true
    this.#readOn()
      .catch(this.#onError)
      .finally(() => {
        this.#reading = false
      })
  }

  async #readOn(): Promise<void> {
    while (this.#isStale && this.#position !== undefined && !this.#closed) {
      this.#isStale = false
      const events = await this.#store.events({ after: this.#position, limit: PAGE_SIZE })
      this.#handOut(events)
      if (events.length === PAGE_SIZE) this.#isStale = true
    }
  }

  #handOut(events: readonly JobEvent[]): void {
    const last = events.at(-1)
    // Everyone may have left while the page was read.
    if (!last || this.#position === undefined) return
    this.#position = Math.max(this.#position, last.cursor)
    for (const feed of this.#feeds) feed.push(events)
  }

  #pollLater(): void {
    this.#poll?.cancel()
    this.#poll = this.#store.clock.setTimeout(
      () => {
        this.#look()
        if (this.#position !== undefined && !this.#closed) this.#pollLater()
      },
      POLL_MS,
      { background: true },
    )
  }
}
