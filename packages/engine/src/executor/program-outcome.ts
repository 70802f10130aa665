import { ExecutorKilledError, OutOfMemoryError, ProcessExitedError, ProcessKilledError } from './errors.ts'

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
  /** Processes that the kernel killed for lack of memory meanwhile, in the worker's own control group. */
  readonly oomKills: number
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
  const memory = whyOutOfMemory(end)
  if (memory !== undefined) return { error: OutOfMemoryError.ofProgram(end.program, memory) }
  if (end.exitSignal) return { error: new ProcessKilledError(end.program, end.exitSignal, end.stderrTail) }
  if (end.exitCode !== 0) return { error: new ProcessExitedError(end.program, end.exitCode ?? -1, end.stderrTail) }
  return { result: end.result?.value ?? null }
}

/** What runtimes write last when they cannot have more memory: Node, Python, C++, the JVM, R. */
const LAST_WORDS = [
  /JavaScript heap out of memory/,
  /^\s*(?:\w+\.)*\w*MemoryError\b/,
  /std::bad_alloc/,
  /java\.lang\.OutOfMemoryError/,
  /cannot allocate (?:vector of size|memory block)/,
]

/**
 * Only what is certain: its own last words, or a kill of the kernel's that this control group counted. A SIGKILL alone may be
 * anybody's, and stays one.
 */
function whyOutOfMemory({ exitCode, exitSignal, stderrTail, oomKills }: ProgramEnd): string | undefined {
  if (exitCode === 0) return undefined
  const isKilled = exitSignal === 'SIGKILL' || exitCode === 128 + 9
  if (isKilled && oomKills > 0) return 'the kernel killed it'
  const words = stderrTail.find((line) => LAST_WORDS.some((pattern) => pattern.test(line)))
  return words === undefined ? undefined : `it wrote "${words.trim()}"`
}
