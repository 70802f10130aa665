import { createReadStream } from 'node:fs'
import { setAlarm } from '../clock/alarm.ts'
import type { Clock, Timer } from '../clock/clock.ts'
import type { ExecutionRequest } from '../executor/execution.ts'
import { recordError } from '../job/recorded-error.ts'
import { retryDelayMs } from '../job/retry.ts'
import type { ArtifactContent, Payloads } from '../payload/payloads.ts'
import type { Claimed, Lease, LogLevel, Settlement, Told } from '../store/store.ts'
import type { JobContext, Task } from '../task/task.ts'
import { parseInput, parseOutput } from '../task/validate.ts'
import { type StopReason, stopError, stoppedSettlement } from './stop-reason.ts'

export type AttemptServices = {
  readonly clock: Clock
  readonly payloads: Payloads
  readonly random: () => number
  tell(told: Told): void
  /** @param owner of the job that makes it, who may then name it */
  keepArtifact(
    name: string,
    content: ArtifactContent,
    options: { readonly mediaType: string | undefined; readonly owner: string | undefined },
  ): Promise<TellableArtifact>
  /** Resolves when what was told before is stored, or nearly. */
  drained(): Promise<void>
}

export type TellableArtifact = {
  readonly name: string
  readonly artifact: string
  readonly sizeBytes: number
  readonly mediaType?: string
}

/** One execution of a task. `run` resolves to what is to be settled, or to undefined when nobody wants to know any more. */
export class Attempt implements JobContext {
  readonly id
  readonly attempt: number
  readonly task: string
  readonly owner: string | undefined
  readonly lease: Lease
  readonly #claimed: Claimed
  readonly #task: Task
  readonly #services: AttemptServices
  readonly #controller = new AbortController()
  readonly #timers: Timer[] = []
  #stop: StopReason | undefined
  #isOver = false
  #giveUp: (() => void) | undefined

  constructor(claimed: Claimed, task: Task, services: AttemptServices) {
    this.id = claimed.lease.jobId
    this.attempt = claimed.lease.attempt
    this.task = task.name
    this.owner = claimed.owner
    this.lease = claimed.lease
    this.#claimed = claimed
    this.#task = task
    this.#services = services
  }

  get signal(): AbortSignal {
    return this.#controller.signal
  }

  /** So long at most, from the moment when it is asked to stop, until `run` resolves. */
  get patienceMs(): number {
    return this.#isOver ? 0 : this.#patienceMs(this.#task.graceMs)
  }

  async run(): Promise<Settlement | undefined> {
    this.#startTimers()
    // A function that ignores its signal cannot be killed; past its grace it is left behind.
    const givenUp = new Promise<never>((_, reject) => {
      this.#giveUp = () => reject(this.signal.reason)
    })
    try {
      const work = this.#work()
      work.catch(() => {})
      const result = await Promise.race([work, givenUp])
      // A result that was still reached is kept when its worker merely stops; otherwise it comes too late.
      if (this.#stop !== undefined && this.#stop.why !== 'worker_stops') {
        return this.#stopped(this.#stop)
      }
      return { lease: this.lease, outcome: 'succeeded', result }
    } catch (thrown) {
      return this.#stop === undefined ? this.#failed(thrown) : this.#stopped(this.#stop)
    } finally {
      this.#isOver = true
      for (const timer of this.#timers) timer.cancel()
    }
  }

  /** Asks it to stop, and leaves it behind when it has not done so within its grace. The first reason counts. */
  stop(reason: StopReason, graceMs = this.#task.graceMs): void {
    if (this.#stop !== undefined) return
    this.#stop = reason
    this.#controller.abort(stopError(reason, this))
    this.#timers.push(this.#services.clock.setTimeout(() => this.#giveUp?.(), this.#patienceMs(graceMs)))
  }

  // Executors kill what they run at the end of its grace; they get a moment more to say how that went.
  #patienceMs(graceMs: number): number {
    return typeof this.#task.run === 'function' ? graceMs : graceMs + 2_000
  }

  progress(fraction: number, message?: string): void {
    const told = { kind: 'progress', fraction: clampFraction(fraction) } as const
    this.#tell(message === undefined ? told : { ...told, message })
  }

  log(level: LogLevel, message: string): void {
    this.#tell({ kind: 'log', level, message: String(message) })
  }

  metric(name: string, step: number, value: number): void {
    this.#tell({ kind: 'metric', name, step, value })
  }

  artifact(name: string, content: Uint8Array | string, mediaType?: string): Promise<void> {
    return this.#keep(name, content, mediaType)
  }

  async #keep(name: string, content: ArtifactContent, mediaType?: string): Promise<void> {
    const { owner } = this.#claimed
    this.#tell({ kind: 'artifact', ...(await this.#services.keepArtifact(name, content, { mediaType, owner })) })
  }

  async #work(): Promise<string> {
    const { payloads } = this.#services
    const input = await parseInput(this.#task, await payloads.decode(this.#claimed.input))
    const { run } = this.#task
    const output = typeof run === 'function' ? await run(input, this) : await run.execute(this.#executionRequest(input))
    return payloads.encode(await parseOutput(this.#task, output), `The result of ${this.task}`)
  }

  #executionRequest(input: unknown): ExecutionRequest {
    const { clock, drained } = this.#services
    return {
      jobId: this.id,
      attempt: this.attempt,
      task: this.task,
      input,
      signal: this.signal,
      graceMs: this.#task.graceMs,
      timers: clock,
      events: {
        progress: (fraction, message) => this.progress(fraction, message),
        log: (level, message) => this.log(level, message),
        metric: (name, step, value) => this.metric(name, step, value),
        artifact: (made) =>
          this.#keep(made.name, 'path' in made ? createReadStream(made.path) : made.content, made.mediaType),
        drained,
      },
    }
  }

  #startTimers(): void {
    const { clock } = this.#services
    const { timeoutMs } = this.#task
    if (timeoutMs !== undefined) {
      this.#timers.push(setAlarm(clock, clock.now() + timeoutMs, () => this.stop({ why: 'timeout', timeoutMs })))
    }
    const { deadlineAt } = this.#claimed
    if (deadlineAt !== undefined) this.#timers.push(setAlarm(clock, deadlineAt, () => this.stop({ why: 'deadline' })))
  }

  #failed(thrown: unknown): Settlement {
    const error = recordError(thrown, { jobId: this.id, name: this.task })
    const delayMs = retryDelayMs(this.#task.retry, this.#claimed.failures + 1, error, this.#services.random)
    if (delayMs === undefined) return { lease: this.lease, outcome: 'failed', error }
    return { lease: this.lease, outcome: 'retried', error, dueAt: this.#services.clock.now() + delayMs }
  }

  #stopped(stop: StopReason): Settlement | undefined {
    // Too slow this time is a failure like any other: it may be tried again.
    if (stop.why === 'timeout') return this.#failed(this.signal.reason)
    return stoppedSettlement(stop, this, this.#services.clock.now())
  }

  #tell(what: ToldBody): void {
    this.#services.tell({ lease: this.lease, at: this.#services.clock.now(), ...what })
  }
}

type Without<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never
type ToldBody = Without<Told, 'lease' | 'at'>

/** A share that is no number is none: what a task tells of itself must not be able to fail it. */
export function clampFraction(fraction: number): number {
  return fraction >= 0 ? Math.min(1, fraction) : 0
}
