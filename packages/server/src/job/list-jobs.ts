import type { Job, JobPage, Store } from '@headrace/engine'
import type { Caller } from '../auth/caller.ts'
import { type JobQuery, matches, toJobFilter } from './job-query.ts'

/** So that a duration that nothing has does not read a history of millions; the client goes on from `next`. */
const PAGES_MAX = 20

/** One page of jobs, newest first, of those that the caller may see. */
export async function listJobs(store: Store, query: JobQuery, caller: Caller): Promise<JobPage> {
  const filter = toJobFilter(query, caller)
  if (!filter) return { jobs: [] }
  const jobs: Job[] = []
  let before = query.cursor
  for (let pages = 0; pages < PAGES_MAX; pages++) {
    // Never more than is still wanted, so that no job that was read is left for no page.
    const limit = query.limit - jobs.length
    const page = await store.jobs(filter, before === undefined ? { limit } : { limit, before })
    jobs.push(...page.jobs.filter((job) => matches(job, query, store.clock.now())))
    before = page.next
    if (before === undefined || jobs.length >= query.limit) break
  }
  return before === undefined ? { jobs } : { jobs, next: before }
}
