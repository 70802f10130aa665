// Statements of queues with settings and of deployments. Like statements.ts: named, and no other code.

/** Primary key: routing (id). */
export const routingVersion = `select version from routing where id = 1`

/** Everybody reads queues and deployments again before the next job is stored or claimed. Primary key: routing (id). */
export const bumpRouting = `update routing set version = version + 1 where id = 1`

/** Scan: the few queues that have settings. */
export const queueSettings = `
  select name, paused, fair, vtime, rate_count, rate_per_ms, tokens, tokens_at from queues order by name`

/** Primary key: queues (name). */
export const queueByName = `
  select name, paused, fair, vtime, rate_count, rate_per_ms, tokens, tokens_at from queues where name = $1`

/** Primary key: queues (name). */
export const lockQueue = `
  select name, paused, fair, vtime, rate_count, rate_per_ms, tokens, tokens_at from queues where name = $1 for update`

/** Primary key: queues (name). */
export const makeQueue = `insert into queues (name, tokens, tokens_at) values ($1, 0, 0) on conflict do nothing`

/** Primary key: queues (name). */
export const putQueue = `
  update queues set paused = $2::boolean, fair = $3::boolean, vtime = $4::bigint, rate_count = $5::integer,
    rate_per_ms = $6::bigint, tokens = $7::double precision, tokens_at = $8::bigint
  where name = $1`

/** Primary key: shares (queue, owner). */
export const putShares = `
  insert into shares (queue, owner, weight)
  select $1, * from unnest($2::text[], $3::double precision[])
  on conflict (queue, owner) do update set weight = excluded.weight`

/** Primary key: shares (queue). */
export const resetShares = `update shares set vtime = 0 where queue = $1`

/** Primary key: shares (queue, owner). */
export const sharesOf = `
  select owner, weight, vtime from shares where queue = $1 and owner = any ($2::text[])`

/** Primary key: shares (queue, owner). */
export const payShares = `
  insert into shares (queue, owner, vtime)
  select $1, * from unnest($2::text[], $3::bigint[])
  on conflict (queue, owner) do update set vtime = excluded.vtime`

/** Scan: of the owners that use fair queues. */
export const shareWeights = `select queue, owner, weight from shares where weight <> 1 order by queue, owner`

/**
 * Ready jobs of lanes that have no turn yet, in the order in which they came, a bounded number: their ranks are instants,
 * and turns are below them. The urgencies that there are in a lane are found by one seek each.
 * Index: live_ready (lane, urgency, rank, seq). Primary key: jobs (seq).
 */
export const jobsWithoutTurn = `
  with recursive urgencies (lane, urgency) as (
    select given.lane, (
      select live.urgency from live where live.lane = given.lane and state = 6 and pin is null order by urgency limit 1
    )
    from unnest($1::integer[]) as given (lane)
    union all
    select urgencies.lane, (
      select live.urgency from live
      where live.lane = urgencies.lane and state = 6 and pin is null and live.urgency > urgencies.urgency
      order by urgency limit 1
    )
    from urgencies where urgencies.urgency is not null
  )
  select found.seq, jobs.owner
  from urgencies
  cross join lateral (
    select live.seq, live.rank from live
    where live.lane = urgencies.lane and live.urgency = urgencies.urgency and state = 6 and pin is null and rank >= 0
    order by rank, seq limit 10000
  ) as found
  join jobs on jobs.seq = found.seq
  where urgencies.urgency is not null
  order by found.rank, found.seq limit 10000`

/** Primary key: live (seq). */
export const setRanks = `
  update live set rank = given.rank
  from unnest($1::bigint[], $2::bigint[]) as given (seq, rank)
  where live.seq = given.seq and live.state + 0 = 6`

/** Those in line go as they came: their turns are forgotten. Scan: a queue that is fair no longer. Index: live_ready (lane). */
export const forgetTurns = `
  update live set rank = due_at where lane = any ($1::integer[]) and state = 6 and pin is null and rank < 0`

/** Whether a lane has a job that could be claimed. Index: live_ready (lane). */
export const readyLanes = `
  select given.lane
  from unnest($1::integer[]) as given (lane)
  where exists (select from live where live.lane = given.lane and state = 6 and pin is null)`

/** Scan: a handful of rows. */
export const deploymentStates = `select name, state from deployments order by name`

/** A name that is used for the first time. Primary key: deployments (name). */
export const meetDeployments = `
  insert into deployments (name, state, changed_at)
  select name, 'dark', $2::bigint from unnest($1::text[]) as name order by name
  on conflict do nothing returning name`

/** All of them, in one order. Scan: a handful of rows. */
export const lockDeployments = `select name, state from deployments order by name for update`

/** Primary key: deployments (name). */
export const putDeployment = `
  update deployments set state = $2, changed_at = $3::bigint where name = $1 and state <> $2`

/** Index: live_deployed (deployment). */
export const liveOfDeployment = `
  select seq from live where deployment = $1 and deployment is not null order by seq`

/** Draining ones of which nothing lives, and retired ones of which something lives that nobody asked to stop. Index: live_deployed (deployment). */
export const deploymentsToMove = `
  select name, state from deployments
  where (state = 'draining'
      and not exists (select from live where live.deployment = deployments.name and live.deployment is not null))
    or (state = 'retired'
      and exists (
        select from live
        where live.deployment = deployments.name and live.deployment is not null and live.cancel_at + 0 is null
      ))`

/** Scan: of the deployments. Indexes: live_deployed (deployment), workers_alive (process). */
export const deploymentCounts = `
  select name, state, changed_at,
    (select count(*) from live where live.deployment = deployments.name and live.deployment is not null) as live,
    (select count(*) from live where live.state = 7 and live.deployment = deployments.name) as running,
    (select count(*) from workers where workers.ended_at is null and workers.deployment = deployments.name) as workers
  from deployments order by changed_at desc, name`
