// Named statements and no other code. Each names the index it uses, or its primary key; a test explains every one.

/** Index: jobs (id unique). */
export const insertJob = `
  insert into jobs (id, task, kind, queue, priority, input, created_at, deadline_at, owner, tags, parent_seq, root_seq,
    step, item, retry_of, lane, limits, queued_cursor)
  values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`

/** Primary key: live (seq). */
export const insertLive = `
  insert into live (seq, state, queue, lane, priority, rank, due_at, deadline_at, kind, parent_seq, step, grouped, attached,
    limit_key, cleanup, deployment)
  values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`

/** Primary key: job_tags (tag, seq). */
export const insertTag = `insert or ignore into job_tags (tag, seq) values (?, ?)`

/** Primary key: idempotency (scope, key). */
export const idempotencyByKey = `select fingerprint, job_id from idempotency where scope = ? and key = ?`

/** Primary key: idempotency (scope, key). */
export const insertIdempotency = `
  insert into idempotency (scope, key, fingerprint, job_id, at) values (?, ?, ?, ?, ?)`

/** Many at once, in their order: arrays of the columns. Primary key: events (cursor). */
export const insertEvents = `
  insert into events (cursor, seq, kind, attempt, at, data)
  select value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5 from json_each(?)`

/** Primary key: events (cursor). */
export const insertEvent = `insert into events (cursor, seq, kind, attempt, at, data) values (?, ?, ?, ?, ?, ?)`

/** Primary key: log (last). */
export const insertLog = `insert into log (first, last, kind, attempt, at, worker, seqs) values (?, ?, ?, ?, ?, ?, ?)`

/** Primary key: lanes (id). */
export const lanesAfter = `
  select id, queue, task, deployment, labels, needs from lanes where id > ? order by id`

/** Primary key: lanes (id). */
export const insertLane = `
  insert or ignore into lanes (queue, task, deployment, labels, needs) values (?, ?, ?, ?, ?)`

/** Scan: of the few lanes. */
export const tasksOfQueues = `
  select distinct task from lanes where queue in (select value from json_each(?)) order by task`

/** Primary key: jobs (seq). */
export const oldestLane = `select lane from jobs where seq = (select min(seq) from jobs)`

/** The least and the greatest. Primary key: jobs (seq). */
export const jobNumbers = `select (select min(seq) from jobs) as low, (select max(seq) from jobs) as high`

/** Of the first job from this number on. Primary key: jobs (seq). */
export const createdSince = `select seq, created_at from jobs where seq >= ? order by seq limit 1`

const readyColumns = `
  select live.seq as seq, live.attempt as attempt, live.failures as failures, live.priority as priority,
    live.rank as rank, live.lane as lane, jobs.id as id, jobs.task as task, jobs.kind as kind, jobs.input as input, jobs.created_at as created_at,
    jobs.owner as owner, jobs.deadline_at as deadline_at, live.ending as ending, jobs.seed as seed,
    iif(live.pin is null, live.session, null) as unplaced_session`

/** The most urgent ready jobs of a lane. Index: live_ready (lane, priority desc, rank, seq). */
export const readyJobs = `
  ${readyColumns}
  from live indexed by live_ready
  join jobs on jobs.seq = live.seq
  where live.lane = ? and live.state = 'ready' and live.pin is null
  order by live.priority desc, live.rank, live.seq
  limit ?`

/** The same, from the index alone: for a merge of several lanes. Index: live_ready (lane, priority desc, rank, seq). */
export const readyHeads = `
  select seq, priority, rank from live indexed by live_ready
  where lane = ? and state = 'ready' and pin is null
  order by priority desc, rank, seq
  limit ?`

/** Those of one queue that only this worker may take. Index: live_pinned (pin, priority desc, rank, seq). */
export const pinnedHeads = `
  select seq, priority, rank, lane from live indexed by live_pinned
  where pin = ? and state = 'ready' and queue = ?
  order by priority desc, rank, seq
  limit ?`

/** Scan: of the jobs that wait for the worker of their session. */
export const pinnedOfQueue = `
  select seq, due_at from live indexed by live_pinned where state = 'ready' and pin is not null and queue = ?`

/** Primary key: live (seq). */
export const dueOf = `select due_at from live where seq = ?`

/** Those of a JSON array of numbers, in its order. Primary keys: live (seq), jobs (seq). */
export const chosenJobs = `
  ${readyColumns}
  from json_each(?) as chosen
  cross join live on live.seq = chosen.value
  cross join jobs on jobs.seq = live.seq`

/** Those of a JSON array of numbers, with cursors from ?3 on in their order. Primary key: live (seq). */
export const markClaimed = `
  update live
  set state = 'running', worker = ?1, attempt = attempt + 1, started_at = ?2, busy = 0, started_cursor = ?3 + claimed.key
  from json_each(?4) as claimed where live.seq = claimed.value`

/**
 * Takes away a task whose success changes nothing but itself: nobody asked it to stop, it holds no permit, and no cache keeps it. What
 * `transition.ts` makes of a success in that case is to end it, so this asks for no more. Primary key: live (seq).
 */
export const deleteSucceeded = `
  delete from live
  where seq = ? and state = 'running' and worker = ? and attempt = ? and kind = 'task' and cancel_reason is null
    and limit_key is null and cache_key is null
  returning kind, attempt, worker, started_at, started_cursor, parent_seq, step, grouped`

/** Makes due what has fallen due, the first first, up to so many. Index: live_due (due_at). */
export const promoteScheduled = `
  update live set state = 'ready'
  where seq in (
    select seq from live indexed by live_due
    where state in ('scheduled', 'parked') and due_at <= ? order by due_at, seq limit ?
  )
  returning seq, queue, limit_key, permit, cache_key`

/** Index: live_due (due_at). */
export const nextScheduled = `select min(due_at) as due_at from live indexed by live_due where state in ('scheduled', 'parked')`

/** Scan: a handful of rows. */
export const deploymentStates = `select name, state from deployments order by name`

/** Primary key: deployments (name). */
export const putDeployment = `
  insert into deployments (name, state, changed_at) values (?, ?, ?)
  on conflict (name) do update set state = excluded.state, changed_at = excluded.changed_at
  where deployments.state <> excluded.state`

/** Index: live_deployed (deployment). */
export const liveOfDeployment = `
  select seq from live indexed by live_deployed where deployment = ? and deployment is not null limit ?`

/** Scan: of the deployments. Index: live_deployed (deployment), live_running_by_seq (seq). */
export const deploymentCounts = `
  select name, state, changed_at,
    (select count(*) from live indexed by live_deployed
     where live.deployment = deployments.name and live.deployment is not null) as live,
    (select count(*) from live indexed by live_running_by_seq
     where live.state = 'running' and live.deployment = deployments.name) as running,
    (select count(*) from workers indexed by workers_alive
     where workers.ended_at is null and workers.deployment = deployments.name) as workers
  from deployments order by changed_at desc, name`

/** Scan: the few queues that have settings. */
export const queueSettings = `
  select name, paused, fair, vtime, rate_count, rate_per_ms, tokens, tokens_at from queues order by name`

/** Primary key: queues (name). */
export const putQueue = `
  insert into queues (name, paused, fair, vtime, rate_count, rate_per_ms, tokens, tokens_at) values (?, ?, ?, ?, ?, ?, ?, ?)
  on conflict (name) do update set paused = excluded.paused, fair = excluded.fair, vtime = excluded.vtime,
    rate_count = excluded.rate_count, rate_per_ms = excluded.rate_per_ms, tokens = excluded.tokens,
    tokens_at = excluded.tokens_at`

/** Primary key: live (seq). */
export const setRank = `update live set rank = ? where seq = ?`

/** Primary key: jobs (seq). */
export const ownerOf = `select owner from jobs where seq = ?`

/** Primary key: shares (queue, owner). */
export const shareOf = `select weight, vtime from shares where queue = ? and owner = ?`

/** Primary key: shares (queue, owner). */
export const payShare = `
  insert into shares (queue, owner, vtime) values (?, ?, ?)
  on conflict (queue, owner) do update set vtime = excluded.vtime`

/** Primary key: shares (queue, owner). */
export const putShare = `
  insert into shares (queue, owner, weight) values (?, ?, ?)
  on conflict (queue, owner) do update set weight = excluded.weight`

/** Primary key: shares (queue). */
export const resetShares = `update shares set vtime = 0 where queue = ?`

/** Scan: of the owners that use fair queues. */
export const weights = `select queue, owner, weight from shares where weight <> 1 order by queue, owner`

/** All ready jobs of a lane. Index: live_ready (lane). */
export const readyOfLane = `
  select seq, due_at from live indexed by live_ready where lane = ? and state = 'ready' and pin is null`

/** Primary key: limits (key). */
export const limitLive = `select live from limits where key = ?`

/** Index: live_limited (limit_key, seq). */
export const oldestOfLimit = `
  select jobs.id as id from live indexed by live_limited join jobs on jobs.seq = live.seq
  where live.limit_key = ? order by live.seq limit 1`

/** Jobs of a key that nobody asked to stop, the oldest first. Index: live_limited (limit_key, seq). */
export const stayingOfLimit = `
  select seq from live indexed by live_limited where limit_key = ? and cancel_at is null order by seq`

/** Primary key: limits (key). */
export const countInLimit = `
  insert into limits (key, max, taken, live) values (?, ?, 0, 1)
  on conflict (key) do update set max = excluded.max, live = live + 1`

/** Primary key: limits (key). */
export const countOutLimit = `update limits set live = live - 1, taken = taken - ? where key = ? returning live`

/** Primary key: limits (key). */
export const deleteLimit = `delete from limits where key = ?`

/** Primary key: limits (key). */
export const takePermit = `update limits set taken = taken + 1 where key = ? and taken < max`

/** Primary key: limits (key). */
export const countPermitBack = `update limits set taken = taken - 1 where key = ?`

/** Primary key: live (seq). */
export const givePermitBack = `update live set permit = 0 where seq = ?`

/** Primary key: jobs (seq). */
export const noteCacheOptions = `update jobs set cache = ? where seq = ?`

/** Primary key: live (seq). */
export const noteCacheKey = `update live set cache_key = ? where seq = ?`

/** Primary key: jobs (seq). */
export const cacheOptions = `select task, cache from jobs where seq = ?`

/** Primary keys: cache (key), outcomes (seq). */
export const cacheEntry = `
  select cache.seq as seq, cache.state as state, cache.expires_at as expires_at, outcomes.result as result
  from cache left join outcomes on outcomes.seq = cache.seq where cache.key = ?`

/** Primary key: cache (key). */
export const putCacheEntry = `
  insert into cache (key, task, seq, state, expires_at) values (?, ?, ?, ?, ?)
  on conflict (key) do update set seq = excluded.seq, state = excluded.state, expires_at = excluded.expires_at`

/** Primary key: cache (key). */
export const deleteCacheEntry = `delete from cache where key = ?`

/** Index: cache_expiry (expires_at). */
export const deleteExpiredCache = `
  delete from cache where key in (
    select key from cache indexed by cache_expiry where expires_at is not null and expires_at <= ? limit ?
  )`

/** Index: cache_by_task (task, key). */
export const deleteCacheOfTask = `
  delete from cache where key in (select key from cache indexed by cache_by_task where task = ? limit ?)`

/** Scan: to its limit, and all of it is deleted. */
export const deleteCache = `delete from cache where key in (select key from cache limit ?)`

/** Primary key: live (seq). */
export const follow = `update live set state = 'following' where seq = ?`

/** Primary key: live (seq). */
export const leaveCache = `update live set cache_key = null where seq = ?`

/** Index: live_following (cache_key, seq). */
export const followers = `
  select seq, kind, attempt, parent_seq, step, grouped, queue, limit_key, permit, cache_key
  from live indexed by live_following where cache_key = ? and state = 'following' order by seq limit ?`

/** Primary key: live (seq). */
export const stopFollowing = `update live set state = 'ready' where seq = ?`

/** Primary key: outcomes (seq). */
export const noteCacheHit = `update outcomes set cached_from = ? where seq = ?`

/** A live job with its place. Primary key: live (seq). */
export const liveBySeq = `
  select seq, state, kind, attempt, parent_seq, step, grouped from live where seq = ?`

/** Whether a job is above another one in its tree. Primary key: jobs (seq). */
export const isAbove = `
  with recursive above (seq) as (
    select parent_seq from jobs where seq = ?1
    union all
    select jobs.parent_seq from above cross join jobs on jobs.seq = above.seq where jobs.parent_seq is not null
  )
  select 1 as found from above where seq = ?2`

/** Primary key: live (seq). */
export const block = `update live set state = 'blocked' where seq = ?`

/** Index: live_blocked (limit_key, priority desc, rank, seq). */
export const nextBlocked = `
  select seq, queue from live indexed by live_blocked
  where limit_key = ? and state = 'blocked'
  order by priority desc, rank, seq limit 1`

/** Primary key: live (seq). */
export const unblock = `update live set state = 'ready', permit = 1 where seq = ?`

/** A workflow that a child is attached to, at whatever height, and that is of this key. Primary key: live (seq). */
export const limitAbove = `
  with recursive above (seq) as (
    select ?1
    union all
    select live.parent_seq from above cross join live on live.seq = above.seq
    where live.attached = 1 and live.parent_seq is not null
  )
  select live.seq as seq from above cross join live on live.seq = above.seq where live.limit_key = ?2 limit 1`

/** Scan: of the keys of live jobs only. Index: live_blocked (limit_key). */
export const limitCounts = `
  select key, max, taken, live,
    (select count(*) from live indexed by live_blocked where limit_key = limits.key and state = 'blocked') as blocked
  from limits order by limits.live desc, key limit 1000`

/** Primary key: sessions (id). */
export const insertSession = `insert into sessions (seq, step, state) values (?, ?, 'open')`

/** Index: sqlite_autoindex_sessions_1 (seq, step). */
export const sessionOfStep = `select id, worker, state, error from sessions where seq = ? and step = ?`

/** Index: sessions_by_worker (worker). */
export const sessionsOfWorker = `
  select id from sessions indexed by sessions_by_worker where state = 'open' and worker = ? and worker is not null`

/** Primary key: sessions (id). */
export const placeSession = `update sessions set worker = ? where id = ?`

/** Index: live_in_session (session). */
export const pinSession = `update live indexed by live_in_session set pin = ? where session = ?`

/** Primary key: live (seq). */
export const joinSession = `update live set session = ?, pin = ? where seq = ?`

/** Index: live_in_session (session). */
export const liveOfSession = `
  select seq, state, kind, attempt, parent_seq, step, grouped from live indexed by live_in_session where session = ?`

/** Index: live_in_session (session). */
export const leaveSession = `
  update live indexed by live_in_session set session = null, pin = null where session = ?`

/** Primary key: sessions (id). */
export const endSession = `update sessions set state = ?, error = ? where id = ? and state = 'open'`

/** Index: sqlite_autoindex_sessions_1 (seq). */
export const closeSessionsOf = `update sessions set state = 'closed' where seq = ? and state = 'open'`

/** Primary key: live (seq). */
export const markHasSessions = `update live set cleanup = cleanup | 4 where seq = ?`

/** A running job, if this worker's attempt still holds it. Primary key: live (seq). */
export const heldJob = `
  select live.queue as queue, live.kind as kind, live.lapses as lapses, live.lapses_max as lapses_max, live.busy as busy, live.deadline_at as deadline_at,
    live.cancel_reason as cancel_reason, live.started_at as started_at, live.attempt as attempt,
    live.limit_key as limit_key, live.permit as permit, live.cache_key as cache_key,
    live.worker as worker, live.parent_seq as parent_seq, live.step as step, live.grouped as grouped, live.session as session
  from live
  where seq = ? and state = 'running' and worker = ? and attempt = ?`

/** Scan: of the running jobs, which are no more than the workers hold. Index: live_running_by_seq (seq). */
export const heldByWorker = `
  select seq, queue, kind, lapses, lapses_max, busy, deadline_at, cancel_reason, started_at, attempt, limit_key, permit,
    cache_key, worker, parent_seq, step, grouped, session
  from live indexed by live_running_by_seq
  where worker = ? and state = 'running'`

/** A job that this worker still holds. Primary key: live (seq). */
export const heldBySeq = `
  select seq, queue, kind, lapses, lapses_max, busy, deadline_at, cancel_reason, started_at, attempt, limit_key, permit,
    cache_key, worker, parent_seq, step, grouped, session
  from live
  where seq = ? and worker = ? and state = 'running'`

/** Primary key: live (seq). */
export const deleteLive = `
  delete from live where seq = ? returning state, limit_key, permit, cache_key, started_cursor, cleanup`

/** Primary key: live (seq). */
export const returnToWaiting = `
  update live set state = ?1, worker = null, started_at = null, started_cursor = null, due_at = ?2, rank = ?2, failures = failures + ?3, lapses = ?4
  where seq = ?5`

/** Primary key: live (seq). */
export const lastWord = `select cleanup, ending, queue, limit_key, permit from live where seq = ?`

/** Primary key: live (seq). */
export const beginEnding = `
  update live
  set state = ?1, due_at = ?2, rank = ?2, ending = ?3, worker = null, started_at = null, started_cursor = null, cancel_at = null,
    cancel_reason = null, deadline_at = null, busy = 0, lapses = 0, session = null, pin = null
  where seq = ?4`

/** Primary key: steps (seq). */
export const nextStep = `select coalesce(max(step), 0) + 1 as step from steps where seq = ?`

/** A step that was stored when it began is over. Primary key: steps (seq, step). */
export const completeStep = `
  update steps set value = ?, error = ? where seq = ? and step = ? and value is null and error is null`

/** Primary key: live (seq). */
export const markCompensates = `update live set cleanup = cleanup | 2 where seq = ?`

/** Primary key: live (seq). */
export const limitLapses = `update live set lapses_max = ? where seq = ?`

/** Primary key: live (seq). */
export const resetLapses = `update live set lapses = 0, busy = 0 where seq = ?`

/** Primary key: live (seq). */
export const markBusy = `update live set busy = 1 where seq = ?`

/** A step of a workflow that waits, for children or for an instant. Primary keys: steps (seq), outcomes (seq). */
export const waitingStep = `
  select step from steps
  where seq = ?
    and case kind
      when 'map' then released = 0
      when 'call' then not exists (select 1 from outcomes where outcomes.seq = steps.child_seq)
      when 'sleep' then due_at > ?
      when 'signal' then released = 0
      else 0
    end
  order by step desc limit 1`

/** Primary key: outcomes (seq); a second end of a job fails here. */
export const insertOutcome = `
  insert into outcomes (seq, state, result, error, attempt, worker, started_at, ended_at, started_cursor, ended_cursor)
  values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`

/** An attempt that is over, of a job whose row in `live` still tells of it. Primary key: live (seq). */
export const insertAttempt = `
  insert into attempts (seq, attempt, worker, started_at, ended_at, outcome, error, ended_cursor, due_at, started_cursor)
  select ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, started_cursor from live where seq = ?1`

/** Primary key: jobs (seq). */
export const jobIdBySeq = `select id from jobs where seq = ?`

/** Primary keys: jobs (seq), live (seq). */
export const releasedParent = `
  select jobs.id as id, live.state as state from jobs left join live on live.seq = jobs.seq where jobs.seq = ?`

/** The same of many. Primary keys: jobs (seq), live (seq). */
export const releasedParents = `
  select jobs.seq as seq, jobs.id as id, live.state as state
  from json_each(?) as listed cross join jobs on jobs.seq = listed.value left join live on live.seq = jobs.seq`

/**
 * Makes a parked workflow due when a step (?3) is released that it waits for, and one that has the last word when the last of
 * its children has ended. Without a step, only such a one. Primary keys: live (seq), steps (seq, step).
 */
export const wakeParked = `
  update live set state = 'ready', due_at = ?1, rank = ?1
  where seq = ?2 and state = 'parked'
    and case when ending is null
      then exists (select 1 from steps where steps.seq = ?2 and steps.step = ?3 and steps.kind <> 'start')
      else not exists (select 1 from live as child indexed by live_children where child.parent_seq = ?2 and child.attached = 1)
    end
  returning seq, queue, limit_key, permit, cache_key`

/** Index: jobs (id unique). */
export const seqByJobId = `select seq from jobs where id = ?`

/**
 * What a workflow's next steps depend on, if this worker's attempt still holds it, and whether the first of them is recorded.
 * Primary keys: live (seq), jobs (seq), steps (seq, step).
 */
export const heldWorkflow = `
  select live.cancel_reason as cancel_reason, live.lapses as lapses, live.busy as busy, live.lane as lane,
    coalesce(jobs.root_seq, jobs.seq) as root_seq,
    exists (select 1 from steps where steps.seq = live.seq and steps.step = ?) as is_first_recorded
  from live cross join jobs on jobs.seq = live.seq
  where live.seq = ? and live.state = 'running' and live.worker = ? and live.attempt = ?`

/**
 * Counts ended children off their group; `released` turns 1 once, and `ended_by` names the child whose failure (?2) did
 * it, once and for all. Primary key: steps (seq, step).
 */
export const countDownGroup = `
  update steps
  set remaining = remaining - ?1,
    released = case when remaining - ?1 <= 0 or (policy = 'fail' and ?2 is not null) then 1 else released end,
    ended_by = case when policy = 'fail' then coalesce(ended_by, ?2) end
  where seq = ?3 and step = ?4
  returning released, remaining`

/** Primary key: steps (seq, step). */
export const groupReleased = `select released from steps where seq = ? and step = ?`

/** Lets go the next held children of a group, each not before its own time. Index: live_children (parent_seq, step, seq). */
export const unholdChildren = `
  update live set state = case when due_at > ?1 then 'scheduled' else 'ready' end, due_at = max(due_at, ?1),
    rank = max(due_at, ?1)
  where seq in (
    select seq from live indexed by live_children
    where parent_seq = ?2 and step = ?3 and state = 'held' order by seq limit ?4
  )
  returning seq, queue, state, due_at, limit_key, permit, cache_key`

/** Primary key: steps (seq, step). */
export const insertStep = `
  insert into steps (seq, step, kind, name, value, error, due_at, policy, child_seq, remaining, released, delivered,
    delivered_from, recorded_at, compensates, session)
  values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`

/** Primary key: steps (seq, step). */
export const stepRecorded = `select compensates, kind from steps where seq = ? and step = ?`

/**
 * Of a step that was taken over: the job that ran it or, when that was removed, the first of the retries, whose id the
 * later ones draw their lots from. Primary keys: steps (seq), jobs (seq).
 */
export const stepsOfJob = `
  select step, kind, name, value, error, due_at, policy, delivered, delivered_from, recorded_at, child_seq, remaining,
    released, compensates, session,
    case when source_seq is not null then coalesce(
      (select id from jobs where jobs.seq = steps.source_seq), (select seed from jobs where jobs.seq = steps.seq)
    ) end as kept_from
  from steps where seq = ? order by step`

/** Takes over steps of the job with this id. Index: jobs (id unique). */
export const keepSteps = `
  insert into steps (seq, step, kind, name, value, error, due_at, policy, child_seq, remaining, released, ended_by,
    delivered, delivered_from, recorded_at, compensates, session, source_seq)
  select ?, old.step, old.kind, old.name, old.value, old.error, old.due_at, old.policy, old.child_seq, old.remaining,
    old.released, old.ended_by, nullif(kept.value -> 'delivered', '[]'), kept.value ->> 'deliveredFrom', old.recorded_at,
    old.compensates, old.session, coalesce(old.source_seq, old.seq)
  from jobs
  cross join json_each(?) as kept
  cross join steps as old on old.seq = jobs.seq and old.step = kept.value ->> 'step'
  where jobs.id = ?`

/** The lots that the code of the job with this id drew are drawn again. Primary key: jobs (seq). */
export const inheritSeed = `
  update jobs set seed = (select coalesce(old.seed, old.id) from jobs as old where old.id = ?) where seq = ?`

/** Of the steps that were taken over. Primary key: steps (seq). */
export const keptChildOutcomes = `
  select jobs.id as id, jobs.task as task, jobs.item as item, jobs.step as step, outcomes.state as state,
    outcomes.result as result, outcomes.error as error, steps.ended_by = jobs.seq as ended_group
  from steps
  cross join jobs indexed by jobs_children on jobs.parent_seq = steps.source_seq and jobs.step = steps.step
  left join outcomes on outcomes.seq = jobs.seq
  where steps.seq = ? and steps.source_seq is not null
  order by jobs.step, jobs.item`

/** Index: jobs_children (parent_seq, step, item). */
export const childOutcomes = `
  select jobs.id as id, jobs.task as task, jobs.item as item, jobs.step as step, outcomes.state as state,
    outcomes.result as result, outcomes.error as error, steps.ended_by = jobs.seq as ended_group
  from jobs indexed by jobs_children
  left join outcomes on outcomes.seq = jobs.seq
  left join steps on steps.seq = jobs.parent_seq and steps.step = jobs.step
  where jobs.parent_seq = ? and jobs.step = ?
  order by jobs.item`

/** Index: jobs_children (parent_seq, step, item). */
export const allChildOutcomes = `
  select jobs.id as id, jobs.task as task, jobs.item as item, jobs.step as step, outcomes.state as state,
    outcomes.result as result, outcomes.error as error, steps.ended_by = jobs.seq as ended_group
  from jobs indexed by jobs_children
  left join outcomes on outcomes.seq = jobs.seq
  left join steps on steps.seq = jobs.parent_seq and steps.step = jobs.step
  where jobs.parent_seq = ?
  order by jobs.step, jobs.item`

/** Of these waits, the released ones. Primary keys: steps (seq, step), outcomes (seq). */
export const releasedWaits = `
  select jobs.id as parent_id, steps.step as step, steps.value as value, steps.error as error
  from json_each(?) as waits
  cross join steps on steps.seq = waits.value ->> 0 and steps.step = waits.value ->> 1
  cross join jobs on jobs.seq = steps.seq
  where steps.released = 1 or exists (select 1 from outcomes where outcomes.seq = steps.child_seq)`

/** Index: jobs (id unique). */
export const signalTarget = `
  select jobs.seq as seq, jobs.kind as kind, live.attempt as attempt
  from jobs left join live on live.seq = jobs.seq where jobs.id = ?`

/** Index: signals_by_key (seq, name, key). */
export const signalByKey = `
  select consumed from signals indexed by signals_by_key where seq = ? and name = ? and key = ?`

/** Primary key: signals (id). */
export const insertSignal = `
  insert into signals (seq, name, key, value, consumed, at) values (?, ?, ?, ?, ?, ?)`

/** The first step of a workflow that waits for this signal. Primary key: steps (seq). */
export const waitingForSignal = `
  select step from steps where seq = ? and kind = 'signal' and name = ? and released = 0 order by step limit 1`

/** Index: signals_pending (seq, name, id). */
export const keptSignal = `
  select id, value from signals indexed by signals_pending
  where seq = ? and name = ? and consumed = 0 order by id limit 1`

/** Primary key: signals (id). */
export const consumeSignal = `update signals set consumed = 1 where id = ?`

/** Primary key: steps (seq, step). */
export const receiveSignal = `
  update steps set value = ?, error = ?, released = 1 where seq = ? and step = ? and released = 0`

/** Waits for a signal whose time has passed, those of ended workflows too. Index: steps_due (due_at). */
export const signalsPastDue = `
  select seq, step, name, exists (select 1 from live where live.seq = steps.seq) as is_live
  from steps indexed by steps_due
  where kind = 'signal' and released = 0 and due_at <= ? order by due_at limit 1000`

/** Index: steps_due (due_at). */
export const nextSignalDue = `
  select min(due_at) as due_at from steps indexed by steps_due
  where kind = 'signal' and released = 0 and due_at is not null`

/** The live jobs of a tree, the top first. Index: jobs_children (parent_seq, step, item). */
export const liveTree = `
  with recursive tree (seq) as (
    select ?
    union all
    select jobs.seq from tree cross join jobs indexed by jobs_children on jobs.parent_seq = tree.seq
  )
  select live.seq as seq, live.state as state, live.kind as kind, live.attempt as attempt, live.cancel_at as cancel_at,
    live.parent_seq as parent_seq, live.step as step, live.grouped as grouped, jobs.id as id,
    live.ending is not null as is_ending
  from tree cross join live on live.seq = tree.seq
  join jobs on jobs.seq = tree.seq`

/** Children that end with their workflow. Index: live_children (parent_seq, step, seq). */
export const attachedChildren = `
  select seq from live indexed by live_children where parent_seq = ? and attached = 1`

/** The live children of one step. Index: live_children (parent_seq, step, seq). */
export const groupChildren = `
  select seq from live indexed by live_children where parent_seq = ? and step = ?`

/** Primary key: live (seq). */
export const requestCancel = `update live set cancel_at = ?, cancel_reason = ? where seq = ? and cancel_at is null`

/** Index: live_cancelling (worker). */
export const cancelRequests = `
  select seq, cancel_reason from live indexed by live_cancelling where worker = ? and cancel_at is not null`

/** Index: live_deadline (deadline_at). */
export const pastDeadline = `
  select seq, state, kind, attempt, parent_seq, step, grouped from live indexed by live_deadline
  where deadline_at is not null and deadline_at <= ? and state <> 'running' limit 1000`

/** Primary key: live (seq). */
export const insertTold = `
  insert into events (cursor, seq, kind, attempt, at, data)
  select ?7, ?1, ?2, ?3, ?4, ?5
  where exists (select 1 from live where seq = ?1 and attempt = ?3 and worker = ?6)`

/** Primary key: progress (seq). */
export const upsertProgress = `
  insert into progress (seq, fraction, message, at)
  select ?1, ?2, ?3, ?4
  where exists (select 1 from live where seq = ?1 and attempt = ?5 and worker = ?6)
  on conflict (seq) do update set fraction = excluded.fraction, message = excluded.message, at = excluded.at`

/** Primary key: processes (id). */
export const insertProcess = `
  insert into processes (host, pid, started, port, opened_at) values (?, ?, ?, ?, ?)`

/** Scan: a handful of rows. */
export const allProcesses = `select id, host, pid, started, port from processes`

/** Primary key: processes (id). */
export const deleteProcess = `delete from processes where id = ?`

/** Primary key: workers (id). */
export const insertWorker = `
  insert into workers (uid, name, process, host, pid, queues, lease_ms, lease_until, started_at, deployment, labels, offers)
  values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`

/** Index: workers_alive (process). */
export const aliveWorkers = `
  select id, uid, name, process, host, pid, queues, lease_ms, lease_until, started_at, deployment, labels, offers
  from workers indexed by workers_alive where ended_at is null order by id`

/** Primary key: workers (id). */
export const workerAlive = `select 1 as alive from workers where id = ? and ended_at is null`

/** Primary key: workers (id). */
export const renewLease = `update workers set lease_until = ? where id = ? and ended_at is null`

/** Primary key: workers (id). */
export const endWorker = `update workers set ended_at = ? where id = ? and ended_at is null returning name`

/** Scan: of the running jobs, which are few. Index: live_running_by_seq (seq). */
export const runningCounts = `
  select worker, count(*) as n from live indexed by live_running_by_seq where state = 'running' group by worker`

/** Primary key: settings (namespace, key). */
export const getSetting = `select value from settings where namespace = ? and key = ?`

/** Primary key: settings (namespace, key). */
export const putSetting = `
  insert into settings (namespace, key, value) values (?, ?, ?)
  on conflict (namespace, key) do update set value = excluded.value`

/** Primary key: settings (namespace, key). */
export const deleteSetting = `delete from settings where namespace = ? and key = ?`

/** Primary key: settings (namespace). */
export const listSettings = `select key, value from settings where namespace = ? order by key`

/** Those whose key begins with a prefix. Primary key: settings (namespace, key). */
export const listSettingsFrom = `
  select key, value from settings where namespace = ?1 and key >= ?2 and key < ?2 || char(1114111) order by key`

/** Index: jobs (id unique). */
export const inputOfJob = `select input from jobs where id = ?`

/** Index: jobs (id unique). */
export const outcomeOfJob = `
  select outcomes.state as state, outcomes.result as result, outcomes.error as error
  from jobs join outcomes on outcomes.seq = jobs.seq where jobs.id = ?`

/** Index: jobs (id unique). */
export const attemptsOfJob = `
  select attempts.attempt as attempt, workers.uid as worker, attempts.started_at as started_at,
    attempts.ended_at as ended_at, attempts.outcome as outcome, attempts.error as error
  from jobs
  join attempts on attempts.seq = jobs.seq
  left join workers on workers.id = attempts.worker
  where jobs.id = ?
  order by attempts.attempt`

/** The names of all tasks that jobs were made of: few, and each is found by one seek. Index: jobs_by_task (task, seq). */
export const taskNames = `
  with recursive names (task) as (
    select min(task) from jobs
    union all
    select (select min(jobs.task) from jobs where jobs.task > names.task) from names where names.task is not null
  )
  select task from names where task is not null`

/** Primary keys: events (cursor), log (last). */
export const lastCursor = `
  select max(coalesce((select max(cursor) from events), 0), coalesce((select max(last) from log), 0)) as cursor`

/**
 * Those that are ready, most of a long queue, from their index, where the rank of a job is when it was due unless the queue is fair;
 * only the others are sorted by their queues. Scan: of the live jobs only.
 */
export const queueCounts = `
  select queue, sum(waiting) as waiting, sum(scheduled) as scheduled, sum(blocked) as blocked, sum(running) as running,
    min(oldest_due_at) as oldest_due_at
  from (
    select lanes.queue as queue, ready.waiting as waiting, 0 as scheduled, 0 as blocked, 0 as running,
      case
        when (select fair from queues where queues.name = lanes.queue) = 1
        then (select min(due_at) from live not indexed where live.lane = lanes.id and state = 'ready' and pin is null)
        else ready.oldest_rank
      end as oldest_due_at
    from (
      select lane, count(*) as waiting, min(rank) as oldest_rank from live indexed by live_ready
      where state = 'ready' and pin is null group by lane
    ) as ready
    cross join lanes on lanes.id = ready.lane
    union all
    select queue, sum(state = 'ready'), sum(state not in ('ready', 'running', 'blocked')), sum(state = 'blocked'),
      sum(state = 'running'), min(case when state = 'ready' then due_at end)
    from live not indexed where state <> 'ready' or pin is not null group by queue
  )
  group by queue order by queue`

/** Index: jobs (id unique). */
export const stateOfJob = `
  select coalesce(outcomes.state, case live.state when 'running' then 'running' else 'waiting' end) as state
  from jobs
  left join outcomes on outcomes.seq = jobs.seq
  left join live on live.seq = jobs.seq
  where jobs.id = ?`

/** Index: jobs (id unique). */
export const statesOfJobs = `
  select jobs.id as id, coalesce(outcomes.state, case live.state when 'running' then 'running' else 'waiting' end) as state
  from json_each(?) as ids
  cross join jobs on jobs.id = ids.value
  left join outcomes on outcomes.seq = jobs.seq
  left join live on live.seq = jobs.seq`

/** Primary key: schedules (name). */
export const putSchedule = `
  insert into schedules (name, body, next_at, changed_at) values (?1, ?2, ?3, ?4)
  on conflict (name) do update set body = excluded.body, changed_at = excluded.changed_at,
    next_at = case when body = excluded.body then coalesce(next_at, excluded.next_at) else excluded.next_at end`

/** Primary key: schedules (name). */
export const pauseSchedule = `update schedules set paused = ?, next_at = ?, changed_at = ? where name = ?`

/** Primary key: schedules (name). */
export const deleteSchedule = `delete from schedules where name = ?`

/** Primary key: schedules (name). */
export const scheduleByName = `
  select schedules.name as name, body, paused, next_at, last_at, jobs.id as last_job, fired, skipped, changed_at
  from schedules left join jobs on jobs.seq = schedules.last_seq where schedules.name = ?`

/** Scan: of all schedules, which a person asked for. */
export const allSchedules = `
  select schedules.name as name, body, paused, next_at, last_at, jobs.id as last_job, fired, skipped, changed_at
  from schedules left join jobs on jobs.seq = schedules.last_seq order by schedules.name limit 1000`

/** Index: schedules_due (next_at). */
export const dueSchedules = `
  select schedules.name as name, body, paused, next_at, last_at, jobs.id as last_job, fired, skipped, changed_at
  from schedules indexed by schedules_due left join jobs on jobs.seq = schedules.last_seq
  where paused = 0 and next_at is not null and next_at <= ? order by next_at limit ?`

/** Whether one is due, and when the next one will be. Index: schedules_due (next_at). */
export const scheduleDue = `
  select next_at from schedules indexed by schedules_due
  where paused = 0 and next_at is not null and next_at <= ? limit 1`

/** Index: schedules_due (next_at). */
export const nextScheduleAfter = `
  select min(next_at) as next_at from schedules indexed by schedules_due
  where paused = 0 and next_at is not null and next_at > ?`

/** Primary key: schedules (name). */
export const advanceSchedule = `
  update schedules
  set next_at = ?1, last_at = coalesce(?2, last_at), last_seq = coalesce(?3, last_seq), fired = fired + ?4, skipped = skipped + ?5
  where name = ?6`

/** Primary key: jobs (seq). */
export const newestJob = `select seq, coalesce(root_seq, seq) as root_seq from jobs where seq = (select max(seq) from jobs)`

/** Jobs as they came. Primary keys: jobs (seq), outcomes (seq). */
export const pruneCandidates = `
  select jobs.seq as seq, jobs.task as task, jobs.queue as queue, jobs.created_at as created_at,
    jobs.parent_seq as parent_seq, outcomes.state as state, outcomes.ended_at as ended_at
  from jobs left join outcomes on outcomes.seq = jobs.seq
  where jobs.seq > ? order by jobs.seq limit ?`

/**
 * Whether something of a tree lives, gives its result to others, has steps that a live job took over, or repeats a job that
 * is still there. Index: jobs_descendants, cache_by_job, steps_kept.
 */
export const treeInUse = `
  select 1 as used
  from (
    select seq, retry_of from jobs where seq = ?
    union all
    select seq, retry_of from jobs indexed by jobs_descendants where root_seq = ?
  ) as member
  where exists (select 1 from live where live.seq = member.seq)
    or exists (select 1 from cache indexed by cache_by_job where cache.seq = member.seq)
    or exists (
      select 1 from steps indexed by steps_kept cross join live on live.seq = steps.seq where steps.source_seq = member.seq
    )
    or exists (select 1 from jobs as first where first.id = member.retry_of)
  limit 1`

/** The youngest first. Index: jobs_descendants (root_seq). */
export const descendants = `
  select seq from jobs indexed by jobs_descendants where root_seq = ? order by seq desc limit ?`

/** Index: jobs_descendants (root_seq). */
export const countTree = `select count(*) as n from jobs indexed by jobs_descendants where root_seq = ?`

/** Primary key: jobs (seq). */
export const pruneTags = `
  delete from job_tags
  where (tag, seq) in (
    select tags.value, jobs.seq
    from json_each(?) as gone
    cross join jobs on jobs.seq = gone.value
    cross join json_each(jobs.tags) as tags
  )`

/** Index: idempotency_by_job (job_id). */
export const pruneKeys = `
  delete from idempotency indexed by idempotency_by_job
  where job_id in (select jobs.id from json_each(?) as gone cross join jobs on jobs.seq = gone.value)`

/** The newest of all stays, for cursors are given in order. Index: events_by_job (seq, cursor). */
export const pruneEvents = `
  delete from events indexed by events_by_job
  where seq in (select value from json_each(?)) and cursor < (select max(cursor) from events)`

/** Primary key: attempts (seq). */
export const pruneAttempts = `delete from attempts where seq in (select value from json_each(?))`

/** Primary key: steps (seq). */
export const pruneSteps = `delete from steps where seq in (select value from json_each(?))`

/** Index: signals_by_job (seq). */
export const pruneSignals = `delete from signals indexed by signals_by_job where seq in (select value from json_each(?))`

/** Index: sqlite_autoindex_sessions_1 (seq). */
export const pruneSessions = `delete from sessions where seq in (select value from json_each(?))`

/** Primary key: progress (seq). */
export const pruneProgress = `delete from progress where seq in (select value from json_each(?))`

/** Primary key: outcomes (seq). */
export const pruneOutcomes = `delete from outcomes where seq in (select value from json_each(?))`

/** Primary key: jobs (seq). */
export const pruneJobs = `delete from jobs where seq in (select value from json_each(?))`

/** But for the newest row, for cursors are given in order. Primary keys: log (last), jobs (seq). */
export const pruneLogCandidates = `
  select last, not exists (
      select 1 from json_each(log.seqs) as listed cross join jobs on jobs.seq = listed.value
    ) as is_gone
  from log
  where last > ? and at <= ? and last < (select max(last) from log)
  order by last limit ?`

/** Primary key: log (last). */
export const pruneLog = `delete from log where last in (select value from json_each(?))`

/** Primary key: jobs (seq). */
export const namesInJobs = `
  select seq as k1, null as k2, case when instr(tags, 'sha256:') > 0 then input || char(10) || tags when instr(input, 'sha256:') > 0 then input end as text
  from jobs where seq > ? order by seq limit ?`

/** Primary key: outcomes (seq). */
export const namesInOutcomes = `
  select seq as k1, null as k2, case when instr(result, 'sha256:') > 0 then result end as text
  from outcomes where seq > ? order by seq limit ?`

/** Primary key: steps (seq, step). */
export const namesInSteps = `
  select seq as k1, step as k2, case when instr(value, 'sha256:') > 0 then value end as text
  from steps where (seq, step) > (?, ?) order by seq, step limit ?`

/** Primary key: events (cursor). */
export const namesInEvents = `
  select cursor as k1, null as k2, case when instr(data, 'sha256:') > 0 then data end as text
  from events where cursor > ? order by cursor limit ?`

/** Primary key: progress (seq). */
export const namesInProgress = `
  select seq as k1, null as k2, case when instr(message, 'sha256:') > 0 then message end as text
  from progress where seq > ? order by seq limit ?`

/** Primary key: signals (id). */
export const namesInSignals = `
  select id as k1, null as k2, case when instr(value, 'sha256:') > 0 then value end as text
  from signals where id > ? order by id limit ?`

/** Primary key: schedules (name). */
export const namesInSchedules = `
  select name as k1, null as k2, case when instr(body, 'sha256:') > 0 then body end as text
  from schedules where name > ? order by name limit ?`

/** Primary key: settings (namespace, key). */
export const namesInSettings = `
  select namespace as k1, key as k2, case when instr(value, 'sha256:') > 0 then value end as text
  from settings where (namespace, key) > (?, ?) order by namespace, key limit ?`
