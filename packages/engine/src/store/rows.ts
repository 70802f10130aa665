// What the rows of a relational store say, in the engine's terms. Both stores name their columns alike, and give a state by its
// name; only what is true differs (1 or true).

import type {
  Attempt,
  EndState,
  Job,
  JobCache,
  JobId,
  JobLimit,
  Progress,
  RecordedError,
  WorkerId,
} from '../job/job.ts'
import type { Resources } from '../routing/resources.ts'
import type { ChildOutcome, GroupPolicy, Payload, RecordedStep, Release, StepKind, WorkerRow } from './store.ts'

export {
  FIRST_KEYS,
  type NamesPlace,
  type NamingRow,
  namesStatement,
  readNamesPlace,
  toArtifactNames,
} from './name-rows.ts'
export {
  isDueToGo,
  PRUNE_REMOVALS,
  type PruneCandidate,
  type PrunePlace,
  readPrunePlace,
  writePrunePlace,
} from './prune-rows.ts'
export { type QueueCountRow, type ShareWeightRow, toQueueCounts } from './queue-rows.ts'

/** When a parked job is due that waits for no instant. */
export const FOR_EVER = Number.MAX_SAFE_INTEGER

/** SQLite has no booleans. */
type Truth = boolean | number

function isTrue(value: Truth | null): boolean {
  return value === true || value === 1
}

/** A job with everything that is told of it, one row. The ids of its parent, its top and its result's source come by joins. */
export type JobRow = {
  readonly seq: number
  readonly id: string
  readonly task: string
  readonly kind: Job['kind']
  readonly queue: string
  readonly priority: number
  readonly created_at: number
  readonly deadline_at: number | null
  readonly owner: string | null
  readonly tags: string | null
  readonly step: number | null
  readonly item: number | null
  readonly retry_of: string | null
  readonly limits: string | null
  readonly deployment: string | null
  readonly labels: string | null
  readonly needs: string | null
  readonly cache: string | null
  /** The job whose result it took, or waits for; null also when that was removed. */
  readonly cached_from: string | null
  readonly is_hit: Truth
  readonly parent_id: string | null
  readonly root_id: string | null
  readonly live_state: 'held' | 'blocked' | 'following' | 'scheduled' | 'parked' | 'ready' | 'running' | null
  readonly due_at: number | null
  readonly live_attempt: number | null
  readonly live_started_at: number | null
  readonly cancel_at: number | null
  /** That holds it, held it last, or has the session of which it waits. */
  readonly worker: string | null
  readonly end_state: 'succeeded' | 'failed' | 'cancelled' | null
  readonly error: string | null
  readonly end_attempt: number | null
  readonly end_started_at: number | null
  readonly ended_at: number | null
  readonly fraction: number | null
  readonly progress_message: string | null
  readonly progress_at: number | null
}

// Ids in a store were branded when they came in; the schema's checks make the non-null assertions of a state sound.
export function toJob(row: JobRow): Job {
  const base = {
    id: row.id as JobId,
    task: row.task,
    kind: row.kind,
    queue: row.queue,
    priority: row.priority,
    attempt: row.live_attempt ?? row.end_attempt ?? 0,
    createdAt: row.created_at,
    tags: row.tags === null ? [] : (JSON.parse(row.tags) as string[]),
    rootId: (row.root_id ?? row.id) as JobId,
    ...(row.owner !== null && { owner: row.owner }),
    ...(row.parent_id !== null && { parentId: row.parent_id as JobId }),
    ...(row.step !== null && { step: row.step }),
    ...(row.item !== null && { item: row.item }),
    ...(row.retry_of !== null && { retryOf: row.retry_of as JobId }),
    ...(row.deployment && { deployment: row.deployment }),
    ...(row.labels && { labels: JSON.parse(row.labels) as string[] }),
    ...(row.needs && { needs: JSON.parse(row.needs) as Resources }),
    ...(row.cache !== null && { cache: toCache(row) }),
    ...(row.limits !== null && { limit: JSON.parse(row.limits) as JobLimit }),
    ...(row.deadline_at !== null && { deadlineAt: row.deadline_at }),
    ...(row.fraction !== null && { progress: toProgress(row, row.fraction) }),
  }
  return { ...base, ...stateOf(row) } as unknown as Job
}

function toCache(row: JobRow): JobCache {
  const id = row.cached_from as JobId | null
  if (isTrue(row.is_hit)) return { hit: true, ...(id !== null && { from: id }) }
  return { hit: false, ...(id !== null && { following: id }) }
}

function toProgress(row: JobRow, fraction: number): Progress {
  return { fraction, at: row.progress_at ?? 0, ...(row.progress_message !== null && { message: row.progress_message }) }
}

function stateOf(row: JobRow): object {
  const cancel = row.cancel_at !== null && { cancelRequestedAt: row.cancel_at }
  if (row.live_state === 'running') {
    return { state: 'running', worker: row.worker as WorkerId, startedAt: row.live_started_at, ...cancel }
  }
  if (row.end_state === null) {
    // Nobody knows yet when its group lets a held one go, or when something happens that a parked one waits for.
    const isKnown = row.live_state !== 'held' && row.due_at !== null && row.due_at < FOR_EVER
    return {
      ...{ state: 'waiting', wait: row.live_state ?? 'ready' },
      ...(isKnown && { dueAt: row.due_at }),
      ...(row.worker !== null && { sessionWorker: row.worker as WorkerId }),
      ...cancel,
    }
  }
  return {
    state: row.end_state,
    endedAt: row.ended_at,
    ...(row.end_started_at !== null && { startedAt: row.end_started_at }),
    ...(row.worker !== null && { worker: row.worker as WorkerId }),
    ...(row.error !== null && { error: JSON.parse(row.error) as RecordedError }),
  }
}

/** How a job ended. */
export type OutcomeRow = { readonly state: EndState; readonly result: string | null; readonly error: string | null }

export function toOutcome(row: OutcomeRow): { state: EndState; result?: Payload; error?: RecordedError } {
  return {
    state: row.state,
    ...(row.result !== null && { result: row.result }),
    ...(row.error !== null && { error: JSON.parse(row.error) as RecordedError }),
  }
}

/** An attempt that is over, and was not the job's last. */
export type AttemptRow = {
  readonly attempt: number
  readonly worker: WorkerId
  readonly started_at: number
  readonly ended_at: number
  readonly outcome: Attempt['outcome']
  readonly error: string | null
}

/** All attempts of a job: the earlier ones have rows of their own, the last one is told by the job itself. */
export function toAttempts(earlier: readonly AttemptRow[], job: Job): Attempt[] {
  return [...earlier.map(toAttempt), ...lastAttempt(job)]
}

function toAttempt(row: AttemptRow): Attempt {
  return {
    attempt: row.attempt,
    worker: row.worker,
    startedAt: row.started_at,
    endedAt: row.ended_at,
    outcome: row.outcome,
    ...(row.error !== null && { error: JSON.parse(row.error) as RecordedError }),
  }
}

function lastAttempt(job: Job): Attempt[] {
  switch (job.state) {
    case 'waiting':
      return []
    case 'running':
      return [{ attempt: job.attempt, worker: job.worker, startedAt: job.startedAt, outcome: 'running' }]
    case 'succeeded':
    case 'failed':
    case 'cancelled': {
      if (job.startedAt === undefined || job.worker === undefined) return []
      const { attempt, worker, startedAt, endedAt, state } = job
      return [{ attempt, worker, startedAt, endedAt, outcome: state, ...('error' in job && { error: job.error }) }]
    }
  }
}

/** A worker that lives. `host` is for people. */
export type AliveWorkerRow = {
  readonly uid: WorkerId
  readonly name: string
  readonly host: string
  readonly pid: number
  readonly queues: string
  readonly lease_ms: number
  readonly lease_until: number
  readonly started_at: number
  readonly deployment: string
  readonly labels: string
  readonly offers: string | null
  readonly running: number
}

export function toWorkerRow(row: AliveWorkerRow): WorkerRow {
  return {
    id: row.uid,
    name: row.name,
    host: row.host,
    pid: row.pid,
    queues: JSON.parse(row.queues) as Record<string, number>,
    leaseMs: row.lease_ms,
    leaseUntil: row.lease_until,
    startedAt: row.started_at,
    running: row.running,
    ...(row.deployment !== '' && { deployment: row.deployment }),
    ...(row.labels !== '[]' && { labels: JSON.parse(row.labels) as string[] }),
    ...(row.offers !== null && { offers: JSON.parse(row.offers) as Resources }),
  }
}

/** A child with what became of it, as its parent is told. */
export type ChildRow = {
  readonly id: string
  readonly task: string
  readonly item: number
  readonly step: number
  readonly state: EndState | null
  readonly result: string | null
  readonly error: string | null
  /** Of the child whose failure ended its group. */
  readonly ended_group: Truth | null
}

/** A stored step of a workflow. */
export type StepRow = {
  readonly step: number
  readonly kind: StepKind
  readonly name: string
  readonly value: string | null
  readonly error: string | null
  readonly due_at: number | null
  readonly policy: GroupPolicy | null
  readonly delivered: string | null
  readonly delivered_from: number
  readonly recorded_at: number
  readonly compensates: Truth
  readonly session: number | null
  /** The job that it was taken over from. */
  readonly kept_from: string | null
}

/** A step that was released, with what came of it where that is not its children's: a signal's value, or its error. */
export type ReleaseRow = {
  readonly parent_id: string
  readonly step: number
  readonly value: string | null
  readonly error: string | null
}

export function toRelease({ parent_id, step, value, error }: ReleaseRow): Release {
  return {
    parentId: parent_id as JobId,
    step,
    ...(value !== null && { value }),
    ...(error !== null && { error: JSON.parse(error) as RecordedError }),
  }
}

export function toChildOutcome(row: ChildRow): ChildOutcome {
  // A store's own rows hold nothing but ids in this place.
  const child = { jobId: row.id as JobId, task: row.task, item: row.item }
  if (row.state === null) return { ...child, state: 'pending' }
  // The schema: an outcome that is not a success has an error.
  if (row.state !== 'succeeded') {
    const error = JSON.parse(row.error ?? '{}') as RecordedError
    return { ...child, state: row.state, error, ...(isTrue(row.ended_group) && { endedGroup: true }) }
  }
  return { ...child, state: 'succeeded', result: row.result ?? 'null' }
}

/** A workflow's steps in step order, each with its children. */
export function toRecordedSteps(steps: readonly StepRow[], children: readonly ChildRow[]): RecordedStep[] {
  const byStep = Map.groupBy(children, (child) => child.step)
  return steps.map((row) => ({
    step: row.step,
    kind: row.kind,
    name: row.name,
    delivered: row.delivered === null ? [] : (JSON.parse(row.delivered) as number[]),
    deliveredFrom: row.delivered_from,
    recordedAt: row.recorded_at,
    children: (byStep.get(row.step) ?? []).map(toChildOutcome),
    ...(row.value !== null && { value: row.value }),
    ...(row.error !== null && { error: JSON.parse(row.error) as RecordedError }),
    ...(row.due_at !== null && { dueAt: row.due_at }),
    ...(row.policy !== null && { policy: row.policy }),
    ...(isTrue(row.compensates) && { compensates: true as const }),
    ...(row.session !== null && { session: row.session }),
    ...(row.kept_from !== null && { keptFrom: row.kept_from as JobId }),
  }))
}
