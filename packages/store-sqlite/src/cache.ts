import type { EndState, NewJob } from '@headrace/engine'
import { admit, type Due } from './admit.ts'
import type { EndedAs, Ending, Endings } from './ending.ts'
import type { Context } from './prepared.ts'

/**
 * Results by key. An entry is `pending` while a job of its key, the leader, is at it, and `done` once it has a result;
 * the jobs that follow the leader wait without a place in any line.
 */
type Entry = {
  readonly seq: number
  readonly state: 'pending' | 'done'
  readonly expires_at: number | null
  readonly result: string | null
}

type Cache = NonNullable<NewJob['cache']>

/** However many are to go, a transaction stays short. */
export const PURGED_MAX = 1_000
const FOLLOWERS_AT_ONCE = 1_000

export function putInCache({ sql }: Context, seq: number, cache: Cache): void {
  sql.run('noteCacheOptions', JSON.stringify(cache), seq)
  sql.run('noteCacheKey', cache.key, seq)
}

/** Whether a new job would be answered at once. */
export function hasAnswer(context: Context, { cache, dueAt }: NewJob): boolean {
  const now = context.clock.now()
  if (cache?.mode !== 'use' || (dueAt !== undefined && dueAt > now)) return false
  return resultOf(context.sql.get<Entry>('cacheEntry', cache.key), now) !== undefined
}

/** Asks for the result of a job that is due. @returns true when it needs no worker now: it has ended, or follows another */
export function askCache(context: Context, endings: Endings, due: Due, key: string): boolean {
  const { sql, clock } = context
  const entry = sql.get<Entry>('cacheEntry', key)
  if (entry?.state === 'pending' && entry.seq === due.seq) return false
  // A workflow that cleans up ends as it was to, whatever result there is by now.
  if ((sql.get<{ ending: string | null }>('lastWord', due.seq)?.ending ?? null) !== null) return false
  const { task, cache } = optionsOf(context, due.seq)
  const isUsing = cache.mode === 'use'
  const result = isUsing ? resultOf(entry, clock.now()) : undefined
  if (entry !== undefined && result !== undefined) {
    const job = sql.get<Ending>('liveBySeq', due.seq)
    if (job !== undefined)
      endings.end({ ...job, worker: null, started_at: null }, { to: 'succeeded', result, cachedFrom: entry.seq })
    return true
  }
  if (entry?.state !== 'pending') {
    // A renewal leaves the old result in its place until it has the new one.
    if (entry === undefined || isUsing) sql.run('putCacheEntry', key, task, due.seq, 'pending', null)
    return false
  }
  if (!isUsing) return false
  // It would wait for one that waits for it.
  if (sql.get('isAbove', due.seq, entry.seq) !== undefined) {
    sql.run('leaveCache', due.seq)
    return false
  }
  sql.run('follow', due.seq)
  return true
}

/** A job that had the right to make the result of its key has ended. */
export function leaveCache(
  context: Context,
  endings: Endings,
  { seq, key, to }: { readonly seq: number; readonly key: string; readonly to: EndedAs },
): void {
  const { sql, clock } = context
  const entry = sql.get<Entry>('cacheEntry', key)
  const { task, cache } = optionsOf(context, seq)
  // An entry that is gone was purged: what was being made is not kept, but those who wait for it get it.
  const isLeader = entry === undefined || (entry.state === 'pending' && entry.seq === seq)
  if (to.to === 'succeeded') {
    if (!isLeader && cache.mode !== 'refresh') return
    if (entry !== undefined || cache.mode === 'refresh')
      sql.run('putCacheEntry', key, task, seq, 'done', clock.now() + cache.ttlMs)
    endFollowers(context, endings, key, { to: 'succeeded', result: to.result ?? 'null', cachedFrom: seq })
    return
  }
  if (!isLeader) return
  sql.run('deleteCacheEntry', key)
  // The first of those who waited for it takes over, and the others wait for that one.
  const [next] = sql.all<Due>('followers', key, 1)
  if (next === undefined) return
  sql.run('stopFollowing', next.seq)
  admit(context, endings, next)
}

/** Results whose time is over; the first of them, when they are many. */
export function forgetExpired({ sql, clock }: Context): void {
  sql.run('deleteExpiredCache', clock.now(), PURGED_MAX)
}

/** @returns how many are gone; as many as {@link PURGED_MAX} says that there may be more */
export function purgeSomeOfCache({ sql }: Context, filter: { readonly task?: string; readonly key?: string }): number {
  const { task, key } = filter
  if (key !== undefined) return sql.run('deleteCacheEntry', key).changes
  if (task !== undefined) return sql.run('deleteCacheOfTask', task, PURGED_MAX).changes
  return sql.run('deleteCache', PURGED_MAX).changes
}

function endFollowers(
  context: Context,
  endings: Endings,
  key: string,
  to: EndedAs & { readonly to: Extract<EndState, 'succeeded'> },
): void {
  for (;;) {
    const followers = context.sql.all<Ending>('followers', key, FOLLOWERS_AT_ONCE)
    for (const job of followers) endings.end({ ...job, worker: null, started_at: null }, to)
    if (followers.length < FOLLOWERS_AT_ONCE) return
  }
}

function optionsOf({ sql }: Context, seq: number): { readonly task: string; readonly cache: Cache } {
  const row = sql.get<{ task: string; cache: string }>('cacheOptions', seq)
  // Only jobs with a key come here, and the key was stored together with this.
  if (row === undefined) throw new Error(`job ${seq} has a cache key and no cache options`)
  return { task: row.task, cache: JSON.parse(row.cache) as Cache }
}

/** An entry of a job whose record was pruned has none. */
function resultOf(entry: Entry | undefined, now: number): string | undefined {
  if (entry?.state !== 'done' || (entry.expires_at ?? 0) <= now) return undefined
  return entry.result ?? undefined
}
