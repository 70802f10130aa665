import { FIRST_TURN } from './states.ts'

// Named statements and no other code. Each names the index it uses, or its primary key; a test explains every one.
// Lists come as arrays, one for each column, so that any number of rows is one statement of one shape. `live.state`,
// `live.grouped` and `log.kind` are numbered in migrations.ts.

/** The name of `outcomes.state`. */
const endState = `(array['succeeded', 'failed', 'cancelled'])[outcomes.state]`

/**
 * Stores jobs with their place in the line, if the routing is the one that is known ($28). Not announced ($26): their cursors
 * are drawn later. Primary key: jobs (seq).
 */
export const storeJobs = `
  with blocks as materialized (
    select next_blocks(case when $26::boolean then cardinality($1::uuid[]) else 0 end) as n
    where routing_is($28::bigint)
  ),
  given as materialized (
    select nextval('job_numbers') as seq,
      blocks.n[1 + (given.i - 1) / 1024] * 1024 + (given.i - 1) % 1024 as cursor, given.*
    from blocks
    cross join (
      select * from unnest($1::uuid[], $2::integer[], $3::text[], $4::text[], $5::boolean[], $6::integer[], $7::text[],
        $8::smallint[], $9::bigint[], $10::bigint[], $11::text[], $12::text[], $13::uuid[], $14::bigint[], $15::bigint[],
        $16::integer[], $17::integer[], $18::smallint[], $19::boolean[], $20::text[], $21::text[], $22::text[],
        $23::text[], $24::text[], $27::smallint[]
      ) with ordinality as given (id, lane, task, queue, is_workflow, priority, input, state, due_at, deadline_at, owner,
        tags, retry_of, parent_seq, root_seq, step, item, grouped, attached, deployment, limits, cache, limit_key, cache_key, cleanup, i)
      order by i
    ) as given
  ),
  lined as (
    insert into live (seq, state, lane, urgency, rank, due_at, deadline_at, is_workflow, parent_seq, step, grouped, attached,
      deployment, limit_key, cache_key, cleanup)
    select seq, state, lane, -priority, due_at, due_at, deadline_at, is_workflow, parent_seq, step, coalesce(grouped, 0),
      coalesce(attached, false), deployment, limit_key, cache_key, cleanup
    from given
  ),
  tagged as (
    insert into job_tags (tag, seq)
    select distinct tag.value, given.seq from given cross join json_array_elements_text(given.tags::json) as tag
    where given.tags is not null
  ),
  logged as (
    insert into log (cursor, kind, at, seqs)
    select min(cursor), 1, $25::bigint, array_agg(seq order by i) from given where cursor is not null group by cursor / 1024
  )
  insert into jobs (seq, created_at, queued_cursor, deadline_at, parent_seq, root_seq, id, retry_of, priority, lane,
    step, item, is_workflow, task, queue, input, owner, tags, limits, cache)
  select seq, $25::bigint, cursor, deadline_at, parent_seq, root_seq, id, retry_of, priority, lane, step, item,
    is_workflow, task, queue, input, owner, tags, limits, cache
  from given`

/** Gives cursors to what was stored inside transactions of others, once those are over. Index: jobs_unannounced (seq). */
export const announceJobs = `
  with fresh as materialized (
    select seq, row_number() over (order by seq) - 1 as i
    from (select seq from jobs where queued_cursor is null order by seq limit 1000 for update skip locked) as fresh
  ),
  blocks as materialized (select next_blocks((select count(*) from fresh)) as n),
  numbered as materialized (
    select fresh.seq, fresh.i, blocks.n[1 + fresh.i / 1024] * 1024 + fresh.i % 1024 as cursor from fresh cross join blocks
  ),
  logged as (
    insert into log (cursor, kind, at, seqs)
    select min(cursor), 1, $1::bigint, array_agg(seq order by i) from numbered group by cursor / 1024
  )
  update jobs set queued_cursor = numbered.cursor from numbered where jobs.seq = numbered.seq`

/** Primary key: idempotency (scope, key). */
export const insertKeys = `
  insert into idempotency (scope, key, fingerprint, job_id, at)
  select scope, key, fingerprint, job_id, $5::bigint
  from unnest($1::text[], $2::text[], $3::text[], $4::uuid[]) as given (scope, key, fingerprint, job_id)
  order by scope, key
  on conflict do nothing
  returning scope, key`

/** Primary key: idempotency (scope, key). */
export const usedKeys = `
  select given.i, used.fingerprint, used.job_id
  from unnest($1::text[], $2::text[]) with ordinality as given (scope, key, i)
  join idempotency as used on used.scope = given.scope and used.key = given.key`

/** Primary key: lanes (id). */
export const lanesAfter = `
  select id, queue, task, deployment, labels, needs from lanes where id > $1::integer order by id`

/** One at a time ($6 is a lock), so that lanes become visible in the order of their numbers. Primary key: lanes (id). */
export const insertLane = `
  insert into lanes (queue, task, deployment, labels, needs)
  select $1, $2, $3, $4, $5 from pg_advisory_xact_lock(lock_space(), $6::integer)
  on conflict do nothing`

/**
 * What becomes of a job that is due and has its place: the result cache is asked, or its limit, or it is ready. A parked
 * one has been through that.
 */
const admitted = `
  case
    when live.state <> 5 and live.cache_key is not null then 3
    when live.limit_key is not null and not live.permit then 2
    else 6
  end`

/** The rank of a job that keeps its turn: the first one in a fair queue, in others what it has as well. */
const keptTurn = (rank: string) => `
  case
    when exists (
      select from lanes join queues on queues.name = lanes.queue where lanes.id = live.lane and queues.fair
    ) then ${FIRST_TURN}
    else ${rank}
  end`

/** Which notes there are to be of it. */
const asking = `
  case when live.state = 2 then live.limit_key end as limit_key, case when live.state = 3 then live.cache_key end as cache_key`

/** Makes due what has fallen due, the first first. Index: live_due (due_at, seq). */
export const promoteScheduled = `
  with due as materialized (
    select seq from live as due
    where (state = 4 or state = 5) and due_at <= $1::bigint
      and not exists (select from jobs where jobs.seq = due.seq and jobs.queued_cursor is null)
    order by due_at, seq limit $2::integer
    for update skip locked
  ),
  promoted as (
    update live set state = ${admitted}, rank = case when live.state = 5 then ${keptTurn('live.rank')} else live.rank end
    from due where live.seq = due.seq
    returning live.lane, ${asking}
  ),
  noted as (
    insert into notes (is_cache, key, live, taken)
    select distinct limit_key is null, coalesce(limit_key, cache_key), 0, 0 from promoted
    where limit_key is not null or cache_key is not null
  )
  select lane, limit_key, cache_key from promoted`

/** Index: live_due (due_at, seq). */
export const nextScheduled = `
  select due_at from live where (state = 4 or state = 5) and due_at < 9007199254740991 order by due_at, seq limit 1`

const claimColumns = `
  select jobs.seq, jobs.id, claimed.attempt, claimed.failures, jobs.priority, jobs.task, jobs.queue, jobs.is_workflow, jobs.input,
    jobs.created_at, jobs.owner, claimed.deadline_at, claimed.ending, claimed.lane, claimed.urgency, claimed.rank, jobs.seed`

const claimDue = `
  blocks as materialized (select next_blocks((select count(*) from due)) as n),
  numbered as materialized (
    select due.seq, due.i, blocks.n[1 + due.i / 1024] * 1024 + due.i % 1024 as cursor from due cross join blocks
  ),
  claimed as (
    update live set state = 7, worker = $1::integer, attempt = attempt + 1, started_at = $2::bigint,
      started_cursor = numbered.cursor, busy = false
    from numbered where live.seq = numbered.seq
    returning live.seq, live.attempt, live.failures, live.deadline_at, live.ending, live.lane, live.urgency, live.rank, numbered.i, numbered.cursor
  ),
  logged as (
    insert into log (cursor, kind, at, worker, seqs, attempts)
    select min(cursor), 2, $2::bigint, $1::integer, array_agg(seq order by i), array_agg(attempt order by i)
    from claimed group by cursor / 1024
  )
  ${claimColumns}
  from claimed join jobs on jobs.seq = claimed.seq
  order by claimed.i`

/**
 * Claims up to $4 ready jobs of lane $3 for worker $1, the most urgent first. What is more urgent than the low-water mark
 * ($5, $6, $7) by its priority is looked for before it, and what lies between is not looked at: those are the dead entries
 * of jobs that were claimed before. The routing must be the one that is known ($8). Index: live_ready (lane, urgency, rank, seq).
 */
export const claimFromLane = `
  with sooner as materialized (
    select seq from live
    where lane = $3::integer and state = 6 and pin is null and urgency < $5::integer
      and exists (select from workers where id = $1::integer and ended_at is null)
      and routing_is($8::bigint)
    order by urgency, rank, seq limit $4::integer
    for update skip locked
  ),
  later as materialized (
    select seq from live
    where lane = $3::integer and state = 6 and pin is null and (urgency, rank, seq) >= ($5::integer, $6::bigint, $7::bigint)
      and exists (select from workers where id = $1::integer and ended_at is null)
    order by urgency, rank, seq limit $4::integer - (select count(*) from sooner)
    for update skip locked
  ),
  due as materialized (
    select seq, row_number() over () - 1 as i from (select seq from sooner union all select seq from later) as found
  ),
  ${claimDue}`

/**
 * The same from several lanes, merged by urgency: their heads are looked at first, and the best of them locked. $3 lanes
 * with a low-water mark each ($5, $6, $7). They are locked by their numbers: `state + 0` keeps the plan from reading all of
 * live_ready, beside each head, to find them. Index: live_ready (lane, urgency, rank, seq). Primary key: live (seq).
 */
export const claimFromLanes = `
  with heads as materialized (
    select head.seq, head.urgency, head.rank
    from unnest($3::integer[], $5::integer[], $6::bigint[], $7::bigint[]) as mark (lane, urgency, rank, seq)
    cross join lateral (
      (select seq, urgency, rank from live
       where lane = mark.lane and state = 6 and pin is null and urgency < mark.urgency
       order by urgency, rank, seq limit $4::integer)
      union all
      (select seq, urgency, rank from live
       where lane = mark.lane and state = 6 and pin is null
         and (live.urgency, live.rank, live.seq) >= (mark.urgency, mark.rank, mark.seq)
       order by urgency, rank, seq limit $4::integer)
    ) as head
    where exists (select from workers where id = $1::integer and ended_at is null) and routing_is($8::bigint)
    order by head.urgency, head.rank, head.seq limit 2 * $4::integer
  ),
  locked as materialized (
    select live.seq from heads join live on live.seq = heads.seq
    where live.state + 0 = 6 and live.pin is null
    order by heads.urgency, heads.rank, heads.seq limit $4::integer
    for update of live skip locked
  ),
  due as materialized (select seq, row_number() over () - 1 as i from locked),
  ${claimDue}`

/** The most urgent ready jobs of each lane, merged. Index: live_ready (lane, urgency, rank, seq). */
export const readyHeads = `
  select head.seq, head.lane, head.due_at, head.urgency, head.rank, head.session
  from unnest($1::integer[]) as given (lane)
  cross join lateral (
    select seq, lane, urgency, rank, due_at, session from live
    where lane = given.lane and state = 6 and pin is null
    order by urgency, rank, seq limit $2::integer
  ) as head
  order by head.urgency, head.rank, head.seq`

/** Claims these ready jobs ($3), in their order, unless somebody else has them. Primary key: live (seq). */
export const claimChosen = `
  with locked as materialized (
    select live.seq, given.i from unnest($3::bigint[]) with ordinality as given (seq, i)
    join live on live.seq = given.seq
    where live.state + 0 = 6 and (live.pin is null or live.pin = $1::integer)
      and exists (select from workers where id = $1::integer and ended_at is null)
    for update of live skip locked
  ),
  due as materialized (select seq, row_number() over (order by i) - 1 as i from locked),
  ${claimDue}`

/**
 * Ends tasks that succeeded, where nothing follows from it but that their group counts down: the usual case, in one
 * statement. What it leaves out is looked at one by one. Their groups are locked before them, as everywhere, so that nobody
 * waits in a circle. @returns the places ($6) of those that ended, and what was released. Primary key: live (seq).
 */
export const settleSucceeded = `
  with given as materialized (
    select seq, attempt, result, i from unnest($1::bigint[], $2::integer[], $3::text[], $6::integer[])
      as given (seq, attempt, result, i)
  ),
  groups as materialized (
    select steps.seq, steps.step, steps.released
    from (
      select distinct live.parent_seq, live.step from given join live on live.seq = given.seq where live.grouped = 1
      order by 1, 2
    ) as counted
    join steps on steps.seq = counted.parent_seq and steps.step = counted.step
    order by steps.seq, steps.step
    for update of steps
  ),
  ended as materialized (
    delete from live using given
    where live.seq = given.seq and live.attempt = given.attempt and live.worker = $4::integer and live.state + 0 = 7
      and live.cancel_at is null and live.grouped < 2 and live.ending is null and live.limit_key is null
      and live.cache_key is null and live.session is null and (select count(*) from groups) >= 0
      and not (live.is_workflow and exists (select from live as child where child.parent_seq = live.seq and child.attached))
      and not exists (select from live as parent where parent.seq = live.parent_seq and parent.ending is not null)
    returning live.seq, live.attempt, live.started_at, live.started_cursor, live.parent_seq, live.step, live.grouped,
      given.i, given.result
  ),
  blocks as materialized (select next_blocks((select count(*) from ended)) as n),
  numbered as materialized (
    select ended.*, blocks.n[1 + (place - 1) / 1024] * 1024 + (place - 1) % 1024 as cursor
    from (select ended.*, row_number() over (order by i) as place from ended) as ended cross join blocks
  ),
  stored as (
    insert into outcomes (seq, ended_at, ended_cursor, started_at, started_cursor, attempt, worker, state, result)
    select seq, $5::bigint, cursor, started_at, started_cursor, attempt, $4::integer, 1, result from numbered
  ),
  logged as (
    insert into log (cursor, kind, at, worker, seqs, attempts)
    select min(cursor), 3, $5::bigint, $4::integer, array_agg(seq order by place), array_agg(attempt order by place)
    from numbered group by cursor / 1024
  ),
  counted as (
    update steps set remaining = steps.remaining - gone.n, released = steps.released or steps.remaining - gone.n <= 0
    from (select parent_seq, step, count(*) as n from ended where grouped = 1 group by parent_seq, step) as gone
    join groups on groups.seq = gone.parent_seq and groups.step = gone.step
    where steps.seq = gone.parent_seq and steps.step = gone.step
    returning steps.seq, steps.step, steps.released and not groups.released as is_released
  ),
  released as materialized (
    select seq, step from counted where is_released
    union all
    select distinct parent_seq, step from ended where parent_seq is not null and grouped = 0
  ),
  parents as materialized (
    select live.seq, live.state, live.ending, released.step
    from released join live on live.seq = released.seq
    order by live.seq for update of live
  ),
  woken as (
    update live set state = 6, worker = null, due_at = $5::bigint, rank = ${keptTurn('$5::bigint')}
    from (
      select distinct parents.seq from parents join steps on steps.seq = parents.seq and steps.step = parents.step
      where parents.state = 5 and parents.ending is null and steps.kind <> 'start'
    ) as due
    where live.seq = due.seq
    returning live.lane
  )
  select i as place, null::uuid as parent_id, null::integer as step, null::integer as lane from ended
  union all
  select null, jobs.id, released.step, null from released join jobs on jobs.seq = released.seq
  union all
  select null, null, null, lane from woken`

const heldColumns = `
  seq, state, lane, is_workflow, lapses, lapses_max, busy, deadline_at, cancel_reason, started_at, started_cursor, attempt, worker, parent_seq,
  step, grouped, failures, limit_key, cache_key, permit, session, pin, ending, cleanup, urgency`

/** The groups that these jobs count down; locked before the jobs themselves. Primary keys: live (seq), steps (seq, step). */
export const lockGroups = `
  select steps.seq, steps.step, steps.released, steps.remaining, steps.policy, steps.ended_by
  from (select distinct parent_seq, step from live where seq = any ($1::bigint[]) and grouped > 0 order by 1, 2) as counted
  join steps on steps.seq = counted.parent_seq and steps.step = counted.step
  order by steps.seq, steps.step
  for update of steps`

/** Primary key: steps (seq, step). */
export const lockGroup = `
  select seq, step, released, remaining, policy, ended_by from steps
  where seq = $1::bigint and step = $2::integer for update`

/** Of these jobs, those that the worker runs. Primary key: live (seq). */
export const lockHeld = `
  select ${heldColumns} from live
  where seq = any ($1::bigint[]) and worker = $2::integer and state + 0 = 7
  order by seq for update`

/** Of these jobs, those that wait. Primary key: live (seq). */
export const lockWaiting = `
  select ${heldColumns} from live where seq = any ($1::bigint[]) and state <> 7 order by seq for update`

/** Index: live_running (worker, seq). */
export const heldByWorker = `
  select seq, attempt from live where worker = $1::integer and state = 7 order by seq`

/** Primary keys: jobs (seq), lanes (id). */
export const rootsOf = `
  select jobs.seq, coalesce(jobs.root_seq, jobs.seq) as root_seq, lanes.deployment
  from jobs join lanes on lanes.id = jobs.lane where jobs.seq = any ($1::bigint[])`

/** Primary key: event_numbers, a sequence. */
export const drawBlocks = `select next_blocks($1::bigint) as blocks`

/** Ends live jobs of any state. Primary keys: live (seq), jobs (seq). */
export const endJobs = `
  with given as materialized (
    select * from unnest($1::bigint[], $2::smallint[], $3::text[], $4::text[], $5::integer[], $6::integer[], $7::bigint[],
      $8::bigint[], $9::bigint[]) as given (seq, state, result, error, attempt, worker, started_at, started_cursor, cursor)
  ),
  gone as (delete from live using given where live.seq = given.seq),
  stored as (
    insert into outcomes (seq, ended_at, ended_cursor, started_at, started_cursor, attempt, worker, state, result, error)
    select seq, $10::bigint, cursor, started_at, started_cursor, attempt, worker, state, result, error from given
  )
  select jobs.seq, jobs.id from given join jobs on jobs.seq = given.seq`

/** Primary key: live (seq). */
export const returnJobs = `
  update live set state = given.state, worker = null, started_at = null, started_cursor = null, due_at = given.due_at,
    rank = case when given.keeps_turn then ${keptTurn('given.due_at')} else given.due_at end, failures = given.failures,
    lapses = given.lapses
  from unnest($1::bigint[], $2::smallint[], $3::bigint[], $4::integer[], $5::integer[], $6::boolean[])
    as given (seq, state, due_at, failures, lapses, keeps_turn)
  where live.seq = given.seq`

/** Primary key: attempts (seq, attempt). */
export const insertAttempts = `
  insert into attempts (seq, attempt, worker, started_at, started_cursor, ended_cursor, outcome, due_at, error, ended_at)
  select seq, attempt, worker, started_at, started_cursor, ended_cursor, outcome, due_at, error, $10::bigint
  from unnest($1::bigint[], $2::integer[], $3::integer[], $4::bigint[], $5::bigint[], $6::bigint[], $7::text[], $8::bigint[],
    $9::text[]) as given (seq, attempt, worker, started_at, started_cursor, ended_cursor, outcome, due_at, error)`

/** Primary key: log (cursor). */
export const insertLog = `
  insert into log (cursor, kind, at, worker, seqs, attempts)
  values ($1::bigint, $2::smallint, $3::bigint, $4::integer, $5::bigint[], $6::integer[])`

/** Primary key: events (cursor). */
export const insertEvents = `
  insert into events (cursor, seq, kind, attempt, at, level, message, data)
  select * from unnest($1::bigint[], $2::bigint[], $3::text[], $4::integer[], $5::bigint[], $6::text[], $7::text[], $8::text[])`

/**
 * Keeps what attempts tell, of those that still hold their lease. Primary keys: live (seq), events (cursor).
 */
export const tellHeld = `
  with kept as materialized (
    select given.*, row_number() over (order by given.i) - 1 as place
    from unnest($1::bigint[], $2::integer[], $3::text[], $4::bigint[], $5::text[], $6::text[], $7::text[])
      with ordinality as given (seq, attempt, kind, at, level, message, data, i)
    join live on live.seq = given.seq and live.attempt = given.attempt
    where live.worker = $8::integer and live.state + 0 = 7
  ),
  blocks as materialized (select next_blocks((select count(*) from kept)) as n)
  insert into events (cursor, seq, kind, attempt, at, level, message, data)
  select blocks.n[1 + place / 1024] * 1024 + place % 1024, seq, kind, attempt, at, level, message, data
  from kept cross join blocks`

/** The last one of each job only. Primary keys: live (seq), progress (seq). */
export const keepProgress = `
  insert into progress (seq, fraction, message, at)
  select given.seq, given.fraction, given.message, given.at
  from unnest($1::bigint[], $2::integer[], $3::double precision[], $4::text[], $5::bigint[])
    as given (seq, attempt, fraction, message, at)
  join live on live.seq = given.seq and live.attempt = given.attempt
  where live.worker = $6::integer and live.state + 0 = 7
  on conflict (seq) do update set fraction = excluded.fraction, message = excluded.message, at = excluded.at`

/** Primary key: steps (seq, step). */
export const updateGroups = `
  update steps set remaining = given.remaining, released = given.released, ended_by = given.ended_by
  from unnest($1::bigint[], $2::integer[], $3::integer[], $4::boolean[], $5::bigint[])
    as given (seq, step, remaining, released, ended_by)
  where steps.seq = given.seq and steps.step = given.step`

/** Lets go the next held children of groups, each not before its own time. Index: live_children (parent_seq, step, seq). */
export const unholdChildren = `
  update live set state = case when live.due_at > $4::bigint then 4 else ${admitted} end,
    due_at = greatest(live.due_at, $4::bigint), rank = greatest(live.due_at, $4::bigint)
  from unnest($1::bigint[], $2::integer[], $3::integer[]) as given (parent_seq, step, places)
  cross join lateral (
    select seq from live
    where parent_seq = given.parent_seq and step = given.step and state = 1
    order by seq limit given.places
    for update
  ) as next
  where live.seq = next.seq
  returning live.lane, live.state, live.due_at, ${asking}`

/** Primary key: steps (seq, step). */
export const stepsRecorded = `
  select steps.seq, steps.step, steps.kind, steps.compensates
  from unnest($1::bigint[], $2::integer[]) as given (seq, step)
  join steps on steps.seq = given.seq and steps.step = given.step`

/** A child that is called, or started, is known by its number; jobs_children finds it. Primary key: steps (seq, step). */
export const insertSteps = `
  insert into steps (seq, step, kind, name, value, error, due_at, policy, remaining, released, delivered, delivered_from,
    compensates, session, child_seq, recorded_at)
  select given.*, (
      select jobs.seq from jobs
      where given.kind in ('call', 'start') and jobs.parent_seq = given.seq and jobs.step = given.step and jobs.item = 0
    ), $14::bigint
  from unnest($1::bigint[], $2::integer[], $3::text[], $4::text[], $5::text[], $6::text[], $7::bigint[], $8::text[],
    $9::integer[], $10::boolean[], $11::text[], $12::integer[], $13::boolean[], $15::integer[])
    as given (seq, step, kind, name, value, error, due_at, policy, remaining, released, delivered, delivered_from, compensates, session)`

/** Primary key: live (seq). */
export const markBusy = `update live set busy = true where seq = any ($1::bigint[])`

/** Index: jobs_by_id (id). */
export const limitLapses = `
  update live set lapses_max = given.lapses_max
  from unnest($1::uuid[], $2::integer[]) as given (id, lapses_max)
  join jobs on jobs.id = given.id
  where live.seq = jobs.seq`

/** Primary key: live (seq). */
export const resetLapses = `update live set lapses = 0, busy = false where seq = any ($1::bigint[])`

/** Workflows of which a step waits, for children or for an instant. Primary keys: steps (seq), outcomes (seq). */
export const waitingWorkflows = `
  select given.seq from unnest($1::bigint[]) as given (seq)
  where exists (
    select from steps
    where steps.seq = given.seq
      and case steps.kind
        when 'map' then not steps.released
        when 'call' then not exists (select from outcomes where outcomes.seq = steps.child_seq)
        when 'sleep' then steps.due_at > $2::bigint
        when 'signal' then not steps.released
        else false
      end
  )`

/** The live jobs of trees, parents before children; locked in order. Index: jobs_children (parent_seq, step, item). */
export const lockTrees = `
  with recursive tree (seq) as (
    select * from unnest($1::bigint[])
    union
    select child.seq from tree join jobs as child on child.parent_seq = tree.seq
  )
  select live.seq, live.state, live.lane, live.is_workflow, live.attempt, live.cancel_at, live.parent_seq, live.step,
    live.grouped, live.limit_key, live.cache_key, live.permit, live.session, live.ending, live.cleanup, live.worker, jobs.id
  from tree
  join live on live.seq = tree.seq
  join jobs on jobs.seq = live.seq
  order by live.seq for update of live`

/** The groups of waiting jobs within trees, locked before them. Index: jobs_children (parent_seq, step, item). */
export const lockGroupsOfTrees = `
  with recursive tree (seq) as (
    select * from unnest($1::bigint[])
    union
    select child.seq from tree join jobs as child on child.parent_seq = tree.seq
  )
  select steps.seq, steps.step, steps.released, steps.remaining, steps.policy, steps.ended_by
  from (
    select distinct live.parent_seq, live.step from tree join live on live.seq = tree.seq
    where live.grouped > 0 order by 1, 2
  ) as counted
  join steps on steps.seq = counted.parent_seq and steps.step = counted.step
  order by steps.seq, steps.step
  for update of steps`

/** Children that end with their workflow. Index: live_children (parent_seq, step, seq). */
export const attachedChildren = `
  select seq from live where parent_seq = any ($1::bigint[]) and attached`

/** The live children of some steps. Index: live_children (parent_seq, step, seq). */
export const groupChildren = `
  select live.seq
  from unnest($1::bigint[], $2::integer[]) as given (seq, step)
  join live on live.parent_seq = given.seq and live.step = given.step`

/** Primary key: live (seq). */
export const requestCancels = `
  update live set cancel_at = $2::bigint, cancel_reason = $3 where seq = any ($1::bigint[]) and cancel_at is null`

/** Index: live_cancelling (worker). */
export const cancelRequests = `
  select seq, cancel_reason from live where worker = $1::integer and cancel_at is not null`

/** Index: live_deadline (deadline_at). */
export const pastDeadline = `
  select seq from live
  where deadline_at is not null and deadline_at <= $1::bigint and state <> 7
  order by deadline_at limit 1000`

/** Primary key: jobs (seq). */
export const jobIds = `select seq, id from jobs where seq = any ($1::bigint[])`

/** Index: jobs_by_id (id). */
export const seqByJobId = `select seq from jobs where id = $1::uuid`

/** Index: jobs_by_id (id). */
export const stateForCancel = `
  select jobs.seq, outcomes.seq is not null as has_ended
  from jobs left join outcomes on outcomes.seq = jobs.seq where jobs.id = $1::uuid`

/**
 * Of a step that was taken over: the job that ran it or, when that was removed, the first of the retries, whose id the
 * later ones draw their lots from. Primary keys: steps (seq), jobs (seq).
 */
export const stepsOfJob = `
  select step, kind, name, value, error, due_at, policy, delivered, delivered_from, recorded_at, compensates, session,
    case when source_seq is not null then coalesce(
      (select id from jobs where jobs.seq = steps.source_seq), (select seed from jobs where jobs.seq = steps.seq)
    ) end as kept_from
  from steps where seq = $1::bigint order by step`

/**
 * Job $1 takes over steps of job $2: their numbers ($3), what was received before each ($4), and how much before that ($5).
 * Index: jobs_by_id (id).
 */
export const keepSteps = `
  with heir as materialized (select seq from jobs where id = $1::uuid),
  source as materialized (select seq, coalesce(seed, id) as seed from jobs where id = $2::uuid),
  inherited as (update jobs set seed = source.seed from heir, source where jobs.seq = heir.seq)
  insert into steps (seq, step, kind, name, value, error, due_at, policy, child_seq, remaining, released, ended_by,
    delivered, delivered_from, recorded_at, compensates, session, source_seq)
  select heir.seq, old.step, old.kind, old.name, old.value, old.error, old.due_at, old.policy, old.child_seq,
    old.remaining, old.released, old.ended_by, kept.delivered, kept.delivered_from, old.recorded_at, old.compensates, old.session,
    coalesce(old.source_seq, old.seq)
  from unnest($3::integer[], $4::text[], $5::integer[]) as kept (step, delivered, delivered_from)
  cross join heir
  cross join source
  join steps as old on old.seq = source.seq and old.step = kept.step`

/** Of the steps that were taken over. Index: jobs_children (parent_seq, step, item). */
export const keptChildOutcomes = `
  select jobs.id, jobs.task, jobs.item, jobs.step, ${endState} as state, outcomes.result, outcomes.error,
    steps.ended_by = jobs.seq as ended_group
  from steps
  join jobs on jobs.parent_seq = steps.source_seq and jobs.step = steps.step
  left join outcomes on outcomes.seq = jobs.seq
  where steps.seq = $1::bigint and steps.source_seq is not null
  order by jobs.step, jobs.item`

/** Index: jobs_children (parent_seq, step, item). */
export const childOutcomes = `
  select jobs.id, jobs.task, jobs.item, jobs.step, ${endState} as state, outcomes.result, outcomes.error,
    steps.ended_by = jobs.seq as ended_group
  from jobs
  left join outcomes on outcomes.seq = jobs.seq
  left join steps on steps.seq = jobs.parent_seq and steps.step = jobs.step
  where jobs.parent_seq = $1::bigint and jobs.step = $2::integer
  order by jobs.item`

/** Index: jobs_children (parent_seq, step, item). */
export const allChildOutcomes = `
  select jobs.id, jobs.task, jobs.item, jobs.step, ${endState} as state, outcomes.result, outcomes.error,
    steps.ended_by = jobs.seq as ended_group
  from jobs
  left join outcomes on outcomes.seq = jobs.seq
  left join steps on steps.seq = jobs.parent_seq and steps.step = jobs.step
  where jobs.parent_seq = $1::bigint
  order by jobs.step, jobs.item`

/**
 * Makes parked workflows due of which these steps were released, and those that have the last word when the last of their
 * children has ended; where there is no step, only such a one. They are locked whatever their state: one that is being parked at this moment is waited for. Its row is
 * first written as it was before that, which the constraint on `worker` must let pass, and then as it is. Primary keys:
 * live (seq), steps (seq, step).
 */
export const wakeParked = `
  with parents as materialized (
    select live.seq, live.state, released.step
    from unnest($1::bigint[], $2::integer[]) as released (seq, step)
    join live on live.seq = released.seq
    order by live.seq for update of live
  )
  update live set state = ${admitted}, worker = null, due_at = $3::bigint, rank = ${keptTurn('$3::bigint')}
  from (
    select parents.seq, bool_or(steps.kind <> 'start') as is_waited_for
    from parents left join steps on steps.seq = parents.seq and steps.step = parents.step
    where parents.state = 5
    group by parents.seq
  ) as due
  where live.seq = due.seq
    and case when live.ending is null then due.is_waited_for
      else not exists (select from live as child where child.parent_seq = due.seq and child.attached)
    end
  returning live.lane, ${asking}`

/** The number of a next step of each. Primary key: steps (seq). */
export const nextSteps = `
  select given.seq, coalesce((select max(steps.step) from steps where steps.seq = given.seq), 0) + 1 as step
  from unnest($1::bigint[]) as given (seq)`

/** Their code is to have the last word; until their children have ended they rest. Primary key: live (seq). */
export const beginEndings = `
  update live
  set state = 5, due_at = 9007199254740991, rank = 9007199254740991, ending = given.ending, worker = null, started_at = null,
    started_cursor = null, cancel_at = null, cancel_reason = null, deadline_at = null, busy = false, lapses = 0, session = null, pin = null
  from unnest($1::bigint[], $2::text[]) as given (seq, ending)
  where live.seq = given.seq`

/** Those of them whose children have ended are due. Primary key: live (seq). */
export const wakeEndings = `
  update live set state = ${admitted}, due_at = $2::bigint, rank = $2::bigint
  where seq = any ($1::bigint[]) and state + 0 = 5
    and not exists (select from live as child where child.parent_seq = live.seq and child.attached)
  returning lane, ${asking}`

/** Steps that were stored when they began are over. Primary key: steps (seq, step). */
export const completeSteps = `
  update steps set value = given.value, error = given.error
  from unnest($1::bigint[], $2::integer[], $3::text[], $4::text[]) as given (seq, step, value, error)
  where steps.seq = given.seq and steps.step = given.step and steps.value is null and steps.error is null`

/** Primary key: live (seq). */
export const markCompensates = `update live set cleanup = cleanup | 2 where seq = any ($1::bigint[])`

/** Index: jobs_by_id (id). */
export const signalTarget = `
  select jobs.seq, jobs.is_workflow, live.attempt
  from jobs left join live on live.seq = jobs.seq where jobs.id = $1::uuid`

/** Whether it still lives. Primary key: live (seq). */
export const lockJob = `select seq, attempt from live where seq = $1::bigint for update`

/** Index: signals_by_key (seq, name, key) or signals_by_job (seq). */
export const signalByKey = `
  select consumed from signals where seq = $1::bigint and name = $2 and key = $3 and key is not null`

/** Primary key: steps (seq). */
export const waitingForSignal = `
  select step from steps
  where seq = $1::bigint and kind = 'signal' and name = $2 and not released order by step limit 1`

/** Primary key: signals (id). */
export const insertSignal = `
  insert into signals (seq, name, key, value, consumed, at) values ($1::bigint, $2, $3, $4, $5::boolean, $6::bigint)`

/** Index: signals_pending (seq, name, id). */
export const keptSignal = `
  select id, value from signals where seq = $1::bigint and name = $2 and not consumed order by id limit 1`

/** Primary key: signals (id). */
export const consumeSignal = `update signals set consumed = true where id = $1::bigint`

/** Primary key: steps (seq, step). */
export const receiveSignal = `
  update steps set released = true, value = $3, error = $4 where seq = $1::bigint and step = $2::integer`

/** Index: steps_due (due_at). */
export const signalsPastDue = `
  select seq, step, name from steps
  where kind = 'signal' and not released and due_at is not null and due_at <= $1::bigint
  order by due_at limit 1000
  for update skip locked`

/** Index: steps_due (due_at). */
export const nextSignalEnd = `
  select due_at from steps
  where kind = 'signal' and not released and due_at is not null order by due_at limit 1`

/** Of these waits, the released ones. Primary keys: steps (seq, step), outcomes (seq), jobs (seq). */
export const releasedWaits = `
  select jobs.id as parent_id, steps.step, steps.seq,
    case when steps.kind = 'signal' then steps.value end as value,
    case when steps.kind = 'signal' then steps.error end as error
  from unnest($1::bigint[], $2::integer[]) as waits (seq, step)
  join steps on steps.seq = waits.seq and steps.step = waits.step
  join jobs on jobs.seq = steps.seq
  where steps.released or exists (select from outcomes where outcomes.seq = steps.child_seq)`

/** Primary key: processes (id). */
export const insertProcess = `
  insert into processes (host, pid, opened_at) values ($1, $2::integer, $3::bigint) returning id`

/** Held for as long as the process lives, by its own session. Primary key: none, an advisory lock. */
export const lockProcess = `select pg_advisory_lock_shared(lock_space(), $1::integer)`

/** It is seen again. Primary key: processes (id). */
export const findProcess = `update processes set missed_at = null where id = $1::integer returning id`

/** Primary key: processes (id). */
export const deleteProcesses = `delete from processes where id = any ($1::integer[])`

/** Primary key: processes (id). */
export const missProcesses = `
  update processes set missed_at = $2::bigint where id = any ($1::integer[]) and missed_at is null`

/** Scan: a handful of rows. */
export const missingProcesses = `
  select processes.id, processes.missed_at,
    extract(epoch from clock_timestamp() - pg_postmaster_start_time()) * 1000 as server_age_ms
  from processes
  where not exists (
    select from pg_locks
    where locktype = 'advisory' and objsubid = 2 and classid::bigint = lock_space() and objid::bigint = processes.id and granted
      and database = (select oid from pg_database where datname = current_database())
  )`

/** Primary key: workers (id). */
export const insertWorker = `
  insert into workers (uid, name, process, host, pid, queues, lease_ms, lease_until, started_at, deployment, labels, offers)
  select $1::uuid, $2, $3::integer, $4, $5::integer, $6, $7::bigint, now.ms + $7::bigint, now.ms, $9, $10, $11
  from (select coalesce($8::bigint, (extract(epoch from clock_timestamp()) * 1000)::bigint) as ms) as now
  returning id`

/** Indexes: workers_alive (process), live_running (worker, seq). */
export const aliveWorkers = `
  select id, uid, name, process, host, pid, queues, lease_ms, lease_until, started_at, deployment, labels, offers,
    (select count(*) from live where live.worker = workers.id and live.state = 7) as running
  from workers where ended_at is null`

/** By the database's own clock, unless another one is in charge ($1). Index: workers_alive (process). */
export const lostWorkers = `
  select workers.id, workers.process, processes.id is null as is_gone,
    workers.lease_until <= coalesce($1::bigint, (extract(epoch from clock_timestamp()) * 1000)::bigint) as has_lapsed
  from workers left join processes on processes.id = workers.process
  where workers.ended_at is null`

/** Ended workers that a claim under way has given jobs all the same, or sessions. Indexes: live_running (worker, seq), sessions_by_worker (worker). */
export const endedHolders = `
  select id from workers
  where ended_at is not null and ended_at > $1::bigint
    and ((select true from live where live.worker = workers.id and live.state = 7 limit 1)
      or (select true from sessions
        where sessions.worker = workers.id and sessions.worker is not null and sessions.state = 'open' limit 1))`

/** Primary key: workers (id). */
export const renewLeases = `
  update workers
  set lease_until = lease_ms + coalesce($2::bigint, (extract(epoch from clock_timestamp()) * 1000)::bigint)
  where id = any ($1::integer[]) and ended_at is null
  returning id`

/** Primary key: workers (id). */
export const endWorkers = `
  update workers set ended_at = $2::bigint where id = any ($1::integer[]) and ended_at is null returning id`

/** Whether this session is the one that sweeps now. Primary key: none, an advisory lock. */
export const trySweep = `select pg_try_advisory_xact_lock(lock_space(), $1::integer) as is_mine`

/** Primary key: settings (namespace, key). */
export const getSetting = `select value from settings where namespace = $1 and key = $2`

/** Primary key: settings (namespace, key). */
export const putSetting = `
  insert into settings (namespace, key, value) values ($1, $2, $3)
  on conflict (namespace, key) do update set value = excluded.value`

/** Primary key: settings (namespace, key). */
export const deleteSetting = `delete from settings where namespace = $1 and key = $2 returning key`

/** Primary key: settings (namespace). */
export const listSettings = `select key, value from settings where namespace = $1 order by key`

/** Those whose key begins with a prefix. Primary key: settings (namespace, key). */
export const listSettingsFrom = `
  select key, value from settings
  where namespace = $1 and key >= $2 and key < $2 || chr(1114111) order by key`

/** Index: jobs_by_id (id). */
export const inputOfJob = `select input from jobs where id = $1::uuid`

/** Index: jobs_by_id (id). */
export const outcomeOfJob = `
  select ${endState} as state, outcomes.result, outcomes.error
  from jobs join outcomes on outcomes.seq = jobs.seq where jobs.id = $1::uuid`

/** Index: jobs_by_id (id). */
export const attemptsOfJob = `
  select attempts.attempt, workers.uid as worker, attempts.started_at, attempts.ended_at, attempts.outcome, attempts.error
  from jobs
  join attempts on attempts.seq = jobs.seq
  left join workers on workers.id = attempts.worker
  where jobs.id = $1::uuid
  order by attempts.attempt`

/** The names of all tasks that jobs were made of: few, and each is found by one seek. Index: jobs_by_task (task, seq). */
export const taskNames = `
  with recursive names (task) as (
    (select task from jobs order by task limit 1)
    union all
    select (select jobs.task from jobs where jobs.task > names.task order by jobs.task limit 1)
    from names where names.task is not null
  )
  select task from names where task is not null`

/** Scan: of the few lanes. */
export const tasksOfQueues = `select distinct task from lanes where queue = any ($1::text[]) order by task`

/** The number of the first job that was created at this instant or later, by halving. Primary key: jobs (seq). */
export const createdSince = `
  with recursive halves (low, high) as (
    select * from (
      select (select seq from jobs order by seq limit 1) as low, (select seq from jobs order by seq desc limit 1) as high
    ) as ends
    union all
    select case when job.created_at < $1::bigint then job.seq + 1 else low end,
      case when job.created_at < $1::bigint then high else (low + high) / 2 - 1 end
    from halves
    cross join lateral (
      select seq, created_at from jobs where seq >= (low + high) / 2 order by seq limit 1
    ) as job
    where low <= high
  )
  select low as seq from halves where low > high`

/** How far the events are stored without a gap; kept in the session for the statement behind it. Primary key: none. */
export const markStored = `select set_config('headrace.stored_before', stored_before()::text, false) as stored_before`

/** Primary keys: log (cursor), events (cursor). */
export const lastCursor = `
  select greatest(
    (select cursor + cardinality(seqs) - 1 from log
     where cursor < current_setting('headrace.stored_before')::bigint order by cursor desc limit 1),
    (select cursor from events where cursor < current_setting('headrace.stored_before')::bigint order by cursor desc limit 1)
  ) as cursor`

/** Index: jobs_unannounced (seq). */
export const unannounced = `select exists (select from jobs where queued_cursor is null) as found`

/** Scan: of the live jobs only. */
export const queueCounts = `
  select lanes.queue, min(counted.oldest_due_at) as oldest_due_at,
    sum(counted.ready)::bigint as waiting, sum(counted.others)::bigint as scheduled, sum(counted.blocked)::bigint as blocked,
    sum(counted.running)::bigint as running
  from (
    select lane, min(due_at) filter (where state = 6) as oldest_due_at, count(*) filter (where state = 6) as ready, count(*) filter (where state < 6 and state <> 2) as others,
      count(*) filter (where state = 2) as blocked, count(*) filter (where state = 7) as running
    from live group by lane
  ) as counted
  join lanes on lanes.id = counted.lane
  group by lanes.queue order by lanes.queue`

/** Index: jobs_by_id (id). */
export const statesOfJobs = `
  select jobs.id,
    coalesce(${endState},
      case live.state when 7 then 'running' else 'waiting' end) as state
  from unnest($1::uuid[]) as ids (id)
  join jobs on jobs.id = ids.id
  left join outcomes on outcomes.seq = jobs.seq
  left join live on live.seq = jobs.seq`

/** What follows in its transaction is not waited for until it is on the disk. Primary key: none, a setting. */
export const withoutFlush = `select set_config('synchronous_commit', 'off', true)`

/** Primary key: none, a channel. */
export const notify = `select pg_notify($1, payload) from unnest($2::text[]) as payload`

/** Primary key: schedules (name). */
export const putSchedule = `
  insert into schedules (name, body, next_at, changed_at) values ($1, $2, $3::bigint, $4::bigint)
  on conflict (name) do update set body = excluded.body, changed_at = excluded.changed_at,
    next_at = case
      when schedules.body = excluded.body then coalesce(schedules.next_at, excluded.next_at) else excluded.next_at
    end
  returning xmax = 0 as is_new`

/** Primary key: schedules (name). */
export const pauseSchedule = `
  update schedules set paused = $1::boolean, next_at = $2::bigint, changed_at = $3::bigint where name = $4 returning name`

/** Primary key: schedules (name). */
export const deleteSchedule = `delete from schedules where name = $1 returning name`

const scheduleColumns = `
  schedules.name, schedules.body, schedules.paused, schedules.next_at, schedules.last_at, jobs.id as last_job,
  schedules.fired, schedules.skipped, schedules.changed_at`

/** Primary key: schedules (name). */
export const scheduleByName = `
  select ${scheduleColumns} from schedules left join jobs on jobs.seq = schedules.last_seq where schedules.name = $1`

/** Primary key: schedules (name). */
export const lockSchedule = `select paused, next_at from schedules where name = $1 for update`

/** Scan: of all schedules, which a person asked for. */
export const allSchedules = `
  select ${scheduleColumns} from schedules left join jobs on jobs.seq = schedules.last_seq
  order by schedules.name limit 1000`

/** Index: schedules_due (next_at). */
export const dueSchedules = `
  select ${scheduleColumns} from schedules left join jobs on jobs.seq = schedules.last_seq
  where not schedules.paused and schedules.next_at is not null and schedules.next_at <= $1::bigint
  order by schedules.next_at limit $2::bigint`

/** Whether one is due. Index: schedules_due (next_at). */
export const scheduleDue = `
  select next_at from schedules where not paused and next_at is not null and next_at <= $1::bigint order by next_at limit 1`

/** When the next one will be. Index: schedules_due (next_at). */
export const nextScheduleAfter = `
  select next_at as due_at from schedules
  where not paused and next_at is not null and next_at > $1::bigint order by next_at limit 1`

/** Primary key: schedules (name). */
export const advanceSchedule = `
  update schedules
  set next_at = $1::bigint, last_at = coalesce($2::bigint, last_at),
    last_seq = coalesce((select seq from jobs where id = $3::uuid), last_seq),
    fired = fired + $4::integer, skipped = skipped + $5::integer
  where name = $6`

/** One removes old jobs at a time. Primary key: none, an advisory lock. */
export const lockPruning = `select pg_advisory_xact_lock(lock_space(), $1::integer)`

/** Primary key: jobs (seq). */
export const newestJob = `select seq, coalesce(root_seq, seq) as root_seq from jobs order by seq desc limit 1`

/** Jobs as they came. Primary keys: jobs (seq), outcomes (seq). */
export const pruneCandidates = `
  select jobs.seq, jobs.task, jobs.queue, jobs.created_at, jobs.parent_seq, ${endState} as state, outcomes.ended_at
  from (select * from jobs where seq > $1::bigint order by seq limit $2::bigint) as jobs
  left join outcomes on outcomes.seq = jobs.seq
  order by jobs.seq`

/**
 * Whether something of a tree lives, gives its result to others, has steps that a live job took over, or repeats a job that
 * is still there. Index: jobs_descendants (root_seq, seq).
 */
export const treeInUse = `
  select 1 as used
  from (
    select seq, retry_of from jobs where seq = $1::bigint
    union all
    select seq, retry_of from jobs where root_seq = $1::bigint
  ) as member
  where exists (select from live where live.seq = member.seq)
    or exists (select from cache where cache.seq = member.seq)
    or exists (select from steps join live on live.seq = steps.seq where steps.source_seq = member.seq)
    or exists (select from jobs as first where first.id = member.retry_of)
  limit 1`

/** The youngest first. Index: jobs_descendants (root_seq, seq). */
export const descendants = `select seq from jobs where root_seq = $1::bigint order by seq desc limit $2::bigint`

/** Index: jobs_descendants (root_seq, seq). */
export const countTree = `select count(*) as n from jobs where root_seq = $1::bigint`

/** Primary keys: job_tags (tag, seq), jobs (seq). */
export const pruneTags = `
  delete from job_tags
  using (
    select jobs.seq, tags.value as tag
    from jobs cross join json_array_elements_text(jobs.tags::json) as tags
    where jobs.seq = any ($1::bigint[]) and jobs.tags is not null
  ) as gone
  where job_tags.tag = gone.tag and job_tags.seq = gone.seq`

/** Index: idempotency_by_job (job_id). */
export const pruneKeys = `
  delete from idempotency using jobs where jobs.seq = any ($1::bigint[]) and idempotency.job_id = jobs.id`

/** Index: events_by_job (seq, cursor). */
export const pruneEvents = `delete from events where seq = any ($1::bigint[])`

/** Primary key: attempts (seq, attempt). */
export const pruneAttempts = `delete from attempts where seq = any ($1::bigint[])`

/** Primary key: steps (seq, step). */
export const pruneSteps = `delete from steps where seq = any ($1::bigint[])`

/** Index: signals_by_job (seq). */
export const pruneSignals = `delete from signals where seq = any ($1::bigint[])`

/** Primary key: progress (seq). */
export const pruneProgress = `delete from progress where seq = any ($1::bigint[])`

/** Primary key: outcomes (seq). */
export const pruneOutcomes = `delete from outcomes where seq = any ($1::bigint[])`

/** Primary key: jobs (seq). */
export const pruneJobs = `delete from jobs where seq = any ($1::bigint[])`

/** But for the newest row, by which followers know how far it goes. Primary key: log (cursor). */
export const pruneLogCandidates = `
  select log.cursor,
    not exists (select from unnest(log.seqs) as listed (seq) join jobs on jobs.seq = listed.seq) as is_gone
  from log
  where log.cursor > $1::bigint and log.at <= $2::bigint and log.cursor < (select cursor from log order by cursor desc limit 1)
  order by log.cursor limit $3::bigint`

/** Primary key: log (cursor). */
export const pruneLog = `delete from log where cursor = any ($1::bigint[])`

/** Primary key: jobs (seq). */
export const namesInJobs = `
  select seq as k1, null as k2, case when position('sha256:' in tags) > 0 then input || chr(10) || tags when position('sha256:' in input) > 0 then input end as text
  from jobs where seq > $1 order by seq limit $2`

/** Primary key: outcomes (seq). */
export const namesInOutcomes = `
  select seq as k1, null as k2, case when position('sha256:' in result) > 0 then result end as text
  from outcomes where seq > $1 order by seq limit $2`

/** Primary key: steps (seq, step). */
export const namesInSteps = `
  select seq as k1, step as k2, case when position('sha256:' in value) > 0 then value end as text
  from steps where (seq, step) > ($1, $2) order by seq, step limit $3`

/** Primary key: events (cursor). */
export const namesInEvents = `
  select cursor as k1, null as k2, case when position('sha256:' in data) > 0 or position('sha256:' in message) > 0 then concat_ws(chr(10), data, message) end as text
  from events where cursor > $1 order by cursor limit $2`

/** Primary key: progress (seq). */
export const namesInProgress = `
  select seq as k1, null as k2, case when position('sha256:' in message) > 0 then message end as text
  from progress where seq > $1 order by seq limit $2`

/** Primary key: signals (id). */
export const namesInSignals = `
  select id as k1, null as k2, case when position('sha256:' in value) > 0 then value end as text
  from signals where id > $1 order by id limit $2`

/** Primary key: schedules (name). */
export const namesInSchedules = `
  select name as k1, null as k2, case when position('sha256:' in body) > 0 then body end as text
  from schedules where name > $1 order by name limit $2`

/** Primary key: settings (namespace, key). */
export const namesInSettings = `
  select namespace as k1, key as k2, case when position('sha256:' in value) > 0 then value end as text
  from settings where (namespace, key) > ($1, $2) order by namespace, key limit $3`

/**
 * Of several artifacts, in the order of their names, so that two who delete the same notes do not wait for each other.
 * Primary key: settings (namespace, key).
 */
export const deleteNotes = `
  with noted as (
    select key from settings where namespace = $1 and key = any ($2::text[]) order by key for update
  )
  delete from settings using noted where settings.namespace = $1 and settings.key = noted.key`
