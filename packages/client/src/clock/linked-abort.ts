import type { Clock, Timer } from './clock.ts'

/** An abort that follows a parent signal, and may also come from here or from a timer. */
export interface LinkedAbort {
  readonly signal: AbortSignal
  abort(reason: unknown): void
  /** Aborts with `reason()` after `delayMs`, unless called again before; `undefined` calls the timer off. */
  abortAfter(delayMs: number | undefined, reason?: () => unknown): void
  /** Lets go of the parent and the timer. */
  dispose(): void
}

/**
 * `AbortSignal.any` and `AbortSignal.timeout` in one, on the client's own clock, and without leaving listeners on a
 * parent that outlives many requests.
 */
export function linkAbort(clock: Clock, parent: AbortSignal | undefined): LinkedAbort {
  const controller = new AbortController()
  const follow = () => controller.abort(parent?.reason)
  if (parent?.aborted) follow()
  else parent?.addEventListener('abort', follow, { once: true })
  let timer: Timer | undefined
  return {
    signal: controller.signal,
    abort: (reason) => controller.abort(reason),
    abortAfter(delayMs, reason) {
      timer?.cancel()
      timer = delayMs === undefined ? undefined : clock.setTimeout(() => controller.abort(reason?.()), delayMs)
    },
    dispose() {
      timer?.cancel()
      parent?.removeEventListener('abort', follow)
    },
  }
}
