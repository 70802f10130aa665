export type LogLevel = 'debug' | 'info' | 'warn' | 'error'

/** The part of a clock that an executor needs: grace periods and idle times. The engine's `Clock` is one. */
export type Timers = {
  now(): number
  /** Calls `fn` once. A timer in the background does not keep the process alive. */
  setTimeout(fn: () => void, delayMs: number, options?: { readonly background?: boolean }): { cancel(): void }
}

/** A file made by an attempt: one that lies at `path` (process executor), or its `content` (thread executor). */
export type MadeArtifact = { readonly name: string; readonly mediaType?: string } & (
  | { readonly path: string }
  | { readonly content: Uint8Array | string }
)

/** What a running attempt may tell; the same for every executor. */
export type ExecutionEvents = {
  /** `fraction` is 0 to 1. */
  progress(fraction: number, message?: string): void
  log(level: LogLevel, message: string): void
  metric(name: string, step: number, value: number): void
  /** Awaited before the attempt ends; the file at `path` is there until then. When it rejects, the
   * attempt fails, unless a function in a thread caught the error. */
  artifact(artifact: MadeArtifact): Promise<void>
  /** Resolves when there is room for more; awaited now and then, so that a talkative attempt waits for its listener. */
  drained?(): Promise<void>
}

export type ExecutionRequest = {
  readonly jobId: string
  readonly attempt: number
  readonly task: string
  readonly input: unknown
  /** Asks the attempt to stop, with the reason it then rejects with. */
  readonly signal: AbortSignal
  /** How long the attempt may go on after `signal`, before it is killed. */
  readonly graceMs: number
  readonly timers: Timers
  readonly events: ExecutionEvents
  /** A folder of the caller's for the attempt's files; by default a fresh one, removed when the attempt has ended. */
  readonly workDir?: string
}

/**
 * Executes one attempt. Resolves with its result; rejects with what it threw, with an `ExecutorError` when it was
 * killed or died, and with the signal's reason when it stopped as it was asked to. Once it has settled nothing of the attempt
 * is running, except what a kill could not reach within {@link KILL_WAIT_MS}.
 */
export type Execute = (request: ExecutionRequest) => Promise<unknown>

/** How long the operating system gets to carry out a kill before the attempt is given up all the same. */
export const KILL_WAIT_MS = 1_000
