import type { Clock } from '@headrace/engine'

/** The machine's own clock; the one clock of all processes that share a SQLite file. */
export const systemClock: Clock = {
  now: () => Date.now(),
  setTimeout(fn, delayMs, options) {
    // Node counts in 32 bits; a longer wait is cut short, and whoever waits looks at the clock again.
    const timer = setTimeout(fn, Math.min(Math.max(0, delayMs), 2_147_483_647))
    if (options?.background) timer.unref()
    return { cancel: () => clearTimeout(timer) }
  },
  defer: (fn) => void setImmediate(fn),
}
