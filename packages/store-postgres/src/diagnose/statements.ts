// What the doctor asks, of the server's own views: each once in a while, and none of our tables from end to end.

/** Tables of the schema, with what of them is dead. */
export const tableHealth = `
  select relname as name, n_live_tup as live, n_dead_tup as dead, pg_total_relation_size(relid) as size_bytes,
    greatest(last_vacuum, last_autovacuum) is null as was_never_vacuumed,
    extract(epoch from clock_timestamp() - greatest(last_vacuum, last_autovacuum)) as vacuumed_seconds_ago
  from pg_stat_user_tables where schemaname = $1 order by n_dead_tup desc, relname`

/** What keeps vacuum from taking dead rows away: open transactions, prepared ones, and slots of replicas. */
export const oldTransactions = `
  select 'transaction' as kind, pid::text as name, coalesce(nullif(application_name, ''), 'a program without a name') as owner,
    usename as username, state, extract(epoch from clock_timestamp() - xact_start) as age_seconds
  from pg_stat_activity
  where xact_start < clock_timestamp() - make_interval(secs => $1) and pid <> pg_backend_pid()
    and backend_type in ('client backend', 'walsender', 'parallel worker')
    and (backend_xmin is not null or backend_xid is not null or state like 'idle in transaction%')
  union all
  select 'prepared', gid, owner, owner, 'prepared', extract(epoch from clock_timestamp() - prepared)
  from pg_prepared_xacts where prepared < clock_timestamp() - make_interval(secs => $1)
  union all
  select 'slot', slot_name, coalesce(plugin, 'a replica'), '', case when active then 'active' else 'inactive' end, null
  from pg_replication_slots
  where greatest(age(xmin), age(catalog_xmin)) > $2::integer
  order by 6 desc nulls last limit 20`

/** Processes with workers, each with whether it listens for wake-ups. Both are seen by their connections. */
export const listening = `
  select processes.host, processes.pid,
    exists (
      select from pg_stat_activity
      where datname = current_database()
        and starts_with(application_name, left('headrace listener ' || processes.pid || '@' || processes.host, 63))
    ) as is_listening
  from processes
  where exists (
    select from pg_locks
    where locktype = 'advisory' and objsubid = 2 and classid::bigint = lock_space() and objid::bigint = processes.id and granted
      and database = (select oid from pg_database where datname = current_database())
  )
  order by processes.host, processes.pid`

export const serverSettings = `
  select current_setting('fsync') as fsync, current_setting('synchronous_commit') as synchronous_commit,
    current_setting('full_page_writes') as full_page_writes, current_setting('autovacuum') as autovacuum,
    current_setting('max_connections')::integer - current_setting('superuser_reserved_connections')::integer as connections_max,
    (select count(*)::integer from pg_stat_activity where backend_type = 'client backend') as connections`
