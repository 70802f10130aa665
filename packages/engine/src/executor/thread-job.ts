import type { LogLevel } from './execution.ts'

/** What a function in a thread is given besides its input; the same as a function in the event loop. */
export type ThreadJob = {
  readonly id: string
  readonly attempt: number
  readonly task: string
  /** Code that never awaits sees an abort by looking at `aborted` or calling `throwIfAborted`. */
  readonly signal: AbortSignal
  progress(fraction: number, message?: string): void
  log(level: LogLevel, message: string): void
  metric(name: string, step: number, value: number): void
  artifact(name: string, content: Uint8Array | string, mediaType?: string): Promise<void>
}

/** What a module exports for a thread. */
export type ThreadFunction = (input: never, job: ThreadJob) => unknown
