import { randomUUID } from 'node:crypto'
import { stat } from 'node:fs/promises'
import type { DatabaseSync } from 'node:sqlite'
import {
  type ArtifactNames,
  type Attempt,
  type CancelOutcome,
  type ChildOutcome,
  type Clock,
  type Commit,
  type CommitResult,
  type DeploymentChange,
  type DeploymentRow,
  type EndState,
  type Enqueued,
  type EventQuery,
  type Hint,
  HintCollector,
  HintListeners,
  type Job,
  type JobEvent,
  type JobFilter,
  type JobId,
  type JobPage,
  type JobState,
  type LimitCounts,
  type NewJob,
  type Page,
  type Payload,
  type Pruned,
  type PruneRequest,
  type QueueChange,
  type QueueCounts,
  type RecordedError,
  type RecordedStep,
  type Release,
  type ScheduleRecords,
  type Settings,
  type SignalOutcome,
  type Store,
  type SweepResult,
  type Timer,
  type WorkerId,
  type WorkerInfo,
  type WorkerRow,
} from '@headrace/engine'
import {
  type AliveWorkerRow,
  type AttemptRow,
  type ChildRow,
  type OutcomeRow,
  type ReleaseRow,
  type StepRow,
  toAttempts,
  toChildOutcome,
  toOutcome,
  toRecordedSteps,
  toRelease,
  toWorkerRow,
} from '@headrace/engine/rows'
import { artifactNames } from './artifact-names.ts'
import { PURGED_MAX, purgeSomeOfCache } from './cache.ts'
import { CallersTransactions } from './callers-transaction.ts'
import { KnownWorker } from './claim.ts'
import { commitBatch, durabilityOf } from './commit.ts'
import { openDatabase } from './database.ts'
import { changeDeployment, DeploymentBook, meetDeployment, readDeployments } from './deployments.ts'
import { cancelTree, Endings } from './ending.ts'
import { enqueueJobs } from './enqueue.ts'
import { EventLog } from './event-log.ts'
import { queryEvents } from './event-query.ts'
import { GroupCommit } from './group-commit.ts'
import { queryJob, queryJobs, queryTree } from './job-query.ts'
import { Lanes } from './lanes.ts'
import { GuardedLeaseKeeper, type LeaseKeeper, LoopLeaseKeeper, ThreadLeaseKeeper } from './lease-keeper.ts'
import { type Context, Prepared } from './prepared.ts'
import { type Liveness, ProcessRegistry, thisProcess } from './process-registry.ts'
import { prune } from './prune.ts'
import { configureQueue, QueueBook, readQueues } from './queue-settings.ts'
import { SqliteSchedules } from './schedules.ts'
import { SqliteSettings } from './settings.ts'
import { sendSignal } from './signals.ts'
import { releaseWorker, sweep } from './sweep.ts'
import { systemClock } from './system-clock.ts'
import { WakeUp } from './wake-up.ts'

export type SqliteStoreOptions = {
  /** Default: the machine's clock. With another one, leases are renewed by it, and no datagrams are sent. */
  readonly clock?: Clock
  /** False leaves out every flush to the disk: for tests only, since a power cut may then lose accepted jobs. */
  readonly fsync?: boolean
  /** Whether another process lives; a simulation brings its own. */
  readonly liveness?: Liveness
}

/** Other processes learn of new events this late at most: waking somebody costs more than storing an event. */
const EVENTS_WITHIN_MS = 50

/** Whoever commits for a worker that was never added here holds nothing. */
const NOBODY = new KnownWorker(-1, {})

/** How long the list of the other processes on the file is believed. */
const NEIGHBOURS_MS = 1_000

/**
 * Opens the store in one SQLite file, which is made when it is missing. Several processes may open the same file at the
 * same time, on one machine: never on a network file system.
 * @throws {StoreNotOursError} when the file is not a Headrace database; it is left as it is
 * @throws {StoreTooNewError} when a newer Headrace made it
 * @throws {StoreFullError} when the disk is full
 * @example
 * await using store = await openSqliteStore('.headrace/headrace.db')
 */
export async function openSqliteStore(path: string, options: SqliteStoreOptions = {}): Promise<Store> {
  const store = new SqliteStore(path, openDatabase(path), options)
  await store.open()
  return store
}

class SqliteStore implements Store {
  readonly name = 'sqlite'
  readonly clock: Clock
  readonly settings: Settings
  readonly schedules: ScheduleRecords
  readonly #db: DatabaseSync
  readonly #path: string
  readonly #context: Context
  readonly #commits: GroupCommit
  readonly #callers: CallersTransactions
  readonly #processes: ProcessRegistry
  readonly #leases: LeaseKeeper
  readonly #wakeUp: WakeUp | undefined
  readonly #listeners = new HintListeners()
  readonly #knownWorkers = new Map<WorkerId, KnownWorker>()
  #neighbours: number[] = []
  #neighboursAt = Number.NEGATIVE_INFINITY
  #eventsTimer: Timer | undefined
  #closed = false

  constructor(path: string, db: DatabaseSync, options: SqliteStoreOptions) {
    this.clock = options.clock ?? systemClock
    this.#db = db
    this.#path = path
    const sql = new Prepared(db)
    const lanes = new Lanes(sql)
    const queues = new QueueBook(sql)
    const deployments = new DeploymentBook(sql)
    const events = new EventLog(sql)
    this.#context = { sql, clock: this.clock, hints: new HintCollector(), lanes, queues, deployments, events }
    this.#commits = new GroupCommit({
      db,
      clock: this.clock,
      path,
      fsync: options.fsync ?? true,
      beforeCommit: () => events.flush(),
      committed: () => {
        queues.forget()
        deployments.forget()
        this.#tellOthers()
      },
      rolledBack: () => {
        lanes.forget()
        queues.forget()
        deployments.forget()
        events.forget()
      },
    })
    this.#callers = new CallersTransactions(path, this.clock, (hint) => this.#tell(hint))
    this.#processes = new ProcessRegistry(this.#context, options.liveness)
    const isReal = options.clock === undefined && path !== ':memory:'
    this.#leases = isReal
      ? this.#guardedLeases(path)
      : new LoopLeaseKeeper(this.clock, (...lease) => this.#renew(...lease))
    this.#wakeUp = isReal ? new WakeUp((hint) => this.#hear(hint)) : undefined
    this.schedules = new SqliteSchedules(this.#context, this.#commits)
    this.settings = new SqliteSettings(this.#context.sql, this.#commits)
  }

  async open(): Promise<void> {
    await this.#wakeUp?.open()
    await this.#commits.run('before-seen', () => {
      this.#processes.register(this.#wakeUp?.port ?? 0)
      sweep(this.#context, this.#processes)
      // So that the others learn of this process before they next look.
      this.#context.hints.everything()
    })
  }

  /** A copy of the file is another file, and has another number in its file system. */
  async identity(): Promise<string> {
    const id = await this.#commits.run('before-answer', () => storeId(this.#context.sql))
    return this.#path === ':memory:' ? id : `${id} ${(await stat(this.#path, { bigint: true })).ino}`
  }

  enqueue(jobs: readonly NewJob[]): Promise<readonly Enqueued[]> {
    return this.#commits.run('before-answer', () => enqueueJobs(this.#context, jobs))
  }

  enqueueIn(transaction: unknown, jobs: readonly NewJob[]): Promise<readonly Enqueued[]> {
    return this.#callers.enqueue(transaction, jobs)
  }

  commit(batch: Commit): Promise<CommitResult> {
    const worker = this.#knownWorkers.get(batch.worker) ?? NOBODY
    const work = () => {
      const result = commitBatch(this.#context, batch, worker)
      if (result.claimed.length > 0) this.#leases.guard?.()
      return result
    }
    return this.#commits.run(durabilityOf(batch), work, { isBatch: true })
  }

  async addWorker(worker: WorkerInfo, onLost: (reason: string) => void): Promise<void> {
    const number = await this.#commits.run('before-seen', () => {
      meetDeployment(this.#context, worker.deployment ?? '')
      const { host, pid } = thisProcess()
      const now = this.clock.now()
      const queues = JSON.stringify(worker.queues)
      const { id, name, leaseMs, deployment = '', labels = [], offers } = worker
      return this.#context.sql.run(
        'insertWorker',
        id,
        name,
        this.#processes.id,
        host,
        pid,
        queues,
        leaseMs,
        now + leaseMs,
        now,
        deployment,
        JSON.stringify(labels),
        offers === undefined ? null : JSON.stringify(offers),
      ).lastInsertRowid
    })
    this.#knownWorkers.set(worker.id, new KnownWorker(number, worker))
    this.#leases.keep(number, worker.leaseMs, onLost)
  }

  async removeWorker(worker: WorkerId): Promise<void> {
    const number = this.#knownWorkers.get(worker)?.number
    if (number === undefined) return
    try {
      await this.#commits.run('before-seen', () => releaseWorker(this.#context, number))
      this.#knownWorkers.delete(worker)
    } finally {
      // Until then it is no lost one, however long the file is busy.
      this.#leases.letGo(number)
    }
  }

  sweep(): Promise<SweepResult> {
    return this.#commits.run('before-seen', () => sweep(this.#context, this.#processes))
  }

  cancel(id: JobId, reason: string): Promise<CancelOutcome> {
    return this.#commits.run('before-seen', () => {
      const seq = this.#seq(id)
      if (seq === undefined) return 'unknown_job'
      if (this.#context.sql.get('outcomeOfJob', id) !== undefined) return 'already_ended'
      const endings = new Endings(this.#context)
      const outcome = cancelTree(this.#context, endings, seq, reason)
      endings.finish()
      return outcome
    })
  }

  signal(id: JobId, name: string, value: Payload, key?: string): Promise<SignalOutcome> {
    return this.#commits.run('before-seen', () => {
      const endings = new Endings(this.#context)
      const outcome = sendSignal(this.#context, endings, { id, name, value, key })
      endings.finish()
      return outcome
    })
  }

  async cancelRequests(worker: WorkerId): Promise<readonly { row: number; reason: string }[]> {
    const number = this.#knownWorkers.get(worker)?.number
    if (number === undefined) return []
    const rows = this.#context.sql.all<{ seq: number; cancel_reason: string }>('cancelRequests', number)
    return rows.map((row) => ({ row: row.seq, reason: row.cancel_reason }))
  }

  async releases(waits: readonly { row: number; step: number }[]): Promise<readonly Release[]> {
    const pairs = JSON.stringify(waits.map(({ row, step }) => [row, step]))
    return this.#context.sql.all<ReleaseRow>('releasedWaits', pairs).map(toRelease)
  }

  async outcomes(row: number, step: number): Promise<readonly ChildOutcome[]> {
    return this.#context.sql.all<ChildRow>('childOutcomes', row, step).map(toChildOutcome)
  }

  async history(row: number): Promise<readonly RecordedStep[]> {
    const steps = this.#context.sql.all<StepRow>('stepsOfJob', row)
    if (steps.length === 0) return []
    const children = this.#context.sql.all<ChildRow>('allChildOutcomes', row)
    const isKept = steps.some((step) => step.kept_from !== null)
    const kept = isKept ? this.#context.sql.all<ChildRow>('keptChildOutcomes', row) : []
    return toRecordedSteps(steps, [...kept, ...children])
  }

  async purgeCache(filter: { readonly task?: string; readonly key?: string }): Promise<number> {
    for (let purged = 0; ; ) {
      const some = await this.#commits.run('before-answer', () => purgeSomeOfCache(this.#context, filter))
      purged += some
      if (some < PURGED_MAX) return purged
    }
  }

  prune(request: PruneRequest): Promise<Pruned> {
    return this.#commits.run('before-seen', () => prune(this.#context, request))
  }

  async artifactNames(page: { readonly limit: number; readonly after?: string }): Promise<ArtifactNames> {
    return artifactNames(this.#context.sql, page)
  }

  async job(id: JobId): Promise<Job | undefined> {
    return queryJob(this.#context.sql, id)
  }

  async states(ids: readonly JobId[]): Promise<ReadonlyMap<JobId, JobState>> {
    const { sql } = this.#context
    const [only] = ids
    if (ids.length === 1 && only !== undefined) {
      const row = sql.get<{ state: JobState }>('stateOfJob', only)
      return new Map(row === undefined ? [] : [[only, row.state]])
    }
    const rows = sql.all<{ id: JobId; state: JobState }>('statesOfJobs', JSON.stringify(ids))
    return new Map(rows.map(({ id, state }) => [id, state]))
  }

  async input(id: JobId): Promise<Payload | undefined> {
    return this.#context.sql.get<{ input: string }>('inputOfJob', id)?.input
  }

  async outcome(id: JobId): Promise<{ state: EndState; result?: Payload; error?: RecordedError } | undefined> {
    const row = this.#context.sql.get<OutcomeRow>('outcomeOfJob', id)
    return row && toOutcome(row)
  }

  async attempts(id: JobId): Promise<readonly Attempt[]> {
    const job = await this.job(id)
    if (job === undefined) return []
    return toAttempts(this.#context.sql.all<AttemptRow>('attemptsOfJob', id), job)
  }

  async steps(id: JobId): Promise<readonly RecordedStep[]> {
    const seq = this.#seq(id)
    return seq === undefined ? [] : this.history(seq)
  }

  async tree(id: JobId, limit: number): Promise<readonly Job[]> {
    return queryTree(this.#context.sql, id, limit)
  }

  async jobs(filter: JobFilter, page: Page): Promise<JobPage> {
    return queryJobs(this.#context.sql, filter, page)
  }

  async events(query: EventQuery): Promise<readonly JobEvent[]> {
    return queryEvents(this.#context.sql, query)
  }

  async lastCursor(): Promise<number> {
    return this.#context.sql.get<{ cursor: number | null }>('lastCursor')?.cursor ?? 0
  }

  async queues(): Promise<readonly QueueCounts[]> {
    return readQueues(this.#context)
  }

  configureQueue(name: string, change: QueueChange): Promise<void> {
    return this.#commits.run('before-answer', () => configureQueue(this.#context, name, change))
  }

  async deployments(): Promise<readonly DeploymentRow[]> {
    return readDeployments(this.#context)
  }

  changeDeployment(
    name: string,
    to: DeploymentChange,
    options: { readonly force?: boolean } = {},
  ): Promise<'changed' | 'unknown' | 'busy'> {
    return this.#commits.run('before-answer', () => changeDeployment(this.#context, name, to, options.force === true))
  }

  async limits(): Promise<readonly LimitCounts[]> {
    return this.#context.sql.all<LimitCounts>('limitCounts')
  }

  async workers(): Promise<readonly WorkerRow[]> {
    type Row = Omit<AliveWorkerRow, 'running'> & { readonly id: number }
    const counts = this.#context.sql.all<{ worker: number; n: number }>('runningCounts')
    const running = new Map(counts.map(({ worker, n }) => [worker, n]))
    return this.#context.sql.all<Row>('aliveWorkers').map((row) => {
      // What is registered names the boot and the pid namespace, too.
      const host = row.host.split('/')[0] ?? row.host
      return toWorkerRow({ ...row, host, running: running.get(row.id) ?? 0 })
    })
  }

  async check(): Promise<void> {
    await this.settings.put('headrace', 'checked', this.clock.now())
    this.#db.prepare('select count(*) from processes').get()
  }

  watch(listener: (hint: Hint) => void): Disposable {
    return this.#listeners.add(listener)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    this.#callers.close()
    const goodbye = this.#commits.run('before-seen', () => {
      // Not `#knownWorkers`: one may have been added by this very transaction.
      for (const { id, process } of this.#context.sql.all<{ id: number; process: number }>('aliveWorkers'))
        if (process === this.#processes.id) releaseWorker(this.#context, id)
      this.#processes.unregister()
    })
    await goodbye
    await this.#leases.close()
    await this.#commits.close()
    this.#eventsTimer?.cancel()
    this.#wakeUp?.close()
    this.#db.close()
  }

  #guardedLeases(path: string): LeaseKeeper {
    // A lease is renewed when its time has come, and not behind what comes after.
    const renew = (worker: number, leaseMs: number) =>
      this.#commits.run('later', () => this.#renew(worker, leaseMs), { isBatch: true })
    return new GuardedLeaseKeeper(new LoopLeaseKeeper(this.clock, renew), () => new ThreadLeaseKeeper(path))
  }

  #renew(worker: number, leaseMs: number): boolean {
    return this.#context.sql.run('renewLease', this.clock.now() + leaseMs, worker).changes > 0
  }

  #seq(id: JobId): number | undefined {
    return this.#context.sql.get<{ seq: number }>('seqByJobId', id)?.seq
  }

  #tellOthers(): void {
    const hint = this.#context.hints.take()
    if (hint !== undefined) this.#tell(hint)
  }

  #tell(hint: Hint): void {
    this.#listeners.tell(hint)
    if (this.#wakeUp === undefined) return
    const { events, ...urgent } = hint
    if (Object.keys(urgent).length > 0) this.#send(hint)
    else if (events)
      this.#eventsTimer ??= this.clock.setTimeout(() => this.#send(hint), EVENTS_WITHIN_MS, { background: true })
  }

  #send(hint: Hint): void {
    this.#eventsTimer?.cancel()
    this.#eventsTimer = undefined
    this.#wakeUp?.send(hint, this.#neighbourPorts())
  }

  #hear(hint: Hint): void {
    // A process that has just come may not be on the list yet.
    if (hint.all === true) this.#neighboursAt = Number.NEGATIVE_INFINITY
    this.#listeners.tell(hint)
  }

  #neighbourPorts(): readonly number[] {
    const now = this.clock.now()
    if (now - this.#neighboursAt >= NEIGHBOURS_MS) {
      this.#neighboursAt = now
      this.#neighbours = this.#processes
        .others()
        .map((row) => row.port)
        .filter((port) => port !== 0)
    }
    return this.#neighbours
  }
}

/** Drawn once for each file. */
function storeId(sql: Prepared): string {
  const [namespace, key] = ['headrace', 'store-id']
  const known = sql.get<{ value: string }>('getSetting', namespace, key)
  if (known !== undefined) return JSON.parse(known.value) as string // sound: written below
  const id = randomUUID()
  sql.run('putSetting', namespace, key, JSON.stringify(id))
  return id
}
