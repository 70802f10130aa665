/**
 * The shapes that cross HTTP, and nothing else: no code, so that the browser client stays free of dependencies and the
 * server cannot drift from it. Instants are ISO 8601 strings in UTC; fractions run from 0 to 1.
 */

export type * from './document.ts'
export type * from './model.ts'

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json }

/** The engine's own states. `JobStatus` is how OGC API - Processes says the same. */
export type JobState = 'waiting' | 'running' | 'succeeded' | 'failed' | 'cancelled'

/** OGC API - Processes 1.0, statusCode.yaml. */
export type JobStatus = 'accepted' | 'running' | 'successful' | 'failed' | 'dismissed'

export type Link = { readonly href: string; readonly rel: string; readonly type?: string; readonly title?: string }

export type WireError = {
  readonly code: string
  readonly message: string
  readonly name?: string
  readonly stack?: string
  readonly retryable?: boolean
  readonly origin?: { readonly jobId: string; readonly task: string }
  readonly details?: Json
}

/** RFC 9457. `code` is ours, stable and listed in docs/errors.md; `errors` point into the input (RFC 6901 pointers). */
export type Problem = {
  readonly type: string
  readonly title: string
  readonly status: number
  readonly detail?: string
  readonly instance?: string
  readonly code: string
  readonly errors?: readonly { readonly pointer: string; readonly detail: string }[]
}

/** statusInfo.yaml of OGC API - Processes 1.0, with what Headrace adds to it. */
export type StatusInfo = {
  readonly jobID: string
  readonly processID: string
  readonly type: 'process'
  readonly status: JobStatus
  readonly message?: string
  readonly created: string
  readonly started?: string
  readonly finished?: string
  readonly updated: string
  /** Whole percent, 0 to 100, as OGC wants it. */
  readonly progress: number
  readonly links: readonly Link[]
  // What Headrace adds:
  readonly state: JobState
  readonly kind: 'task' | 'workflow'
  readonly queue: string
  readonly priority: number
  readonly attempt: number
  readonly tags: readonly string[]
  readonly owner?: string
  readonly parentId?: string
  readonly rootId: string
  readonly step?: number
  readonly item?: number
  readonly retryOf?: string
  readonly worker?: string
  readonly dueAt?: string
  readonly deadlineAt?: string
  readonly cancelRequestedAt?: string
  readonly progressMessage?: string
  /** 0 to 1, unrounded. */
  readonly progressFraction?: number
  readonly error?: WireError
  /** The stack that it belongs to. */
  readonly deployment?: string
  /** Its worker has all of these. */
  readonly labels?: readonly string[]
  /** What it takes of what its worker offers. */
  readonly needs?: Json
  /** At most `max` jobs of one key run at a time. */
  readonly limit?: { readonly key: string; readonly max: number; readonly whenFull: 'wait' | 'reject' | 'replace' }
  /** Of a process whose results are used again: whose result it is, or whose it waits for. */
  readonly cache?: { readonly hit: boolean; readonly from?: string; readonly following?: string }
}

/** GET /jobs; newest first. `next` among the links leads on. */
export type JobList = { readonly jobs: readonly StatusInfo[]; readonly links: readonly Link[] }

/** GET /jobs/{id}/tree: the job and its descendants, oldest first. */
export type JobTree = { readonly jobs: readonly StatusInfo[]; readonly truncated: boolean }

/** GET /jobs/{id}/history: all that a workflow recorded, to be kept in a file and replayed; payloads are JSON texts. */
export type JobHistory = {
  readonly format: 1
  readonly task: string
  readonly jobId: string
  readonly owner?: string
  /** Milliseconds since 1970. */
  readonly readAt: number
  readonly input: string
  readonly steps: readonly object[]
  /** Left out while it has not ended. */
  readonly end?: { readonly state: 'succeeded' | 'failed' | 'cancelled'; readonly error?: object }
}

/** POST /jobs/{id}/retry */
export type RetryRequest = {
  /** Default: a workflow that did not succeed goes on from the step that failed, everything else begins at its start. */
  readonly from?: 'start' | 'failed-step'
  /** Instead of the ended job's input. Steps that are taken over keep the outcomes that they came to with the old one. */
  readonly input?: Json
}

/** POST /jobs/redrive: one step. */
export type RedriveAnswer = {
  /** Nothing was stored: `retried` are those that would be. */
  readonly dryRun: boolean
  readonly retried: readonly { readonly retryOf: string; readonly jobID?: string }[]
  /** Left as they are, and why. */
  readonly refused: readonly { readonly jobID: string; readonly code: string; readonly message: string }[]
  /** There may be more: send the same again with this as `cursor`. */
  readonly next?: string
}

/** Milliseconds, or a time such as `30d`, `12h`, `90m`, `45s`, or `forever`; by how a job ended. */
export type Keep = {
  readonly succeeded?: string | number
  readonly failed?: string | number
  readonly cancelled?: string | number
}

/** PUT /retention: how long ended jobs are kept. A task's own times count before its queue's, and those before the general ones. */
export type RetentionPolicy = {
  readonly keep: Keep
  readonly tasks?: { readonly [task: string]: Keep }
  readonly queues?: { readonly [queue: string]: Keep }
  /** How long an artifact is kept after it was last put, and after the last name of it has gone. Left out: 7d. */
  readonly artifacts?: string | number
}

export type ArtifactAmount = { readonly artifacts: number; readonly bytes: number }

/** What a pass over the artifacts has come to. */
export type Collected = {
  /** In a dry run: what would be. */
  readonly removed: ArtifactAmount
  /** Named by nothing, and not for long enough. */
  readonly unnamed: ArtifactAmount
  /** Other stores that use the same place, so that nothing was removed: the names of their files under `users/` there. */
  readonly sharedWith?: readonly string[]
}

/** GET /retention */
export type WireRetention = RetentionPolicy & {
  readonly isDefault: boolean
  /** The present pass over the history, or the last one. */
  readonly pass?: { readonly startedAt: string; readonly endedAt?: string; readonly prunedJobs: number }
  /** The same over the artifacts. */
  readonly artifactPass?: Collected & {
    readonly startedAt: string
    readonly endedAt?: string
    /**
     * Names that were read, and then artifacts that were looked at. `isWaiting`: for a transaction that was open when it
     * began.
     */
    readonly progress: { readonly names: number; readonly artifacts: number; readonly isWaiting?: true }
  }
}

/** POST /retention/prune: one step. */
export type PruneAnswer = {
  readonly dryRun: boolean
  /** So many were removed, children included; or would be. */
  readonly jobs: number
  /** With the last step. Left out by a server that removes no artifacts. */
  readonly artifacts?: Collected
  /** Nothing could be done yet: a transaction is open in the database that was when the pass over the artifacts began. */
  readonly isWaiting?: true
  /** There may be more: send the same again with this as `cursor`. */
  readonly next?: string
}

/** GET /jobs/{id}/attempts */
export type WireAttempt = {
  readonly attempt: number
  readonly worker: string
  readonly startedAt: string
  readonly endedAt?: string
  readonly outcome: 'running' | 'succeeded' | 'failed' | 'cancelled' | 'retried' | 'lapsed' | 'released' | 'parked'
  readonly error?: WireError
}

/** GET /jobs/{id}/steps: what a workflow recorded. */
export type WireStep = {
  readonly step: number
  readonly kind: 'call' | 'start' | 'map' | 'step' | 'sleep' | 'now' | 'signal' | 'session' | 'ending' | 'compensate'
  readonly name: string
  readonly recordedAt: string
  /** The job that ran it, when this one took it over. */
  readonly keptFrom?: string
  readonly dueAt?: string
  readonly value?: Json
  readonly error?: WireError
  readonly children: {
    readonly total: number
    readonly ended: number
    readonly failed: number
    readonly firstId?: string
  }
}

/** POST /jobs/{id}/signals/{name}: whether the workflow waited for it, or gets it when it does. */
export type SignalAnswer = { readonly outcome: 'delivered' | 'kept' }

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

/**
 * One server-sent event of /jobs/{id}/events or /events: `id:` is the cursor, `event:` the kind, `data:` this object.
 * `data` by kind: ended {state, error?}, progress {fraction, message?}, log {level, message}, metric {name, step, value},
 * artifact {name, artifact, sizeBytes, mediaType?}, retried {error, dueAt}, step {step, kind, name}, started {worker},
 * signal {name}, parked {dueAt?}, ending {state, error}.
 */
export type WireEvent = {
  readonly cursor: number
  readonly jobId: string
  readonly kind: EventKind
  readonly attempt: number
  readonly at: string
  readonly data: { readonly [key: string]: Json }
}

/** GET /jobs/{id}/logs?after=&limit=&level=&contains=&attempt= */
export type LogPage = { readonly lines: readonly LogLine[]; readonly next: number }
export type LogLine = {
  readonly cursor: number
  readonly jobId: string
  readonly attempt: number
  readonly at: string
  readonly level: 'debug' | 'info' | 'warn' | 'error'
  readonly message: string
}

/** GET /jobs/{id}/artifacts; bytes are at `href`. */
export type ArtifactList = { readonly artifacts: readonly WireArtifact[] }
export type WireArtifact = {
  readonly name: string
  readonly id: string
  readonly sizeBytes: number
  readonly mediaType?: string
  readonly at: string
  readonly href: string
}

/** processSummary.yaml and process.yaml of OGC API - Processes 1.0. */
export type ProcessSummary = {
  readonly id: string
  readonly version: string
  readonly title: string
  readonly description?: string
  readonly keywords?: readonly string[]
  readonly jobControlOptions: readonly ('sync-execute' | 'async-execute' | 'dismiss')[]
  readonly outputTransmission: readonly ('value' | 'reference')[]
  readonly links: readonly Link[]
}
export type ProcessDescription = ProcessSummary & {
  readonly inputs: { readonly [id: string]: ProcessInput }
  readonly outputs: { readonly [id: string]: ProcessOutput }
}
export type ProcessInput = {
  readonly title?: string
  readonly description?: string
  readonly schema: Json
  readonly minOccurs: number
  readonly maxOccurs: number | 'unbounded'
}
export type ProcessOutput = { readonly title?: string; readonly description?: string; readonly schema: Json }
export type ProcessList = { readonly processes: readonly ProcessSummary[]; readonly links: readonly Link[] }

/** POST /processes/{id}/execution. The part below `response` is Headrace's. */
export type ExecuteRequest = {
  readonly inputs?: { readonly [id: string]: Json }
  readonly outputs?: { readonly [id: string]: { readonly transmissionMode?: 'value' | 'reference' } }
  readonly response?: 'raw' | 'document'
  readonly priority?: number
  readonly tags?: readonly string[]
  /** Not before this instant. */
  readonly dueAt?: string
  /** In total, from now; the job fails when it has not ended by then. */
  readonly deadlineMs?: number
  /** The stack that it is for; the active one when left out. */
  readonly deployment?: string
}

/** GET /queues: by name, those that have jobs or settings. */
export type QueueList = { readonly queues: readonly WireQueue[] }

/** GET /queues/{name}. A queue is a name: one that nobody used yet is empty. */
export type WireQueue = {
  readonly queue: string
  /** Due, and could be taken now. */
  readonly waiting: number
  /** Due later, or once something else has happened. */
  readonly scheduled: number
  /** Due, and waiting for a permit of their limit. */
  readonly blocked: number
  readonly running: number
  /** Since when the first of the waiting ones is due. */
  readonly oldestDueAt?: string
  /** None of its jobs is begun; what runs goes on. */
  readonly paused: boolean
  /** At most so many jobs are begun per so many milliseconds, over all workers. */
  readonly rate?: WireRate
  /** Its owners take turns. */
  readonly fair: boolean
  /** Weights of owners that have another one than 1. */
  readonly shares?: { readonly [owner: string]: number }
  /** Of its jobs among the newest 500 that have ended; left out when none is. */
  readonly times?: QueueTimes
  /** Of an answer to a change: that nothing knew the queue before. It is set all the same. */
  readonly notice?: string
}
export type WireRate = { readonly count: number; readonly perMs: number }
export type QueueTimes = {
  readonly jobs: number
  /** From its submission to its start, of jobs that needed one attempt. Left out when no job did. */
  readonly waitMs?: Quantiles
  /** Of the last attempt. Left out when no job was begun. */
  readonly runMs?: Quantiles
}
export type Quantiles = { readonly p50: number; readonly p95: number }

/** PATCH /queues/{name}: what is left out stays as it is. */
export type QueuePatch = {
  readonly paused?: boolean
  /** Null: no rate any more. */
  readonly rate?: WireRate | null
  readonly fair?: boolean
  readonly shares?: { readonly [owner: string]: number }
}

/** GET /schedules: by name. */
export type ScheduleList = { readonly schedules: readonly WireSchedule[] }

/** What a schedule says; PUT /schedules/{name} takes it, and stores all of it. */
export type ScheduleOptions = {
  /** The process or task that is started, and what with. */
  readonly process: string
  readonly inputs?: { readonly [id: string]: Json }
  /** Five fields, or six with seconds first. */
  readonly cron: string
  /** An IANA name; `UTC` when left out. */
  readonly timeZone?: string
  /** What is done when an instant comes while the last run is still at it; `skip` when left out. */
  readonly overlap?: 'skip' | 'buffer-one' | 'allow' | 'cancel-running'
  /** What is done with instants that nobody was there to fire; `one` when left out. */
  readonly catchUp?: 'none' | 'one' | 'all'
  readonly catchUpWindowMs?: number
  /** Each run begins so much later at most. */
  readonly jitterMs?: number
  readonly queue?: string
  readonly priority?: number
  readonly tags?: readonly string[]
  readonly deadlineMs?: number
  /** Of the jobs: who stored it, unless an admin names another one. */
  readonly owner?: string
}

export type WireSchedule = ScheduleOptions & {
  readonly name: string
  readonly inputs: { readonly [id: string]: Json }
  /** A program brings it along, and stores it again when it starts. */
  readonly isDeclared: boolean
  readonly paused: boolean
  /** The next five instants; none while it is paused. */
  readonly nextRuns: readonly string[]
  /** The latest instant that was fired, and the job that it made, while that is still known. */
  readonly lastAt?: string
  readonly lastJob?: { readonly jobID: string; readonly state: JobState }
  /** Jobs that it made. */
  readonly fired: number
  /** Instants of which no job was made. */
  readonly skipped: number
  readonly changedAt: string
}

/** POST /schedules/{name}/backfill: each instant from `from` up to `to`, which is not among them. */
export type BackfillRequest = { readonly from: string; readonly to: string; readonly concurrency?: number }
export type BackfillAnswer = { readonly jobIDs: readonly string[] }

/** GET /workers: those whose lease holds. */
export type WorkerList = { readonly workers: readonly WireWorker[] }
export type WireWorker = {
  readonly id: string
  readonly name: string
  readonly host: string
  readonly pid: number
  /** Slots by queue. */
  readonly queues: { readonly [queue: string]: number }
  readonly running: number
  readonly startedAt: string
  readonly leaseUntil: string
  /** It takes jobs of this deployment only; those without one, when left out. */
  readonly deployment?: string
  /** It is given jobs whose labels are all among these. */
  readonly labels: readonly string[]
  /** What it offers of each resource, and how much of it no running task holds; a slot's name stands behind `slots.`. */
  readonly resources: { readonly [name: string]: { readonly total: number; readonly free: number } }
  /** It was asked to stop: it takes no more jobs. */
  readonly draining: boolean
}
/** POST /workers/{id}/drain: what runs has so long to end; 30,000 when left out. */
export type DrainRequest = { readonly graceMs?: number }

/** GET /deployments: the last to change first. */
export type DeploymentList = { readonly deployments: readonly WireDeployment[] }
export type WireDeployment = {
  readonly name: string
  /** `dark`: it gets only what names it. `active`: what names none, too. `draining`: it ends what it has. */
  readonly state: 'dark' | 'active' | 'draining' | 'retired'
  /** Jobs of it that have not ended and do not run. */
  readonly waiting: number
  readonly running: number
  readonly workers: number
  readonly changedAt: string
}
/** POST /deployments/{name}/retire: `force` cancels what still lives of it. */
export type RetireRequest = { readonly force?: boolean }

/** GET /limits: those of which jobs live, the ones with the most first. */
export type LimitList = { readonly limits: readonly WireLimit[] }
export type WireLimit = {
  readonly key: string
  /** As the newest job said. */
  readonly max: number
  /** Permits that are given out. */
  readonly taken: number
  readonly blocked: number
  /** All its jobs that have not ended. */
  readonly live: number
}
/** GET /limits/{key}: who holds its permits and who waits for one, the newest first, at most 100 jobs of either. */
export type LimitHolders = WireLimit & {
  readonly holders: readonly StatusInfo[]
  readonly waiters: readonly StatusInfo[]
}

/** GET /jobs/{id}/waiting: why it waits; without a reason when it does not. */
export type WaitAnswer = { readonly reason?: WireWaitReason }
export type WireWaitReason = {
  /** `paused`, `limit`, `no_worker_for_labels`, …: see docs/routing.md. */
  readonly code: string
  /** The same for people. */
  readonly sentence: string
}

/** GET /uploads/{id} */
export type UploadInfo = {
  readonly id: string
  /** The `filename` and `filetype` that the client gave. */
  readonly name?: string
  readonly mediaType?: string
  /** Missing while the client has not said it. */
  readonly sizeBytes?: number
  readonly receivedBytes: number
  /** The artifact's id, once all bytes are there; jobs take it. */
  readonly artifact?: string
  readonly createdAt: string
  /** When it is removed, unless it goes on; of a finished one, until when it is told of. The artifact stays. */
  readonly expiresAt: string
}

/** The answer to PUT /uploads/{name} */
export type StoredUpload = { readonly name: string; readonly artifact: string; readonly sizeBytes: number }

/** GET /layers */
export type LayerList = { readonly layers: readonly WireLayer[] }
export type WireLayer = {
  readonly name: string
  readonly title: string
  readonly crs: string
  readonly rows: number
  readonly cols: number
  readonly pixelSize: readonly [number, number]
  readonly kind: 'categorical' | 'continuous'
  readonly nodata: number | null
  /** west, south, east, north in degrees. */
  readonly bboxLonLat: readonly [number, number, number, number]
  readonly classes: readonly { readonly value: number; readonly name: string; readonly color: string }[]
  readonly sha256: string
  readonly synthetic: boolean
  /** `/layers/{name}/tiles/{z}/{x}/{y}.png` */
  readonly tiles: string
}

/** GET /session: who the caller is. */
export type SessionInfo = {
  readonly owner: string
  readonly scopes: readonly Scope[]
  readonly version: string
}
export type Scope = 'submit' | 'read-own' | 'read-all' | 'operate' | 'admin'

/** GET /pages: what the apps add to the dashboard. */
export type PageList = {
  readonly pages: readonly { readonly id: string; readonly title: string; readonly path: string }[]
}
