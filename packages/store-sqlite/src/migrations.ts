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
  `
  create table lanes (
    id integer primary key,
    queue text not null,
    task text not null,
    deployment text not null,
    labels text not null,
    needs text not null,
    unique (queue, task, deployment, labels, needs)
  ) strict;
  insert into lanes (queue, task, deployment, labels, needs)
  select distinct live.queue, jobs.task, '', '', '' from live join jobs on jobs.seq = live.seq;

  create table live_2 (
    seq integer primary key,
    state text not null
      check (state in ('held', 'blocked', 'following', 'scheduled', 'parked', 'ready', 'running')),
    queue text not null,
    lane integer not null,
    priority integer not null,
    rank integer not null,
    due_at integer not null,
    attempt integer not null default 0,
    failures integer not null default 0,
    lapses integer not null default 0,
    busy integer not null default 0,
    worker integer,
    pin integer,
    started_at integer,
    deadline_at integer,
    cancel_at integer,
    cancel_reason text,
    ending text,
    cleanup integer not null default 0,
    kind text not null,
    parent_seq integer,
    step integer,
    grouped integer not null default 0,
    attached integer not null default 0,
    session integer,
    limit_key text,
    permit integer not null default 0,
    cache_key text,
    check ((state = 'running') = (worker is not null))
  ) strict;
  insert into live_2 (seq, state, queue, lane, priority, rank, due_at, attempt, failures, lapses, busy, worker, started_at,
    deadline_at, cancel_at, cancel_reason, kind, parent_seq, step, grouped, attached)
  select live.seq, live.state, live.queue, lanes.id, live.priority, live.due_at, live.due_at, live.attempt, live.failures,
    live.lapses, live.busy, live.worker, live.started_at, live.deadline_at, live.cancel_at, live.cancel_reason, live.kind,
    live.parent_seq, live.step, live.grouped, live.attached
  from live
  join jobs on jobs.seq = live.seq
  join lanes on lanes.queue = live.queue and lanes.task = jobs.task;
  drop table live;
  alter table live_2 rename to live;
  create index live_ready on live (lane, priority desc, rank, seq) where state = 'ready' and pin is null;
  create index live_pinned on live (pin, priority desc, rank, seq) where state = 'ready' and pin is not null;
  create index live_blocked on live (limit_key, priority desc, rank, seq) where state = 'blocked';
  create index live_following on live (cache_key, seq) where state = 'following';
  create index live_due on live (due_at) where state in ('scheduled', 'parked');
  create index live_running on live (worker) where state = 'running';
  create index live_running_by_seq on live (seq) where state = 'running';
  create index live_children on live (parent_seq, step, seq) where parent_seq is not null;
  create index live_deadline on live (deadline_at) where deadline_at is not null;
  create index live_cancelling on live (worker) where cancel_at is not null;
  create index live_limited on live (limit_key, seq) where limit_key is not null;
  create index live_in_session on live (session, seq) where session is not null;

  alter table jobs add column lane integer;
  alter table jobs add column session integer;
  alter table jobs add column limits text;
  alter table jobs add column cache text;
  alter table outcomes add column cached_from integer;
  alter table workers add column deployment text not null default '';
  alter table workers add column labels text not null default '[]';
  alter table workers add column offers text;
  alter table steps add column source_seq integer;
  alter table steps add column compensates integer not null default 0;
  create index steps_due on steps (due_at) where kind = 'signal' and released = 0 and due_at is not null;

  create table queues (
    name text primary key,
    paused integer not null default 0,
    fair integer not null default 0,
    vtime integer not null default 0,
    rate_count integer,
    rate_per_ms integer,
    tokens real,
    tokens_at integer,
    check ((rate_count is null) = (rate_per_ms is null))
  ) strict, without rowid;
  create table shares (
    queue text not null,
    owner text not null,
    weight real not null default 1 check (weight > 0),
    vtime integer not null default 0,
    primary key (queue, owner)
  ) strict, without rowid;
  create table limits (
    key text primary key,
    max integer not null,
    taken integer not null default 0,
    live integer not null default 0
  ) strict, without rowid;
  create table deployments (
    name text primary key,
    state text not null check (state in ('dark', 'active', 'draining', 'retired')),
    changed_at integer not null
  ) strict, without rowid;
  create unique index deployments_active on deployments (state) where state = 'active';
  create table sessions (
    id integer primary key,
    seq integer not null,
    step integer not null,
    worker integer,
    state text not null check (state in ('open', 'lost', 'closed')),
    unique (seq, step)
  ) strict;
  create index sessions_by_worker on sessions (worker) where state = 'open' and worker is not null;
  create table signals (
    id integer primary key,
    seq integer not null,
    name text not null,
    key text,
    value text not null,
    consumed integer not null default 0,
    at integer not null
  ) strict;
  create index signals_pending on signals (seq, name, id) where consumed = 0;
  create unique index signals_by_key on signals (seq, name, key) where key is not null;
  create table cache (
    key text primary key,
    task text not null,
    seq integer not null,
    state text not null check (state in ('pending', 'done')),
    expires_at integer
  ) strict, without rowid;
  create index cache_expiry on cache (expires_at) where expires_at is not null;
  create table schedules (
    name text primary key,
    body text not null,
    paused integer not null default 0,
    next_at integer,
    last_at integer,
    last_seq integer,
    changed_at integer not null
  ) strict, without rowid;
  create index schedules_due on schedules (next_at) where paused = 0 and next_at is not null;
  `,
  `
  create index cache_by_task on cache (task, key);
  `,
  `
  alter table live add column deployment text;
  create index live_deployed on live (deployment) where deployment is not null;
  `,
  `
  alter table schedules add column fired integer not null default 0;
  alter table schedules add column skipped integer not null default 0;
  `,
  // A row of the log lists, in their order, jobs to which the same happened in one transaction, with the cursors from
  // `first` to `last`. What older files tell of every job stays in `events`, and its cursors here are null.
  `
  create table log (
    last integer primary key,
    first integer not null,
    kind text not null check (kind in ('queued', 'started', 'ended', 'retried', 'lapsed', 'released', 'parked')),
    attempt integer not null,
    at integer not null,
    worker integer,
    seqs text not null,
    check ((kind = 'started') = (worker is not null))
  ) strict;
  alter table jobs add column queued_cursor integer;
  alter table live add column started_cursor integer;
  alter table outcomes add column started_cursor integer;
  alter table outcomes add column ended_cursor integer;
  alter table attempts add column started_cursor integer;
  alter table attempts add column ended_cursor integer;
  alter table attempts add column due_at integer;
  `,
  `
  alter table jobs add column seed text;
  create index steps_kept on steps (source_seq) where source_seq is not null;
  create index jobs_retries on jobs (retry_of) where retry_of is not null;
  `,
  `
  create index idempotency_by_job on idempotency (job_id);
  create index cache_by_job on cache (seq);
  create index signals_by_job on signals (seq);
  `,
  // Fewer indexes to keep: the running jobs are few, and so are those that did not succeed.
  `
  drop index live_running;
  drop index outcomes_by_state;
  create index outcomes_unsuccessful on outcomes (state, seq) where state <> 'succeeded';
  `,
  `
  alter table live add column lapses_max integer;
  `,
  // Which session a step belongs to, and with what its jobs failed when it was lost.
  `
  alter table steps add column session integer;
  alter table sessions add column error text;
  `,
]
