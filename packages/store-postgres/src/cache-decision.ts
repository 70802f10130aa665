import type { CacheMode } from '@headrace/engine'

/**
 * Results by key. An entry is `pending` while a job of its key, the leader, is at it, and `done` once it has a result; the
 * jobs that follow the leader wait without a place in any line.
 */
export type CacheEntry = {
  readonly seq: number
  readonly state: 'pending' | 'done'
  readonly expiresAt: number | null
  /** Of one whose job was pruned there is none. */
  readonly result: string | null
}

/** A job of the key that has ended. `result`: where it succeeded. */
export type Ended = {
  readonly seq: number
  readonly result: string | null
  readonly mode: CacheMode
  readonly ttlMs: number
}

/** A job of the key that is due, and asks. */
export type Asking = { readonly seq: number; readonly mode: CacheMode; readonly isBelow: (leader: number) => boolean }

export type Decision = {
  /** As it is to be from now on; undefined: none. */
  readonly entry: CacheEntry | undefined
  /** These end with the result of another job. */
  readonly answered: readonly { readonly seq: number; readonly from: number; readonly result: string }[]
  /** These go on to make it. */
  readonly going: readonly number[]
  /** And these too, each for itself: they would wait for a job that waits for them. */
  readonly leaving: readonly number[]
}

/** Decides for one key what becomes of those that ask, after what has ended. The others go on waiting. */
export function decideKey(
  before: CacheEntry | undefined,
  ended: readonly Ended[],
  asking: readonly Asking[],
  now: number,
): Decision {
  let entry = before
  let waiting = asking
  const answered: { seq: number; from: number; result: string }[] = []
  for (const { seq, result, mode, ttlMs } of ended) {
    // An entry that is gone was purged: what was being made is not kept, but those who wait for it get it.
    const isLeader = entry === undefined || (entry.state === 'pending' && entry.seq === seq)
    if (result === null) {
      if (isLeader) entry = undefined
    } else if (isLeader || mode === 'refresh') {
      if (entry !== undefined || mode === 'refresh') entry = { seq, state: 'done', expiresAt: now + ttlMs, result }
      answered.push(...waiting.map((one) => ({ seq: one.seq, from: seq, result })))
      waiting = []
    }
  }
  const going: number[] = []
  const leaving: number[] = []
  for (const { seq, mode, isBelow } of waiting) {
    if (entry?.state === 'pending') {
      if (entry.seq === seq || mode !== 'use') going.push(seq)
      else if (isBelow(entry.seq)) leaving.push(seq)
      continue
    }
    const result = mode === 'use' ? freshResult(entry, now) : undefined
    if (entry !== undefined && result !== undefined) {
      answered.push({ seq, from: entry.seq, result })
      continue
    }
    // A renewal leaves the old result in its place until it has the new one.
    if (entry === undefined || mode === 'use') entry = { seq, state: 'pending', expiresAt: null, result: null }
    going.push(seq)
  }
  return { entry, answered, going, leaving }
}

/** The result that stands for a new job now. */
export function freshResult(entry: CacheEntry | undefined, now: number): string | undefined {
  if (entry?.state !== 'done' || (entry.expiresAt ?? 0) <= now) return undefined
  return entry.result ?? undefined
}
