import type { NewJob } from '@headrace/engine'
import { admit } from './admit.ts'
import type { EndedAs, Endings } from './ending.ts'
import { type CacheEntry, type Context, liveJobs, type StoredJob } from './place.ts'

/** Whether a new job would be answered at once. */
export function hasAnswer({ place, clock }: Context, { cache, dueAt }: NewJob): boolean {
  const now = clock.now()
  if (cache?.mode !== 'use' || (dueAt !== undefined && dueAt > now)) return false
  return resultOf(place.cache.get(cache.key), now) !== undefined
}

/** Asks for the result of a job that is due. @returns true when it needs no worker now: it has ended, or follows another */
export function askCache({ place, clock }: Context, endings: Endings, job: StoredJob, key: string): boolean {
  const { live } = job
  if (live === undefined) return false
  const entry = place.cache.get(key)
  if (entry?.state === 'pending' && entry.leader === job) return false
  const isUsing = job.job.cache?.mode === 'use'
  const result = isUsing ? resultOf(entry, clock.now()) : undefined
  if (entry !== undefined && result !== undefined) {
    endings.end(job, { to: 'succeeded', result, cachedFrom: entry.leader })
    return true
  }
  if (entry?.state !== 'pending') {
    // A renewal leaves the old result in its place until it has the new one.
    if (entry === undefined || isUsing) put(place.cache, key, { leader: job, state: 'pending', expiresAt: Infinity })
    return false
  }
  if (!isUsing) return false
  // It would wait for one that waits for it.
  if (isAbove(job, entry.leader)) {
    live.cacheKey = undefined
    return false
  }
  live.state = 'following'
  return true
}

/** A job that had the right to make the result of its key has ended. */
export function leaveCache(
  context: Context,
  endings: Endings,
  { job, key, to }: { readonly job: StoredJob; readonly key: string; readonly to: EndedAs },
): void {
  const { cache } = context.place
  const entry = cache.get(key)
  const isRenewal = job.job.cache?.mode === 'refresh'
  // An entry that is gone was purged: what was being made is not kept, but those who wait for it get it.
  const isLeader = entry === undefined || (entry.state === 'pending' && entry.leader === job)
  if (to.to === 'succeeded') {
    if (!isLeader && !isRenewal) return
    const expiresAt = context.clock.now() + (job.job.cache?.ttlMs ?? 0)
    if (entry !== undefined || isRenewal) put(cache, key, { leader: job, state: 'done', expiresAt })
    const answer = { to: 'succeeded', result: to.result ?? 'null', cachedFrom: job } as const
    for (const follower of followers(context, key)) endings.end(follower, answer)
    return
  }
  if (!isLeader) return
  cache.delete(key)
  // The first of those who waited for it takes over, and the others wait for that one.
  const [next] = followers(context, key)
  if (next !== undefined) admit(context, endings, next)
}

/** Results whose time is over. */
export function forgetExpired({ place, clock }: Context): void {
  for (const [key, { expiresAt }] of place.cache) if (expiresAt <= clock.now()) place.cache.delete(key)
}

/** @returns how many are gone */
export function purgeCache({ place }: Context, filter: { readonly task?: string; readonly key?: string }): number {
  const named = [...place.cache].filter(([key, { task }]) =>
    filter.key === undefined ? filter.task === undefined || task === filter.task : key === filter.key,
  )
  for (const [key] of named) place.cache.delete(key)
  return named.length
}

/** The job whose result a waiting one waits for. */
export function followed({ cache }: Context['place'], { live }: StoredJob): StoredJob | undefined {
  return live?.state === 'following' && live.cacheKey !== undefined ? cache.get(live.cacheKey)?.leader : undefined
}

// The task is that of the key's first job.
function put(cache: Context['place']['cache'], key: string, entry: Omit<CacheEntry, 'task'>): void {
  cache.set(key, { ...entry, task: cache.get(key)?.task ?? entry.leader.job.task })
}

function followers({ place }: Context, key: string): StoredJob[] {
  return liveJobs(place).filter(({ live }) => live.state === 'following' && live.cacheKey === key)
}

function resultOf(entry: CacheEntry | undefined, now: number): string | undefined {
  return entry?.state === 'done' && entry.expiresAt > now ? entry.leader.end?.result : undefined
}

function isAbove({ parent }: StoredJob, other: StoredJob): boolean {
  return parent !== undefined && (parent.job === other || isAbove(parent.job, other))
}
