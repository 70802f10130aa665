import { OptionInvalidError, SessionLostError } from '../errors.ts'
import type { JobId, RecordedError } from '../job/job.ts'
import { recordError } from '../job/recorded-error.ts'
import { LAPSES_MAX } from '../job/transition.ts'
import type { Payload } from '../store/store.ts'
import { checkSession } from '../task/check-options.ts'
import type { AnyTask, Callable } from '../task/workflow.ts'
import type { ChildSteps } from './child-steps.ts'
import type { CallOptions, MapOptions, Outcome } from './flow.ts'
import type { RunSteps } from './run-steps.ts'

export type SessionOptions = {
  /**
   * When its worker is lost. `fail` (default): what waits for one of its steps, or asks for a further one, is thrown
   * `SessionLostError`. `restart`: and once `body` has come to its end by that, it runs again from its beginning, on another
   * worker; what it has recorded stays with the session that was lost.
   */
  readonly onLost?: 'fail' | 'restart'
  /** So often under `restart`; then `SessionLostError` is thrown. Default 4: as with a job, five lost workers are enough. */
  readonly maxRestarts?: number
  /** Its worker has all of these, besides those of each step. */
  readonly labels?: readonly string[]
}

/** The queue is the session's. */
export type SessionCallOptions = Omit<CallOptions, 'queue'>
export type SessionMapOptions = Omit<MapOptions, 'queue'>

/** Steps that share a worker. What a workflow that is called here calls itself goes wherever it would. */
export interface Session {
  /** As `flow.call`. */
  call<Input, Output>(task: Callable<Input, Output>, input: Input, options?: SessionCallOptions): Promise<Output>
  /** As `flow.start`, but what has not ended by the session's end is cancelled. */
  start<Input, Output>(task: Callable<Input, Output>, input: Input, options?: SessionCallOptions): Promise<JobId>
  /** As `flow.map`. That the worker was lost is thrown under `collect`, too. */
  map<Input, Output>(
    task: Callable<Input, Output>,
    inputs: readonly Input[],
    options: SessionMapOptions & { readonly onFailure: 'collect' },
  ): Promise<Outcome<Output>[]>
  map<Input, Output>(
    task: Callable<Input, Output>,
    inputs: readonly Input[],
    options?: SessionMapOptions,
  ): Promise<Output[]>
  /** As `flow.all`. */
  all<const T extends readonly unknown[]>(branches: T): Promise<{ -readonly [K in keyof T]: Awaited<T[K]> }>
}

/** What a session does its work by. */
type Parts = {
  readonly steps: RunSteps
  readonly children: ChildSteps
  /** The workflow's name. */
  readonly task: string
}

/**
 * Runs a body until it comes to an end with its worker there, or to one that stands without. Each run of it is a session of its
 * own in the record: a replay goes through those that were lost as the first run did.
 */
export async function runSession<Output>(
  parts: Parts,
  queue: string,
  body: (session: Session) => Promise<Output>,
  options: SessionOptions,
): Promise<Output> {
  checkSession(queue, options)
  const { onLost = 'fail', maxRestarts = LAPSES_MAX - 1 } = options
  for (let restarts = 0; ; restarts++) {
    const session = await SessionRun.begin(parts, queue, options.labels ?? [])
    try {
      const output = await body(session)
      session.end({ value: 'null' })
      return output
    } catch (error) {
      session.end({ error: recordError(error, { jobId: parts.steps.lease.jobId, name: parts.task }) })
      if (!session.isLost || onLost === 'fail' || restarts >= maxRestarts) throw error
    }
  }
}

class SessionRun implements Session {
  readonly #parts: Parts
  readonly #queue: string
  readonly #labels: readonly string[]
  readonly #step: number
  #isLost = false
  #isOver = false

  private constructor(parts: Parts, queue: string, labels: readonly string[], step: number) {
    this.#parts = parts
    this.#queue = queue
    this.#labels = labels
    this.#step = step
  }

  static async begin(parts: Parts, queue: string, labels: readonly string[]): Promise<SessionRun> {
    const { steps } = parts
    const step = await steps.begin<number>('session', queue, (number, recorded) => {
      // Whatever the code asks of it is stored later, and therefore only together with it.
      if (recorded === undefined) void steps.record(number, { kind: 'session', name: queue })
      return steps.deliver(number, number)
    })
    return new SessionRun(parts, queue, labels, step)
  }

  /** The code was told that the worker is gone. */
  get isLost(): boolean {
    return this.#isLost
  }

  /** Nothing is asked of it any more, and nobody waits for the store to hear of that. */
  end(how: { readonly value: Payload } | { readonly error: RecordedError }): void {
    this.#isOver = true
    this.#parts.steps.endSession(this.#step, { name: this.#queue, ...how })
  }

  call<Input, Output>(task: Callable<Input, Output>, input: Input, options: SessionCallOptions = {}): Promise<Output> {
    return this.#ask(() => this.#parts.children.call(task, input, this.#placed(task, options), this.#step))
  }

  start<Input, Output>(task: Callable<Input, Output>, input: Input, options: SessionCallOptions = {}): Promise<JobId> {
    return this.#ask(() => this.#parts.children.start(task, input, this.#placed(task, options), this.#step))
  }

  map<Input, Output>(
    task: Callable<Input, Output>,
    inputs: readonly Input[],
    options: SessionMapOptions & { readonly onFailure: 'collect' },
  ): Promise<Outcome<Output>[]>
  map<Input, Output>(
    task: Callable<Input, Output>,
    inputs: readonly Input[],
    options?: SessionMapOptions,
  ): Promise<Output[]>
  map<Input, Output>(
    task: Callable<Input, Output>,
    inputs: readonly Input[],
    options: SessionMapOptions = {},
  ): Promise<unknown> {
    return this.#ask(() => this.#parts.children.map(task, inputs, this.#placed(task, options), this.#step))
  }

  all<const T extends readonly unknown[]>(branches: T): Promise<{ -readonly [K in keyof T]: Awaited<T[K]> }> {
    return Promise.all(branches) as Promise<{ -readonly [K in keyof T]: Awaited<T[K]> }>
  }

  #placed<Options extends SessionMapOptions>({ labels }: AnyTask, options: Options): Options & { queue: string } {
    const own = [...this.#labels, ...(options.labels ?? labels ?? [])]
    return { ...options, queue: this.#queue, ...(own.length > 0 && { labels: own }) }
  }

  #ask<T>(step: () => Promise<T>): Promise<T> {
    const asked = this.#asked(step)
    // A branch may be left alone while another one fails; its rejection must not end the process.
    asked.catch(() => {})
    return asked
  }

  async #asked<T>(step: () => Promise<T>): Promise<T> {
    if (this.#isOver) throw new OptionInvalidError('The session', 'over', 'one whose body still runs')
    try {
      return await step()
    } catch (error) {
      if (error instanceof SessionLostError) this.#isLost = true
      throw error
    }
  }
}
