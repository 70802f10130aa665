import type { JobId, JobLimit, LimitCounts } from '@headrace/engine'
import { becomeReady } from './admit.ts'
import { cancelTree, type Endings } from './ending.ts'
import { type Context, type Live, liveJobs, type MemoryPlace, type Parent, type StoredJob } from './place.ts'

export function liveOfLimit(place: MemoryPlace, key: string): (StoredJob & { live: Live })[] {
  return liveJobs(place).filter(({ live }) => live.limitKey === key)
}

/** The job in the way of a new one that will not wait; undefined when there is room. */
export function inTheWay({ place }: Context, { key, max }: JobLimit): JobId | undefined {
  const live = liveOfLimit(place, key)
  return live.length < max ? undefined : live[0]?.job.id
}

/** Cancels the oldest jobs of a key, as many as stand in the way of one more. */
export function makeRoom(context: Context, endings: Endings, { key, max }: JobLimit, by: JobId): void {
  const others = liveOfLimit(context.place, key).filter(({ live }) => live.cancel === undefined)
  for (const job of others.slice(0, Math.max(0, others.length - max + 1)))
    cancelTree(context, endings, job, `Job ${by} replaced it: its limit ${key} takes ${max}.`)
}

/** A job of this key is stored; the newest one's `max` counts. */
export function countIn({ place }: Context, endings: Endings, { key, max }: JobLimit): void {
  place.limits.set(key, max)
  endings.permitWanted(key)
}

/** A job of this key has ended. */
export function countOut({ place }: Context, endings: Endings, key: string): void {
  if (liveOfLimit(place, key).length === 0) place.limits.delete(key)
  else endings.permitWanted(key)
}

/** A job gives its permit back, since it is not due before later. */
export function returnPermit(endings: Endings, live: Live, key: string): void {
  live.hasPermit = false
  endings.permitWanted(key)
}

/** Gives what permits there are to those who wait for them, the most urgent first. */
export function giveOutPermits(context: Context, key: string): void {
  const live = liveOfLimit(context.place, key)
  const max = context.place.limits.get(key) ?? 0
  const left = max - live.filter((job) => job.live.hasPermit).length
  const blocked = live.filter((job) => job.live.state === 'blocked').sort(byUrgency)
  for (const job of blocked.slice(0, Math.max(0, left))) {
    job.live.hasPermit = true
    becomeReady(context, job)
  }
}

/** Those of a higher priority first, and among equals those whose turn it is. */
export function byUrgency(a: StoredJob & { live: Live }, b: StoredJob & { live: Live }): number {
  return b.job.priority - a.job.priority || a.live.rank - b.live.rank || a.seq - b.seq
}

/**
 * The limit that holds for a job. A child works under the permit of a workflow of the same key that waits for it: it
 * would never get the one that the workflow holds itself.
 */
export function limitThatHolds(limit: JobLimit | undefined, parent: Parent | undefined): JobLimit | undefined {
  for (let above = parent; above?.isAttached && limit !== undefined; above = above.job.parent) {
    if (above.job.live?.limitKey === limit.key) return undefined
  }
  return limit
}

export function countLimits({ place }: Context): LimitCounts[] {
  const counts = [...place.limits].map(([key, max]) => {
    const live = liveOfLimit(place, key)
    const taken = live.filter((job) => job.live.hasPermit).length
    const blocked = live.filter((job) => job.live.state === 'blocked').length
    return { key, max, taken, live: live.length, blocked }
  })
  return counts.sort((a, b) => b.live - a.live || (a.key < b.key ? -1 : 1)).slice(0, 1_000)
}
