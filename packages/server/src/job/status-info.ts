import type { Job, JobState, RecordedError } from '@headrace/engine'
import type { JobStatus, Link, StatusInfo, WireError } from '@headrace/wire'

const STATUS_OF_STATE: Readonly<Record<JobState, JobStatus>> = {
  waiting: 'accepted',
  running: 'running',
  succeeded: 'successful',
  failed: 'failed',
  cancelled: 'dismissed',
}

const OGC_RELATION = 'http://www.opengis.net/def/rel/ogc/1.0'

export function statesOfStatus(status: JobStatus): readonly JobState[] {
  return (Object.keys(STATUS_OF_STATE) as JobState[]).filter((state) => STATUS_OF_STATE[state] === status) // sound: its keys
}

/** A job as OGC API - Processes shows it, with what Headrace adds. */
export function toStatusInfo(job: Job, baseUrl: string): StatusInfo {
  const message = messageOf(job)
  return {
    jobID: job.id,
    processID: job.task,
    type: 'process',
    status: STATUS_OF_STATE[job.state],
    ...(message === undefined ? {} : { message }),
    ...timesOf(job),
    ...progressOf(job),
    links: linksOf(job, `${baseUrl}/jobs/${job.id}`),
    state: job.state,
    kind: job.kind,
    queue: job.queue,
    priority: job.priority,
    attempt: job.attempt,
    tags: job.tags,
    rootId: job.rootId,
    ...placeOf(job),
    ...('error' in job ? { error: toWireError(job.error) } : {}),
  }
}

export function toWireError(error: RecordedError): WireError {
  return error // the same shape on purpose; the compiler says so
}

export function iso(at: number): string {
  return new Date(at).toISOString()
}

function messageOf(job: Job): string | undefined {
  if ('error' in job) return job.error.message
  if ('cancelRequestedAt' in job && job.cancelRequestedAt !== undefined) return 'Asked to stop.'
  return job.progress?.message
}

function timesOf(job: Job) {
  const startedAt = 'startedAt' in job ? job.startedAt : undefined
  const endedAt = 'endedAt' in job ? job.endedAt : undefined
  const updatedAt = endedAt ?? Math.max(job.createdAt, startedAt ?? 0, job.progress?.at ?? 0)
  return {
    created: iso(job.createdAt),
    ...instant('started', startedAt),
    ...instant('finished', endedAt),
    updated: iso(updatedAt),
    ...instant('dueAt', 'dueAt' in job ? job.dueAt : undefined),
    ...instant('deadlineAt', job.deadlineAt),
    ...instant('cancelRequestedAt', 'cancelRequestedAt' in job ? job.cancelRequestedAt : undefined),
  }
}

function progressOf(job: Job) {
  const fraction = job.state === 'succeeded' ? 1 : (job.progress?.fraction ?? 0)
  const message = job.progress?.message
  return {
    progress: Math.floor(Math.min(1, Math.max(0, fraction)) * 100),
    progressFraction: fraction,
    ...(message === undefined ? {} : { progressMessage: message }),
  }
}

/** What exists only for some jobs. */
function placeOf(job: Job) {
  const { owner, parentId, step, item, retryOf, deployment, labels, needs, limit } = job
  const worker = 'worker' in job ? job.worker : undefined
  const all = { owner, parentId, step, item, retryOf, worker, deployment, labels, needs, limit, cache: job.cache }
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined)) as Partial<StatusInfo> // sound: the same names and types
}

function linksOf(job: Job, url: string): readonly Link[] {
  const link = (path: string, rel: string, title: string): Link => ({
    href: url + path,
    rel,
    type: 'application/json',
    title,
  })
  return [
    link('', 'self', 'the job'),
    link('', 'monitor', 'the job’s status'),
    ...(job.state === 'succeeded' ? [link('/results', `${OGC_RELATION}/results`, 'its results')] : []),
    ...(job.state === 'failed' ? [link('/results', `${OGC_RELATION}/exceptions`, 'why it failed')] : []),
    { href: `${url}/events`, rel: 'events', type: 'text/event-stream', title: 'what happens to it, as it happens' },
    link('/logs', 'logs', 'its log'),
    link('/artifacts', 'artifacts', 'the files it made'),
  ]
}

function instant<Name extends string>(name: Name, at: number | undefined): { readonly [name in Name]?: string } {
  return (at === undefined ? {} : { [name]: iso(at) }) as { readonly [name in Name]?: string } // sound: that name or nothing
}
