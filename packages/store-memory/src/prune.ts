import { isPastKeep, type Pruned, type PruneRequest, pruneHorizon } from '@headrace/engine'
import { descendants } from './ending.ts'
import { type Context, liveJobs, type StoredJob } from './place.ts'

/** One step through the history. Jobs that are gone leave their places empty, since the others are found by theirs. */
export function prune(context: Context, { retention, limit, after = '0', dryRun }: PruneRequest): Pruned {
  const { place, clock } = context
  const now = clock.now()
  const horizon = pruneHorizon(retention, now)
  if (horizon === undefined) return { jobs: 0 }
  const newest = place.jobs.at(-1)
  let jobs = 0
  let looked = 0
  for (const stored of place.jobs.slice(Number(after))) {
    if (stored === undefined) continue
    if (stored.createdAt > horizon) return { jobs }
    if (looked++ >= limit || jobs >= limit) return { jobs, next: String(stored.seq - 1) }
    const { parent, end, job } = stored
    if (parent !== undefined || end === undefined) continue
    const { state, endedAt } = end
    if (!isPastKeep(retention, { state, endedAt, task: job.task, queue: job.queue }, now)) continue
    const tree = descendants(context, stored)
    if (tree.some((member) => member === newest || isInUse(context, member))) continue
    // From the youngest up, so that what is left after a step is still found from its top.
    const going = dryRun === true ? tree : tree.reverse().slice(0, limit - jobs)
    jobs += going.length
    if (dryRun !== true) for (const member of going) remove(context, member)
    if (going.length < tree.length) return { jobs, next: String(stored.seq - 1) }
  }
  return { jobs }
}

function isInUse({ place }: Context, member: StoredJob): boolean {
  const { retryOf } = member.job
  return (
    member.live !== undefined ||
    (retryOf !== undefined && place.byId.has(retryOf)) ||
    [...place.cache.values()].some(({ leader }) => leader === member) ||
    liveJobs(place).some(({ steps }) => [...steps.values()].some(({ recorded }) => recorded.keptFrom === member.job.id))
  )
}

function remove({ place }: Context, stored: StoredJob): void {
  const { seq, job } = stored
  stored.isRemoved = true
  place.jobs[seq - 1] = undefined
  place.byId.delete(job.id)
  for (const [key, { id }] of place.idempotency) if (id === job.id) place.idempotency.delete(key)
  for (const [index, event] of place.events.entries()) if (event?.jobId === job.id) place.events[index] = undefined
}
