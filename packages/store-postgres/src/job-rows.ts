import type { Job, JobCache, JobId, JobLimit, Progress, RecordedError, Resources, WorkerId } from '@headrace/engine'
import { FOR_EVER } from './changes.ts'
import { STATE } from './enqueue.ts'
import { END_STATES } from './step-rows.ts'

/** The columns of a job wherever jobs are read; `toJob` turns them into the union. */
export const jobColumns = `
  jobs.seq, jobs.id, jobs.task, jobs.is_workflow, jobs.queue, jobs.priority, jobs.created_at, jobs.deadline_at, jobs.owner,
  jobs.tags, jobs.step, jobs.item, jobs.retry_of, jobs.limits, jobs.cache, sources.id as cached_from, lanes.deployment,
  lanes.labels, lanes.needs, parents.id as parent_id, roots.id as root_id, live.state as live_state, live.due_at,
  live.attempt as live_attempt, live.started_at as live_started_at, live.cancel_at, workers.uid as worker,
  outcomes.state as end_state, outcomes.error, outcomes.attempt as end_attempt, outcomes.started_at as end_started_at,
  outcomes.ended_at, progress.fraction, progress.message as progress_message, progress.at as progress_at`

/** Joins for {@link jobColumns}, behind a `from` that brings `jobs`. All by primary key. */
export const jobJoins = `
  left join live on live.seq = jobs.seq
  left join outcomes on outcomes.seq = jobs.seq
  left join lanes on lanes.id = jobs.lane
  left join workers on workers.id = coalesce(live.worker, outcomes.worker)
  left join jobs as parents on parents.seq = jobs.parent_seq
  left join jobs as roots on roots.seq = jobs.root_seq
  left join progress on progress.seq = jobs.seq
  left join cache on cache.key = live.cache_key and live.state = 3
  left join jobs as sources on sources.seq = coalesce(cache.seq, outcomes.cached_from)`

export type JobRow = {
  readonly seq: number
  readonly id: string
  readonly task: string
  readonly is_workflow: boolean
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
  readonly cached_from: string | null
  readonly parent_id: string | null
  readonly root_id: string | null
  readonly live_state: number | null
  readonly due_at: number | null
  readonly live_attempt: number | null
  readonly live_started_at: number | null
  readonly cancel_at: number | null
  readonly worker: string | null
  readonly end_state: number | null
  readonly error: string | null
  readonly end_attempt: number | null
  readonly end_started_at: number | null
  readonly ended_at: number | null
  readonly fraction: number | null
  readonly progress_message: string | null
  readonly progress_at: number | null
}

// Ids in the store were branded when they came in; the schema's checks make the non-null assertions of a state sound.
export function toJob(row: JobRow): Job {
  const base = {
    id: row.id as JobId,
    task: row.task,
    kind: row.is_workflow ? 'workflow' : 'task',
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
  if (row.cached_from === null) return { hit: false }
  const id = row.cached_from as JobId
  return row.end_state === null ? { hit: false, following: id } : { hit: true, from: id }
}

function toProgress(row: JobRow, fraction: number): Progress {
  return { fraction, at: row.progress_at ?? 0, ...(row.progress_message !== null && { message: row.progress_message }) }
}

function stateOf(row: JobRow): object {
  const cancel = row.cancel_at !== null && { cancelRequestedAt: row.cancel_at }
  if (row.live_state === STATE.running) {
    return { state: 'running', worker: row.worker as WorkerId, startedAt: row.live_started_at, ...cancel }
  }
  if (row.end_state === null) {
    // Nobody knows yet when its group lets a held one go, or when something happens that a parked one waits for.
    const isKnown = row.live_state !== STATE.held && row.due_at !== null && row.due_at < FOR_EVER
    return { state: 'waiting', ...(isKnown && { dueAt: row.due_at }), ...cancel }
  }
  return {
    state: END_STATES[row.end_state],
    endedAt: row.ended_at,
    ...(row.end_started_at !== null && { startedAt: row.end_started_at }),
    ...(row.worker !== null && { worker: row.worker as WorkerId }),
    ...(row.error !== null && { error: JSON.parse(row.error) as RecordedError }),
  }
}
