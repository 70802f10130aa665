import { fairRank } from '@headrace/engine'
import { askCache } from './cache.ts'
import type { Endings } from './ending.ts'
import type { Context, StoredJob } from './place.ts'

/**
 * Decides what becomes of a job that is due and has its place: the cache ends it, or it is `following` another job with its
 * key, or it is `blocked` until its limit has a permit for it, or it is `ready`.
 * @param isBack it was claimed before, and comes back through no fault of its own: in a fair queue it keeps its turn
 */
export function admit(context: Context, endings: Endings, job: StoredJob, isBack = false): void {
  const { live } = job
  if (live === undefined) return
  live.state = 'ready'
  if (live.cacheKey !== undefined && live.ending === undefined && askCache(context, endings, job, live.cacheKey)) return
  if (live.limitKey !== undefined && !live.hasPermit) {
    live.state = 'blocked'
    endings.permitWanted(live.limitKey)
    return
  }
  becomeReady(context, job, isBack)
}

/** It can be claimed from now on. */
export function becomeReady(context: Context, job: StoredJob, isBack = false): void {
  if (job.live === undefined) return
  job.live.state = 'ready'
  rankFairly(context, job, isBack)
  context.hints.queue(job.job.queue)
}

/**
 * Gives a job that becomes ready its place in a fair queue.
 * @param isBack it was claimed before, and paid for: it goes to the front
 */
export function rankFairly({ place }: Context, { job, live }: StoredJob, isBack: boolean): void {
  const settings = place.queues.get(job.queue)
  if (settings?.fair !== true || live === undefined) return
  if (isBack) {
    live.rank = settings.vtime
    return
  }
  const owner = job.owner ?? ''
  const share = settings.shares.get(owner) ?? { weight: 1, vtime: 0 }
  const { rank, shareVtime } = fairRank(settings.vtime, share)
  live.rank = rank
  const shares = new Map(settings.shares).set(owner, { ...share, vtime: shareVtime })
  place.queues.set(job.queue, { ...settings, shares })
}
