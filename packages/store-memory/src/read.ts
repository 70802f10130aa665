import type {
  Attempt,
  ChildOutcome,
  EventQuery,
  Job,
  JobCache,
  JobEvent,
  JobFilter,
  JobPage,
  JobState,
  Page,
  RecordedStep,
} from '@headrace/engine'
import { followed } from './cache.ts'
import { descendants } from './ending.ts'
import { type Context, keptJobs, type MemoryPlace, type StoredJob, type StoredStep } from './place.ts'

export function stateOf({ live, end }: StoredJob): JobState {
  return end?.state ?? (live?.state === 'running' ? 'running' : 'waiting')
}

/** The job as people see it. */
export function toJob(place: MemoryPlace, stored: StoredJob): Job {
  const { job, lane, parent, progress } = stored
  const base = {
    ...{ id: job.id, task: job.task, kind: job.kind, queue: job.queue, priority: job.priority },
    ...{ attempt: stored.attempt, createdAt: stored.createdAt, tags: job.tags ?? [], rootId: rootOf(stored).job.id },
    ...(job.owner !== undefined && { owner: job.owner }),
    ...(parent !== undefined && {
      parentId: parent.job.job.id,
      step: parent.step.recorded.step,
      item: parent.item,
    }),
    ...(job.retryOf !== undefined && { retryOf: job.retryOf }),
    ...(lane.deployment !== '' && { deployment: lane.deployment }),
    ...(lane.labels.length > 0 && { labels: lane.labels }),
    ...(lane.needs !== undefined && { needs: lane.needs }),
    ...(job.limit !== undefined && { limit: job.limit }),
    ...(job.cache !== undefined && { cache: cacheOf(place, stored) }),
    ...(job.deadlineAt !== undefined && { deadlineAt: job.deadlineAt }),
    ...(progress !== undefined && { progress }),
  }
  // `stateFields` gives the fields of the state that it names.
  return { ...base, state: stateOf(stored), ...stateFields(stored) } as Job
}

function cacheOf(place: MemoryPlace, stored: StoredJob): JobCache {
  const from = stored.end?.cachedFrom
  if (from !== undefined) return { hit: true, ...(!from.isRemoved && { from: from.job.id }) }
  const leader = followed(place, stored)
  return { hit: false, ...(leader !== undefined && { following: leader.job.id }) }
}

function stateFields({ live, end }: StoredJob): object {
  if (end !== undefined) {
    const { endedAt, startedAt, worker, error } = end
    return {
      endedAt,
      ...(startedAt !== undefined && { startedAt }),
      ...(worker !== undefined && { worker }),
      ...(error !== undefined && { error }),
    }
  }
  const cancel = live?.cancel !== undefined && { cancelRequestedAt: live.cancel.at }
  if (live?.state === 'running') return { worker: live.worker, startedAt: live.startedAt, ...cancel }
  // Nobody knows yet when its group lets a held one go, or when something happens that a parked one waits for.
  const isKnown = live !== undefined && live.state !== 'held' && Number.isFinite(live.dueAt)
  const sessionWorker = live?.session?.worker
  return {
    wait: live?.state ?? 'ready',
    ...(isKnown && { dueAt: live.dueAt }),
    ...(sessionWorker !== undefined && { sessionWorker }),
    ...cancel,
  }
}

function rootOf(job: StoredJob): StoredJob {
  return job.parent === undefined ? job : rootOf(job.parent.job)
}

export function attemptsOf({ attempt, attempts, live, end }: StoredJob): Attempt[] {
  const { worker, startedAt } = live ?? end ?? {}
  if (worker === undefined || startedAt === undefined) return [...attempts]
  if (end === undefined) return [...attempts, { attempt, worker, startedAt, outcome: 'running' }]
  const { endedAt, state: outcome, error } = end
  return [...attempts, { attempt, worker, startedAt, endedAt, outcome, ...(error !== undefined && { error }) }]
}

/** In item order, as their parent sees them. */
export function outcomesOf({ children, endedBy }: StoredStep): ChildOutcome[] {
  return children.flatMap((child, item) => (child.isRemoved ? [] : outcomeOf(child, item, child === endedBy)))
}

function outcomeOf({ job, end }: StoredJob, item: number, endedGroup: boolean): ChildOutcome {
  const base = { jobId: job.id, task: job.task, item }
  if (end === undefined) return { ...base, state: 'pending' }
  if (end.state === 'succeeded') return { ...base, state: 'succeeded', result: end.result ?? 'null' }
  if (end.error === undefined) throw new Error(`job ${job.id} is ${end.state} without an error`)
  return { ...base, state: end.state, error: end.error, ...(endedGroup && { endedGroup: true }) }
}

export function historyOf(place: MemoryPlace, { steps, seed }: StoredJob): RecordedStep[] {
  const inOrder = [...steps.values()].sort((a, b) => a.recorded.step - b.recorded.step)
  return inOrder.map((step) => {
    const { keptFrom } = step.recorded
    const isGone = keptFrom !== undefined && !place.byId.has(keptFrom)
    return { ...step.recorded, ...(isGone && seed !== undefined && { keptFrom: seed }), children: outcomesOf(step) }
  })
}

export function queryJobs(place: MemoryPlace, filter: JobFilter, { before, limit, depth }: Page): JobPage {
  const end = before === undefined ? Number.POSITIVE_INFINITY : Number(before)
  const below = keptJobs(place)
    .filter((job) => job.seq < end)
    .reverse()
  const looked = below.slice(0, depth)
  const found = looked.filter((job) => fits(place, job, filter))
  const shown = found.slice(0, limit)
  const last = found.length > limit ? shown.at(-1) : looked.length < below.length ? looked.at(-1) : undefined
  return { jobs: shown.map((job) => toJob(place, job)), ...(last !== undefined && { next: String(last.seq) }) }
}

function fits(place: MemoryPlace, stored: StoredJob, filter: JobFilter): boolean {
  const { job, parent, createdAt } = stored
  return (
    (filter.states?.includes(stateOf(stored)) ?? true) &&
    (filter.tasks?.includes(job.task) ?? true) &&
    (filter.queues?.includes(job.queue) ?? true) &&
    (filter.owner === undefined || job.owner === filter.owner) &&
    (filter.tag === undefined || job.tags?.includes(filter.tag) === true) &&
    (filter.limitKey === undefined || (stored.live !== undefined && job.limit?.key === filter.limitKey)) &&
    (filter.rootsOnly !== true || parent === undefined) &&
    (filter.parentId === undefined || parent?.job.job.id === filter.parentId) &&
    createdAt >= (filter.createdFrom ?? Number.NEGATIVE_INFINITY) &&
    createdAt <= (filter.createdTo ?? Number.POSITIVE_INFINITY) &&
    (filter.errorCode === undefined || stored.end?.error?.code === filter.errorCode) &&
    (filter.retried === undefined ||
      filter.retried === keptJobs(place).some((other) => other.job.retryOf === job.id)) &&
    (filter.search === undefined || mentions(place, stored, filter.search.toLowerCase()))
  )
}

/** A search inside tags and inputs looks at no more than the newest jobs. */
const SEARCH_DEPTH = 20_000

function mentions(place: MemoryPlace, { seq, job }: StoredJob, search: string): boolean {
  if (job.id.startsWith(search) || job.task.toLowerCase().includes(search)) return true
  if (seq <= place.jobs.length - SEARCH_DEPTH) return false
  return [JSON.stringify(job.tags ?? []), job.input].some((text) => text.toLowerCase().includes(search))
}

export function queryEvents(context: Context, query: EventQuery): JobEvent[] {
  const jobs = query.jobId === undefined ? undefined : idsOf(context, query.jobId, query.tree === true)
  const { after, kinds, levels, contains, attempt, limit } = query
  const message = (event: JobEvent) => (typeof event.data.message === 'string' ? event.data.message : '')
  const found = context.place.events
    .slice(Math.max(0, after))
    .filter((event) => event !== undefined)
    .filter(
      (event) =>
        (jobs?.has(event.jobId) ?? true) &&
        (kinds?.includes(event.kind) ?? true) &&
        (levels?.some((level) => level === event.data.level) ?? true) &&
        (contains === undefined || message(event).toLowerCase().includes(contains.toLowerCase())) &&
        (attempt === undefined || event.attempt === attempt),
    )
  return found.slice(0, limit)
}

function idsOf(context: Context, id: JobEvent['jobId'], isTree: boolean): ReadonlySet<JobEvent['jobId']> {
  const top = context.place.byId.get(id)
  if (top === undefined) return new Set()
  return new Set(isTree ? descendants(context, top).map(({ job }) => job.id) : [id])
}
