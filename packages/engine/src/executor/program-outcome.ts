import { ExecutorKilledError, ProcessExitedError, ProcessKilledError } from './errors.ts'

/** How a program ended, as far as its worker saw it. */
export type ProgramEnd = {
  readonly task: string
  readonly program: string
  /** Both null when a killed program's end was never seen. */
  readonly exitCode: number | null
  readonly exitSignal: string | null
  readonly result: { readonly value: unknown } | undefined
  readonly failure: { readonly error: unknown } | undefined
  readonly stderrTail: readonly string[]
  /** Present when the program was asked to stop. */
  readonly abort: { readonly reason: unknown; readonly graceMs: number; readonly isKilled: boolean } | undefined
}

export type Outcome = { readonly result: unknown } | { readonly error: unknown }

/** Decides what an ended program means; the first that applies, from what was done to it to what it did. */
export function outcomeOf(end: ProgramEnd): Outcome {
  const hasSucceeded = end.exitCode === 0 && !end.failure
  if (end.abort?.isKilled)
    return { error: new ExecutorKilledError(end.task, end.abort.graceMs, { cause: end.abort.reason }) }
  // A program that was asked to stop may still have finished; without a result its exit 0 only says that it stopped.
  if (end.abort && !(hasSucceeded && end.result)) return { error: end.abort.reason }
  if (end.failure) return { error: end.failure.error }
  if (end.exitSignal) return { error: new ProcessKilledError(end.program, end.exitSignal, end.stderrTail) }
  if (end.exitCode !== 0) return { error: new ProcessExitedError(end.program, end.exitCode ?? -1, end.stderrTail) }
  return { result: end.result?.value ?? null }
}
