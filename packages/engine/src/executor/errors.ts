export type ExecutorErrorCode =
  | 'killed_after_grace'
  | 'executor_closed'
  | 'thread_exited'
  | 'out_of_memory'
  | 'thread_export_missing'
  | 'not_cloneable'
  | 'process_not_started'
  | 'process_exited'
  | 'process_killed'
  | 'event_line_too_long'

/** How an attempt can end through its executor rather than its own code. `retryable` is set only where it is known. */
export abstract class ExecutorError extends Error {
  abstract readonly code: ExecutorErrorCode
  declare readonly retryable?: boolean
}

export class ExecutorKilledError extends ExecutorError {
  override readonly name = 'ExecutorKilledError'
  readonly code = 'killed_after_grace'
  constructor(task: string, graceMs: number, options: { cause: unknown }) {
    super(`${task} was asked to stop, had not ended ${graceMs} ms later, and was killed.`, options)
  }
}

export class ExecutorClosedError extends ExecutorError {
  override readonly name = 'ExecutorClosedError'
  readonly code = 'executor_closed'
  override readonly retryable = true
  constructor(task: string) {
    super(`${task} could not run to its end, as its worker is shutting down. It may run elsewhere.`)
  }
}

export class ThreadExitedError extends ExecutorError {
  override readonly name = 'ThreadExitedError'
  readonly code = 'thread_exited'
  constructor(task: string, exitCode: number, options?: { cause: unknown }) {
    const how = options ? 'died of an error that nothing caught' : `ended by process.exit(${exitCode})`
    super(`The thread of ${task} ${how}, before the task returned.`, options)
  }
}

export class OutOfMemoryError extends ExecutorError {
  override readonly name = 'OutOfMemoryError'
  readonly code = 'out_of_memory'
  constructor(message: string, options?: { cause: unknown }) {
    super(message, options)
  }

  static ofThread(task: string, options: { cause: unknown }): OutOfMemoryError {
    const remedy = 'Raise resourceLimits.maxOldGenerationSizeMb, or do less at once.'
    return new OutOfMemoryError(`The thread of ${task} ran out of memory. ${remedy}`, options)
  }

  /** @param how what says so: a line that it wrote, or who killed it */
  static ofProgram(program: string, how: string): OutOfMemoryError {
    return new OutOfMemoryError(`${program} ran out of memory: ${how}. Give it more, or less to do at once.`)
  }
}

export class ThreadExportMissingError extends ExecutorError {
  override readonly name = 'ThreadExportMissingError'
  readonly code = 'thread_export_missing'
  override readonly retryable = false
  constructor(module: string, exportName: string) {
    super(`${module} exports no function named ${exportName}, which a thread was to run.`)
  }
}

export class NotCloneableError extends ExecutorError {
  override readonly name = 'NotCloneableError'
  readonly code = 'not_cloneable'
  override readonly retryable = false
  constructor(what: string, options: { cause: unknown }) {
    super(`${what} cannot pass between threads. Use plain data, without functions or handles.`, options)
  }
}

export class ProcessNotStartedError extends ExecutorError {
  override readonly name = 'ProcessNotStartedError'
  readonly code = 'process_not_started'
  constructor(program: string, cwd: string, options: { cause: unknown }) {
    super(`${program} could not be started in ${cwd}. Check that both exist and that the program may be run.`, options)
  }
}

export class ProcessExitedError extends ExecutorError {
  override readonly name = 'ProcessExitedError'
  readonly code = 'process_exited'
  readonly exitCode: number
  constructor(program: string, exitCode: number, stderrTail: readonly string[]) {
    super(
      `${program} ended with exit code ${exitCode}${exitCode === 137 ? ` (128 + SIGKILL${MEMORY_HINT})` : ''}.${quote(stderrTail)}`,
    )
    this.exitCode = exitCode
  }
}

export class ProcessKilledError extends ExecutorError {
  override readonly name = 'ProcessKilledError'
  readonly code = 'process_killed'
  readonly signal: string
  constructor(program: string, signal: string, stderrTail: readonly string[]) {
    super(
      `${program} was killed by ${signal}, not by its worker${signal === 'SIGKILL' ? MEMORY_HINT : ''}.${quote(stderrTail)}`,
    )
    this.signal = signal
  }
}

export class EventLineTooLongError extends ExecutorError {
  override readonly name = 'EventLineTooLongError'
  readonly code = 'event_line_too_long'
  override readonly retryable = false
  constructor(program: string, lineNumber: number, lineBytesMax: number) {
    super(
      `Line ${lineNumber} of the events of ${program} is longer than ${lineBytesMax} bytes. ` +
        'Write large results to a file and report it as an artifact.',
    )
  }
}

/** What a program reported by an `error` event. Its code is the program's own, or `program_failed`. */
export class ProgramError extends Error {
  override readonly name = 'ProgramError'
  readonly code: string
  readonly retryable: boolean | undefined
  constructor(message: string, options: { code?: string | undefined; retryable?: boolean | undefined }) {
    super(message)
    this.code = options.code ?? 'program_failed'
    this.retryable = options.retryable
  }
}

const MEMORY_HINT = '; possibly the machine or its container was out of memory'

function quote(stderrTail: readonly string[]): string {
  return stderrTail.length === 0 ? '' : ` Its last lines on stderr:\n${stderrTail.join('\n')}`
}
