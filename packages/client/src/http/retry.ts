import { ProblemError, UnreachableError } from '../errors.ts'
import { afterRetryAfterMs, backoffMs } from './backoff.ts'

/** Not implemented, version not supported, disk full: to ask again soon is useless. */
const LASTING_FAULTS = [501, 505, 507]

/**
 * Whether a failed request is sent again, and how soon. A 429, and a 503 with `Retry-After`, say that nothing was done,
 * so any request may follow; a lost connection or another 5xx leaves that open, so only a repeatable one may. What the
 * caller did wrong (any other 4xx) stays wrong.
 * @returns milliseconds to wait, or undefined when it is not to be repeated
 */
export function retryDelayMs(failed: {
  readonly error: unknown
  readonly isRepeatable: boolean
  readonly failures: number
  readonly random: () => number
}): number | undefined {
  const { error, failures, random } = failed
  if (error instanceof UnreachableError) return failed.isRepeatable ? backoffMs(failures, random) : undefined
  if (!(error instanceof ProblemError)) return undefined
  if (wasTurnedAway(error)) return afterRetryAfterMs(error.retryAfterMs, random)
  const mayPass = error.status === 429 || (isServerFault(error) && failed.isRepeatable)
  return mayPass ? backoffMs(failures, random) : undefined
}

/** Whether the same request might be answered later. */
export function isPassing(error: unknown): boolean {
  return (
    error instanceof UnreachableError ||
    (error instanceof ProblemError && (error.status === 429 || isServerFault(error)))
  )
}

function wasTurnedAway(error: ProblemError): error is ProblemError & { readonly retryAfterMs: number } {
  return error.retryAfterMs !== undefined && (error.status === 429 || error.status === 503)
}

function isServerFault(error: ProblemError): boolean {
  return error.status >= 500 && !LASTING_FAULTS.includes(error.status)
}
