const DELAY_MS_BASE = 500
const DELAY_MS_MAX = 30_000

/**
 * Full jitter: anywhere between nothing and a ceiling that doubles with each failure, so that a thousand clients of one
 * server that restarts come back spread out.
 * @param failures how many came before, 0 for the first repetition
 * @param baseMs   the first ceiling
 * @returns        milliseconds to wait
 * @example backoffMs(3, () => 0.5) // 2_000
 */
export function backoffMs(failures: number, random: () => number, baseMs: number = DELAY_MS_BASE): number {
  return random() * Math.min(DELAY_MS_MAX, baseMs * 2 ** failures)
}

/** At least what the server asked for, and a little more so that not everyone comes at that very moment. */
export function afterRetryAfterMs(retryAfterMs: number, random: () => number): number {
  return retryAfterMs + random() * DELAY_MS_BASE
}
