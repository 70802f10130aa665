// Statements of limits by key, and of the notes by which jobs reach them. Like statements.ts: named, and no other code.

/** Primary key: notes (id). */
export const insertNotes = `
  insert into notes (is_cache, key, seq, live, taken, max)
  select * from unnest($1::boolean[], $2::text[], $3::bigint[], $4::integer[], $5::integer[], $6::integer[])`

/** Keys with notes that nobody has acted upon, the oldest first. Primary key: notes (id). */
export const notedKeys = `
  select is_cache, key from (select id, is_cache, key from notes order by id limit 1000) as oldest`

/** Whether there are notes. Primary key: notes (id). */
export const hasNotes = `select exists (select from notes) as found`

/**
 * A caller's own transaction may hold a limit that refuses or replaces for as long as it likes: whoever settles jobs does not wait for
 * it, and a later sweep gives the permits out. Primary key: none, a setting.
 */
export const waitShortly = `select set_config('lock_timeout', '200ms', true)`

/** Locks limits in the order of their keys, and makes those that are missing. Primary key: limits (key). */
export const lockLimits = `
  insert into limits (key, max) select key, 0 from unnest($1::text[]) as key order by key
  on conflict (key) do update set live = limits.live`

/**
 * Counts what was noted of locked limits, and gives what permits there are to those who wait for them, the most urgent
 * first. They are locked in the order of their numbers, as everywhere. Index: live_blocked (limit_key, urgency, rank, seq).
 */
export const givePermits = `
  with noted as (
    delete from notes where not is_cache and key = any ($1::text[]) returning id, key, live, taken, max
  ),
  summed as materialized (
    select key, sum(live) as live, sum(taken) as taken,
      (array_agg(max order by id desc) filter (where max is not null))[1] as max
    from noted group by key
  ),
  counts as materialized (
    select limits.key, coalesce(summed.max, limits.max) as max, limits.live + coalesce(summed.live, 0) as live,
      limits.taken + coalesce(summed.taken, 0) as taken
    from limits left join summed on summed.key = limits.key
    where limits.key = any ($1::text[])
  ),
  next as materialized (
    select waiting.seq
    from counts
    cross join lateral (
      select seq from live where limit_key = counts.key and state = 2
      order by urgency, rank, seq limit greatest(counts.max - counts.taken, 0)
    ) as waiting
  ),
  locked as materialized (
    select live.seq, live.limit_key, live.lane from next join live on live.seq = next.seq
    where live.state + 0 = 2
    order by live.seq for update of live
  ),
  given as (update live set state = 6, permit = true from locked where live.seq = locked.seq),
  counted as (
    update limits set max = counts.max, live = counts.live,
      taken = counts.taken + (select count(*) from locked where locked.limit_key = counts.key)
    from counts where limits.key = counts.key
  )
  select lane from locked`

/** Primary key: limits (key). */
export const limitsLive = `select key, live from limits where key = any ($1::text[])`

/** Limits of which nothing lives any more. Primary key: limits (key). */
export const deleteLimits = `delete from limits where key = any ($1::text[]) and live <= 0`

/** Index: live_limited (limit_key, seq). */
export const oldestOfLimit = `
  select jobs.id from live join jobs on jobs.seq = live.seq
  where live.limit_key = $1 and live.limit_key is not null order by live.seq limit 1`

/** Jobs of a key that nobody asked to stop, the oldest first. Index: live_limited (limit_key, seq). */
export const stayingOfLimit = `
  select seq from live where limit_key = $1 and limit_key is not null and cancel_at is null order by seq`

/** Of these pairs, those where the job or one that it is attached to, at whatever height, is of the key. Primary key: live (seq). */
export const limitsAbove = `
  select given.i
  from unnest($1::bigint[], $2::text[]) with ordinality as given (seq, key, i)
  where exists (
    with recursive above (seq) as (
      select given.seq
      union all
      select live.parent_seq from above join live on live.seq = above.seq
      where live.attached and live.parent_seq + 0 is not null
    )
    select from above join live on live.seq = above.seq where coalesce(live.limit_key, '') = given.key
  )`

/** Primary key: live (seq). */
export const givePermitsBack = `update live set permit = false where seq = any ($1::bigint[])`

/** Jobs that this transaction has stored itself. Index: jobs_by_id (id). */
export const liveByIds = `
  select live.seq, live.state, live.lane, live.is_workflow, live.attempt, live.parent_seq, live.step, live.grouped,
    live.limit_key, live.cache_key, live.permit, live.ending, live.cleanup, jobs.id, jobs.limits
  from unnest($1::uuid[]) as given (id) join jobs on jobs.id = given.id join live on live.seq = jobs.seq`

/** Primary key: idempotency (scope, key). */
export const deleteKeys = `
  delete from idempotency using unnest($1::text[], $2::text[]) as given (scope, key)
  where idempotency.scope = given.scope and idempotency.key = given.key`

/** Scan: of the keys of live jobs only. Index: live_blocked (limit_key). */
export const limitCounts = `
  select key, max, taken, live,
    (select count(*) from live where limit_key = limits.key and state = 2) as blocked
  from limits where limits.live > 0 order by limits.live desc, key limit 1000`
