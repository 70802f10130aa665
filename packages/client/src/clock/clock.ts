/** All the time the client knows. It only measures how long things take, so it needs no calendar. */
export interface Clock {
  /** Milliseconds since some fixed instant; never goes back, whatever happens to the system's clock. */
  now(): number
  setTimeout(fn: () => void, delayMs: number): Timer
}

export interface Timer {
  cancel(): void
}

/** `performance.now` and the platform's timers. */
export const monotonicClock: Clock = {
  now: () => performance.now(),
  setTimeout(fn, delayMs) {
    const handle = setTimeout(fn, Math.min(delayMs, TIMEOUT_MS_MAX))
    return { cancel: () => clearTimeout(handle) }
  },
}

/** Platforms fire longer timers at once. */
const TIMEOUT_MS_MAX = 2 ** 31 - 1

/** Resolves after `delayMs`; rejects with the signal's reason as soon as it aborts. */
export function sleep(clock: Clock, delayMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason)
    const onAbort = () => {
      timer.cancel()
      reject(signal?.reason)
    }
    const timer = clock.setTimeout(() => {
      signal?.removeEventListener('abort', onAbort)
      resolve()
    }, delayMs)
    signal?.addEventListener('abort', onAbort, { once: true })
  })
}
