import { backoffMs } from '../http/backoff.ts'
import { retryDelayMs } from '../http/retry.ts'
import type { Rung } from './ladder.ts'

/** How one connection went. */
export type Ended = {
  readonly rung: Rung
  /** `silent`: it ended before it said anything. */
  readonly form: 'stream' | 'page' | 'none' | 'silent'
  readonly livedMs: number
  /** Events that were new. */
  readonly brought: number
  readonly againAfterMs: number | undefined
  /** Set when it broke rather than ended. */
  readonly error?: unknown
}

/** Pages that come sooner than this without anything in them mean that the server does not hold a long poll. */
const PAGE_EVERY_MS: Readonly<Record<Rung, number>> = { stream: 1_000, 'long-poll': 1_000, poll: 2_000 }
const LIVED_LONG_MS = 5_000

/** Whether the next failure counts as the first again. */
export function wentWell(ended: Ended): boolean {
  return ended.brought > 0 || (ended.error === undefined && (ended.form === 'page' || ended.livedMs >= LIVED_LONG_MS))
}

/**
 * How soon to connect again: after a failure, and after a stream that merely ended, with back-off; after a page at the
 * server's pace, or at once when it brought events and more may be waiting.
 * @param failures how many connections before this one did not go well
 */
export function reconnectAfterMs(ended: Ended, failures: number, random: () => number): number {
  if (ended.error !== undefined) {
    return retryDelayMs({ error: ended.error, isRepeatable: true, failures, random }) ?? 0
  }
  if (ended.form !== 'page') return backoffMs(failures, random, ended.againAfterMs)
  if (ended.brought > 0) return 0
  return Math.max(0, (ended.againAfterMs ?? PAGE_EVERY_MS[ended.rung]) - ended.livedMs)
}
