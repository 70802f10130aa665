import type { Job, JobFilter, JobState } from '@headrace/engine'
import { z } from 'zod'
import { booleanParameter, limitParameter, listParameter } from '../answer/query.ts'
import type { Caller } from '../auth/caller.ts'
import { hasScope } from '../auth/caller.ts'
import { healthTask } from '../operation/health-task.ts'
import { requestInvalid } from '../problem/http-problem.ts'
import { statesOfStatus } from './status-info.ts'

const seconds = z.coerce.number({ error: 'a number of seconds is expected' }).min(0)

/** GET /jobs: OGC's parameters, then ours. */
export const JobQuery = z.object({
  type: listParameter.pipe(z.array(z.string())).optional(),
  processID: listParameter.optional(),
  status: listParameter.pipe(z.array(z.enum(['accepted', 'running', 'successful', 'failed', 'dismissed']))).optional(),
  datetime: z.string().optional(),
  minDuration: seconds.optional(),
  maxDuration: seconds.optional(),
  limit: limitParameter.default(10),
  state: listParameter.pipe(z.array(z.enum(['waiting', 'running', 'succeeded', 'failed', 'cancelled']))).optional(),
  queue: listParameter.optional(),
  tag: z.string().optional(),
  owner: z.string().optional(),
  // Of the error that a job ended with.
  code: z.string().max(200).optional(),
  // Whether another job repeats it.
  retried: booleanParameter.optional(),
  // A person submitted the roots; what those called is a click away, and would bury them.
  rootsOnly: booleanParameter.default(true),
  parentId: z.string().optional(),
  q: z.string().max(500).optional(),
  cursor: z.string().optional(),
})
export type JobQuery = z.output<typeof JobQuery>

/** What the store is asked; undefined when nothing can match. */
export function toJobFilter(query: JobQuery, caller: Caller): JobFilter | undefined {
  const owner = hasScope(caller, 'read-all') ? query.owner : caller.owner
  if (query.owner !== undefined && query.owner !== owner) return undefined
  if (query.type && !query.type.includes('process')) return undefined
  const states = statesOf(query)
  if (states?.length === 0) return undefined
  return {
    ...omitUndefined({ states, tasks: query.processID, queues: query.queue, owner, tag: query.tag, search: query.q }),
    ...omitUndefined({ errorCode: query.code, retried: query.retried }),
    ...omitUndefined({ parentId: query.parentId as Job['id'] | undefined }), // sound: an unknown text finds nothing
    ...(query.rootsOnly && query.parentId === undefined ? { rootsOnly: true } : {}),
    ...(query.datetime === undefined ? {} : parseInterval(query.datetime)),
  }
}

/** What the store cannot filter by. Health jobs are many and say nothing, so they are shown only to who asks for them. */
export function matches(job: Job, query: JobQuery, now: number): boolean {
  return (job.task !== healthTask.name || query.processID !== undefined) && matchesDuration(job, query, now)
}

/** How long a job took, or has been at it, in seconds. */
function matchesDuration(job: Job, query: JobQuery, now: number): boolean {
  const { minDuration, maxDuration } = query
  if (minDuration === undefined && maxDuration === undefined) return true
  if (!('startedAt' in job) || job.startedAt === undefined) return false
  const duration = (('endedAt' in job ? job.endedAt : now) - job.startedAt) / 1000
  return duration >= (minDuration ?? 0) && duration <= (maxDuration ?? Number.POSITIVE_INFINITY)
}

/** `status` is OGC's word and `state` ours; both together must both hold. */
function statesOf(query: JobQuery): readonly JobState[] | undefined {
  const byStatus = query.status?.flatMap(statesOfStatus)
  if (!byStatus) return query.state
  return query.state ? byStatus.filter((state) => query.state?.includes(state)) : byStatus
}

/** OGC's `datetime`, on when the job was created: an instant, or two with `/` between, of which one may be `..` or empty. */
function parseInterval(text: string): Pick<JobFilter, 'createdFrom' | 'createdTo'> {
  const [from = '', to = from, ...rest] = text.split('/')
  const createdFrom = parseEnd(from)
  const createdTo = parseEnd(to)
  if (rest.length > 0 || Number.isNaN(createdFrom) || Number.isNaN(createdTo)) {
    const detail = 'Give an instant (2026-11-01T00:00:00Z) or an interval (2026-11-01T00:00:00Z/..).'
    throw requestInvalid('The query', [{ pointer: '/datetime', detail }])
  }
  return omitUndefined({ createdFrom, createdTo })
}

function parseEnd(text: string): number | undefined {
  return text === '' || text === '..' ? undefined : Date.parse(text)
}

function omitUndefined<T extends object>(object: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]: Exclude<T[K], undefined>
  } // sound but for absence, which every use here allows
}
