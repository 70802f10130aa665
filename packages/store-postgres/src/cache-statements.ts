// Statements of the result cache. Like statements.ts: named, and no other code.

/**
 * Locks keys in one order, each until the transaction is over. Their numbers are below those of all other locks. Primary key:
 * none, an advisory lock.
 */
export const lockCacheKeys = `
  with numbers as materialized (
    select distinct -1000 - (hashtext(key) & 1073741823) as number from unnest($1::text[]) as key order by 1
  )
  select pg_advisory_xact_lock(lock_space(), number) from numbers`

/** What was noted of keys: which of their jobs have ended, and how. Primary keys: outcomes (seq), jobs (seq). */
export const takeCacheNotes = `
  with taken as (delete from notes where is_cache and key = any ($1::text[]) returning id, key, seq)
  select taken.key, taken.seq, jobs.task, jobs.cache, case when outcomes.state = 1 then coalesce(outcomes.result, 'null') end as result
  from taken
  join outcomes on outcomes.seq = taken.seq
  join jobs on jobs.seq = taken.seq
  order by taken.id`

/** Primary keys: cache (key), outcomes (seq). */
export const cacheEntries = `
  select cache.key, cache.seq, cache.state, cache.expires_at, outcomes.result
  from cache left join outcomes on outcomes.seq = cache.seq where cache.key = any ($1::text[])`

/** Those who wait for results of keys, the first of each. Index: live_following (cache_key, seq). Primary key: jobs (seq). */
export const cacheFollowers = `
  select live.seq, live.cache_key as key, live.parent_seq, jobs.task, jobs.cache
  from unnest($1::text[]) as given (key)
  cross join lateral (
    select seq, cache_key, parent_seq from live where cache_key = given.key and state = 3 order by seq limit 5000
  ) as live
  join jobs on jobs.seq = live.seq
  order by live.seq`

/** Of these pairs, those where the second job is above the first. Primary key: jobs (seq). */
export const jobsAbove = `
  select given.i
  from unnest($1::bigint[], $2::bigint[]) with ordinality as given (seq, other, i)
  where exists (
    with recursive above (seq) as (
      select parent_seq from jobs where jobs.seq = given.seq
      union all
      select jobs.parent_seq from above join jobs on jobs.seq = above.seq where jobs.parent_seq + 0 is not null
    )
    select from above where above.seq = given.other
  )`

/** Primary key: cache (key). */
export const putCacheEntries = `
  insert into cache (key, task, seq, state, expires_at)
  select * from unnest($1::text[], $2::text[], $3::bigint[], $4::text[], $5::bigint[])
  on conflict (key) do update set seq = excluded.seq, state = excluded.state, expires_at = excluded.expires_at`

/** Primary key: cache (key). */
export const deleteCacheEntries = `delete from cache where key = any ($1::text[]) returning key`

/** Primary key: live (seq). */
export const leaveCache = `update live set cache_key = null where seq = any ($1::bigint[])`

/** Those who waited for a result go on: to their limit, or into the line. Primary key: live (seq). */
export const stopFollowing = `
  update live set state = case when limit_key is not null and not permit then 2 else 6 end
  where seq = any ($1::bigint[])
  returning lane, case when state = 2 then limit_key end as limit_key, null as cache_key`

/** Primary key: outcomes (seq). */
export const noteCacheHits = `
  update outcomes set cached_from = given.source
  from unnest($1::bigint[], $2::bigint[]) as given (seq, source) where outcomes.seq = given.seq`

/** Index: cache_expiry (expires_at). */
export const deleteExpiredCache = `
  delete from cache where key in (
    select key from cache where expires_at is not null and expires_at <= $1::bigint order by expires_at limit 1000
  )`

/** Whether a result's time is over. Index: cache_expiry (expires_at). */
export const hasExpiredCache = `
  select exists (select from cache where expires_at is not null and expires_at <= $1::bigint) as found`

/** Index: cache_by_task (task, key). */
export const deleteCacheOfTask = `
  delete from cache where key in (select key from cache where task = $1 order by key limit 1000) returning key`

/** Scan: to its limit, and all of it is deleted. */
export const deleteCache = `delete from cache where key in (select key from cache limit 1000) returning key`
