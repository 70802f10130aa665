import type { RetryPolicy } from '../task/task.ts'
import type { RecordedError } from './job.ts'

const DELAY_MS = 1_000
const DELAY_MS_MAX = 300_000

/**
 * How long to wait before a job is tried again.
 * @param failures attempts that have thrown so far, this one included
 * @param random in [0, 1)
 * @returns milliseconds, or undefined when it is not to be tried again
 */
export function retryDelayMs(
  policy: RetryPolicy,
  failures: number,
  error: RecordedError,
  random: () => number,
): number | undefined {
  if (error.retryable === false || failures >= policy.attempts) return undefined
  const first = policy.delayMs ?? DELAY_MS
  const grown = policy.backoff === 'fixed' ? first : first * 2 ** Math.min(failures - 1, 30)
  const delayMs = Math.min(grown, policy.delayMsMax ?? DELAY_MS_MAX)
  // Half of it is drawn, so that jobs that failed together do not come back together.
  return Math.round(delayMs / 2 + (delayMs / 2) * random())
}
