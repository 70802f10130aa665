export type TimerOptions = {
  /** The timer alone does not keep the process alive. */
  readonly background?: boolean
  /** It only looks whether something has come, and sets itself anew: a clock that is turned by hand may pass it over. */
  readonly routine?: boolean
}

/** A timer that may be called off. */
export interface Timer {
  cancel(): void
}

/**
 * All the time the engine knows. A store brings the clock of its cluster, so that every process that shares the store
 * agrees; tests bring a {@link ManualClock}.
 */
export interface Clock {
  /** Milliseconds since 1970-01-01T00:00:00Z. */
  now(): number
  /** Calls `fn` once, `delayMs` from now. */
  setTimeout(fn: () => void, delayMs: number, options?: TimerOptions): Timer
  /** Calls `fn` after the work that is already queued, as `setImmediate` does. */
  defer(fn: () => void): void
}
