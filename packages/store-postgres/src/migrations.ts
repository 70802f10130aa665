/**
 * The schema, as numbered steps that only ever grow; `meta` says how far a schema has come. Each step must be safe for
 * the previous release to go on running on. They run with the schema as the search path.
 *
 * A job is written where it changes at the rate it changes: `jobs` once when it is accepted, `live` while it can still
 * change (narrow, deleted at the end), `outcomes` once when it ends. The primary key of `outcomes` is what makes a second
 * end impossible. What happens to every job (it was queued, it began, it ended) is kept in these rows, each with its
 * cursor, and listed for those who follow everything in `log`, one row for all that one transaction did of a kind;
 * `events` has a row only for what few jobs do. There are no foreign keys: rows that belong together are written together.
 *
 * `live.state`: 1 held, 2 blocked, 3 following, 4 scheduled, 5 parked, 6 ready, 7 running. `live.urgency` is the priority
 * turned round, so that the index of what is ready has one direction. `live.grouped`: 1 of a group, 2 of a group whose
 * children are let go one by one. `live.cleanup`: 1 has an onFailure, 2 has begun a step that is to be undone. `log.kind`: 1 queued, 2 started, 3 ended, 4 retried, 5 lapsed, 6 released, 7 parked.
 */
export const migrations: readonly string[] = [
  `
  create sequence job_numbers as bigint;
  create sequence event_numbers as bigint;

  create table jobs (
    seq bigint primary key,
    created_at bigint not null,
    queued_cursor bigint,
    deadline_at bigint,
    parent_seq bigint,
    root_seq bigint,
    session bigint,
    id uuid not null,
    retry_of uuid,
    priority integer not null,
    lane integer not null,
    step integer,
    item integer,
    is_workflow boolean not null,
    task text collate "C" not null,
    queue text collate "C" not null,
    input text not null,
    owner text collate "C",
    tags text,
    limits text,
    cache text,
    check ((parent_seq is null) = (step is null)),
    check ((parent_seq is null) = (root_seq is null))
  );
  create unique index jobs_by_id on jobs (id);
  create unique index jobs_children on jobs (parent_seq, step, item) where parent_seq is not null;
  create index jobs_by_task on jobs (task, seq);
  create index jobs_by_owner on jobs (owner, seq) where owner is not null;
  create index jobs_unannounced on jobs (seq) where queued_cursor is null;

  create table job_tags (tag text collate "C" not null, seq bigint not null, primary key (tag, seq));

  create table lanes (
    id integer primary key generated always as identity,
    queue text collate "C" not null,
    task text collate "C" not null,
    deployment text collate "C" not null,
    labels text collate "C" not null,
    needs text collate "C" not null,
    unique (queue, task, deployment, labels, needs)
  );

  create table live (
    seq bigint primary key,
    rank bigint not null,
    due_at bigint not null,
    started_at bigint,
    started_cursor bigint,
    deadline_at bigint,
    cancel_at bigint,
    parent_seq bigint,
    session bigint,
    lane integer not null,
    urgency integer not null,
    attempt integer not null default 0,
    failures integer not null default 0,
    lapses integer not null default 0,
    worker integer,
    pin integer,
    step integer,
    state smallint not null check (state between 1 and 7),
    grouped smallint not null default 0,
    cleanup smallint not null default 0,
    is_workflow boolean not null,
    attached boolean not null default false,
    busy boolean not null default false,
    permit boolean not null default false,
    deployment text collate "C",
    limit_key text collate "C",
    cache_key text collate "C",
    cancel_reason text,
    ending text,
    check ((state = 7) = (worker is not null))
  ) with (
    fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 1000,
    autovacuum_vacuum_insert_scale_factor = 0.2, autovacuum_analyze_scale_factor = 0.1, autovacuum_vacuum_cost_delay = 0
  );
  create index live_ready on live (lane, urgency, rank, seq) where state = 6 and pin is null;
  create index live_pinned on live (pin, urgency, rank, seq) where state = 6 and pin is not null;
  create index live_blocked on live (limit_key, urgency, rank, seq) where state = 2;
  create index live_following on live (cache_key, seq) where state = 3;
  create index live_due on live (due_at, seq) where state = 4 or state = 5;
  create index live_running on live (worker, seq) where state = 7;
  create index live_children on live (parent_seq, step, seq) where parent_seq is not null;
  create index live_deadline on live (deadline_at) where deadline_at is not null;
  create index live_cancelling on live (worker) where cancel_at is not null;
  create index live_limited on live (limit_key, seq) where limit_key is not null;
  create index live_deployed on live (deployment) where deployment is not null;
  create index live_in_session on live (session, seq) where session is not null;

  create table outcomes (
    seq bigint primary key,
    ended_at bigint not null,
    ended_cursor bigint not null,
    started_at bigint,
    started_cursor bigint,
    cached_from bigint,
    attempt integer not null,
    worker integer,
    state smallint not null check (state between 1 and 3),
    result text,
    error text,
    check ((state = 1) = (error is null))
  );
  create index outcomes_of_trouble on outcomes (state, seq) where state > 1;

  create table attempts (
    seq bigint not null,
    started_at bigint not null,
    started_cursor bigint not null,
    ended_at bigint not null,
    ended_cursor bigint not null,
    due_at bigint not null,
    attempt integer not null,
    worker integer not null,
    outcome text not null,
    error text,
    primary key (seq, attempt)
  );

  create table steps (
    seq bigint not null,
    due_at bigint,
    child_seq bigint,
    source_seq bigint,
    ended_by bigint,
    recorded_at bigint not null,
    step integer not null,
    remaining integer,
    delivered_from integer not null,
    released boolean not null default false,
    compensates boolean not null default false,
    kind text not null,
    name text not null,
    value text,
    error text,
    policy text,
    delivered text,
    primary key (seq, step)
  ) with (fillfactor = 90, autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_cost_delay = 0);
  create index steps_due on steps (due_at) where kind = 'signal' and not released and due_at is not null;

  create table log (
    cursor bigint primary key,
    at bigint not null,
    worker integer,
    kind smallint not null,
    seqs bigint[] not null,
    attempts integer[]
  );
  create table events (
    cursor bigint primary key,
    seq bigint not null,
    at bigint not null,
    attempt integer not null,
    kind text not null,
    level text,
    message text,
    data text
  );
  create index events_by_job on events (seq, cursor);

  create table progress (
    seq bigint primary key,
    at bigint not null,
    fraction double precision not null,
    message text
  ) with (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0);

  create table idempotency (
    scope text collate "C" not null,
    key text collate "C" not null,
    fingerprint text not null,
    job_id uuid not null,
    at bigint not null,
    primary key (scope, key)
  );

  create table processes (
    id integer primary key generated always as identity,
    host text not null,
    pid integer not null,
    opened_at bigint not null,
    missed_at bigint
  );
  create table workers (
    id integer primary key generated always as identity,
    uid uuid not null unique,
    name text not null,
    process integer not null,
    host text not null,
    pid integer not null,
    queues text not null,
    lease_ms bigint not null,
    lease_until bigint not null,
    started_at bigint not null,
    ended_at bigint,
    deployment text not null default '',
    labels text not null default '[]',
    offers text
  ) with (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_cost_delay = 0);
  create index workers_alive on workers (process) where ended_at is null;
  create index workers_ended on workers (ended_at) where ended_at is not null;

  create table settings (
    namespace text collate "C" not null,
    key text collate "C" not null,
    value text not null,
    primary key (namespace, key)
  );

  create table queues (
    name text collate "C" primary key,
    paused boolean not null default false,
    fair boolean not null default false,
    vtime bigint not null default 0,
    rate_count integer,
    rate_per_ms bigint,
    tokens double precision,
    tokens_at bigint,
    check ((rate_count is null) = (rate_per_ms is null))
  ) with (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0);
  create table shares (
    queue text collate "C" not null,
    owner text collate "C" not null,
    weight double precision not null default 1 check (weight > 0),
    vtime bigint not null default 0,
    primary key (queue, owner)
  ) with (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0);
  create table limits (
    key text collate "C" primary key,
    max integer not null,
    taken integer not null default 0,
    live integer not null default 0
  ) with (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0);
  create table deployments (
    name text collate "C" primary key,
    state text not null check (state in ('dark', 'active', 'draining', 'retired')),
    changed_at bigint not null
  );
  create unique index deployments_active on deployments (state) where state = 'active';
  create table sessions (
    id bigint primary key generated always as identity,
    seq bigint not null,
    step integer not null,
    worker integer,
    state text not null check (state in ('open', 'lost', 'closed')),
    unique (seq, step)
  );
  create index sessions_by_worker on sessions (worker) where state = 'open' and worker is not null;
  create table signals (
    id bigint primary key generated always as identity,
    seq bigint not null,
    name text collate "C" not null,
    key text collate "C",
    value text not null,
    consumed boolean not null default false,
    at bigint not null
  );
  create index signals_pending on signals (seq, name, id) where not consumed;
  create unique index signals_by_key on signals (seq, name, key) where key is not null;
  create table cache (
    key text collate "C" primary key,
    task text collate "C" not null,
    seq bigint not null,
    state text not null check (state in ('pending', 'done')),
    expires_at bigint
  );
  create index cache_by_task on cache (task, key);
  create index cache_expiry on cache (expires_at) where expires_at is not null;
  create table schedules (
    name text collate "C" primary key,
    body text not null,
    paused boolean not null default false,
    next_at bigint,
    last_at bigint,
    last_seq bigint,
    changed_at bigint not null,
    fired integer not null default 0,
    skipped integer not null default 0
  );
  create index schedules_due on schedules (next_at) where not paused and next_at is not null;

  -- A number of this schema's own among the advisory locks of its database, which all schemas share.
  create function lock_space() returns integer stable language sql as $$
    select hashtext(current_schema()) & 524287
  $$;

  -- Blocks of 1024 cursors for so many events. Before they are drawn, a lock that anybody may share says that blocks from
  -- this one on are on their way; it ends with the transaction, so that readers know how far everything has been stored.
  create function next_blocks(events bigint) returns bigint[] volatile language plpgsql as $$
    declare
      first bigint;
    begin
      if events = 0 then
        return '{}';
      end if;
      select last_value + is_called::int into first from event_numbers;
      perform pg_advisory_xact_lock_shared((lock_space()::bigint << 44) | first);
      return array(select nextval('event_numbers') from generate_series(1, (events + 1023) / 1024));
    end
  $$;

  -- All cursors below this one are stored, or never will be. It must be asked for in a statement of its own, before the
  -- one that reads the events: what had ended by then is seen by whatever begins after it.
  create function stored_before() returns bigint volatile language plpgsql as $$
    declare
      newest bigint;
      pending bigint;
    begin
      select last_value + is_called::int into newest from event_numbers;
      select min(((classid::bigint << 32) | objid::bigint) & ((1::bigint << 44) - 1)) into pending
      from pg_locks
      where locktype = 'advisory' and objsubid = 1 and (classid::bigint >> 12) = lock_space()
        and database = (select oid from pg_database where datname = current_database());
      return least(newest, pending) * 1024;
    end
  $$;
  `,
  `
  alter table jobs add column seed uuid;
  create index steps_kept on steps (source_seq) where source_seq is not null;
  create index jobs_retries on jobs (retry_of) where retry_of is not null;
  `,
  `
  create table notes (
    id bigint primary key generated always as identity,
    seq bigint,
    live integer not null,
    taken integer not null,
    max integer,
    is_cache boolean not null,
    key text collate "C" not null
  ) with (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 1000, autovacuum_vacuum_cost_delay = 0);
  create index notes_by_key on notes (is_cache, key, id);
  `,
  `
  -- Which queues are set and how deployments stand, as a number that grows with every change.
  create table routing (id integer primary key default 1 check (id = 1), version bigint not null);
  insert into routing (version) values (1);

  -- Whether somebody goes by the newest version; null does not care.
  create function routing_is(known bigint) returns boolean stable language plpgsql as $$
    begin
      if known <> (select version from routing where id = 1) then
        raise exception 'the routing has changed' using errcode = 'HR001';
      end if;
      return true;
    end
  $$;
  `,
  `
  create index jobs_descendants on jobs (root_seq, seq) where root_seq is not null;
  create index idempotency_by_job on idempotency (job_id);
  create index cache_by_job on cache (seq);
  create index signals_by_job on signals (seq);
  `,
  `
  -- As before; and what is read behind it stays: a claim does not wait for the disk, and a crash could forget what it drew.
  -- Where something is not on the disk yet, a record of this transaction's own makes its commit wait for all of it.
  create or replace function stored_before() returns bigint volatile language plpgsql as $$
    declare
      newest bigint;
      pending bigint;
    begin
      select last_value + is_called::int into newest from event_numbers;
      select min(((classid::bigint << 32) | objid::bigint) & ((1::bigint << 44) - 1)) into pending
      from pg_locks
      where locktype = 'advisory' and objsubid = 1 and (classid::bigint >> 12) = lock_space()
        and database = (select oid from pg_database where datname = current_database());
      if pg_current_wal_flush_lsn() < pg_current_wal_insert_lsn() then
        perform pg_logical_emit_message(true, 'headrace', '');
      end if;
      return least(newest, pending) * 1024;
    end
  $$;
  `,
  `
  alter table live add column lapses_max integer;
  `,
  // Which session a step belongs to, with what the jobs of a lost one failed, and which queues ever had one.
  `
  alter table steps add column session integer;
  alter table sessions add column error text;
  create table session_queues (name text collate "C" primary key);
  `,
]
