import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import type { Duplex, Readable } from 'node:stream'
import { ProcessNotStartedError } from './errors.ts'
import { type ExecutionRequest, KILL_WAIT_MS } from './execution.ts'
import { oomKills } from './oom-kills.ts'
import { orphanWatcher } from './orphan-watcher.ts'
import { IS_GROUP_LEADER, signalGroup } from './process-group.ts'
import { type Outcome, outcomeOf } from './program-outcome.ts'
import { ProgramOutput } from './program-output.ts'

export const EVENTS_FD = 3

/** What a program leaves running when it ends has this long to end too: `tee` at the end of a pipe, say. */
const LEFTOVERS_MS = 1_000

export type ProgramOptions = {
  readonly command: readonly [string, ...string[]]
  readonly cwd: string
  /** The name of the program's own folder in the folder for temporary files, if it has one. */
  readonly tmpFolder: string | undefined
  readonly env: Readonly<Record<string, string>>
  readonly logLineBytesMax: number
  readonly eventLineBytesMax: number
}

/** Runs a program to the end of its whole process group, and says what came of it. */
export async function runProgram(request: ExecutionRequest, options: ProgramOptions): Promise<Outcome> {
  const child = await start(options)
  const program = new Program(child, request, options)
  try {
    return await program.outcome()
  } finally {
    program.close()
  }
}

async function start({ command, cwd, env, tmpFolder }: ProgramOptions): Promise<ChildProcess> {
  const [file, ...parameters] = command
  try {
    const stdio = ['ignore', 'pipe', 'pipe', 'pipe', 'pipe'] as const
    const child = spawn(file, parameters, { cwd, env, stdio: [...stdio], detached: IS_GROUP_LEADER, windowsHide: true })
    // In the same breath, so that no worker dies between the two.
    if (child.pid !== undefined && IS_GROUP_LEADER) orphanWatcher.watch(child.pid, tmpFolder)
    await once(child, 'spawn')
    return child
  } catch (error) {
    throw new ProcessNotStartedError(file, cwd, { cause: error })
  }
}

/**
 * The life of a started program, from here to the end of its group:
 * ```
 * running ── it exits ──▶ leftovers ── all pipes closed, or LEFTOVERS_MS ──▶ SIGKILL to the group ──▶ ended
 *    └───── abort: SIGTERM to the group ── all pipes closed, or graceMs ──────────────┘
 * ```
 * The pipes are how it knows that the whole group has ended: each process of it inherits them, and the kernel closes
 * them with the last one.
 */
class Program {
  readonly #child: ChildProcess
  readonly #request: ExecutionRequest
  readonly #options: ProgramOptions
  readonly #output: ProgramOutput
  readonly #exited = Promise.withResolvers<void>()
  readonly #abandoned = Promise.withResolvers<void>()
  #timer: { cancel(): void } | undefined
  #exit: { readonly code: number | null; readonly signal: string | null } = { code: null, signal: null }
  readonly #oomKillsBefore = oomKills()
  #isStopping = false
  #isGroupKilled = false
  #isKilledAfterGrace = false

  constructor(child: ChildProcess, request: ExecutionRequest, options: ProgramOptions) {
    this.#child = child
    this.#request = request
    this.#options = options
    this.#output = new ProgramOutput(request.events, { program: options.command[0], ...options })
    child.once('exit', this.#onExit)
    request.signal.addEventListener('abort', this.#onAbort, { once: true })
    if (request.signal.aborted) this.#onAbort()
  }

  async outcome(): Promise<Outcome> {
    await Promise.race([this.#allClosed(), this.#abandoned.promise])
    const output = this.#output
    return outcomeOf({
      task: this.#request.task,
      program: this.#options.command[0],
      exitCode: this.#exit.code,
      exitSignal: this.#exit.signal,
      result: output.result,
      failure: output.hasFailed ? { error: output.failure } : undefined,
      stderrTail: output.stderrTail,
      oomKills: oomKills() - this.#oomKillsBefore,
      abort: this.#isStopping
        ? { reason: this.#request.signal.reason, graceMs: this.#request.graceMs, isKilled: this.#isKilledAfterGrace }
        : undefined,
    })
  }

  /** Leaves nothing behind: no process of the group, no timer, no listener, no open pipe. */
  close(): void {
    this.#killGroup()
    this.#timer?.cancel()
    this.#request.signal.removeEventListener('abort', this.#onAbort)
    this.#output.abandon()
    for (const stream of this.#child.stdio) stream?.destroy()
  }

  async #allClosed(): Promise<void> {
    const [, stdout, stderr, events, alive] = this.#child.stdio as [null, Readable, Readable, Readable, Duplex]
    // Nothing is read from it, but only a stream that flows sees its end. A reset is an end too.
    alive.on('error', () => undefined).resume()
    await Promise.all([
      this.#output.readStdout(stdout),
      this.#output.readStderr(stderr),
      this.#output.readEvents(events),
      closed(alive),
      this.#exited.promise,
    ])
  }

  readonly #onExit = (code: number | null, signal: string | null): void => {
    this.#exit = { code, signal }
    this.#exited.resolve()
    if (!this.#isStopping) this.#after(LEFTOVERS_MS, () => this.#kill())
  }

  readonly #onAbort = (): void => {
    this.#isStopping = true
    if (!this.#isGroupKilled) signalGroup(this.#child, 'SIGTERM')
    this.#after(this.#request.graceMs, () => {
      this.#isKilledAfterGrace = true
      this.#kill()
    })
  }

  #kill(): void {
    this.#killGroup()
    this.#after(KILL_WAIT_MS, () => this.#giveUp())
  }

  /** Only once: the number of a group that has ended may come to name another. */
  #killGroup(): void {
    if (this.#isGroupKilled) return
    this.#isGroupKilled = true
    signalGroup(this.#child, 'SIGKILL')
    if (this.#child.pid !== undefined) orphanWatcher.forget(this.#child.pid)
  }

  /** A process that left the group still holds a pipe, or the kernel cannot end one. Neither may hold up the attempt. */
  #giveUp(): void {
    const isWaitingForListener = this.#output.isHeldUp && !this.#isStopping
    if (isWaitingForListener) this.#after(KILL_WAIT_MS, () => this.#giveUp())
    else this.#abandon()
  }

  #abandon(): void {
    this.#request.events.log('warn', 'Something the program started has left its process group and may still run.')
    this.#abandoned.resolve()
  }

  #after(delayMs: number, fn: () => void): void {
    this.#timer?.cancel()
    this.#timer = this.#request.timers.setTimeout(fn, delayMs)
  }
}

async function closed(stream: Duplex): Promise<void> {
  if (!stream.closed) await new Promise<void>((resolve) => stream.once('close', resolve))
}
