import type { JobState, StatusInfo } from '@headrace/wire'

/** What the jobs page shows. It lives in the URL and nowhere else, so a link, a reload and the back button keep it. */
export type JobFilter = {
  readonly state?: JobState
  readonly process?: string
  readonly queue?: string
  readonly tag?: string
  readonly text?: string
  readonly since?: Since
  /** Jobs that a workflow started are left out, unless asked for or searched for by id. */
  readonly children: boolean
}

export type Since = keyof typeof SINCE_MS
export const SINCE_MS = {
  '15m': 15 * 60_000,
  '1h': 3_600_000,
  '24h': 86_400_000,
  '7d': 7 * 86_400_000,
} as const

export const JOB_STATES: readonly JobState[] = ['waiting', 'running', 'succeeded', 'failed', 'cancelled']

export function filterFromQuery(query: URLSearchParams): JobFilter {
  const text = (name: string) => query.get(name)?.trim() || undefined
  const state = JOB_STATES.find((one) => one === query.get('state'))
  const since = (Object.keys(SINCE_MS) as Since[]).find((one) => one === query.get('since'))
  return compact({
    state,
    process: text('process'),
    queue: text('queue'),
    tag: text('tag'),
    text: text('q'),
    since,
    children: query.get('children') === 'shown',
  })
}

export function filterToQuery(filter: JobFilter): URLSearchParams {
  const query = new URLSearchParams()
  if (filter.state) query.set('state', filter.state)
  if (filter.process) query.set('process', filter.process)
  if (filter.queue) query.set('queue', filter.queue)
  if (filter.tag) query.set('tag', filter.tag)
  if (filter.text) query.set('q', filter.text)
  if (filter.since) query.set('since', filter.since)
  if (filter.children) query.set('children', 'shown')
  return query
}

/** The same filter as GET /jobs wants it; the server shows roots only unless told otherwise. */
export function filterToRequest(filter: JobFilter, nowMs: number): URLSearchParams {
  const query = new URLSearchParams()
  if (filter.state) query.set('state', filter.state)
  if (filter.process) query.set('processID', filter.process)
  if (filter.queue) query.set('queue', filter.queue)
  if (filter.tag) query.set('tag', filter.tag)
  if (filter.text) query.set('q', filter.text)
  if (filter.since) query.set('datetime', `${new Date(nowMs - SINCE_MS[filter.since]).toISOString()}/..`)
  query.set('rootsOnly', String(!filter.children && !looksLikeId(filter.text)))
  return query
}

/** Whether a text is (the beginning of) a job's id: then its children are looked through as well. */
export function looksLikeId(text: string | undefined): boolean {
  return text !== undefined && /^[0-9a-f]{8}(-[0-9a-f]{0,4}){0,3}(-[0-9a-f]{0,12})?$/i.test(text)
}

export function isWholeId(text: string): boolean {
  return /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text)
}

export function isFiltering(filter: JobFilter): boolean {
  return filterToQuery({ ...filter, children: false }).size > 0
}

/** Whether a job that changed while it was shown still belongs in the list. Text is the server's to judge. */
export function stillBelongs(filter: JobFilter, job: StatusInfo): boolean {
  return filter.state === undefined || filter.state === job.state
}

function compact(filter: { [K in keyof JobFilter]: JobFilter[K] | undefined }): JobFilter {
  const known = Object.entries(filter).filter(([, value]) => value !== undefined)
  // Sound: only undefined values were left out, and `children` is always a boolean.
  return Object.fromEntries(known) as JobFilter
}
