/**
 * The schema, as numbered steps that only ever grow; `pragma user_version` says how far a file has come. Each step must
 * be safe for the previous release to go on running on.
 *
 * A job is written where it changes at the rate it changes: `jobs` once when it is accepted, `live` while it can still
 * change (narrow, deleted at the end), `outcomes` once when it ends. The primary key of `outcomes` is what makes a
 * second end impossible.
 */
export const migrations: readonly string[] = [
  `
  create table jobs (
    seq integer primary key,
    id text not null unique,
    task text not null,
    kind text not null check (kind in ('task', 'workflow')),
    queue text not null,
    priority integer not null,
    input text not null,
    created_at integer not null,
    deadline_at integer,
    owner text,
    tags text,
    parent_seq integer,
    root_seq integer,
    step integer,
    item integer,
    retry_of text,
    check ((parent_seq is null) = (step is null)),
    check ((parent_seq is null) = (root_seq is null))
  ) strict;
  create unique index jobs_children on jobs (parent_seq, step, item) where parent_seq is not null;
  create index jobs_descendants on jobs (root_seq) where root_seq is not null;
  create index jobs_by_task on jobs (task, seq);
  create index jobs_by_owner on jobs (owner, seq) where owner is not null;

  create table job_tags (tag text not null, seq integer not null, primary key (tag, seq)) strict, without rowid;

  create table live (
    seq integer primary key,
    state text not null check (state in ('held', 'scheduled', 'ready', 'running')),
    queue text not null,
    priority integer not null,
    due_at integer not null,
    attempt integer not null default 0,
    failures integer not null default 0,
    lapses integer not null default 0,
    busy integer not null default 0,
    worker integer,
    started_at integer,
    deadline_at integer,
    cancel_at integer,
    cancel_reason text,
    kind text not null,
    parent_seq integer,
    step integer,
    grouped integer not null default 0,
    attached integer not null default 0,
    check ((state = 'running') = (worker is not null))
  ) strict;
  create index live_ready on live (queue, priority desc, due_at, seq) where state = 'ready';
  create index live_scheduled on live (due_at) where state = 'scheduled';
  create index live_running on live (worker) where state = 'running';
  create index live_running_by_seq on live (seq) where state = 'running';
  create index live_children on live (parent_seq, step, seq) where parent_seq is not null;
  create index live_deadline on live (deadline_at) where deadline_at is not null;
  create index live_cancelling on live (worker) where cancel_at is not null;

  create table outcomes (
    seq integer primary key,
    state text not null check (state in ('succeeded', 'failed', 'cancelled')),
    result text,
    error text,
    attempt integer not null,
    worker integer,
    started_at integer,
    ended_at integer not null,
    check ((state = 'succeeded') = (error is null))
  ) strict;
  create index outcomes_by_state on outcomes (state, seq);

  create table attempts (
    seq integer not null,
    attempt integer not null,
    worker integer not null,
    started_at integer not null,
    ended_at integer not null,
    outcome text not null,
    error text,
    primary key (seq, attempt)
  ) strict, without rowid;

  create table steps (
    seq integer not null,
    step integer not null,
    kind text not null,
    name text not null,
    value text,
    error text,
    due_at integer,
    policy text,
    child_seq integer,
    remaining integer,
    released integer not null default 0,
    ended_by integer,
    delivered text,
    delivered_from integer not null,
    recorded_at integer not null,
    primary key (seq, step)
  ) strict, without rowid;

  create table events (
    cursor integer primary key,
    seq integer not null,
    kind text not null,
    attempt integer not null,
    at integer not null,
    data text
  ) strict;
  create index events_by_job on events (seq, cursor);

  create table progress (
    seq integer primary key,
    fraction real not null,
    message text,
    at integer not null
  ) strict;

  create table idempotency (
    scope text not null,
    key text not null,
    fingerprint text not null,
    job_id text not null,
    at integer not null,
    primary key (scope, key)
  ) strict, without rowid;

  create table processes (
    id integer primary key,
    host text not null,
    pid integer not null,
    started text not null,
    port integer not null,
    opened_at integer not null
  ) strict;

  create table workers (
    id integer primary key,
    uid text not null unique,
    name text not null,
    process integer not null,
    host text not null,
    pid integer not null,
    queues text not null,
    lease_ms integer not null,
    lease_until integer not null,
    started_at integer not null,
    ended_at integer
  ) strict;
  create index workers_alive on workers (process) where ended_at is null;

  create table settings (
    namespace text not null,
    key text not null,
    value text not null,
    primary key (namespace, key)
  ) strict, without rowid;
  `,
]
