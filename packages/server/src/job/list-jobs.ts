import type { Job, JobPage, Store } from '@headrace/engine'
import type { Caller } from '../auth/caller.ts'
import { type JobQuery, matches, toJobFilter } from './job-query.ts'

/** So that what nothing is like does not read a history of millions; the client goes on from `next`. */
const PAGES_MAX = 100
/** So long a person waits without a thought. */
const WITHIN_MS = 1_000
/** To look at so many jobs takes milliseconds, and then others have their turn. */
const PAGE_DEPTH = 5_000

/** One page of jobs, newest first, of those that the caller may see. */
export async function listJobs(store: Store, query: JobQuery, caller: Caller): Promise<JobPage> {
  const filter = toJobFilter(query, caller)
  if (!filter) return { jobs: [] }
  const jobs: Job[] = []
  let before = query.cursor
  const until = store.clock.now() + WITHIN_MS
  for (let pages = 0; pages < PAGES_MAX && store.clock.now() <= until; pages++) {
    // Never more than is still wanted, so that no job that was read is left for no page.
    const limit = query.limit - jobs.length
    const page = await store.jobs(filter, { limit, depth: PAGE_DEPTH, ...(before !== undefined && { before }) })
    jobs.push(...page.jobs.filter((job) => matches(job, query, store.clock.now())))
    before = page.next
    if (before === undefined || jobs.length >= query.limit) break
  }
  return before === undefined ? { jobs } : { jobs, next: before }
}
