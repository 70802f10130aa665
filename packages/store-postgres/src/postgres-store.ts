import { hostname } from 'node:os'
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
  isJobId,
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
import { Ahead } from './ahead.ts'
import { artifactNames } from './artifact-names.ts'
import { purgeCache } from './cache.ts'
import { CallersTransactions, placeOnly } from './callers-transaction.ts'
import { Changes } from './changes.ts'
import { KnownWorker, NOBODY } from './claim.ts'
import { commitBatch } from './commit.ts'
import { type Address, parseAddress } from './connection/address.ts'
import { firstError } from './connection/errors.ts'
import { type StatementName, statements } from './connection/named.ts'
import { Session } from './connection/session.ts'
import type { Value } from './connection/values.ts'
import { type Context, inTransaction } from './context.ts'
import { DatabaseClock } from './database-clock.ts'
import { changeDeployment, meetDeployments, readDeployments } from './deployments.ts'
import { enqueueJobs } from './enqueue.ts'
import { queryEvents, queryLastCursor } from './event-query.ts'
import { GuardedPresence } from './guarded-presence.ts'
import { queryJob, queryJobs, queryTree } from './job-query.ts'
import { Lanes } from './lanes.ts'
import { migrate } from './migrate.ts'
import { Notes } from './notes.ts'
import { Notifier } from './notifier.ts'
import { ClockPresence, type Presence } from './presence.ts'
import { prune } from './prune.ts'
import { configureQueue, readQueues } from './queue-settings.ts'
import { Readers } from './readers.ts'
import { Routing } from './routing.ts'
import { PostgresSchedules } from './schedules.ts'
import { serveNotes } from './serve.ts'
import { PostgresSettings } from './settings.ts'
import { sendSignal } from './signals.ts'
import { lookForWork, nothingToSweep, releaseWorkers, sweep } from './sweep.ts'
import { Writer } from './writer.ts'

export type PostgresStoreOptions = {
  /** Where the tables are; `headrace` unless the URL or this says otherwise. Each schema is a store of its own. */
  readonly schema?: string
  /** Default: the database's clock. With another one, leases are renewed by it, and nobody is woken by messages. */
  readonly clock?: Clock
}

/** How often the database's clock is looked at. */
const MEASURE_MS = 10_000

/**
 * Opens the store in a PostgreSQL database, version 15 or later, and makes its schema when it is missing. Any number of
 * processes on any number of machines may open it; each holds up to seven connections, which must be sessions of their own
 * (PgBouncer: session pooling).
 * @param url `postgres://user:password@host:port/database`, with `?schema=name` for another schema than `headrace`
 * @throws {StoreUnusableError} when the URL, the credentials, the database, its version or the user's rights will not do
 * @throws {StoreUnreachableError} when the server does not answer
 * @throws {StoreNotOursError} when the schema belongs to something else; it is left as it is
 * @throws {StoreTooNewError} when a newer Headrace made it
 * @example
 * await using store = await openPostgresStore('postgres://headrace@localhost/headrace')
 */
export async function openPostgresStore(url: string, options: PostgresStoreOptions = {}): Promise<Store> {
  const address = parseAddress(url, options.schema)
  const session = await Session.open(address, 'writer').catch((error: unknown) => {
    throw firstError(error, address)
  })
  try {
    await migrate(session, address)
    const measured = new DatabaseClock()
    if (options.clock === undefined) await measured.measure(session, 3)
    const routing = new Routing()
    await routing.load(session)
    const store = new PostgresStore({ address, url, session, measured, routing, clock: options.clock })
    await store.open()
    return store
  } catch (error) {
    await session.close()
    throw error
  }
}

class PostgresStore implements Store {
  readonly name = 'postgres'
  readonly clock: Clock
  readonly settings: Settings
  readonly schedules: ScheduleRecords
  readonly #schema: string
  readonly #injected: Clock | undefined
  readonly #measured: DatabaseClock
  readonly #lanes = new Lanes()
  readonly #routing: Routing
  /** What is asked of everybody: jobs, cancels, settings. */
  readonly #writer: Writer
  /** What workers of this process say. */
  readonly #commits: Writer
  readonly #readers: Readers
  readonly #presence: Presence
  readonly #notifier: Notifier | undefined
  readonly #callers: CallersTransactions
  readonly #listeners = new HintListeners()
  readonly #knownWorkers = new Map<WorkerId, KnownWorker>()
  #measuring: NodeJS.Timeout | undefined
  #isClosed = false

  constructor(parts: {
    readonly address: Address
    readonly url: string
    readonly session: Session
    readonly measured: DatabaseClock
    readonly routing: Routing
    readonly clock: Clock | undefined
  }) {
    const { address, url, session, measured, routing, clock } = parts
    this.#routing = routing
    this.clock = clock ?? measured
    this.#injected = clock
    this.#measured = measured
    const open = (role: string) => () => Session.open(address, role)
    const enqueueAll = (on: Session, jobs: readonly NewJob[]) =>
      this.#do(on, (context) => enqueueJobs(on, context, jobs))
    this.#writer = new Writer(address, open('writer'), enqueueAll)
    this.#writer.adopt(session)
    this.#commits = new Writer(address, open('worker'), enqueueAll)
    this.#readers = new Readers(open('reader'))
    const { schema } = address
    this.#schema = schema
    this.#presence =
      clock === undefined ? new GuardedPresence({ url, schema }) : new ClockPresence(open('presence'), clock)
    this.#notifier =
      clock === undefined
        ? new Notifier({ open: open('listener'), schema, onHint: (hint) => this.#listeners.tell(hint) })
        : undefined
    this.#callers = new CallersTransactions({
      schema,
      context: () => this.#context(),
      writer: this.#writer,
      tell: (hint) => this.#tell(hint),
    })
    this.settings = new PostgresSettings(this.#readers, this.#writer)
    this.schedules = new PostgresSchedules({
      clock: this.clock,
      writer: this.#writer,
      readers: this.#readers,
      context: () => this.#context(),
      tell: (hint) => this.#tell(hint),
    })
  }

  async open(): Promise<void> {
    await this.#notifier?.start()
    if (this.#injected !== undefined) return
    this.#measuring = setInterval(() => {
      // Where it cannot be measured now, the last measure stands.
      this.#readers.read((session) => this.#measured.measure(session, 2)).catch(() => {})
    }, MEASURE_MS)
    this.#measuring.unref()
  }

  /** A copy of the database is in another cluster, or has another name. */
  async identity(): Promise<string> {
    const [row] = await this.#readers.read((session) => session.run<{ readonly place: string }>(placeOnly, []))
    return `${row?.place} ${this.#schema}`
  }

  enqueue(jobs: readonly NewJob[]): Promise<readonly Enqueued[]> {
    return this.#writer.enqueue(jobs)
  }

  enqueueIn(transaction: unknown, jobs: readonly NewJob[]): Promise<readonly Enqueued[]> {
    return this.#callers.enqueue(transaction, jobs)
  }

  async commit(batch: Commit): Promise<CommitResult> {
    const worker = this.#knownWorkers.get(batch.worker) ?? NOBODY
    const commitOn = (session: Session) => this.#do(session, (context) => commitBatch(session, context, batch, worker))
    const result = await this.#commits.run(commitOn)
    if (result.claimed.length > 0) this.#presence.guard()
    return result
  }

  async addWorker(worker: WorkerInfo, onLost: (reason: string) => void): Promise<void> {
    const process = await this.#presence.show()
    const { id, name, queues, leaseMs, deployment = '', labels = [], offers } = worker
    type Row = { readonly id: number }
    await this.#commits.run((session) => meetDeployments(session, this.#context(), [deployment]))
    const [row] = await this.#commits.run((session) =>
      session.run<Row>(statements.insertWorker, [
        id,
        name,
        process,
        hostname(),
        globalThis.process.pid,
        JSON.stringify(queues),
        leaseMs,
        this.#injected?.now(),
        deployment,
        JSON.stringify(labels),
        offers === undefined ? null : JSON.stringify(offers),
      ]),
    )
    if (row === undefined) throw new Error('the worker was not stored')
    this.#knownWorkers.set(id, new KnownWorker(row.id, worker))
    this.#presence.keep(row.id, leaseMs, onLost)
  }

  async removeWorker(worker: WorkerId): Promise<void> {
    const number = this.#knownWorkers.get(worker)?.number
    if (number === undefined) return
    this.#presence.letGo(number)
    await this.#release([number])
    this.#knownWorkers.delete(worker)
  }

  async sweep(): Promise<SweepResult> {
    await this.#presence.renewed()
    // On a connection for reading: what workers say does not wait for a look that mostly finds nothing.
    const found = await this.#readers.read((session) => lookForWork(session, this.clock.now(), this.#injected?.now()))
    const nothing = nothingToSweep(found)
    if (nothing !== undefined) return nothing
    return this.#commits.run((session) => this.#do(session, (context) => sweep(session, context, found)))
  }

  async cancel(id: JobId, reason: string): Promise<CancelOutcome> {
    if (!isJobId(id)) return 'unknown_job'
    return this.#transact(async (work) => {
      type Row = { readonly seq: number; readonly has_ended: boolean }
      const job = await work.tx.row<Row>('stateForCancel', id)
      if (job === undefined) return 'unknown_job'
      if (job.has_ended) return 'already_ended'
      const changes = new Changes(work)
      const outcome = await changes.cancel(job.seq, reason)
      await changes.finish()
      return outcome
    })
  }

  async cancelRequests(worker: WorkerId): Promise<readonly { row: number; reason: string }[]> {
    const number = this.#knownWorkers.get(worker)?.number
    if (number === undefined) return []
    const rows = await this.#rows<{ seq: number; cancel_reason: string }>('cancelRequests', number)
    return rows.map((row) => ({ row: row.seq, reason: row.cancel_reason }))
  }

  async signal(id: JobId, name: string, value: Payload, key?: string): Promise<SignalOutcome> {
    if (!isJobId(id)) return 'unknown_job'
    return this.#transact(async (work) => {
      const changes = new Changes(work)
      const outcome = await sendSignal(work, changes, { id, name, value, key })
      await changes.finish()
      return outcome
    })
  }

  async releases(waits: readonly { row: number; step: number }[]): Promise<readonly Release[]> {
    const seqs = waits.map(({ row }) => row)
    const steps = waits.map(({ step }) => step)
    return (await this.#rows<ReleaseRow>('releasedWaits', seqs, steps)).map(toRelease)
  }

  async outcomes(row: number, step: number): Promise<readonly ChildOutcome[]> {
    return (await this.#rows<ChildRow>('childOutcomes', row, step)).map(toChildOutcome)
  }

  async history(row: number): Promise<readonly RecordedStep[]> {
    const steps = await this.#rows<StepRow>('stepsOfJob', row)
    if (steps.length === 0) return []
    const children = await this.#rows<ChildRow>('allChildOutcomes', row)
    const isKept = steps.some((step) => step.kept_from !== null)
    const kept = isKept ? await this.#rows<ChildRow>('keptChildOutcomes', row) : []
    return toRecordedSteps(steps, [...kept, ...children])
  }

  purgeCache(filter: { readonly task?: string; readonly key?: string }): Promise<number> {
    return this.#writer.run((session) => purgeCache(session, filter))
  }

  prune(request: PruneRequest): Promise<Pruned> {
    return this.#transact((work) => prune(work, request))
  }

  artifactNames(page: { readonly limit: number; readonly after?: string }): Promise<ArtifactNames> {
    return this.#readers.read((session) => artifactNames(session, page))
  }

  async job(id: JobId): Promise<Job | undefined> {
    return isJobId(id) ? this.#readers.read((session) => queryJob(session, id)) : undefined
  }

  async states(ids: readonly JobId[]): Promise<ReadonlyMap<JobId, JobState>> {
    const rows = await this.#rows<{ id: JobId; state: JobState }>('statesOfJobs', ids.filter(isJobId))
    return new Map(rows.map(({ id, state }) => [id, state]))
  }

  async input(id: JobId): Promise<Payload | undefined> {
    if (!isJobId(id)) return undefined
    return (await this.#rows<{ readonly input: string }>('inputOfJob', id))[0]?.input
  }

  async outcome(id: JobId): Promise<{ state: EndState; result?: Payload; error?: RecordedError } | undefined> {
    if (!isJobId(id)) return undefined
    const [row] = await this.#rows<OutcomeRow>('outcomeOfJob', id)
    return row && toOutcome(row)
  }

  async attempts(id: JobId): Promise<readonly Attempt[]> {
    const job = await this.job(id)
    if (job === undefined) return []
    return toAttempts(await this.#rows<AttemptRow>('attemptsOfJob', id), job)
  }

  async steps(id: JobId): Promise<readonly RecordedStep[]> {
    if (!isJobId(id)) return []
    const [row] = await this.#rows<{ readonly seq: number }>('seqByJobId', id)
    return row === undefined ? [] : this.history(row.seq)
  }

  async tree(id: JobId, limit: number): Promise<readonly Job[]> {
    return isJobId(id) ? this.#readers.read((session) => queryTree(session, id, limit)) : []
  }

  async jobs(filter: JobFilter, page: Page): Promise<JobPage> {
    if (filter.parentId !== undefined && !isJobId(filter.parentId)) return { jobs: [] }
    return this.#readers.read((session) => queryJobs(session, filter, page))
  }

  async events(query: EventQuery): Promise<readonly JobEvent[]> {
    if (query.jobId !== undefined && !isJobId(query.jobId)) return []
    await this.#announce()
    return this.#readers.read((session) => queryEvents(session, query))
  }

  async lastCursor(): Promise<number> {
    await this.#announce()
    return this.#readers.read(queryLastCursor)
  }

  queues(): Promise<readonly QueueCounts[]> {
    return this.#readers.read(readQueues)
  }

  async configureQueue(name: string, change: QueueChange): Promise<void> {
    await this.#transact((work) => configureQueue(work, name, change))
  }

  deployments(): Promise<readonly DeploymentRow[]> {
    return this.#readers.read(readDeployments)
  }

  changeDeployment(
    name: string,
    to: DeploymentChange,
    { force = false }: { readonly force?: boolean } = {},
  ): Promise<'changed' | 'unknown' | 'busy'> {
    return this.#transact((work) => changeDeployment(work, name, to, force))
  }

  limits(): Promise<readonly LimitCounts[]> {
    return this.#rows<LimitCounts>('limitCounts')
  }

  async workers(): Promise<readonly WorkerRow[]> {
    return (await this.#rows<AliveWorkerRow>('aliveWorkers')).map(toWorkerRow)
  }

  async check(): Promise<void> {
    await this.settings.put('headrace', 'checked', this.clock.now())
    await this.settings.get('headrace', 'checked')
  }

  watch(listener: (hint: Hint) => void): Disposable {
    return this.#listeners.add(listener)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    clearInterval(this.#measuring)
    this.#callers.close()
    const numbers = [...this.#knownWorkers.values()].map(({ number }) => number)
    for (const number of numbers) this.#presence.letGo(number)
    // A database that does not answer sees for itself that the process is gone.
    if (numbers.length > 0) await this.#release(numbers).catch(() => {})
    await this.#presence.close()
    await this.#writer.close()
    await this.#commits.close()
    await this.#readers.close()
    await this.#notifier?.close()
  }

  #context(): Context {
    const ahead = new Ahead((hint) => this.#notifier?.callsFor(hint) ?? [])
    return {
      clock: this.clock,
      lanes: this.#lanes,
      routing: this.#routing,
      hints: new HintCollector(),
      ahead,
      notes: new Notes(),
    }
  }

  /** Tells everybody what it has done, before the answer. */
  async #do<T>(session: Session, work: (context: Context) => Promise<T>): Promise<T> {
    const context = this.#context()
    const result = await this.#routing.obey(session, () => work(context))
    await serveNotes(session, context)
    const hint = context.hints.take()
    if (hint === undefined) return result
    this.#listeners.tell(hint)
    const rest = context.ahead.rest(hint)
    if (rest !== undefined) this.#notifier?.send(rest)
    return result
  }

  #transact<T>(work: Parameters<typeof inTransaction<T>>[2]): Promise<T> {
    return this.#writer.run((session) => this.#do(session, (context) => inTransaction(session, context, work)))
  }

  #release(numbers: readonly number[]): Promise<void> {
    return this.#commits.run((session) =>
      this.#do(session, (context) => inTransaction(session, context, (work) => releaseWorkers(work, numbers))),
    )
  }

  #rows<Row>(name: StatementName, ...values: readonly Value[]): Promise<readonly Row[]> {
    return this.#readers.read((session) => session.run<Row>(statements[name], values))
  }

  /** Jobs of other's transactions that are over get their place among the events. */
  async #announce(): Promise<void> {
    const [row] = await this.#rows<{ readonly found: boolean }>('unannounced')
    if (row?.found !== true) return
    await this.#writer.run((session) => session.run(statements.announceJobs, [this.clock.now()]))
  }

  #tell(hint: Hint): void {
    this.#listeners.tell(hint)
    this.#notifier?.send(hint)
  }
}
