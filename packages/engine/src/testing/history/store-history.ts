import type { Job, JobId } from '../../job/job.ts'
import type { JobEvent, Payload, RecordedStep, Release, Store } from '../../store/store.ts'

/** All that a store says of its jobs. Plain JSON, so that it can be kept and checked again. */
export type StoreHistory = {
  readonly jobs: readonly Job[]
  /** In the order of their cursors. */
  readonly events: readonly JobEvent[]
  readonly workflows: readonly { readonly jobId: JobId; readonly steps: readonly RecordedStep[] }[]
  readonly inputs: Readonly<Record<JobId, Payload>>
  /** Of those that succeeded. */
  readonly results: Readonly<Record<JobId, Payload>>
}

/** Something that the code of a job did outside of the store, noted down where no store could lose it. */
export type Effect = {
  readonly jobId: JobId
  readonly attempt: number
  /** The local step whose code did it; left out for a task. */
  readonly step?: string
}

/** At most so many of these jobs may run at once. */
export type Cap = { readonly name: string; readonly max: number; readonly jobs: ReadonlySet<JobId> }

/** What was seen from outside the store, and what the store's history must agree with. */
export type Witness = {
  /** Nothing is under way any more: whatever was accepted must have ended. */
  readonly isOver: boolean
  /** Ids that a submitter was given. */
  readonly accepted: readonly { readonly id: JobId; readonly key?: string }[]
  readonly effects: readonly Effect[]
  /** A job of these tasks that succeeded has left an effect of its last attempt. */
  readonly tasksWithEffects: readonly string[]
  readonly caps: readonly Cap[]
  /** Released steps, as the commits that released them were told. */
  readonly released: readonly Release[]
}

export const NO_WITNESS: Witness = {
  isOver: true,
  accepted: [],
  effects: [],
  tasksWithEffects: [],
  caps: [],
  released: [],
}

const JOBS_PER_PAGE = 500
const EVENTS_PER_PAGE = 5_000

/** Reads a store's whole history, page by page. Nothing else may be going on meanwhile. */
export async function readHistory(store: Store): Promise<StoreHistory> {
  const jobs = await allJobs(store)
  const workflows: { jobId: JobId; steps: readonly RecordedStep[] }[] = []
  const inputs: Record<JobId, Payload> = {}
  const results: Record<JobId, Payload> = {}
  for (const { id, kind, state } of jobs) {
    if (kind === 'workflow') workflows.push({ jobId: id, steps: await store.steps(id) })
    inputs[id] = (await store.input(id)) ?? 'null'
    if (state === 'succeeded') results[id] = (await store.outcome(id))?.result ?? 'null'
  }
  return { jobs, events: await allEvents(store), workflows, inputs, results }
}

/** Oldest first. */
async function allJobs(store: Store): Promise<Job[]> {
  const jobs: Job[] = []
  let before: string | undefined
  do {
    const page = await store.jobs({}, { limit: JOBS_PER_PAGE, ...(before !== undefined && { before }) })
    jobs.push(...page.jobs)
    before = page.next
  } while (before !== undefined)
  return jobs.reverse()
}

async function allEvents(store: Store): Promise<JobEvent[]> {
  const events: JobEvent[] = []
  for (;;) {
    const page = await store.events({ after: events.at(-1)?.cursor ?? 0, limit: EVENTS_PER_PAGE })
    if (page.length === 0) return events
    events.push(...page)
  }
}
