// Statements of sessions: steps that share a worker. Like statements.ts: named, and no other code.

/** Scan: the few queues that sessions were begun on. */
export const sessionQueues = `select name from session_queues order by name`

/** Primary key: session_queues (name). */
export const putSessionQueue = `insert into session_queues (name) values ($1) on conflict do nothing returning name`

/** Primary key: sessions (id). */
export const insertSessions = `
  insert into sessions (seq, step, state)
  select seq, step, 'open' from unnest($1::bigint[], $2::integer[]) as given (seq, step)
  returning id, seq, step, worker, state, error`

/** To end them. What is added to them meanwhile is waited for. Index: sessions_seq_step_key (seq, step). */
export const lockSessionsToEnd = `
  select sessions.id, sessions.seq, sessions.step, sessions.worker, sessions.state, sessions.error
  from unnest($1::bigint[], $2::integer[]) as given (seq, step)
  join sessions on sessions.seq = given.seq and sessions.step = given.step
  order by sessions.id for update of sessions`

/** To add something to them: they do not end meanwhile. Index: sessions_seq_step_key (seq, step). */
export const lockSessionsToJoin = `
  select sessions.id, sessions.seq, sessions.step, sessions.worker, sessions.state, sessions.error
  from unnest($1::bigint[], $2::integer[]) as given (seq, step)
  join sessions on sessions.seq = given.seq and sessions.step = given.step
  order by sessions.id for key share of sessions`

/** To choose their worker. One that is about to end, or is chosen for by somebody else, is passed by. Primary key: sessions (id). */
export const lockSessionsToPlace = `
  select id, worker, state from sessions where id = any ($1::bigint[])
  order by id for no key update skip locked`

/** Index: sessions_by_worker (worker). */
export const lockSessionsOfWorkers = `
  select sessions.id, sessions.worker, workers.name
  from sessions join workers on workers.id = sessions.worker
  where sessions.state = 'open' and sessions.worker is not null and sessions.worker = any ($1::integer[])
  order by sessions.id for update of sessions`

/** Primary key: sessions (id). */
export const placeSessions = `
  update sessions set worker = $2::integer where id = any ($1::bigint[]) and worker is null`

/**
 * What somebody else is at stays as it is: whoever finds it, with a session that has a worker, sets that right.
 * Index: live_in_session (session, seq). Primary key: live (seq).
 */
export const pinSessions = `
  with free as materialized (
    select seq from live
    where session = any ($1::bigint[]) and session is not null and pin is null
    order by seq for update skip locked
  )
  update live set pin = $2::integer from free where live.seq = free.seq`

/** Primary key: live (seq). */
export const pinJobs = `
  with free as materialized (
    select live.seq, given.pin from unnest($1::bigint[], $2::integer[]) as given (seq, pin)
    join live on live.seq = given.seq
    where live.pin is null and live.state + 0 = 6
    order by live.seq for update of live skip locked
  )
  update live set pin = free.pin from free where live.seq = free.seq`

/** Index: jobs_by_id (id). */
export const joinSessions = `
  update live set session = given.session, pin = given.pin
  from unnest($1::uuid[], $2::bigint[], $3::integer[]) as given (id, session, pin)
  join jobs on jobs.id = given.id
  where live.seq = jobs.seq`

/** Index: live_in_session (session, seq). */
export const liveOfSessions = `
  select seq, state from live where session = any ($1::bigint[]) and session is not null order by seq`

/** Index: live_in_session (session, seq). */
export const leaveSessions = `
  update live set session = null, pin = null where session = any ($1::bigint[]) and session is not null`

/** Primary key: sessions (id). */
export const closeSessions = `update sessions set state = 'closed' where id = any ($1::bigint[]) and state = 'open'`

/** Those that workflows leave behind that end; whoever holds one of them ends it, or its jobs, himself. Index: sessions_seq_step_key (seq, step). */
export const closeSessionsOf = `
  with left_open as materialized (
    select id from sessions where seq = any ($1::bigint[]) and state = 'open' order by id for update skip locked
  )
  update sessions set state = 'closed' from left_open where sessions.id = left_open.id`

/** Primary key: sessions (id). */
export const loseSessions = `
  update sessions set state = 'lost', error = given.error
  from unnest($1::bigint[], $2::text[]) as given (id, error)
  where sessions.id = given.id and sessions.state = 'open'`

/** Primary key: live (seq). */
export const markHasSessions = `update live set cleanup = cleanup | 4 where seq = any ($1::bigint[])`

/** What only this worker may take, of these lanes. Index: live_pinned (pin, urgency, rank, seq). */
export const pinnedHeads = `
  select seq, lane, due_at, urgency, rank from live
  where pin = $1::integer and pin is not null and state = 6 and lane = any ($2::integer[])
  order by urgency, rank, seq limit $3::integer`

/** Jobs of lanes that wait for the worker of their session, and have no turn yet. Index: live_pinned (pin, urgency, rank, seq). */
export const pinnedWithoutTurn = `
  select live.seq, jobs.owner from live join jobs on jobs.seq = live.seq
  where live.pin is not null and live.state = 6 and live.rank >= 0 and live.lane = any ($1::integer[])
  order by live.rank, live.seq limit 10000`

/** As forgetTurns, of what waits for the worker of its session. Scan: a queue that is fair no longer. Index: live_pinned (pin). */
export const forgetPinnedTurns = `
  update live set rank = due_at where lane = any ($1::integer[]) and state = 6 and pin is not null and rank < 0`

/** Whether a job of these lanes waits for the worker of its session. Index: live_pinned (pin). */
export const pinnedOfLanes = `
  select seq from live where pin is not null and state = 6 and lane = any ($1::integer[]) limit 1`

/** Index: sessions_seq_step_key (seq, step). */
export const pruneSessions = `delete from sessions where seq = any ($1::bigint[])`
