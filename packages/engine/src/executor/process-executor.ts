import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import type { Execute, ExecutionRequest } from './execution.ts'
import { ALIVE_FD } from './process-group.ts'
import { EVENTS_FD, runProgram } from './program.ts'

export type ProcessExecutorOptions = {
  /** The program and its arguments, or what makes them of the request. No shell reads them. */
  readonly command: readonly [string, ...string[]] | ((request: ExecutionRequest) => readonly [string, ...string[]])
  /** Default: the attempt's work folder. */
  readonly cwd?: string
  /** Added to what every program gets of the worker's environment: PATH, HOME, LANG and TMPDIR, and no more. */
  readonly env?: Readonly<Record<string, string>>
  /** A longer line of stdout or stderr becomes several logs. Default 65,536. */
  readonly logLineBytesMax?: number
  /** A longer event fails the attempt. Default 16 MiB. */
  readonly eventLineBytesMax?: number
}

/**
 * Executes attempts by running a program, each in a process group and a work folder of its own.
 *
 * The program finds its input as JSON in the file HEADRACE_INPUT, and HEADRACE_JOB_ID, HEADRACE_ATTEMPT, HEADRACE_WORK_DIR.
 * Each line that it writes to stdout is a log at `info`, to stderr at `warn`. To the descriptor HEADRACE_EVENTS_FD (3)
 * it may write JSON Lines:
 * ```
 * {"type":"progress","fraction":0.4,"message":"epoch 4 of 10"}
 * {"type":"metric","name":"loss","step":4,"value":0.31}
 * {"type":"log","level":"info","message":"..."}
 * {"type":"artifact","name":"model.onnx","path":"out/model.onnx","mediaType":"..."}     path: absolute, or from its cwd
 * {"type":"result","value":...}                                                         the last one counts
 * {"type":"error","message":"...","code":"...","retryable":false}                       the first one counts
 * ```
 * Exit code 0 is success, with the result `null` where it wrote none. To be stopped is SIGTERM to its group, and after
 * the grace SIGKILL. The descriptor HEADRACE_ALIVE_FD (4) reaches its end when the worker is gone; a program need not watch it, as the
 * group is killed then anyway, except on Windows (see `orphan-watcher.ts`). Both descriptors are inherited: write to
 * them by number, as `echo '{"type":"progress","fraction":1}' >&3` does; `/dev/fd/3` cannot be opened.
 *
 * Rejects with `process_not_started`, `process_exited`, `process_killed`, `killed_after_grace`, `event_line_too_long`,
 * the error that the program reported, or the error with which `events.artifact` rejected.
 *
 * @example
 * const execute = processExecutor({ command: ['python3', 'train.py'], cwd: '/srv/trainers' })
 */
export function processExecutor(options: ProcessExecutorOptions): Execute {
  return async (request) => {
    request.signal.throwIfAborted()
    const workDir = await openWorkDir(request)
    try {
      return await executeIn(workDir, request, options)
    } finally {
      await workDir.close()
    }
  }
}

async function executeIn(
  { path: workDir, tmpFolder }: WorkDir,
  request: ExecutionRequest,
  options: ProcessExecutorOptions,
): Promise<unknown> {
  const inputPath = join(workDir, 'input.json')
  await writeFile(inputPath, JSON.stringify(request.input ?? null))
  request.signal.throwIfAborted()
  const outcome = await runProgram(request, {
    command: typeof options.command === 'function' ? options.command(request) : options.command,
    cwd: options.cwd ?? workDir,
    tmpFolder,
    env: environment(request, { workDir, inputPath, env: options.env }),
    logLineBytesMax: options.logLineBytesMax ?? 65_536,
    eventLineBytesMax: options.eventLineBytesMax ?? 16 * 1024 * 1024,
  })
  if ('error' in outcome) throw outcome.error
  return outcome.result
}

type WorkDir = { readonly path: string; readonly tmpFolder: string | undefined; close(): Promise<void> }

async function openWorkDir({ workDir, events }: ExecutionRequest): Promise<WorkDir> {
  if (workDir !== undefined) {
    await mkdir(workDir, { recursive: true })
    return { path: workDir, tmpFolder: undefined, close: async () => undefined }
  }
  const path = await mkdtemp(join(tmpdir(), 'headrace-attempt-'))
  const remove = () => rm(path, { recursive: true, force: true, maxRetries: 3 })
  // An outcome that is known is not lost for a folder that cannot be removed.
  const close = () => remove().catch((error) => events.log('warn', `${path} could not be removed: ${error.message}`))
  return { path, tmpFolder: basename(path), close }
}

/** Without the second line no program starts on Windows; elsewhere these are not set. */
const PASSED_ON = [
  ...['PATH', 'HOME', 'LANG', 'TMPDIR'],
  ...['SystemRoot', 'PATHEXT', 'TEMP', 'TMP', 'USERPROFILE', 'APPDATA', 'LOCALAPPDATA'],
]

/** A worker's own environment holds secrets (database URLs, keys) that are none of the program's business. */
function environment(
  { jobId, attempt }: ExecutionRequest,
  {
    workDir,
    inputPath,
    env,
  }: { workDir: string; inputPath: string; env: Readonly<Record<string, string>> | undefined },
): Record<string, string> {
  const passedOn = PASSED_ON.flatMap((name) => {
    const value = process.env[name]
    return value === undefined ? [] : [[name, value]]
  })
  return {
    ...Object.fromEntries(passedOn),
    ...env,
    HEADRACE_JOB_ID: jobId,
    HEADRACE_ATTEMPT: String(attempt),
    HEADRACE_INPUT: inputPath,
    HEADRACE_WORK_DIR: workDir,
    HEADRACE_EVENTS_FD: String(EVENTS_FD),
    HEADRACE_ALIVE_FD: String(ALIVE_FD),
  }
}
