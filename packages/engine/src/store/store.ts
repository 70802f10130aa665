import type { Clock } from '../clock/clock.ts'
import type { Attempt, EndState, Job, JobId, JobKind, JobLimit, JobState, RecordedError, WorkerId } from '../job/job.ts'
import type { Json } from '../json.ts'
import type { Retention } from '../retention/policy.ts'
import type { DeploymentState } from '../routing/deployment.ts'
import type { Rate } from '../routing/rate.ts'
import type { Amounts, Resources } from '../routing/resources.ts'
import type { ScheduleRecords } from './schedule-records.ts'

/**
 * JSON text, or `@sha256:<hex>:<sizeBytes> <ids>` for a payload that was moved to the artifacts because of its size, with
 * the artifacts that it names. The store keeps it as it is; only the engine looks inside.
 */
export type Payload = string

/** A job to be stored. Its id was made by the caller, so it is known before it is stored. */
export type NewJob = {
  readonly id: JobId
  readonly task: string
  readonly kind: JobKind
  readonly queue: string
  readonly priority: number
  readonly input: Payload
  /** When it may first be claimed; at once when left out. */
  readonly dueAt?: number
  readonly deadlineAt?: number
  readonly owner?: string
  readonly tags?: readonly string[]
  readonly retryOf?: JobId
  /** Of a workflow: these steps of the one that it repeats are its own, and are not run again. */
  readonly keeps?: readonly KeptStep[]
  /** So many workers in a row may be lost while it runs. Left out: `LAPSES_MAX`. */
  readonly lapsesMax?: number
  /** Its workflow has an `onFailure`: it never ends `failed` without another attempt that runs it, see {@link Claimed.ending}. */
  readonly cleanup?: boolean
  /** Empty: none. Left out: the active one, if there is one. A child's is its parent's, whatever it says. */
  readonly deployment?: string
  /** Each must be among its worker's. */
  readonly labels?: readonly string[]
  readonly needs?: Resources
  readonly limit?: JobLimit
  /**
   * Its result may be that of another job with this key. `use`: a stored result ends it at once; while another one is at
   * it, it waits for that one's, and takes over when that fails. `refresh`: it runs, and its result is the one from then on.
   */
  readonly cache?: { readonly key: string; readonly ttlMs: number; readonly mode: 'use' | 'refresh' }
  /** A second job with the same scope and key is not stored; the first one's id is returned. */
  readonly idempotency?: { readonly scope: string; readonly key: string; readonly fingerprint: string }
}

/** A step that is taken over from another workflow, which says what its code received before it. See {@link NewStep}. */
export type KeptStep = Pick<NewStep, 'step' | 'delivered' | 'deliveredFrom'>

/** Why a job was refused that nothing is wrong with. */
export type Rejection = 'limit_full' | 'deployment_draining' | 'deployment_retired'

/**
 * `conflict`: the key was used before for another request (its fingerprint differs); nothing was stored.
 * `rejected`: nothing was stored, for its limit is full (`id` is the oldest live job of the same limit), or for its
 * deployment takes no new jobs (`id` is its own).
 */
export type Enqueued =
  | { readonly outcome: 'created'; readonly id: JobId }
  | { readonly outcome: 'existing'; readonly id: JobId }
  | { readonly outcome: 'conflict'; readonly id: JobId }
  | { readonly outcome: 'rejected'; readonly id: JobId; readonly why: Rejection }

/** Proof of a claim. `attempt` is the fencing token: a settlement by an older attempt changes nothing. */
export type Lease = {
  readonly jobId: JobId
  readonly attempt: number
  readonly worker: WorkerId
  /** The store's own short name for the job; opaque to everyone else. */
  readonly row: number
}

/** How a workflow is to end once it has cleaned up; its cleaning up is recorded from this step on. */
export type Ending = { readonly to: 'failed' | 'cancelled'; readonly error: RecordedError; readonly step: number }

export type Claimed = {
  readonly lease: Lease
  readonly task: string
  readonly kind: JobKind
  readonly queue: string
  readonly priority: number
  readonly input: Payload
  readonly createdAt: number
  readonly owner?: string
  readonly deadlineAt?: number
  readonly deployment?: string
  readonly needs?: Resources
  /** It is to end so, and this attempt only cleans up: it begins nothing but what undoes, or tells of, what was done. */
  readonly ending?: Ending
  /** Attempts that ended in a thrown error, so far. */
  readonly failures: number
  /** Of one that took over steps: the first job that these were recorded for, by which its code draws its lots. */
  readonly seed?: JobId
}

/** How an attempt ended, as its worker tells it. The store refuses it from anyone but the lease's holder. */
export type Settlement = { readonly lease: Lease } & (
  | { readonly outcome: 'succeeded'; readonly result: Payload }
  | { readonly outcome: 'failed'; readonly error: RecordedError }
  | { readonly outcome: 'retried'; readonly error: RecordedError; readonly dueAt: number }
  | { readonly outcome: 'cancelled'; readonly error: RecordedError }
  | { readonly outcome: 'released'; readonly dueAt: number; readonly reason: string }
  /**
   * A workflow that rests, and leaves its worker's memory: it becomes due when the store releases one of these steps, or at
   * an instant; at once when one of them is released by now. It keeps its permit.
   */
  | { readonly outcome: 'parked'; readonly waits: readonly number[]; readonly dueAt?: number }
)

/** What a group does at its first failed child: end at once, or wait for all and give every outcome. */
export type GroupPolicy = 'fail' | 'collect'

export type StepKind =
  | 'call'
  | 'start'
  | 'map'
  | 'step'
  | 'sleep'
  | 'now'
  | 'signal'
  | 'session'
  | 'ending'
  | 'compensate'

/**
 * One step of a workflow, stored once. `call`, `start` and `map` bring their children with them. A `session` is stored when
 * it begins, without a value or an error, and once more when it is over: what lives of it then is cancelled.
 */
export type NewStep = {
  readonly step: number
  readonly kind: StepKind
  readonly name: string
  readonly value?: Payload
  readonly error?: RecordedError
  /** Of a `sleep`: when it is over. Of a `signal`: when the store gives up waiting for it. */
  readonly dueAt?: number
  readonly children?: readonly NewJob[]
  readonly policy?: GroupPolicy
  /**
   * It is undone when the workflow fails or is cancelled. Such a step is stored when it begins, without a value or an error,
   * and once more when it is over: what may have been done can then be undone whatever happens in between.
   */
  readonly compensates?: boolean
  /** Whether the children are cancelled when the workflow ends before them. */
  readonly attached?: boolean
  /** At most so many children of a `map` are due at once. */
  readonly concurrency?: number
  /**
   * The `session` step that its children belong to: the worker that claims the first of them has all the others, too. When
   * it is lost, all that live of them fail with `session_lost`, and so does whatever is added later.
   */
  readonly session?: number
  /**
   * Which steps' outcomes the workflow's code had received, in that order, since the last stored step; `deliveredFrom`
   * is the place of the first one in the whole order. A replay hands the outcomes over in the same order.
   */
  readonly delivered: readonly number[]
  readonly deliveredFrom: number
}

/**
 * The next steps of one workflow, all or none. Without any, it says that the attempt now does something itself: until its
 * next stored step, the loss of its worker counts against it even while other steps of it wait.
 */
export type Advance = { readonly lease: Lease; readonly steps: readonly NewStep[] }

export type LogLevel = 'debug' | 'info' | 'warn' | 'error'

/** What a running attempt tells; kept as events of its job. */
export type Told = { readonly lease: Lease; readonly at: number } & (
  | { readonly kind: 'progress'; readonly fraction: number; readonly message?: string }
  | { readonly kind: 'log'; readonly level: LogLevel; readonly message: string }
  | { readonly kind: 'metric'; readonly name: string; readonly step: number; readonly value: number }
  | {
      readonly kind: 'artifact'
      readonly name: string
      readonly artifact: string
      readonly sizeBytes: number
      readonly mediaType?: string
    }
)

/** Everything one worker has to say at one moment, and what it can take. One transaction. */
export type Commit = {
  readonly worker: WorkerId
  readonly settle: readonly Settlement[]
  readonly advance: readonly Advance[]
  readonly tell: readonly Told[]
  /** Free slots by queue. */
  readonly claim: readonly { readonly queue: string; readonly slots: number }[]
  /** What is not taken of what the worker offers; the claims take no more of it. Left out: nothing is limited. */
  readonly free?: Amounts
  /**
   * Said after a commit of which the worker does not know whether it was heard: the attempts that it knows to
   * hold. Whatever else it holds was claimed by that commit, and goes back to the line.
   */
  readonly holds?: readonly Pick<Lease, 'row' | 'attempt'>[]
}

/**
 * A workflow's step that need not be waited for any more: its children are done (or, under policy `fail`, one failed), or
 * its signal came, which brings a value, or did not come in time, which brings an error.
 */
export type Release = {
  readonly parentId: JobId
  readonly step: number
  readonly value?: Payload
  readonly error?: RecordedError
}

export type CommitResult = {
  /** In the order of `settle`. `cancelled`: it had been asked to stop, so that is how it ended. */
  readonly settled: readonly ('settled' | 'cancelled' | 'lease_lost')[]
  /** In the order of `advance`. `cancelling`: nothing was stored, for the workflow is to be cancelled. */
  readonly advanced: readonly ('recorded' | 'lease_lost' | 'cancelling')[]
  readonly claimed: readonly Claimed[]
  readonly released: readonly Release[]
}

/** How a child ended, as its parent sees it. */
export type ChildOutcome = { readonly jobId: JobId; readonly task: string; readonly item: number } & (
  | { readonly state: 'succeeded'; readonly result: Payload }
  | {
      readonly state: 'failed' | 'cancelled'
      readonly error: RecordedError
      /** Of a `map` under policy `fail`: this one's end released the step. Exactly one child says so, for ever. */
      readonly endedGroup?: true
    }
  | { readonly state: 'pending' }
)

/** A stored step with what came of it. For `call`, `start` and `map`, `children` are in item order. */
export type RecordedStep = {
  readonly step: number
  readonly kind: StepKind
  readonly name: string
  readonly value?: Payload
  readonly error?: RecordedError
  readonly dueAt?: number
  readonly compensates?: boolean
  readonly policy?: GroupPolicy
  readonly session?: number
  readonly delivered: readonly number[]
  readonly deliveredFrom: number
  readonly recordedAt: number
  readonly children: readonly ChildOutcome[]
  /** The job that ran it, which this one repeats; when that was removed, the first in the line of retries. */
  readonly keptFrom?: JobId
}

export type WorkerInfo = {
  readonly id: WorkerId
  readonly name: string
  /** Slots by queue. */
  readonly queues: Readonly<Record<string, number>>
  readonly leaseMs: number
  /** The tasks that it knows; it is given no others. Any, when left out. */
  readonly tasks?: readonly string[]
  /** It is given the jobs of this deployment; those without one, when left out. */
  readonly deployment?: string
  /** It is given jobs whose labels are all among these. */
  readonly labels?: readonly string[]
  /** It is given no job that needs more. Anything, when left out. */
  readonly offers?: Resources
}

export type WorkerRow = WorkerInfo & {
  readonly host: string
  readonly pid: number
  readonly startedAt: number
  readonly leaseUntil: number
  readonly running: number
}

export type EventKind =
  | 'queued'
  | 'started'
  | 'retried'
  | 'lapsed'
  | 'released'
  | 'parked'
  | 'ending'
  | 'cancel-requested'
  | 'ended'
  | 'progress'
  | 'log'
  | 'metric'
  | 'artifact'
  | 'step'
  | 'signal'

/** Something that happened to a job. Cursors grow along the order in which things were stored. */
export type JobEvent = {
  readonly cursor: number
  readonly jobId: JobId
  readonly kind: EventKind
  readonly attempt: number
  readonly at: number
  readonly data: { readonly [key: string]: Json }
}

export type EventQuery = {
  readonly after: number
  readonly limit: number
  /** One job; with `tree`, the job and all its descendants. All jobs when left out. */
  readonly jobId?: JobId
  readonly tree?: boolean
  readonly kinds?: readonly EventKind[]
  /** For logs: only these levels, or messages that contain this text. */
  readonly levels?: readonly LogLevel[]
  readonly contains?: string
  readonly attempt?: number
}

export type JobFilter = {
  readonly states?: readonly JobState[]
  readonly tasks?: readonly string[]
  readonly queues?: readonly string[]
  readonly owner?: string
  readonly tag?: string
  /** Only jobs without a parent. */
  readonly rootsOnly?: boolean
  readonly parentId?: JobId
  /** Only jobs under this limit that have not ended. */
  readonly limitKey?: string
  readonly createdFrom?: number
  readonly createdTo?: number
  /** Of jobs that failed or were cancelled: the code of their error. */
  readonly errorCode?: string
  /** Whether another job repeats it. */
  readonly retried?: boolean
  /** Text that the id begins with, or that the task contains; of the newest jobs, also what tags or input contain. */
  readonly search?: string
}

/** One step through the history, from its oldest job on. */
export type PruneRequest = {
  readonly retention: Retention
  /** At most so many jobs are looked at, and about as many removed. */
  readonly limit: number
  /** The `next` of the step before. */
  readonly after?: string
  /** Only count. */
  readonly dryRun?: boolean
}

/** A page of the names of artifacts that a store holds. */
export type ArtifactNames = {
  /** Ids, in no set order, and some of them more than once. */
  readonly names: readonly string[]
  /** Payloads in artifacts of which an earlier release did not write down what they name. They are among the names. */
  readonly payloads: readonly string[]
  /** Where to go on; the same again while something that was begun before the first page is not stored yet. */
  readonly next?: string
}

export type Pruned = {
  /** So many were removed, children included. */
  readonly jobs: number
  /** Where to go on; left out at the end of what may go. */
  readonly next?: string
}

/** Newest first. */
export type Page = {
  readonly limit: number
  /** The `next` of the page before. */
  readonly before?: string
  /**
   * Of the jobs of each state, task, owner or tag that is asked for, about so many are looked at, so that a page of what is
   * rare does not read a history of millions. It may then be short, or empty, and have a `next` all the same.
   */
  readonly depth?: number
}
export type JobPage = { readonly jobs: readonly Job[]; readonly next?: string }

export type QueueCounts = {
  readonly queue: string
  readonly waiting: number
  readonly scheduled: number
  readonly running: number
  /** Due, and waiting for a permit of their limit. */
  readonly blocked: number
  /** Since when the first of those that could be claimed is due. */
  readonly oldestDueAt?: number
  /** None of its jobs is claimed; what runs goes on. Left out: no. */
  readonly paused?: boolean
  readonly rate?: Rate
  /** Its owners take turns. Left out: no. */
  readonly fair?: boolean
  /** Weights of owners that have another one than 1. */
  readonly shares?: Readonly<Record<string, number>>
}

/** What is to be otherwise with a queue; what is left out stays as it is. */
export type QueueChange = {
  readonly paused?: boolean
  /** Null: no rate any more. */
  readonly rate?: Rate | null
  /** Among equals in priority, owners take turns by their weights, however many jobs each has in line. */
  readonly fair?: boolean
  /** Weights by owner, of a fair queue; 1 for those that are not named, ever. */
  readonly shares?: Readonly<Record<string, number>>
}

/** A stack of workers and their jobs. */
export type DeploymentRow = {
  readonly name: string
  readonly state: DeploymentState
  /** Jobs of it that have not ended, children included. */
  readonly live: number
  /** Those of them that run. */
  readonly running: number
  readonly workers: number
  readonly changedAt: number
}

/** Promote, drain, retire. */
export type DeploymentChange = 'active' | 'draining' | 'retired'

/** A limit of which jobs live. */
export type LimitCounts = {
  readonly key: string
  /** As the newest job said. */
  readonly max: number
  /** Permits that are given out: to jobs that run, or could. */
  readonly taken: number
  /** All jobs of the key that have not ended. */
  readonly live: number
  readonly blocked: number
}

/** How the store tells that something may be worth a look. A hint may be lost or false; nothing depends on it. */
export type Hint = {
  /** Queues with new due work. */
  readonly queues?: readonly string[]
  readonly ended?: readonly JobId[]
  /** Workflows of which a step was released. */
  readonly released?: readonly JobId[]
  /** Jobs whose cancelling was asked for. */
  readonly cancelled?: readonly JobId[]
  /** Something falls due at this instant. */
  readonly dueAt?: number
  /** There are new events. */
  readonly events?: boolean
  /** Too much to name: look at everything. */
  readonly all?: boolean
}

/**
 * `delivered`: the workflow waited for it. `kept`: it does not yet, and gets it when it does. A signal whose key was used
 * before for this name is answered as the first one now stands, and changes nothing.
 */
export type SignalOutcome = 'delivered' | 'kept' | 'already_ended' | 'not_a_workflow' | 'unknown_job'

export type CancelOutcome = 'cancelled' | 'cancelling' | 'already_ended' | 'unknown_job'

export type SweepResult = {
  /** Workers found lost; their jobs wait again. */
  readonly lostWorkers: number
  readonly returnedJobs: number
  /**
   * The soonest instant at which a stored job falls due, as far as the store knows. One that has passed says that more
   * has fallen due than one sweep makes claimable: sweep again at once.
   */
  readonly nextDueAt?: number
  /** There are schedules to be fired. */
  readonly schedulesDue?: true
  /** Workers that are asked to stop: the keys of the settings in `DRAIN_REQUESTS`. */
  readonly draining?: readonly string[]
}

/** The namespace of the settings in which workers are asked to stop. */
export const DRAIN_REQUESTS = 'drain'

/** Small records of those around the engine (API keys, sessions), kept with the jobs so that all machines share them. */
export interface Settings {
  get(namespace: string, key: string): Promise<Json | undefined>
  put(namespace: string, key: string, value: Json): Promise<void>
  delete(namespace: string, key: string): Promise<boolean>
  /** By key. @param options `prefix`: only those whose key begins with it */
  list(
    namespace: string,
    options?: { readonly prefix?: string },
  ): Promise<readonly { readonly key: string; readonly value: Json }[]>
}

/** Where jobs live. Every method is one transaction; a returned promise means it is durable. */
export interface Store extends AsyncDisposable {
  /** `sqlite`, `postgres`; for messages. */
  readonly name: string
  /** The same for all who share this store, and another one for a copy of it. */
  identity(): Promise<string>
  /** The one clock of all who share this store. */
  readonly clock: Clock
  readonly settings: Settings
  readonly schedules: ScheduleRecords

  enqueue(jobs: readonly NewJob[]): Promise<readonly Enqueued[]>
  /**
   * Stores jobs inside a transaction that the caller has open on this store's own database: they exist exactly if it
   * commits. All or none of one call; a call that throws leaves the transaction as it was, and usable. Everything that
   * holds for `enqueue` holds here too. Hints go out once the transaction is over, a few milliseconds later.
   * @param transaction SQLite: a `DatabaseSync` in a transaction, or a Kysely transaction of `nodeSqliteDialect`.
   *   PostgreSQL: a `pg` client in a transaction, or a Kysely transaction of `PostgresDialect`.
   * @throws {TransactionRefusedError} when it is none of these, is not open, or is on another database
   */
  enqueueIn(transaction: unknown, jobs: readonly NewJob[]): Promise<readonly Enqueued[]>

  /**
   * The one way in which a worker changes a job; all of it or nothing, in the order: told, steps, ends, `holds`, claims.
   * @throws {StoreUnavailableError} {StoreFullError} when the same may go through later. While `check` passes, anything
   * else says that something in the batch is refused for good; the worker then says each thing alone.
   */
  commit(batch: Commit): Promise<CommitResult>

  /**
   * Makes a worker known, and keeps its lease renewed from outside the caller's event loop until `removeWorker`.
   * `onLost` is called when the lease is gone: another process holds its jobs now, so it must stop.
   */
  addWorker(worker: WorkerInfo, onLost: (reason: string) => void): Promise<void>
  /** Forgets a worker; what it still holds waits again, without harm to its attempts. */
  removeWorker(worker: WorkerId): Promise<void>
  /** Returns the jobs of lost workers, makes due what has fallen due, ends what passed its deadline. */
  sweep(): Promise<SweepResult>

  /** Cancels the job and its whole tree: at once what waits; what runs is asked to stop. */
  cancel(id: JobId, reason: string): Promise<CancelOutcome>
  /** Jobs that this worker runs and that are asked to stop. */
  cancelRequests(worker: WorkerId): Promise<readonly { readonly row: number; readonly reason: string }[]>

  /**
   * Sends a workflow a signal, which is on the disk when this answers. The nth wait for a name gets the nth signal of that
   * name, however early it came.
   * @param key makes a repeated signal harmless
   */
  signal(id: JobId, name: string, value: Payload, key?: string): Promise<SignalOutcome>

  /** Of these waits, the ones that are released. The truth behind the `released` hint. */
  releases(waits: readonly { readonly row: number; readonly step: number }[]): Promise<readonly Release[]>
  /** The outcomes of one step's children, in item order. */
  outcomes(row: number, step: number): Promise<readonly ChildOutcome[]>
  /** All stored steps of a workflow, in step order. */
  history(row: number): Promise<readonly RecordedStep[]>

  /** Forgets results, all when nothing is named. What is being made is given to those who wait for it, and not kept. @returns how many */
  purgeCache(filter: { readonly task?: string; readonly key?: string }): Promise<number>

  /**
   * Removes whole trees of ended jobs whose time has passed, with all that was kept of them: a bounded step. What may be
   * needed stays: a tree in which something lives, whose results the cache gives out, whose steps a live retry has taken
   * over; a retry whose first job is still there; the newest job of all.
   */
  prune(request: PruneRequest): Promise<Pruned>

  /**
   * The artifacts that jobs, results, steps, events, signals, schedules and settings name, a page at a time. The pages
   * together have every name that was stored, or was on its way, when the first one was asked for, unless it was removed
   * meanwhile. Whatever stores a name deletes the artifact's setting in `ARTIFACT_NOTES`, in the same transaction.
   */
  artifactNames(page: { readonly limit: number; readonly after?: string }): Promise<ArtifactNames>

  job(id: JobId): Promise<Job | undefined>
  /** States of many jobs at once; unknown ids are left out. */
  states(ids: readonly JobId[]): Promise<ReadonlyMap<JobId, JobState>>
  input(id: JobId): Promise<Payload | undefined>
  /** Undefined while the job has not ended. */
  outcome(id: JobId): Promise<{ state: EndState; result?: Payload; error?: RecordedError } | undefined>
  attempts(id: JobId): Promise<readonly Attempt[]>
  /** Stored steps by job id; empty for a job that is not a workflow. */
  steps(id: JobId): Promise<readonly RecordedStep[]>
  /** The job and its descendants, oldest first, at most `limit`. */
  tree(id: JobId, limit: number): Promise<readonly Job[]>
  jobs(filter: JobFilter, page: Page): Promise<JobPage>
  events(query: EventQuery): Promise<readonly JobEvent[]>
  /** The newest cursor; 0 in an empty store. */
  lastCursor(): Promise<number>
  queues(): Promise<readonly QueueCounts[]>
  /** Pauses, resumes or sets a queue, whether it has jobs or not. */
  configureQueue(name: string, change: QueueChange): Promise<void>
  /** All that were ever named, the last to change first. */
  deployments(): Promise<readonly DeploymentRow[]>
  /**
   * Promotes a deployment (the active one drains from then on), drains or retires it.
   * @param options `force`: what still lives of a deployment that is to be retired is cancelled; else it is `busy`
   */
  changeDeployment(
    name: string,
    to: DeploymentChange,
    options?: { readonly force?: boolean },
  ): Promise<'changed' | 'unknown' | 'busy'>
  /** The limits of which jobs live, at most 1,000: those with the most first. */
  limits(): Promise<readonly LimitCounts[]>
  workers(): Promise<readonly WorkerRow[]>
  /** Checks that the store can be written to and read from; throws what is wrong. */
  check(): Promise<void>

  watch(listener: (hint: Hint) => void): Disposable
}
