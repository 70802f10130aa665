import type { Clock, Timer } from '../clock/clock.ts'
import type { CallOptions } from '../flow/flow.ts'
import { WorkflowRun } from '../flow/workflow-run.ts'
import type { ChildInput, WorkflowServices } from '../flow/workflow-services.ts'
import type { JobId, WorkerId } from '../job/job.ts'
import { noteArtifactOwner } from '../payload/artifact-owners.ts'
import type { ArtifactSink, Payloads } from '../payload/payloads.ts'
import type { Resources } from '../routing/resources.ts'
import type { Claimed, Hint, Lease, NewJob, Payload, Release, Settlement, Store } from '../store/store.ts'
import type { AnyTask } from '../task/workflow.ts'
import { Attempt, type AttemptServices } from './attempt.ts'
import { Outbox } from './outbox.ts'
import { type ResidentLimits, Residents } from './residents.ts'
import { Slots } from './slots.ts'
import type { StopReason } from './stop-reason.ts'

/** Hints may be lost, so each worker looks for itself so often; the draw keeps many workers apart. */
const LOOK_MS = 1_000
const SWEEP_MS = 500
const PRUNE_AFTER_MS = 60_000
const COLLECT_AFTER_MS = 60_000
const STOP_GRACE_MS = 10_000
/** When all that ran is over, the store has so long to hear of it before the worker goes anyway. */
const STOP_STORE_MS = 5_000
const READ_RETRY_MS_MAX = 5_000

export type WorkerSettings = {
  readonly id: WorkerId
  readonly name: string
  readonly queues: Readonly<Record<string, number>>
  readonly leaseMs: number
  readonly deployment?: string
  readonly labels?: readonly string[]
  readonly offers?: Resources
} & ResidentLimits

export type WorkerParts = {
  readonly store: Store
  readonly clock: Clock
  readonly random: () => number
  readonly payloads: Payloads
  readonly artifacts: ArtifactSink | undefined
  readonly tasks: ReadonlyMap<string, AnyTask>
  newJob(task: AnyTask, input: ChildInput, options: CallOptions, parent: Claimed): NewJob | Promise<NewJob>
  /** Starts what the clock says, once a sweep has found that it is time. */
  fireSchedules(): Promise<void>
  /** A step of what removes old jobs, if one is due. @returns when to come again */
  prune(worker: WorkerId): Promise<number>
  /** The same of artifacts that nothing names. Left out: there is no place that could be collected in. */
  collect?(worker: WorkerId): Promise<number>
  /** What goes wrong outside of any job, for the operator's eyes. */
  report(message: string, error: unknown): void
}

type Running = {
  readonly lease: Lease
  stop(reason: StopReason, graceMs?: number): void
  /** How long it may take at most to be over, once it is asked to stop. */
  patienceMs(): number
  /** It is over, and the store knows how it went. */
  readonly ended: Promise<void>
}

/** Claims jobs, executes them, and settles how they ended. */
export class JobWorker {
  readonly id: WorkerId
  /** Called when another process has taken over its jobs; it is of no more use then. */
  onLost: ((reason: string) => void) | undefined
  /** Called when a sweep has found that it is asked to stop. */
  onDrain: (() => void) | undefined
  readonly #settings: WorkerSettings
  readonly #parts: WorkerParts
  readonly #slots: Slots
  readonly #residents: Residents
  readonly #outbox: Outbox
  readonly #attemptServices: AttemptServices
  readonly #flowServices: WorkflowServices
  /** By the store's number of the job. */
  readonly #running = new Map<number, Running>()
  readonly #workflows = new Map<JobId, WorkflowRun>()
  /** Of these a step is said to be released; what this worker's own commit released, it is told with the commit's answer. */
  readonly #hinted = new Set<JobId>()
  readonly #timers = new Map<'look' | 'sweep' | 'collect', Timer>()
  #starting: Promise<void> | undefined
  #watching: Disposable | undefined
  /** A worker that has just come has more urgent things to do. */
  #nextPruneAt: number
  #nextSweepAt = Number.POSITIVE_INFINITY
  #isStopped = false
  #isKilled = false

  constructor(settings: WorkerSettings, parts: WorkerParts) {
    this.id = settings.id
    this.#settings = settings
    this.#parts = parts
    this.#slots = new Slots(settings.queues, settings.offers)
    this.#residents = new Residents(parts.clock, settings)
    this.#nextPruneAt = parts.clock.now() + PRUNE_AFTER_MS
    this.#outbox = new Outbox({
      store: parts.store,
      clock: parts.clock,
      worker: settings.id,
      slots: this.#slots,
      events: {
        claimed: (jobs) => this.#begin(jobs),
        released: (releases, results) => this.#release(releases, results),
        failed: (error, retryMs) =>
          parts.report(`The store failed; everything is kept and tried again in ${retryMs} ms.`, error),
        refused: (message, error) => parts.report(message, error),
        holds: () => [...this.#running.values()].map(({ lease }) => lease),
      },
    })
    this.#attemptServices = this.#makeAttemptServices()
    this.#flowServices = this.#makeFlowServices()
  }

  start(): Promise<void> {
    this.#starting = this.#start()
    return this.#starting
  }

  /**
   * Takes no more jobs, gives what runs its grace, and hands back what has not ended by then. A store that does not answer
   * cannot keep it: then the jobs go on elsewhere when the lease lapses.
   */
  async stop(graceMs = STOP_GRACE_MS): Promise<void> {
    if (this.#isStopped) return
    this.#isStopped = true
    this.#outbox.stopClaiming()
    this.#watching?.[Symbol.dispose]()
    for (const workflow of this.#workflows.values()) workflow.stop({ why: 'worker_stops' }, graceMs)
    await this.#within(graceMs, this.#allEnded())
    const areStored = await this.#within(this.#stopRunning() + STOP_STORE_MS, this.#allEnded())
    this.#close()
    const removing = this.#remove()
    if (areStored && (await this.#within(STOP_STORE_MS, removing))) return
    const { name, leaseMs } = this.#settings
    const message = `The store did not answer worker ${name}, which stops all the same. What it still holds goes on elsewhere when its lease of ${leaseMs} ms has lapsed.`
    this.#parts.report(message, undefined)
  }

  /** For simulations: as if the process had been killed. Nothing more is said to the store. */
  kill(): void {
    this.#isStopped = this.#isKilled = true
    this.#outbox.stopClaiming()
    this.#watching?.[Symbol.dispose]()
    this.#close()
    for (const running of this.#running.values()) running.stop({ why: 'lease_lost' }, 0)
  }

  async #start(): Promise<void> {
    const { store, tasks } = this.#parts
    await store.addWorker({ ...this.#settings, tasks: [...tasks.keys()] }, (reason) => this.#loseLease(reason))
    // It was stopped meanwhile; `stop` has waited for this, and takes it off the list again.
    if (this.#isStopped) return
    this.#watching = store.watch((hint) => this.#hear(hint))
    this.#look()
    this.#collectAt(this.#parts.clock.now() + COLLECT_AFTER_MS)
    await this.#sweep()
  }

  /** @returns whether it came true within so many milliseconds */
  async #within(ms: number, promise: Promise<unknown>): Promise<boolean> {
    let timer: Timer | undefined
    const over = new Promise<false>((resolve) => {
      timer = this.#parts.clock.setTimeout(() => resolve(false), ms)
    })
    const isInTime = await Promise.race([promise.then(() => true), over])
    timer?.cancel()
    return isInTime
  }

  #allEnded(): Promise<unknown> {
    return Promise.all([...this.#running.values()].map(({ ended }) => ended))
  }

  /** @returns how many milliseconds the slowest of them may take to be over */
  #stopRunning(): number {
    let slowestMs = 0
    for (const running of this.#running.values()) {
      running.stop({ why: 'worker_stops' })
      slowestMs = Math.max(slowestMs, running.patienceMs())
    }
    return slowestMs
  }

  #close(): void {
    for (const timer of this.#timers.values()) timer.cancel()
    this.#residents.close()
    this.#outbox.close()
  }

  async #remove(): Promise<void> {
    // A start that is still under way would make it known again; its failure is told to whoever started it.
    await this.#starting?.catch(() => {})
    try {
      await this.#parts.store.removeWorker(this.id)
    } catch (error) {
      const { name, leaseMs } = this.#settings
      const message = `Worker ${name} could not be taken off the store's list; its lease lapses within ${leaseMs} ms.`
      this.#parts.report(message, error)
    }
  }

  #begin(jobs: readonly Claimed[]): void {
    for (const job of jobs) {
      this.#slots.take(job.queue, job.needs)
      const task = this.#parts.tasks.get(job.task)
      // A claim that was under way when the worker was stopped. And no store gives out what its worker does not know.
      if (this.#isStopped || task === undefined) void this.#handBack(job)
      else if (task.kind === 'workflow') this.#beginWorkflow(job, new WorkflowRun(job, task, this.#flowServices))
      else this.#beginAttempt(job, new Attempt(job, task, this.#attemptServices))
    }
  }

  #beginAttempt(job: Claimed, attempt: Attempt): void {
    const finish = async () => {
      const settlement = await attempt.run()
      // Freed before the settlement is committed, so that the same commit claims the next job.
      this.#giveBack(job)
      await this.#settle(job, settlement)
    }
    this.#running.set(job.lease.row, {
      lease: job.lease,
      stop: (reason, graceMs) => attempt.stop(reason, graceMs),
      patienceMs: () => attempt.patienceMs,
      ended: finish(),
    })
  }

  #beginWorkflow(job: Claimed, workflow: WorkflowRun): void {
    this.#workflows.set(job.lease.jobId, workflow)
    const finish = async () => {
      const settlement = await workflow.run()
      this.#workflows.delete(job.lease.jobId)
      await this.#settle(job, settlement)
    }
    this.#running.set(job.lease.row, {
      lease: job.lease,
      stop: (reason, graceMs) => workflow.stop(reason, graceMs),
      // It was asked to stop at the beginning of the worker's own grace, which is over by then.
      patienceMs: () => 0,
      ended: finish(),
    })
    // A child may have ended between the last worker's death and now.
    if (job.lease.attempt > 1)
      this.#parts.clock.setTimeout(() => void this.#checkReleases([workflow]), 100, { background: true })
  }

  /** A place is free again. What it needed may have kept any queue's jobs waiting. */
  #giveBack({ queue, needs }: Pick<Claimed, 'queue' | 'needs'>): void {
    this.#slots.release(queue, needs)
    if (needs !== undefined) this.#outbox.look()
  }

  async #settle(job: Claimed, settlement: Settlement | undefined): Promise<void> {
    if (settlement !== undefined) await this.#outbox.settle(settlement)
    else this.#outbox.nudge()
    // The commit that sent it back to the line may have claimed it again: then its place is taken by the next attempt.
    const { row, attempt } = job.lease
    if (this.#running.get(row)?.lease.attempt === attempt) this.#running.delete(row)
  }

  async #handBack(job: Claimed): Promise<void> {
    this.#giveBack(job)
    const reason = `Worker ${this.#settings.name} does not take it.`
    await this.#settle(job, { lease: job.lease, outcome: 'released', dueAt: this.#parts.clock.now(), reason })
  }

  #release(releases: readonly Release[], results?: ReadonlyMap<JobId, Payload>): void {
    for (const release of releases) {
      this.#hinted.delete(release.parentId)
      void this.#workflows.get(release.parentId)?.release(release, results)
    }
  }

  #hear(hint: Hint): void {
    if (this.#isStopped) return
    if (hint.all === true) this.#lookAtEverything()
    if (hint.queues !== undefined) this.#outbox.look(hint.queues.filter((queue) => queue in this.#settings.queues))
    if (hint.dueAt !== undefined) this.#sweepAt(hint.dueAt)
    if (hint.cancelled !== undefined) void this.#checkCancels()
    if (hint.released !== undefined) this.#hearReleased(hint.released)
  }

  // Looked at a moment later: of a worker's own commits the hint comes first and the answer right after it.
  #hearReleased(ids: readonly JobId[]): void {
    const isWaiting = this.#hinted.size > 0
    for (const id of ids) if (this.#workflows.has(id)) this.#hinted.add(id)
    if (isWaiting || this.#hinted.size === 0) return
    this.#parts.clock.defer(() => {
      const resident = [...this.#hinted].flatMap((id) => this.#workflows.get(id) ?? [])
      this.#hinted.clear()
      if (resident.length > 0 && !this.#isStopped) void this.#checkReleases(resident)
    })
  }

  #look(): void {
    if (this.#isStopped) return
    this.#lookAtEverything()
    const jittered = LOOK_MS * (0.75 + 0.5 * this.#parts.random())
    this.#timers.set(
      'look',
      this.#parts.clock.setTimeout(() => this.#look(), jittered, { routine: true }),
    )
  }

  #lookAtEverything(): void {
    this.#outbox.look()
    void this.#checkCancels()
    void this.#checkReleases([...this.#workflows.values()])
  }

  async #checkCancels(): Promise<void> {
    if (this.#running.size === 0) return
    try {
      for (const { row, reason } of await this.#parts.store.cancelRequests(this.id)) {
        this.#running.get(row)?.stop({ why: 'cancel', reason })
      }
    } catch (error) {
      this.#parts.report('Cancel requests could not be read; they are read again in a second.', error)
    }
  }

  async #checkReleases(workflows: readonly WorkflowRun[]): Promise<void> {
    const waits = workflows.flatMap((workflow) =>
      workflow.releasable.map((step) => ({ row: workflow.lease.row, step })),
    )
    if (waits.length === 0) return
    try {
      this.#release(await this.#parts.store.releases(waits))
    } catch (error) {
      this.#parts.report('Released steps could not be read; they are read again in a second.', error)
    }
  }

  async #sweep(): Promise<void> {
    if (this.#isStopped) return
    let nextDueAt: number | undefined
    try {
      const swept = await this.#parts.store.sweep()
      nextDueAt = swept.nextDueAt
      if (swept.draining?.includes(this.id) && !this.#isStopped) this.onDrain?.()
      if (swept.schedulesDue && !this.#isStopped) await this.#parts.fireSchedules()
    } catch (error) {
      this.#parts.report('The store could not be swept; it is tried again in half a second.', error)
    }
    await this.#prune()
    if (this.#isStopped) return
    const jittered = SWEEP_MS * (0.75 + 0.5 * this.#parts.random())
    this.#nextSweepAt = Number.POSITIVE_INFINITY
    this.#sweepAt(Math.min(this.#parts.clock.now() + jittered, nextDueAt ?? Number.POSITIVE_INFINITY))
  }

  async #prune(): Promise<void> {
    const { clock, prune, report } = this.#parts
    if (this.#isStopped || clock.now() < this.#nextPruneAt) return
    try {
      this.#nextPruneAt = await prune(this.id)
    } catch (error) {
      report('Old jobs could not be removed; it is tried again in a minute.', error)
      this.#nextPruneAt = clock.now() + PRUNE_AFTER_MS
    }
  }

  #collectAt(instant: number): void {
    const { clock, collect } = this.#parts
    if (collect === undefined || this.#isStopped) return
    const delayMs = Math.max(1, instant - clock.now())
    this.#timers.set(
      'collect',
      clock.setTimeout(() => void this.#collect(collect), delayMs, { background: true, routine: true }),
    )
  }

  /** On its own, for the place of the artifacts may be far away and slow. */
  async #collect(collect: (worker: WorkerId) => Promise<number>): Promise<void> {
    const { clock, report } = this.#parts
    try {
      this.#collectAt(await collect(this.id))
    } catch (error) {
      if (this.#isStopped) return
      report('Artifacts that nothing names could not be removed; it is tried again in a minute.', error)
      this.#collectAt(clock.now() + COLLECT_AFTER_MS)
    }
  }

  #sweepAt(instant: number): void {
    if (instant >= this.#nextSweepAt || this.#isStopped) return
    this.#nextSweepAt = instant
    this.#timers.get('sweep')?.cancel()
    const delayMs = Math.max(1, instant - this.#parts.clock.now())
    this.#timers.set(
      'sweep',
      this.#parts.clock.setTimeout(() => void this.#sweep(), delayMs, { routine: true }),
    )
  }

  /** Somebody else holds its jobs now. It stops what runs, and begins again under another id. */
  #loseLease(reason: string): void {
    this.#parts.report(`Worker ${this.#settings.name} lost its lease: ${reason}. Its jobs go on elsewhere.`, undefined)
    for (const running of this.#running.values()) running.stop({ why: 'lease_lost' })
    this.onLost?.(reason)
  }

  #makeAttemptServices(): AttemptServices {
    const { clock, payloads, random, artifacts, store } = this.#parts
    return {
      clock,
      payloads,
      random,
      tell: (told) => this.#outbox.tell(told),
      drained: () => this.#outbox.drained(),
      keepArtifact: async (name, content, { mediaType, owner }) => {
        if (artifacts === undefined)
          throw new Error('This engine was given no artifact store, so a task cannot keep files.')
        const { id, sizeBytes } = await artifacts.put(content)
        if (owner !== undefined) await this.#askOn(() => noteArtifactOwner(store.settings, id, owner))
        return { name, artifact: id, sizeBytes, ...(mediaType !== undefined && { mediaType }) }
      },
    }
  }

  /** Asks until the store answers: that it does not is no fault of the job, and must not become its error. */
  async #askOn<T>(ask: () => Promise<T>): Promise<T> {
    for (let retryMs = 100; ; retryMs = Math.min(retryMs * 2, READ_RETRY_MS_MAX)) {
      try {
        return await ask()
      } catch (error) {
        if (this.#isKilled) throw error
        this.#parts.report(`The store did not answer; it is asked again in ${retryMs} ms.`, error)
        await new Promise<void>((resolve) => this.#parts.clock.setTimeout(resolve, retryMs))
      }
    }
  }

  #makeFlowServices(): WorkflowServices {
    const { clock, payloads, store, newJob } = this.#parts
    return {
      clock,
      payloads,
      newJob,
      history: (row) => this.#askOn(() => store.history(row)),
      outcomes: (row, step) => this.#askOn(() => store.outcomes(row, step)),
      advance: (lease, steps) => this.#outbox.advance(lease, steps),
      tell: (told) => this.#outbox.tell(told),
      takeSlot: ({ queue, needs }) => this.#slots.taken(queue, needs),
      releaseSlot: (place) => {
        this.#giveBack(place)
        this.#outbox.nudge()
      },
      rests: (run) => this.#residents.rest(run),
      wakes: (run) => this.#residents.wake(run),
      lookForCancel: () => void this.#checkCancels(),
    }
  }
}
