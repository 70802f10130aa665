import type { CacheMode } from '../cache/cache-key.ts'
import type { JobId } from '../job/job.ts'
import type { Json } from '../json.ts'
import type { Resources } from '../routing/resources.ts'
import type { LogLevel } from '../store/store.ts'
import type { LimitOption } from '../task/task.ts'
import type { Callable } from '../task/workflow.ts'
import type { Compensate } from './cleanup.ts'
import type { PollOptions } from './poll.ts'
import type { Session, SessionOptions } from './session.ts'
import type { WaitForOptions } from './signal-steps.ts'

export type CallOptions = {
  readonly queue?: string
  readonly priority?: number
  /** Not due before so many milliseconds from now. */
  readonly delayMs?: number
  readonly deadlineMs?: number
  readonly tags?: readonly string[]
  /** Instead of the task's. */
  readonly labels?: readonly string[]
  /** Instead of the task's. */
  readonly needs?: Resources
  /** Instead of the task's. What a workflow waits for works under a permit of the same key that it holds itself. */
  readonly limit?: LimitOption
  /** Of a task with a cache. Default `use`. */
  readonly cache?: CacheMode
}

export type MapOptions = CallOptions & {
  /** At most so many children due at once; all when left out. */
  readonly concurrency?: number
  /**
   * `fail` (default): the first failed child ends the group, its siblings are cancelled, and its error is thrown.
   * `collect`: all run to their end, and each outcome is given.
   */
  readonly onFailure?: 'fail' | 'collect'
}

/** One child's end, under `onFailure: 'collect'`. */
export type Outcome<Output> =
  | { readonly ok: true; readonly value: Output }
  | { readonly ok: false; readonly error: Error }

export type StepOptions<Output> = {
  /**
   * Undoes the step when the workflow fails or is cancelled; of several, the last begun first. It is given what the step
   * returned, or undefined when the step was begun and nobody knows how far it came; not called for a step that threw. Runs
   * again after a crash, like any step, so it must bear that.
   */
  readonly compensate?: Compensate<Output>
}

/** What a workflow may do. Each call is a step: recorded once, and given again from the record after a crash. */
export interface Flow {
  readonly id: JobId
  readonly owner: string | undefined
  readonly signal: AbortSignal

  /** Runs a child job and waits for its result, holding no slot meanwhile. Throws `TaskFailedError` when it fails. */
  call<Input, Output>(task: Callable<Input, Output>, input: Input, options?: CallOptions): Promise<Output>
  /** Starts a child job and goes on; resolves to its id once it is stored. It outlives the workflow. */
  start<Input, Output>(task: Callable<Input, Output>, input: Input, options?: CallOptions): Promise<JobId>
  /** One child job per input, joined by a barrier that is released exactly once. Results are in input order. */
  map<Input, Output>(
    task: Callable<Input, Output>,
    inputs: readonly Input[],
    options: MapOptions & { readonly onFailure: 'collect' },
  ): Promise<Outcome<Output>[]>
  map<Input, Output>(task: Callable<Input, Output>, inputs: readonly Input[], options?: MapOptions): Promise<Output[]>
  /** Waits for all; the first failure is thrown at once, and what the other branches called ends with the workflow. */
  all<const T extends readonly unknown[]>(branches: T): Promise<{ -readonly [K in keyof T]: Awaited<T[K]> }>
  /**
   * Runs `fn` here and records what it returns; after a crash it is not run again once recorded.
   * @example await flow.step('reserve', () => reserve(area), { compensate: (id) => id !== undefined && release(id) })
   */
  step<Output>(
    name: string,
    fn: (signal: AbortSignal) => Output | Promise<Output>,
    options?: StepOptions<Output>,
  ): Promise<Output>
  /** Waits without a slot; survives restarts. */
  sleep(ms: number): Promise<void>
  /**
   * Waits for a signal from outside, without a slot and across restarts. The nth wait for a name gets the nth signal of
   * that name, however early it came. Throws `SignalTimeoutError` when it did not come in time.
   * @example const { approved } = await flow.waitFor('review', { timeoutMs: 3 * DAY, schema: Review })
   */
  waitFor<Value = unknown>(name: string, options?: WaitForOptions<Value>): Promise<Value>
  /**
   * Has work done elsewhere, by a service that gives a handle and is asked for the end: starts it once, looks every so often
   * without a slot in between, and ends it there when nobody waits for it any more. Throws `PollTimeoutError`, or `StepFailedError` with
   * what `start` or `check` threw. A start that throws an error with `retryable: true` is tried again.
   * @example await flow.poll('histogram', { start: submit, check: look, cancel: remove, everyMs: 2_000, timeoutMs: HOUR })
   */
  poll<Handle extends Json, Output>(name: string, options: PollOptions<Handle, Output>): Promise<Output>
  /**
   * Runs what `body` asks `session` for on one worker: the one of this queue that takes the first of it. Whatever lives of it
   * when `body` is over is cancelled. When its worker is lost, `SessionLostError` is thrown, or `body` runs again
   * from its beginning on another one, as `onLost` says.
   * @example
   * await flow.session('gpu', async (s) => {
   *   await s.call(download, dataset)
   *   return s.call(train, dataset)
   * }, { onLost: 'restart' })
   */
  session<Output>(queue: string, body: (session: Session) => Promise<Output>, options?: SessionOptions): Promise<Output>
  /** Milliseconds since 1970, recorded. */
  now(): Promise<number>
  /** In [0, 1), from the job's own seed: the same again on replay, so it needs no record. */
  random(): number
  /** A version 4 UUID from the job's own seed. */
  uuid(): string
  progress(fraction: number, message?: string): void
  log(level: LogLevel, message: string): void
}
