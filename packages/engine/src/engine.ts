// The facade; its implementation follows in this change.
import type { Clock } from './clock/clock.ts'
import type { EndState, Job, JobId, RecordedError } from './job/job.ts'
import type { Json } from './json.ts'
import type { Store } from './store/store.ts'
import type { AnyTask, Callable } from './task/workflow.ts'

/** Where payloads over 256 KiB go, and what tasks keep. `@headrace/artifacts` is one. */
export interface ArtifactSink {
  put(content: Uint8Array | string): Promise<{ readonly id: string; readonly sizeBytes: number }>
  readBytes(id: string): Promise<Uint8Array>
}

export type SubmitOptions = {
  /** Chosen by the caller to make a repeated request harmless; unique per `owner`. */
  readonly idempotencyKey?: string
  readonly queue?: string
  readonly priority?: number
  /** Not due before so many milliseconds from now. */
  readonly delayMs?: number
  readonly deadlineMs?: number
  readonly owner?: string
  readonly tags?: readonly string[]
}

export type Submitted = { readonly id: JobId; readonly existing: boolean }

export type WorkerOptions = {
  /** Slots by queue. Default: every queue that a known task names, with `concurrency` slots each. */
  readonly queues?: Readonly<Record<string, number>>
  /** Default 10. */
  readonly concurrency?: number
  readonly name?: string
  /** Default 15,000. */
  readonly leaseMs?: number
}

export interface Worker {
  readonly id: string
  /** Takes no more jobs, gives what runs `graceMs` to end, hands the rest back unharmed. */
  stop(options?: { readonly graceMs?: number }): Promise<void>
}

export interface Engine {
  readonly store: Store
  readonly clock: Clock
  readonly artifacts: ArtifactSink | undefined
  /** By name, in the order given. */
  readonly tasks: ReadonlyMap<string, AnyTask>

  /** Validates, stores, and answers with the id. Throws `InputInvalidError`, `UnknownTaskError`, `IdempotencyConflictError`, `PayloadTooLargeError`. */
  submit<Input, Output>(
    task: Callable<Input, Output> | string,
    input: Input,
    options?: SubmitOptions,
  ): Promise<Submitted>
  /** Many of one task in one transaction. */
  submitMany<Input, Output>(
    task: Callable<Input, Output> | string,
    inputs: readonly Input[],
    options?: Omit<SubmitOptions, 'idempotencyKey'>,
  ): Promise<readonly Submitted[]>
  /** Waits for the end. Throws `WaitTimeoutError` (the job goes on), or the signal's reason. */
  wait(id: JobId, options?: { readonly timeoutMs?: number; readonly signal?: AbortSignal }): Promise<EndState>
  /** The result of a job: waits for it; throws `TaskFailedError`, `JobCancelledError`, `WaitTimeoutError`. */
  result(id: JobId, options?: { readonly timeoutMs?: number; readonly signal?: AbortSignal }): Promise<Json>
  job(id: JobId): Promise<Job | undefined>
  input(id: JobId): Promise<Json | undefined>
  /** Undefined while it has not ended. */
  outcome(id: JobId): Promise<{ state: EndState; result?: Json; error?: RecordedError } | undefined>
  cancel(id: JobId, reason?: string): ReturnType<Store['cancel']>
  /** A new job like an ended one; throws `JobNotEndedError`, `UnknownJobError`. */
  retry(id: JobId): Promise<Submitted>

  /** Begins to take jobs in this process. */
  startWorker(options?: WorkerOptions): Promise<Worker>
}

export declare function createEngine(options: {
  readonly store: Store
  readonly tasks: readonly AnyTask[]
  readonly artifacts?: ArtifactSink
  /** For ids and back-off; `crypto` unless a simulation gives its own. */
  readonly random?: () => number
}): Engine
