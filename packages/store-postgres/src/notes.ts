import type { Transaction } from './connection/transaction.ts'

type LimitNote = { live: number; taken: number; max: number | undefined }

/** A job that was made due, and may not go on before a limit or the result cache lets it. */
export type AskingRow = { readonly limit_key: string | null; readonly cache_key: string | null }

/**
 * What transactions leave for those who keep limits and results: a job of a key was stored, has ended, gave its permit
 * back, or asks. It is stored with what it tells of, without a lock on anything that is shared, and acted upon in a
 * transaction of its own right behind it: so nobody holds jobs while waiting for a limit. Where that did not happen, the
 * next sweep finds the notes.
 */
export class Notes {
  readonly #limits = new Map<string, LimitNote>()
  readonly #cache: { readonly key: string; readonly seq: number | null }[] = []
  readonly #limitKeys = new Set<string>()
  readonly #cacheKeys = new Set<string>()

  /** Whether somebody has to be served. */
  get isEmpty(): boolean {
    return this.#limitKeys.size + this.#cacheKeys.size === 0
  }

  /** @param change how many more jobs of the key live, how many more permits are taken, and how many there are now */
  limit(key: string, { live = 0, taken = 0, max }: { live?: number; taken?: number; max?: number } = {}): void {
    const before = this.#limits.get(key) ?? { live: 0, taken: 0, max: undefined }
    this.#limits.set(key, { live: before.live + live, taken: before.taken + taken, max: max ?? before.max })
    this.#limitKeys.add(key)
  }

  /** @param ended the job of the key that has ended; left out where one asks */
  cache(key: string, ended?: number): void {
    this.#cache.push({ key, seq: ended ?? null })
    this.#cacheKeys.add(key)
  }

  /** What a statement has noted itself. */
  asked(rows: readonly AskingRow[]): void {
    for (const { limit_key: limit, cache_key: cache } of rows) {
      if (limit !== null) this.#limitKeys.add(limit)
      if (cache !== null) this.#cacheKeys.add(cache)
    }
  }

  /** They are stored with the transaction. */
  write(tx: Transaction): void {
    if (this.#limits.size + this.#cache.length === 0) return
    const limits = [...this.#limits]
    const cache = this.#cache.splice(0)
    this.#limits.clear()
    tx.later(
      'insertNotes',
      [...limits.map(() => false), ...cache.map(() => true)],
      [...limits.map(([key]) => key), ...cache.map(({ key }) => key)],
      [...limits.map(() => null), ...cache.map(({ seq }) => seq)],
      [...limits.map(([, { live }]) => live), ...cache.map(() => 0)],
      [...limits.map(([, { taken }]) => taken), ...cache.map(() => 0)],
      [...limits.map(([, { max }]) => max), ...cache.map(() => null)],
    )
  }

  /** Nothing came of the transaction that they were to be stored with. */
  discard(): void {
    this.#limits.clear()
    this.#cache.length = 0
  }

  takeLimitKeys(): string[] {
    return take(this.#limitKeys)
  }

  takeCacheKeys(): string[] {
    return take(this.#cacheKeys)
  }
}

function take(keys: Set<string>): string[] {
  const all = [...keys].sort()
  keys.clear()
  return all
}
