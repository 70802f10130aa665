import type { CacheMode } from './cache/cache-key.ts'
import type { Clock } from './clock/clock.ts'
import { isArtifactPlace } from './collection/artifact-place.ts'
import {
  DeploymentBusyError,
  DeploymentClosedError,
  DuplicateTaskError,
  IdempotencyConflictError,
  JobCancelledError,
  JobEndedError,
  LimitFullError,
  NotAWorkflowError,
  TaskFailedError,
  UnknownDeploymentError,
  UnknownJobError,
  UnknownTaskError,
  UnknownWorkerError,
} from './errors.ts'
import type { CallOptions } from './flow/flow.ts'
import type { ChildInput } from './flow/workflow-services.ts'
import { EndWaits } from './job/end-waits.ts'
import { createIds, type Ids } from './job/ids.ts'
import type { EndState, Job, JobId, RecordedError, WorkerId } from './job/job.ts'
import { newJob } from './job/new-job.ts'
import type { Json } from './json.ts'
import { type ArtifactSink, Payloads } from './payload/payloads.ts'
import { RetentionBook } from './retention/retention-book.ts'
import { type RedriveFilter, type Redriven, type RedriveOptions, Retries } from './retry/retries.ts'
import type { RetryOptions } from './retry/retry-job.ts'
import type { Resources } from './routing/resources.ts'
import { type WaitReason, whyWaiting } from './routing/why-waiting.ts'
import type { DeclaredSchedule, ReadCron } from './schedule/schedule.ts'
import { Schedules } from './schedule/schedules.ts'
import type {
  Claimed,
  DeploymentChange,
  Enqueued,
  NewJob,
  Payload,
  QueueChange,
  QueueCounts,
  Store,
} from './store/store.ts'
import {
  checkDeployment,
  checkDuration,
  checkOptions,
  checkQueueChange,
  checkTask,
  checkText,
} from './task/check-options.ts'
import type { LimitOption } from './task/task.ts'
import { parseInput } from './task/validate.ts'
import type { AnyTask, Callable } from './task/workflow.ts'
import { askToDrain, DRAIN_GRACE_MS } from './worker/drain.ts'
import { SupervisedWorker, type Worker, type WorkerOptions } from './worker/supervised-worker.ts'

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
  /**
   * A transaction that the caller has open on the store's own database: the job exists exactly if it commits. What it
   * may be, the store says: a `DatabaseSync`, a `pg` client, a Kysely transaction.
   */
  readonly in?: unknown
  /** Instead of the task's. */
  readonly labels?: readonly string[]
  /** Instead of the task's. */
  readonly needs?: Resources
  /** Instead of the task's. */
  readonly limit?: LimitOption
  /** The stack whose workers it runs on. Default: the engine's. */
  readonly deployment?: string
  /** Of a task with a cache. Default `use`. */
  readonly cache?: CacheMode
}

/** `existing`: the idempotency key was used before for this very request; `id` is the job that it became. */
export type Submitted = {
  readonly id: JobId
  readonly existing: boolean
  /** Of several jobs, this one was not stored, for its limit is full; `id` is the job in its way. */
  readonly rejected?: 'limit_full'
}

export type WaitOptions = { readonly timeoutMs?: number; readonly signal?: AbortSignal }

export type EngineOptions = {
  readonly store: Store
  readonly tasks: readonly AnyTask[]
  /** Stored when a worker starts; needs `cron`. */
  readonly schedules?: readonly DeclaredSchedule[]
  /** Reads cron expressions: `readCron` of `@headrace/cron`. Without it, this program fires no schedules. */
  readonly cron?: ReadCron
  /** The stack that this program belongs to: its jobs go to it, and its workers take jobs of no other. */
  readonly deployment?: string
  /** Takes payloads over 256 KiB, and the files that tasks keep. Of an {@link ArtifactPlace}, what nothing names is removed. */
  readonly artifacts?: ArtifactSink
  /** In [0, 1), for ids and back-off; `Math.random` unless a simulation gives its own. */
  readonly random?: () => number
  /** Told what goes wrong outside of any job. Default: `console.error`. */
  readonly report?: (message: string, error: unknown) => void
}

/**
 * Tasks, workflows and a store, put together.
 * @throws {DuplicateTaskError} when two tasks have one name
 * @throws {OptionInvalidError} when a task asks for something that cannot be
 * @example
 * const engine = createEngine({ store: await openSqliteStore('jobs.db'), tasks: [double] })
 * await engine.startWorker()
 * const { id } = await engine.submit(double, 21)
 * await engine.result(id) // 42
 */
export function createEngine(options: EngineOptions): Engine {
  return new Engine(options)
}

export class Engine {
  readonly store: Store
  readonly clock: Clock
  readonly artifacts: ArtifactSink | undefined
  readonly deployment: string | undefined
  /** By name, in the order given. */
  readonly tasks: ReadonlyMap<string, AnyTask>
  /** Tasks that are started by the clock. */
  readonly schedules: Schedules
  /** How long ended jobs are kept, and artifacts that nothing names. */
  readonly retention: RetentionBook
  readonly #ids: Ids
  readonly #payloads: Payloads
  readonly #random: () => number
  readonly #ends: EndWaits
  readonly #retries: Retries
  readonly #report: (message: string, error: unknown) => void

  constructor(options: EngineOptions) {
    this.store = options.store
    this.clock = options.store.clock
    this.artifacts = options.artifacts
    if (options.deployment !== undefined) checkDeployment('deployment', options.deployment)
    this.deployment = options.deployment
    this.tasks = byName(options.tasks)
    this.#random = options.random ?? Math.random
    this.#ids = createIds(this.clock, this.#random)
    this.#payloads = new Payloads(options.artifacts)
    this.#report = options.report ?? ((message, error) => console.error(message, error ?? ''))
    this.#ends = new EndWaits(this.store, this.#report)
    const { artifacts } = options
    this.retention = new RetentionBook(this.store, isArtifactPlace(artifacts) ? artifacts : undefined, this.#random)
    this.#retries = new Retries({
      store: this.store,
      ids: this.#ids,
      payloads: this.#payloads,
      tasks: this.tasks,
      refuse: (enqueued, job) => void submitted(enqueued, job),
    })
    this.schedules = new Schedules({
      store: this.store,
      clock: this.clock,
      tasks: this.tasks,
      cron: options.cron,
      declared: options.schedules ?? [],
      newJob: (task, input, jobOptions) => this.#newRoot(task, input, jobOptions),
      submit: async (jobs) => {
        const enqueued = await this.store.enqueue(jobs)
        return enqueued.map((one, index) => submitted(one, jobs[index]))
      },
      report: this.#report,
    })
  }

  /**
   * Validates, stores, and answers with the id.
   * @throws {InputInvalidError} {OptionInvalidError} {UnknownTaskError} {IdempotencyConflictError} {PayloadTooLargeError}
   *   {LimitFullError} {DeploymentClosedError} {TransactionRefusedError}; nothing was stored
   */
  async submit<Input, Output>(
    task: Callable<Input, Output> | string,
    input: Input,
    options: SubmitOptions = {},
  ): Promise<Submitted> {
    const known = this.#find(task)
    checkOptions(options)
    const job = await this.#newRoot(known, input, options)
    const [enqueued] = await this.#enqueue([job], options)
    return submitted(enqueued, job)
  }

  /**
   * Many of one task, in one transaction, or in the caller's: all or none, but for those that a limit with `reject` has
   * no room for.
   */
  async submitMany<Input, Output>(
    task: Callable<Input, Output> | string,
    inputs: readonly Input[],
    options: Omit<SubmitOptions, 'idempotencyKey'> = {},
  ): Promise<readonly Submitted[]> {
    const known = this.#find(task)
    checkOptions(options)
    const jobs: NewJob[] = []
    for (const input of inputs) {
      const job = this.#newRoot(known, input, options)
      jobs.push(job instanceof Promise ? await job : job)
    }
    const enqueued = await this.#enqueue(jobs, options)
    return enqueued.map((one, index) =>
      one.outcome === 'rejected' && one.why === 'limit_full'
        ? { id: one.id, existing: false, rejected: one.why }
        : submitted(one, jobs[index]),
    )
  }

  /** Waits for the end. @throws {WaitTimeoutError} the job goes on. @throws {UnknownJobError}, or the signal's reason */
  wait(id: JobId, options: WaitOptions = {}): Promise<EndState> {
    return this.#ends.wait(id, options)
  }

  /** Waits for a job and gives its result. @throws {TaskFailedError} {JobCancelledError} {WaitTimeoutError} {UnknownJobError} */
  async result(id: JobId, options: WaitOptions = {}): Promise<Json> {
    const outcome = await this.#ends.outcome(id, options)
    if (outcome.state === 'succeeded') {
      return outcome.result === undefined ? null : this.#payloads.decode(outcome.result)
    }
    const error = outcome.error ?? { code: 'task_threw', message: 'No error was recorded.' }
    if (outcome.state === 'cancelled') throw new JobCancelledError(id, error.message)
    throw new TaskFailedError(id, (await this.job(id))?.task ?? 'The task', error)
  }

  job(id: JobId): Promise<Job | undefined> {
    return this.store.job(id)
  }

  async input(id: JobId): Promise<Json | undefined> {
    const payload = await this.store.input(id)
    return payload === undefined ? undefined : this.#payloads.decode(payload)
  }

  /** Undefined while it has not ended. */
  async outcome(id: JobId): Promise<{ state: EndState; result?: Json; error?: RecordedError } | undefined> {
    const outcome = await this.store.outcome(id)
    if (outcome === undefined) return undefined
    const { result, ...rest } = outcome
    return result === undefined ? rest : { ...rest, result: await this.#payloads.decode(result) }
  }

  /** Reads what the store keeps of a step's value. */
  decode(payload: Payload): Json | Promise<Json> {
    return this.#payloads.decode(payload)
  }

  /** Cancels a job and its tree; one that has ended stays as it is. */
  cancel(id: JobId, reason = 'It was cancelled on request.'): ReturnType<Store['cancel']> {
    return this.store.cancel(id, reason)
  }

  /**
   * Sends a workflow a signal, which its `flow.waitFor(name)` receives. On the disk when this answers; one that comes
   * before the workflow waits for it is kept.
   * @param options `key` makes a repeated signal harmless: the second one of a name and key changes nothing
   * @returns whether the workflow waited for it, or gets it when it does
   * @throws {JobEndedError} {UnknownJobError} {NotAWorkflowError} {OptionInvalidError} {NotJsonError} {PayloadTooLargeError}; nothing was stored
   * @example await engine.signal(id, 'review', { approved: true }, { key: 'review-7' })
   */
  async signal(
    id: JobId,
    name: string,
    value: unknown = null,
    { key }: { readonly key?: string } = {},
  ): Promise<'delivered' | 'kept'> {
    checkText('The name of a signal', name)
    if (key !== undefined) checkText('key', key)
    const payload = await this.#payloads.encode(value, `The value of signal ${name}`)
    const outcome = await this.store.signal(id, name, payload, key)
    if (outcome === 'unknown_job') throw new UnknownJobError(id)
    if (outcome === 'not_a_workflow') throw new NotAWorkflowError(id)
    if (outcome === 'already_ended') throw new JobEndedError(id, 'signals')
    return outcome
  }

  /** Forgets stored results: of one task, of one key, or all. What is being made is not kept. @returns how many */
  purgeCache(filter: { readonly task?: string; readonly key?: string } = {}): Promise<number> {
    return this.store.purgeCache(filter)
  }

  /**
   * A new job like an ended one, with a link to it. A workflow goes on from the step that failed: what was recorded before
   * it is handed over and not run again.
   * @throws {UnknownJobError} {JobNotEndedError} {UnknownTaskError} {OptionInvalidError} {InputInvalidError}
   *   {IdempotencyConflictError} {PayloadTooLargeError} {LimitFullError} {DeploymentClosedError}; nothing was stored
   * @example await engine.retry(id, { from: 'start', input: { ...input, zoom: 4 } })
   */
  retry(id: JobId, options: RetryOptions = {}): Promise<Submitted> {
    return this.#retries.retry(id, options)
  }

  /**
   * Retries dead jobs by filter: those that failed, have no parent, and were not retried before. One step of at most
   * `limit` of them, in one transaction; go on with `next` until there is none. Cut off midway, it is safe to repeat: a job
   * that was redriven is not redriven again.
   * @throws {OptionInvalidError}
   * @example
   * let next: string | undefined
   * do ({ next } = await engine.redrive({ tasks: ['render'], errorCode: 'tile_missing' }, next ? { before: next } : {}))
   * while (next !== undefined)
   */
  redrive(filter: RedriveFilter = {}, options: RedriveOptions = {}): Promise<Redriven> {
    return this.#retries.redrive(filter, options)
  }

  /**
   * Pauses, resumes or sets a queue, for all who share the store. What is left out stays as it is.
   * @throws {OptionInvalidError}; nothing was changed
   * @example await engine.configureQueue('geo', { rate: { count: 10, perMs: 1_000 } })
   */
  async configureQueue(name: string, change: QueueChange): Promise<void> {
    checkQueueChange(name, change)
    await this.store.configureQueue(name, change)
  }

  /**
   * Promotes a deployment (the active one drains from then on), drains or retires it.
   * @param options `force`: what still lives of one that is to be retired is cancelled
   * @throws {UnknownDeploymentError} {DeploymentBusyError}; nothing was changed
   * @example await engine.changeDeployment('blue', 'active')
   */
  async changeDeployment(
    name: string,
    to: DeploymentChange,
    options: { readonly force?: boolean } = {},
  ): Promise<void> {
    const outcome = await this.store.changeDeployment(name, to, options)
    if (outcome === 'unknown') throw new UnknownDeploymentError(name)
    if (outcome === 'busy') throw new DeploymentBusyError(name)
  }

  /**
   * Asks a worker, wherever it runs, to stop softly: within a second it takes no more jobs, what runs has `graceMs` to end,
   * and the rest goes back to the line unharmed.
   * @throws {UnknownWorkerError} {OptionInvalidError}
   */
  async drainWorker(id: string, { graceMs = DRAIN_GRACE_MS }: { readonly graceMs?: number } = {}): Promise<void> {
    checkDuration('graceMs', graceMs)
    const workers = await this.store.workers()
    if (!workers.some((worker) => worker.id === id)) throw new UnknownWorkerError(id)
    await askToDrain(this.store, id as WorkerId, graceMs) // sound: it was just found among them
  }

  /**
   * Why a waiting job waits; undefined when it does not wait.
   * @param seen `queues`: counts that were read a moment ago, for it takes a while to count long queues
   * @throws {UnknownJobError}
   */
  async whyWaiting(
    id: JobId,
    seen: { readonly queues?: readonly QueueCounts[] } = {},
  ): Promise<WaitReason | undefined> {
    const job = await this.store.job(id)
    if (job === undefined) throw new UnknownJobError(id)
    if (job.state !== 'waiting') return undefined
    const [queues, limits, workers, steps] = await Promise.all([
      seen.queues ?? this.store.queues(),
      job.wait === 'blocked' ? this.store.limits() : [],
      this.store.workers(),
      job.wait === 'parked' ? this.store.steps(id) : [],
    ])
    const queue = queues.find((one) => one.queue === job.queue)
    const limit = limits.find(({ key }) => key === job.limit?.key)
    const now = this.clock.now()
    return whyWaiting({ job, now, workers, steps, ...(queue && { queue }), ...(limit && { limit }) })
  }

  /** Begins to take jobs in this process. */
  async startWorker(options: WorkerOptions = {}): Promise<Worker> {
    const worker = new SupervisedWorker(this.#ids, options, {
      store: this.store,
      clock: this.clock,
      random: this.#random,
      payloads: this.#payloads,
      artifacts: this.artifacts,
      tasks: this.tasks,
      deployment: this.deployment,
      fireSchedules: () => this.schedules.fireDue(),
      prune: (worker) => this.retention.takeTurn(worker),
      ...(isArtifactPlace(this.artifacts) && { collect: (worker) => this.retention.collectTurn(worker) }),
      newJob: (task, input, callOptions, parent) => this.#newChild(task, input, callOptions, parent),
      report: this.#report,
    })
    await this.schedules.declare()
    await worker.start()
    return worker
  }

  #enqueue(jobs: readonly NewJob[], options: SubmitOptions): Promise<readonly Enqueued[]> {
    return options.in === undefined ? this.store.enqueue(jobs) : this.store.enqueueIn(options.in, jobs)
  }

  #find(task: AnyTask | string): AnyTask {
    if (typeof task !== 'string') return task
    const known = this.tasks.get(task)
    if (known === undefined) throw new UnknownTaskError(task, [...this.tasks.keys()])
    return known
  }

  #newRoot(task: AnyTask, input: unknown, options: SubmitOptions): NewJob | Promise<NewJob> {
    const parsed = parseInput(task, input)
    if (parsed instanceof Promise) return parsed.then((read) => this.#newRootOf(task, input, read, options))
    return this.#newRootOf(task, input, parsed, options)
  }

  #newRootOf(task: AnyTask, input: unknown, parsed: unknown, options: SubmitOptions): NewJob | Promise<NewJob> {
    const encoded = this.#payloads.encode(input, `The input of ${task.name}`)
    const build = (payload: Payload) => {
      const { owner, deployment = this.deployment } = options
      const [id, now] = [this.#ids.job(), this.clock.now()]
      return newJob({ id, now, task, given: input, input: parsed, payload, options, owner, deployment })
    }
    return typeof encoded === 'string' ? build(encoded) : encoded.then(build)
  }

  #newChild(
    task: AnyTask,
    { given, parsed, payload }: ChildInput,
    options: CallOptions,
    parent: Claimed,
  ): NewJob | Promise<NewJob> {
    const { owner, deployment, deadlineAt: deadlineAtMax } = parent
    const [id, now] = [this.#ids.job(), this.clock.now()]
    return newJob({ id, now, task, given, input: parsed, payload, options, owner, deployment, deadlineAtMax })
  }
}

function byName(tasks: readonly AnyTask[]): ReadonlyMap<string, AnyTask> {
  const known = new Map<string, AnyTask>()
  for (const task of tasks) {
    checkTask(task)
    if (known.has(task.name)) throw new DuplicateTaskError(task.name)
    known.set(task.name, task)
  }
  return known
}

function submitted(enqueued: Enqueued | undefined, job: NewJob | undefined): Submitted {
  if (enqueued === undefined || job === undefined)
    throw new Error('the store answered with fewer jobs than it was given')
  const { outcome, id } = enqueued
  if (outcome === 'rejected' && enqueued.why !== 'limit_full')
    throw new DeploymentClosedError(job.deployment ?? '', enqueued.why.replace('deployment_', ''))
  if (outcome === 'conflict') throw new IdempotencyConflictError(job.idempotency?.key ?? '', id)
  if (outcome === 'rejected') throw new LimitFullError(job.limit?.key ?? '', job.limit?.max ?? 0, id)
  return { id, existing: outcome === 'existing' }
}
