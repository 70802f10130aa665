import type {
  DeploymentList,
  DrainRequest,
  ExecuteRequest,
  JobList,
  JobState,
  Json,
  LayerList,
  LimitHolders,
  LimitList,
  ProcessDescription,
  ProcessList,
  ProcessSummary,
  PruneAnswer,
  QueueList,
  QueuePatch,
  RedriveAnswer,
  RetentionPolicy,
  SessionInfo,
  StatusInfo,
  WireDeployment,
  WireEvent,
  WireLayer,
  WireLimit,
  WireQueue,
  WireRetention,
  WireWorker,
  WorkerList,
} from '@headrace/wire'

import { type Clock, monotonicClock } from './clock/clock.ts'
import { createDocuments, type Documents } from './documents.ts'
import { type Connection, followEvents } from './events/follow-events.ts'
import { createHttp, type Fetch, type Http, type Query, type Token } from './http/http.ts'
import { randomKey } from './http/random-key.ts'
import { createJob, type Job } from './job/job.ts'
import { createModels, type Models } from './models.ts'
import { createSchedules, type Schedules } from './schedules.ts'

export type ClientOptions = {
  /** `http://127.0.0.1:8080`; in a browser, `''` is the page's own server. */
  readonly baseUrl: string
  /** An API key; or a function, which is asked again once when the server answers 401. */
  readonly token?: Token
  readonly fetch?: Fetch
  readonly clock?: Clock
  /** For jitter: from 0 up to 1. */
  readonly random?: () => number
  /**
   * How long a call that could succeed later is tried again before its error is thrown. Default 30,000. What waits for
   * a job (`result`, `events`, `logs` that follow) is not bound by it.
   */
  readonly retryForMs?: number
}

export type SubmitOptions = {
  /** Makes a repeated submission harmless; a random one when left out, so that the client's own repetitions are. */
  readonly idempotencyKey?: string
  /** Higher goes first. */
  readonly priority?: number
  readonly tags?: readonly string[]
  /** Not before this instant. */
  readonly dueAt?: Date | string
  /** In total, from now; the server fails the job when it has not ended by then. */
  readonly deadlineMs?: number
  /** The stack that it is for; the active one when left out. */
  readonly deployment?: string
  /** Stops sending; a job that was already accepted goes on. */
  readonly signal?: AbortSignal
  /** Of a process whose results are used again: make it anew, and with `off` keep it from others too. */
  readonly cache?: 'refresh' | 'off'
}

export type JobsQuery = {
  readonly state?: JobState
  readonly process?: string
  readonly queue?: string
  readonly tag?: string
  /** Of the error that a job ended with. */
  readonly code?: string
  /** Whether another job repeats it. */
  readonly retried?: boolean
  /** Submitted not before this instant. */
  readonly since?: Date | string
  /** Text that the id begins with, or that process, tags or input contain. */
  readonly search?: string
  /** Default: the server's. */
  readonly limit?: number
  /** The `next` of the page before. */
  readonly cursor?: string
}

export type EventFeedOptions = {
  readonly after?: number | undefined
  readonly signal?: AbortSignal | undefined
  readonly onConnection?: ((connection: Connection) => void) | undefined
}

export type RedriveQuery = Omit<JobsQuery, 'state' | 'retried'> & {
  /** For each of them; see `job.retry`. */
  readonly from?: 'start' | 'failed-step'
  /** Only tells which would be retried. */
  readonly dryRun?: boolean
}

/** Newest first. */
export type JobPage = { readonly jobs: readonly StatusInfo[]; readonly next: string | undefined }

/** A Headrace server, as seen by one caller. */
export interface Client {
  /**
   * Stores a job and gives it, before it has begun. Safe to lose the connection in: a repetition finds the first job.
   * @throws {ProblemError} `input_invalid` with pointers into the inputs, `no_such_process`, and what else the server refuses
   */
  submit<Output = Json>(
    process: string,
    inputs: Readonly<Record<string, Json>>,
    options?: SubmitOptions,
  ): Promise<Job<Output>>
  /**
   * Stores a job that runs other processes, composed as a canvas: chains, groups, chords, maps, branches; see docs/canvas.md.
   * @throws {ProblemError} `input_invalid` with a pointer to each flaw of the canvas
   */
  submitCanvas<Output = Json>(
    canvas: { readonly canvas: Json; readonly onFailure?: Json },
    options?: SubmitOptions,
  ): Promise<Job<{ readonly result: Output }>>
  /** The job with this id; nothing is asked yet. */
  job<Output = Json>(id: string): Job<Output>
  jobs(query?: JobsQuery): Promise<JobPage>
  /**
   * Retries failed jobs that were not retried before, at most `limit` of them; the answer's `next` is the `cursor` of the next
   * step. Safe to repeat: none is retried twice.
   */
  redrive(query?: RedriveQuery): Promise<RedriveAnswer>
  /** All that happens to all jobs the caller may read, from now on or after a cursor. */
  events(options?: EventFeedOptions): AsyncIterable<WireEvent>
  processes(): Promise<readonly ProcessSummary[]>
  process(id: string): Promise<ProcessDescription>
  queues(): Promise<readonly WireQueue[]>
  queue(name: string): Promise<WireQueue>
  /** Pauses, resumes or sets a queue; what is left out stays as it is. */
  configureQueue(name: string, change: QueuePatch): Promise<WireQueue>
  workers(): Promise<readonly WireWorker[]>
  /** Asks a worker to take no more jobs, to end what it runs or hand it back after `graceMs`, and to stop. */
  drainWorker(id: string, options?: DrainRequest): Promise<void>
  /** The stacks, the last to change first. */
  deployments(): Promise<readonly WireDeployment[]>
  /** `force`: with `retire`, what still lives of it is cancelled. */
  changeDeployment(
    name: string,
    verb: 'promote' | 'drain' | 'retire',
    options?: { readonly force?: boolean },
  ): Promise<WireDeployment>
  /** The limits by key of which jobs live. */
  limits(): Promise<readonly WireLimit[]>
  /** Who holds its permits, and who waits for one. */
  limit(key: string): Promise<LimitHolders>
  /** What is started by the clock. */
  readonly schedules: Schedules
  readonly documents: Documents
  readonly models: Models
  /** How long ended jobs are kept. */
  retention(): Promise<WireRetention>
  setRetention(policy: RetentionPolicy): Promise<WireRetention>
  /** Removes old jobs, then artifacts that nothing names, now, one step; the answer's `next` is the `cursor` of the next one. */
  prune(query?: {
    readonly olderThanMs?: number
    readonly dryRun?: boolean
    readonly cursor?: string
  }): Promise<PruneAnswer>
  /** Forgets stored results: of one task, of one key, or all. Gives how many. */
  purgeCache(filter?: { readonly task?: string; readonly key?: string }): Promise<number>
  layers(): Promise<readonly WireLayer[]>
  session(): Promise<SessionInfo>
}

/**
 * A client of one server. It keeps no state, so make as many as you like.
 * @example
 * const client = createClient({ baseUrl: 'http://127.0.0.1:8080', token: process.env.HEADRACE_KEY })
 * const job = await client.submit('watershed.analyze-land', { area })
 * for await (const event of job.events()) console.log(event.kind, event.data)
 * console.log(await job.result())
 */
export function createClient(options: ClientOptions): Client {
  const http = createHttp({
    baseUrl: options.baseUrl,
    token: options.token,
    fetch: options.fetch ?? ((url, init) => fetch(url, init)),
    clock: options.clock ?? monotonicClock,
    random: options.random ?? Math.random,
    retryForMs: options.retryForMs ?? 30_000,
  })
  return {
    submit: (process, inputs, submitOptions = {}) => submit(http, process, inputs, submitOptions),
    submitCanvas: (canvas, submitOptions = {}) => submit(http, CANVAS_PROCESS, canvas, submitOptions),
    job: (id) => createJob(http, id),
    jobs: (query = {}) => listJobs(http, query),
    redrive: (query = {}) => redrive(http, query),
    events: (eventOptions = {}) => allEvents(http, eventOptions),
    processes: () => listProcesses(http),
    process: (id) => http.json<ProcessDescription>({ path: `/processes/${encodeURIComponent(id)}` }),
    queues: async () => (await http.json<QueueList>({ path: '/queues' })).queues,
    queue: (name) => http.json<WireQueue>({ path: `/queues/${encodeURIComponent(name)}` }),
    configureQueue: (name, change) =>
      http.json<WireQueue>({ method: 'PATCH', path: `/queues/${encodeURIComponent(name)}`, body: change }),
    workers: async () => (await http.json<WorkerList>({ path: '/workers' })).workers,
    drainWorker: async (id, drainOptions = {}) => {
      const path = `/workers/${encodeURIComponent(id)}/drain`
      await http.json({ method: 'POST', path, body: drainOptions, isRepeatable: true })
    },
    deployments: async () => (await http.json<DeploymentList>({ path: '/deployments' })).deployments,
    changeDeployment: (name, verb, { force } = {}) => {
      const path = `/deployments/${encodeURIComponent(name)}/${verb}`
      const body = force === undefined ? {} : { force }
      return http.json<WireDeployment>({ method: 'POST', path, body, isRepeatable: true })
    },
    limits: async () => (await http.json<LimitList>({ path: '/limits' })).limits,
    limit: (key) => http.json<LimitHolders>({ path: `/limits/${encodeURIComponent(key)}` }),
    schedules: createSchedules(http),
    models: createModels(http),
    documents: createDocuments(http),
    retention: () => http.json<WireRetention>({ path: '/retention' }),
    setRetention: (policy) => http.json<WireRetention>({ method: 'PUT', path: '/retention', body: policy }),
    prune: (query = {}) =>
      // To remove what is gone does no harm; a pass over the artifacts that was cut off is begun again.
      http.json<PruneAnswer>({ method: 'POST', path: '/retention/prune', query, isRepeatable: true }),
    purgeCache: async (query = {}) =>
      (await http.json<{ readonly purged: number }>({ method: 'DELETE', path: '/cache', query, isRepeatable: true }))
        .purged,
    layers: async () => (await http.json<LayerList>({ path: '/layers' })).layers,
    session: () => http.json<SessionInfo>({ path: '/session' }),
  }
}

/** The process that runs a canvas. */
const CANVAS_PROCESS = 'headrace.canvas'

async function submit<Output>(
  http: Http,
  process: string,
  inputs: Readonly<Record<string, Json>>,
  options: SubmitOptions,
): Promise<Job<Output>> {
  const status = await http.json<StatusInfo>({
    method: 'POST',
    path: `/processes/${encodeURIComponent(process)}/execution`,
    headers: {
      prefer: 'respond-async',
      'idempotency-key': options.idempotencyKey ?? randomKey(),
      ...(options.cache === undefined ? {} : { 'cache-control': options.cache === 'off' ? 'no-store' : 'no-cache' }),
    },
    body: executeRequest(inputs, options),
    isRepeatable: true, // by its idempotency key
    signal: options.signal,
  })
  return createJob<Output>(http, status.jobID)
}

function executeRequest(inputs: Readonly<Record<string, Json>>, options: SubmitOptions): Json & ExecuteRequest {
  const { priority, tags, dueAt, deadlineMs, deployment } = options
  return {
    inputs,
    ...(priority === undefined ? {} : { priority }),
    ...(tags === undefined ? {} : { tags }),
    ...(dueAt === undefined ? {} : { dueAt: typeof dueAt === 'string' ? dueAt : dueAt.toISOString() }),
    ...(deadlineMs === undefined ? {} : { deadlineMs }),
    ...(deployment === undefined ? {} : { deployment }),
  }
}

/** The most that the standard lets a client ask for. */
const PROCESSES_MAX = 10_000

async function listJobs(http: Http, query: JobsQuery): Promise<JobPage> {
  const list = await http.json<JobList>({ path: '/jobs', query: jobParameters(query) })
  return { jobs: list.jobs, next: cursorOf(list.links) }
}

function jobParameters({ state, process, queue, tag, code, retried, since, search, limit, cursor }: JobsQuery): Query {
  const datetime = since === undefined ? undefined : `${new Date(since).toISOString()}/..`
  return { state, processID: process, queue, tag, code, retried, datetime, q: search, limit, cursor }
}

async function redrive(http: Http, { from, dryRun, ...query }: RedriveQuery): Promise<RedriveAnswer> {
  return http.json<RedriveAnswer>({
    method: 'POST',
    path: '/jobs/redrive',
    query: { ...jobParameters(query), from, dryRun },
    isRepeatable: true, // for no job is redriven twice
  })
}

async function listProcesses(http: Http): Promise<readonly ProcessSummary[]> {
  return (await http.json<ProcessList>({ path: '/processes', query: { limit: PROCESSES_MAX } })).processes
}

/** Only the cursor of a `next` link is used: behind a proxy, the server may not know its own address. */
function cursorOf(links: readonly { readonly rel: string; readonly href: string }[]): string | undefined {
  const next = links.find((link) => link.rel === 'next')
  return next && (new URL(next.href, 'http://any').searchParams.get('cursor') ?? undefined)
}

async function* allEvents(http: Http, options: EventFeedOptions): AsyncGenerator<WireEvent, void> {
  const { signal } = options
  // Where "from now on" begins is asked once, so that a connection that is lost before its first event loses none.
  const after = options.after ?? (await http.json<{ readonly next: number }>({ path: '/events', signal })).next
  const forEver = { isLast: () => false, isOver: async () => false }
  yield* followEvents(http, { path: '/events', after, signal, onConnection: options.onConnection, ...forEver })
}
