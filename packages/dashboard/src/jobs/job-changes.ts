import type { JobState, StatusInfo, WireError, WireEvent } from '@headrace/wire'
import { isEnded } from '../state/shown-state.ts'

/**
 * The job after an event. Events may repeat what a freshly loaded job already says, and may be older than it: an event
 * never takes a job back. The very same object is returned when nothing changed, so that its row is not drawn again.
 */
export function afterEvent(job: StatusInfo, event: WireEvent): StatusInfo {
  if (isEnded(job) || event.attempt < job.attempt) return job
  switch (event.kind) {
    case 'started':
      return started(job, event)
    case 'progress':
      return progressed(job, event)
    case 'cancel-requested':
      return { ...job, cancelRequestedAt: event.at, updated: event.at }
    case 'retried':
      return waitingAgain(job, event, typeof event.data.dueAt === 'string' ? event.data.dueAt : undefined)
    case 'lapsed':
    case 'released':
      return waitingAgain(job, event, undefined)
    case 'ended':
      return ended(job, event)
    default:
      return job
  }
}

function started(job: StatusInfo, event: WireEvent): StatusInfo {
  if (job.state === 'running' && job.attempt === event.attempt) return job
  const { dueAt: _past, ...rest } = job
  const worker = event.data.worker
  return {
    ...rest,
    state: 'running',
    status: 'running',
    attempt: event.attempt,
    started: event.at,
    updated: event.at,
    ...(typeof worker === 'string' ? { worker } : {}),
  }
}

function progressed(job: StatusInfo, event: WireEvent): StatusInfo {
  const fraction = event.data.fraction
  const message = event.data.message
  if (typeof fraction !== 'number' || Date.parse(event.at) < Date.parse(job.updated)) return job
  return {
    ...job,
    progressFraction: fraction,
    progress: Math.round(fraction * 100),
    updated: event.at,
    ...(typeof message === 'string' ? { progressMessage: message } : {}),
  }
}

function waitingAgain(job: StatusInfo, event: WireEvent, dueAt: string | undefined): StatusInfo {
  if (job.state === 'waiting') return job
  const { worker: _gone, dueAt: _past, ...rest } = job
  return { ...rest, state: 'waiting', status: 'accepted', updated: event.at, ...(dueAt ? { dueAt } : {}) }
}

function ended(job: StatusInfo, event: WireEvent): StatusInfo {
  const state = END_STATES.find((one) => one === event.data.state)
  if (state === undefined) return job
  const error = event.data.error as WireError | undefined
  return {
    ...job,
    state,
    status: STATUS[state],
    finished: event.at,
    updated: event.at,
    ...(state === 'succeeded' ? { progress: 100, progressFraction: 1 } : {}),
    ...(error && typeof error === 'object' ? { error } : {}),
  }
}

const END_STATES = ['succeeded', 'failed', 'cancelled'] as const satisfies readonly JobState[]
const STATUS = { succeeded: 'successful', failed: 'failed', cancelled: 'dismissed' } as const

/** Two lists of newest-first jobs as one, `newer` winning where both have a job. Ids are UUIDv7: they sort by time. */
export function mergeJobs(older: readonly StatusInfo[], newer: readonly StatusInfo[]): readonly StatusInfo[] {
  if (newer.length === 0) return older
  const byId = new Map(older.map((job) => [job.jobID, job]))
  let added = false
  for (const job of newer) {
    const before = byId.get(job.jobID)
    if (before === undefined) added = true
    if (before === undefined || !isEnded(before) || isEnded(job)) byId.set(job.jobID, job)
  }
  const all = [...byId.values()]
  return added ? all.sort(newestFirst) : all
}

function newestFirst(one: StatusInfo, other: StatusInfo): number {
  if (one.created !== other.created) return one.created < other.created ? 1 : -1
  return one.jobID < other.jobID ? 1 : -1
}
