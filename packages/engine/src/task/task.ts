import type { StandardSchemaV1 } from '@standard-schema/spec'
import type { CacheOptions } from '../cache/cache-key.ts'
import type { Executor } from '../executor/executor.ts'
import type { JobId, JobLimit } from '../job/job.ts'
import type { Resources } from '../routing/resources.ts'
import type { LogLevel } from '../store/store.ts'

/** What a running attempt can do besides its work. The same for function, thread and process executors. */
export interface JobContext {
  readonly id: JobId
  readonly attempt: number
  readonly task: string
  readonly owner: string | undefined
  /** Fires on cancel, timeout, a lost lease or the end of the worker's grace; `reason` says which. */
  readonly signal: AbortSignal
  /** How far it is, 0 to 1; the latest one counts. */
  progress(fraction: number, message?: string): void
  log(level: LogLevel, message: string): void
  metric(name: string, step: number, value: number): void
  /** Keeps bytes with the job under a name; downloadable as soon as the attempt's next report is stored. */
  artifact(name: string, content: Uint8Array | string, mediaType?: string): Promise<void>
}

/** How often a failed attempt is followed by another, and how soon. */
export type RetryPolicy = {
  /** Attempts in all that may end in a thrown error; 1 means none is repeated. */
  readonly attempts: number
  readonly backoff?: 'exponential' | 'fixed'
  /** Before the second attempt; doubled each time under `exponential`. Default 1,000. */
  readonly delayMs?: number
  /** Default 300,000. */
  readonly delayMsMax?: number
}

/** A limit by key: `max` is 1 and `whenFull` is `wait` unless said otherwise. */
export type LimitOption = Pick<JobLimit, 'key'> & Partial<JobLimit>

/** What both tasks and workflows say about themselves. */
export type TaskOptions<Input, Output> = {
  /** Global and stable: stored with each job. Letters, digits, `.`, `-`, `_`. */
  readonly name: string
  readonly title?: string
  readonly description?: string
  readonly input?: StandardSchemaV1<unknown, Input>
  readonly output?: StandardSchemaV1<unknown, Output>
  /** Default `default`. */
  readonly queue?: string
  /** Higher goes first. Default 0. */
  readonly priority?: number
  /** Its workers have all of these: `gpu`, `region=eu`. */
  readonly labels?: readonly string[]
  /** What an attempt takes of what its worker offers, for as long as it runs; a workflow, while its code or a local step runs. */
  readonly needs?: Resources
  /**
   * How many of its jobs, and of others with the same key, may run at a time: for all jobs, or by the input.
   * @example limit: ({ model }) => ({ key: `training:${model}`, max: 1, whenFull: 'reject' })
   */
  readonly limit?: LimitOption | ((input: Input) => LimitOption | undefined)
  /**
   * Its results may be used again for the same input, by the same `version`. One job at a time makes a result; who asks
   * for the same meanwhile waits for it. Only for what depends on nothing else and is wanted for its result alone.
   */
  readonly cache?: CacheOptions<Input>
  /**
   * A job that loses so many workers in a row while it may run code is taken to kill them, and fails with `poison_job`.
   * Default 5.
   */
  readonly lapsesMax?: number
  /** In total, from submission to end, retries and waits included. */
  readonly deadlineMs?: number
  /** Offered over HTTP as a process. Default false. */
  readonly public?: boolean
  /** Changes with the meaning of the result; shown as the process's version. Default `1.0.0`. */
  readonly version?: string
}

export type Run<Input, Output> = (input: Input, job: JobContext) => Output | Promise<Output>

export type Task<Input = unknown, Output = unknown> = TaskOptions<Input, Output> & {
  readonly kind: 'task'
  readonly retry: RetryPolicy
  /** Of one attempt. */
  readonly timeoutMs?: number
  /** How long an attempt may go on after it was asked to stop. Default 5,000. */
  readonly graceMs: number
  readonly run: Run<Input, Output> | Executor
}

const RETRY_NEVER: RetryPolicy = { attempts: 1 }

/**
 * Names a function that workers can execute.
 * @param options `run` is a function `(input, job) => output`, or an executor: `thread({...})`, `program({...})`
 * @example
 * const double = task({ name: 'double', run: (n: number) => n * 2 })
 */
export function task<Input = unknown, Output = unknown>(
  options: TaskOptions<Input, Output> & {
    readonly retry?: RetryPolicy
    readonly timeoutMs?: number
    readonly graceMs?: number
    readonly run: Run<Input, Output> | Executor
  },
): Task<Input, Output> {
  return { ...options, kind: 'task', retry: options.retry ?? RETRY_NEVER, graceMs: options.graceMs ?? 5_000 }
}
