import {
  type ArtifactNames,
  type Attempt,
  artifactNamesIn,
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
  type Json,
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
  StoreUnavailableError,
  type SweepResult,
  type Timer,
  TransactionRefusedError,
  type WorkerId,
  type WorkerInfo,
  type WorkerRow,
} from '@headrace/engine'
import { artifactNames, deleteNotes } from './artifact-names.ts'
import { purgeCache } from './cache.ts'
import { commitBatch, heldBy } from './commit.ts'
import { changeDeployment, meetDeployment, readDeployments } from './deployments.ts'
import { cancelTree, descendants, Endings, releaseOf } from './ending.ts'
import { enqueueJobs } from './enqueue.ts'
import { countLimits } from './limits.ts'
import { type Context, liveJobs, MemoryPlace, type Process } from './place.ts'
import { prune } from './prune.ts'
import { configureQueue, readQueues } from './queue-settings.ts'
import { attemptsOf, historyOf, outcomesOf, queryEvents, queryJobs, stateOf, toJob } from './read.ts'
import { memorySchedules } from './schedules.ts'
import { sendSignal } from './signals.ts'
import { releaseWorker, sweep } from './sweep.ts'

export type MemoryStoreOptions = {
  readonly clock: Clock
  /** What is shared with the other stores that were opened on it. Default: a place of its own. */
  readonly place?: MemoryPlace
  /** Whether the process that this store stands for has died without closing it; a simulation brings its own. */
  readonly isDead?: () => boolean
}

/** A lease is renewed so often before it would lapse. */
const RENEWALS_PER_LEASE = 3

/**
 * Opens a store that keeps its jobs in memory: the rules of every store in their simplest form. For simulations, which
 * compare the others with it, and for tests. Nothing outlives the process.
 * @example
 * await using store = openMemoryStore({ clock: new ManualClock() })
 */
export function openMemoryStore(options: MemoryStoreOptions): Store {
  return new MemoryStore(options)
}

class MemoryStore implements Store {
  readonly name = 'memory'
  readonly clock: Clock
  readonly settings: Settings
  readonly schedules: ScheduleRecords
  readonly #context: Context
  readonly #process: Process
  readonly #listeners = new HintListeners()
  /** The workers that were added here, each with the timer that renews its lease. */
  readonly #workers = new Map<WorkerId, Timer | undefined>()
  #isClosed = false

  constructor({ clock, place = new MemoryPlace(), isDead = () => false }: MemoryStoreOptions) {
    this.clock = clock
    this.#context = { place, clock, hints: new HintCollector() }
    this.#process = { isDead }
    this.settings = memorySettings(this.#context)
    this.schedules = memorySchedules(this.#context, (work) => this.#do(work))
    place.processes.add(this.#process)
    sweep(this.#context)
    this.#context.hints.take()
  }

  async identity(): Promise<string> {
    return this.#place.identity
  }

  async enqueue(jobs: readonly NewJob[]): Promise<readonly Enqueued[]> {
    return this.#do(() => enqueueJobs(this.#context, jobs))
  }

  async enqueueIn(): Promise<never> {
    throw new TransactionRefusedError('the memory store has no transactions of a caller')
  }

  async commit(batch: Commit): Promise<CommitResult> {
    return this.#do(() => commitBatch(this.#context, batch))
  }

  async addWorker(worker: WorkerInfo, onLost: (reason: string) => void): Promise<void> {
    const startedAt = this.clock.now()
    const leaseUntil = startedAt + worker.leaseMs
    this.#do(() => {
      meetDeployment(this.#context, worker.deployment ?? '')
      const stored = { ...worker, process: this.#process, startedAt, leaseUntil, starving: new Map() }
      this.#place.workers.set(worker.id, stored)
    })
    this.#renewLater(worker, onLost)
  }

  async removeWorker(id: WorkerId): Promise<void> {
    if (!this.#workers.has(id)) return
    this.#workers.get(id)?.cancel()
    this.#workers.delete(id)
    const worker = this.#place.workers.get(id)
    if (worker !== undefined) this.#do(() => releaseWorker(this.#context, worker))
  }

  async sweep(): Promise<SweepResult> {
    return this.#do(() => sweep(this.#context))
  }

  async cancel(id: JobId, reason: string): Promise<CancelOutcome> {
    return this.#do(() => {
      const job = this.#place.byId.get(id)
      if (job === undefined) return 'unknown_job'
      if (job.end !== undefined) return 'already_ended'
      const endings = new Endings(this.#context)
      const outcome = cancelTree(this.#context, endings, job, reason)
      endings.finish()
      return outcome
    })
  }

  async signal(id: JobId, name: string, value: Payload, key?: string): Promise<SignalOutcome> {
    return this.#do(() => {
      const endings = new Endings(this.#context)
      const outcome = sendSignal(this.#context, endings, { id, name, value, key })
      endings.finish()
      return outcome
    })
  }

  async cancelRequests(worker: WorkerId): Promise<readonly { readonly row: number; readonly reason: string }[]> {
    const held = heldBy(this.#context, worker)
    return held.flatMap(({ seq, live }) => (live.cancel === undefined ? [] : { row: seq, reason: live.cancel.reason }))
  }

  async releases(waits: readonly { readonly row: number; readonly step: number }[]): Promise<readonly Release[]> {
    return waits.flatMap(({ row, step }) => {
      const parent = this.#place.jobs[row - 1]
      const waiting = parent?.steps.get(step)
      return parent !== undefined && waiting?.isReleased === true ? releaseOf(parent, waiting) : []
    })
  }

  async outcomes(row: number, step: number): Promise<readonly ChildOutcome[]> {
    const recorded = this.#place.jobs[row - 1]?.steps.get(step)
    return recorded === undefined ? [] : outcomesOf(recorded)
  }

  async history(row: number): Promise<readonly RecordedStep[]> {
    const job = this.#place.jobs[row - 1]
    return job === undefined ? [] : historyOf(this.#context.place, job)
  }

  async purgeCache(filter: { readonly task?: string; readonly key?: string }): Promise<number> {
    return this.#do(() => purgeCache(this.#context, filter))
  }

  async prune(request: PruneRequest): Promise<Pruned> {
    return this.#do(() => prune(this.#context, request))
  }

  async artifactNames(page: { readonly limit: number; readonly after?: string }): Promise<ArtifactNames> {
    return artifactNames(this.#context, page)
  }

  async job(id: JobId): Promise<Job | undefined> {
    const job = this.#place.byId.get(id)
    return job && toJob(this.#place, job)
  }

  async states(ids: readonly JobId[]): Promise<ReadonlyMap<JobId, JobState>> {
    const known = ids.flatMap((id) => this.#place.byId.get(id) ?? [])
    return new Map(known.map((job) => [job.job.id, stateOf(job)]))
  }

  async input(id: JobId): Promise<Payload | undefined> {
    return this.#place.byId.get(id)?.job.input
  }

  async outcome(id: JobId): Promise<{ state: EndState; result?: Payload; error?: RecordedError } | undefined> {
    const end = this.#place.byId.get(id)?.end
    if (end === undefined) return undefined
    const { state, result, error } = end
    return { state, ...(result !== undefined && { result }), ...(error !== undefined && { error }) }
  }

  async attempts(id: JobId): Promise<readonly Attempt[]> {
    const job = this.#place.byId.get(id)
    return job === undefined ? [] : attemptsOf(job)
  }

  async steps(id: JobId): Promise<readonly RecordedStep[]> {
    const job = this.#place.byId.get(id)
    return job === undefined ? [] : historyOf(this.#context.place, job)
  }

  async tree(id: JobId, limit: number): Promise<readonly Job[]> {
    const top = this.#place.byId.get(id)
    return top === undefined
      ? []
      : descendants(this.#context, top)
          .slice(0, limit)
          .map((job) => toJob(this.#place, job))
  }

  async jobs(filter: JobFilter, page: Page): Promise<JobPage> {
    return queryJobs(this.#place, filter, page)
  }

  async events(query: EventQuery): Promise<readonly JobEvent[]> {
    return queryEvents(this.#context, query)
  }

  async lastCursor(): Promise<number> {
    return this.#place.events.length
  }

  async queues(): Promise<readonly QueueCounts[]> {
    return readQueues(this.#place)
  }

  async configureQueue(name: string, change: QueueChange): Promise<void> {
    this.#do(() => configureQueue(this.#context, name, change))
  }

  async deployments(): Promise<readonly DeploymentRow[]> {
    return readDeployments(this.#context)
  }

  async changeDeployment(
    name: string,
    to: DeploymentChange,
    options: { readonly force?: boolean } = {},
  ): Promise<'changed' | 'unknown' | 'busy'> {
    return this.#do(() => changeDeployment(this.#context, name, to, options.force === true))
  }

  async limits(): Promise<readonly LimitCounts[]> {
    return countLimits(this.#context)
  }

  async workers(): Promise<readonly WorkerRow[]> {
    return [...this.#place.workers.values()].map((worker) => {
      const { id, name, queues, leaseMs, leaseUntil, startedAt, deployment, labels, offers } = worker
      const running = liveJobs(this.#place).filter(({ live }) => live.worker === id).length
      return {
        ...{ id, name, host: 'memory', pid: process.pid, queues, leaseMs, leaseUntil, startedAt, running },
        ...(deployment && { deployment }),
        ...(labels?.length && { labels }),
        ...(offers && { offers }),
      }
    })
  }

  async check(): Promise<void> {
    this.#do(() => {})
  }

  watch(listener: (hint: Hint) => void): Disposable {
    return this.#listeners.add(listener)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isClosed) return
    for (const worker of [...this.#workers.keys()]) await this.removeWorker(worker)
    this.#place.processes.delete(this.#process)
    this.#isClosed = true
  }

  get #place(): MemoryPlace {
    return this.#context.place
  }

  /** One operation, and then the hints of what it changed. */
  #do<T>(work: () => T): T {
    if (this.#isClosed) throw new StoreUnavailableError('memory', 0, { cause: new Error('the store was closed') })
    const result = work()
    const hint = this.#context.hints.take()
    if (hint !== undefined) this.#listeners.tell(hint)
    return result
  }

  #renewLater(worker: WorkerInfo, onLost: (reason: string) => void): void {
    const renew = () => {
      const stored = this.#place.workers.get(worker.id)
      if (stored === undefined) return onLost('its lease lapsed')
      stored.leaseUntil = this.clock.now() + worker.leaseMs
      this.#renewLater(worker, onLost)
    }
    const timer = this.clock.setTimeout(renew, worker.leaseMs / RENEWALS_PER_LEASE, { background: true, routine: true })
    this.#workers.set(worker.id, timer)
  }
}

function memorySettings(context: Context): Settings {
  const { settings } = context.place
  const namespaceOf = (name: string) => {
    const known = settings.get(name) ?? new Map<string, string>()
    settings.set(name, known)
    return known
  }
  return {
    async get(namespace, key) {
      const text = namespaceOf(namespace).get(key)
      return text === undefined ? undefined : (JSON.parse(text) as Json)
    },
    async put(namespace, key, value) {
      const text = JSON.stringify(value)
      namespaceOf(namespace).set(key, text)
      deleteNotes(context, artifactNamesIn(text))
    },
    async delete(namespace, key) {
      return namespaceOf(namespace).delete(key)
    },
    async list(namespace, { prefix = '' } = {}) {
      const keys = [...namespaceOf(namespace).keys()].filter((key) => key.startsWith(prefix)).sort()
      return keys.map((key) => ({ key, value: JSON.parse(namespaceOf(namespace).get(key) ?? 'null') as Json }))
    },
  }
}
