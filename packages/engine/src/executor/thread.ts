import { type ResourceLimits, Worker } from 'node:worker_threads'
import {
  ExecutorClosedError,
  ExecutorKilledError,
  NotCloneableError,
  OutOfMemoryError,
  ThreadExitedError,
} from './errors.ts'
import { type ExecutionRequest, KILL_WAIT_MS } from './execution.ts'
import { type FromThread, type Report, SHARED, type ThreadSetup, type ToThread } from './thread-messages.ts'
import { toError, toPlain } from './thrown.ts'

/** The listener is asked for room after each so many reports; less than REPORTS_AHEAD_MAX, so that a thread rarely waits. */
const REPORTS_BETWEEN_DRAINS = 256

/** One thread, which runs one attempt at a time. After an attempt that had to be killed, or that crashed it, it is gone. */
export class Thread {
  /** Settles when the thread has ended, for whatever reason. */
  readonly ended: Promise<void>
  readonly #worker: Worker
  readonly #shared = new Int32Array(new SharedArrayBuffer(SHARED.bytes))
  #isUsable = true
  #crash: { readonly error: unknown } | undefined
  #runs = 0
  #attempt: ThreadAttempt | undefined

  constructor(setup: Omit<ThreadSetup, 'shared'>, resourceLimits: ResourceLimits | undefined) {
    const workerData: ThreadSetup = { ...setup, shared: this.#shared.buffer as SharedArrayBuffer } // as made above
    this.#worker = new Worker(new URL('./thread-entry.ts', import.meta.url), {
      name: `headrace ${setup.exportName}`,
      workerData,
      ...(resourceLimits && { resourceLimits }),
    })
    const ended = Promise.withResolvers<void>()
    this.ended = ended.promise
    this.#worker.on('message', (message: FromThread) => this.#take(message))
    this.#worker.on('error', (error) => this.#crashed(error))
    this.#worker.on('messageerror', (error) => this.#crashed(error))
    this.#worker.on('exit', (exitCode) => {
      this.#isUsable = false
      this.#attempt?.threadEnded(exitCode, this.#crash)
      ended.resolve()
    })
  }

  /** Whether it can run another attempt. */
  get isUsable(): boolean {
    return this.#isUsable
  }

  async run(request: ExecutionRequest): Promise<unknown> {
    this.#worker.ref()
    this.#shared.fill(0)
    const attempt = new ThreadAttempt(++this.#runs, request, this.#worker, this.#shared)
    this.#attempt = attempt
    try {
      return await attempt.outcome()
    } finally {
      this.#attempt = undefined
      this.#worker.unref()
      if (attempt.isRunning) this.#lose()
    }
  }

  /** Ends the thread, and with it an attempt that is running. */
  async close(): Promise<void> {
    this.#isUsable = false
    this.#attempt?.close()
    await this.#worker.terminate()
  }

  #take(message: FromThread): void {
    if (message.run === this.#attempt?.number) this.#attempt.take(message)
  }

  /** Its attempt was settled without it, which goes on: in native code that no kill reaches, or for an owner that failed. */
  #lose(): void {
    this.#isUsable = false
    void this.#worker.terminate()
  }

  /** The thread of an attempt that let an error go uncaught ends by itself; one that cannot be understood is ended. */
  #crashed(error: unknown): void {
    this.#crash ??= { error }
    void this.#worker.terminate()
  }
}

/** One attempt on a thread, from the owner's side. */
class ThreadAttempt {
  readonly number: number
  readonly #request: ExecutionRequest
  readonly #worker: Worker
  readonly #shared: Int32Array
  readonly #settled = Promise.withResolvers<unknown>()
  #isRunning = false
  #isKilled = false
  #timer: { cancel(): void } | undefined
  #reportCount = 0
  #drained: Promise<void> = Promise.resolve()

  constructor(number: number, request: ExecutionRequest, worker: Worker, shared: Int32Array) {
    this.number = number
    this.#request = request
    this.#worker = worker
    this.#shared = shared
  }

  /** Whether the thread is at it. */
  get isRunning(): boolean {
    return this.#isRunning
  }

  async outcome(): Promise<unknown> {
    const { signal } = this.#request
    this.#start()
    signal.addEventListener('abort', this.#onAbort, { once: true })
    try {
      return await this.#settled.promise
    } finally {
      signal.removeEventListener('abort', this.#onAbort)
      this.#timer?.cancel()
    }
  }

  take(message: FromThread): void {
    try {
      this.#takeOrThrow(message)
    } catch (error) {
      // The listener failed, not the task; the thread, which knows nothing of it, is ended with the attempt.
      this.#settled.reject(error)
    }
  }

  #takeOrThrow(message: FromThread): void {
    switch (message.type) {
      case 'progress':
      case 'log':
      case 'metric':
        this.#report(message)
        return
      case 'artifact':
        this.#keepArtifact(message)
        return
      case 'returned':
        this.#isRunning = false
        this.#settled.resolve(message.result)
        return
      case 'threw':
        this.#isRunning = false
        this.#settled.reject(message.isAbortReason ? this.#request.signal.reason : toError(message.error))
        return
      default:
        message satisfies never
    }
  }

  threadEnded(exitCode: number, crash: { readonly error: unknown } | undefined): void {
    this.#isRunning = false
    if (this.#isKilled) this.#rejectKilled()
    else if (crash && isOutOfMemory(crash.error))
      this.#settled.reject(OutOfMemoryError.ofThread(this.#request.task, { cause: crash.error }))
    else this.#settled.reject(new ThreadExitedError(this.#request.task, exitCode, crash && { cause: crash.error }))
  }

  close(): void {
    this.#settled.reject(new ExecutorClosedError(this.#request.task))
  }

  #start(): void {
    const { jobId, attempt, task, input } = this.#request
    try {
      this.#post({ type: 'run', jobId, attempt, task, input })
      this.#isRunning = true
    } catch (error) {
      throw new NotCloneableError(`The input of ${task}`, { cause: error })
    }
  }

  readonly #onAbort = (): void => {
    const { signal, graceMs, timers } = this.#request
    this.#post({ type: 'abort', reason: toPlain(signal.reason) })
    // After the message, so that the thread which sees the flag finds the message.
    Atomics.store(this.#shared, SHARED.abortSent, 1)
    this.#timer = timers.setTimeout(() => this.#kill(), graceMs)
  }

  /** A thread inside native code ends only when that returns; the attempt does not wait for it. */
  #kill(): void {
    this.#isKilled = true
    this.#timer = this.#request.timers.setTimeout(() => this.#rejectKilled(), KILL_WAIT_MS)
    void this.#worker.terminate()
  }

  #rejectKilled(): void {
    const { task, graceMs, signal } = this.#request
    this.#settled.reject(new ExecutorKilledError(task, graceMs, { cause: signal.reason }))
  }

  #report(report: Report): void {
    this.#tell(report)
    if (++this.#reportCount % REPORTS_BETWEEN_DRAINS !== 0) return
    const drained = () => this.#request.events.drained?.()
    this.#drained = this.#drained.then(drained).then(() => this.#makeRoom(), this.#settled.reject)
  }

  #tell(report: Report): void {
    const { events } = this.#request
    if (report.type === 'progress') events.progress(report.fraction, report.message)
    else if (report.type === 'log') events.log(report.level, report.message)
    else events.metric(report.name, report.step, report.value)
  }

  #makeRoom(): void {
    if (!this.#isRunning) return
    Atomics.add(this.#shared, SHARED.reportsTaken, REPORTS_BETWEEN_DRAINS)
    Atomics.notify(this.#shared, SHARED.reportsTaken)
  }

  #keepArtifact({ number, name, content, mediaType }: FromThread & { type: 'artifact' }): void {
    this.#request.events.artifact({ name, content, ...(mediaType !== undefined && { mediaType }) }).then(
      () => this.#post({ type: 'artifact-kept', number }),
      (error) => this.#post({ type: 'artifact-kept', number, error: toPlain(error) }),
    )
  }

  #post(message: WithoutRun<ToThread>): void {
    this.#worker.postMessage({ ...message, run: this.number })
  }
}

function isOutOfMemory(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ERR_WORKER_OUT_OF_MEMORY'
}

type WithoutRun<Message> = Message extends { run: number } ? Omit<Message, 'run'> : never
