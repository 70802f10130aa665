/** The columns of a job wherever jobs are read; `toJob` turns them into the union. States are numbered in migrations.ts. */
export const jobColumns = `
  jobs.seq, jobs.id, jobs.task, case when jobs.is_workflow then 'workflow' else 'task' end as kind, jobs.queue, jobs.priority, jobs.created_at, jobs.deadline_at, jobs.owner,
  jobs.tags, jobs.step, jobs.item, jobs.retry_of, jobs.limits, jobs.cache, sources.id as cached_from, outcomes.cached_from is not null as is_hit, lanes.deployment,
  lanes.labels, lanes.needs, parents.id as parent_id, roots.id as root_id, (array['held', 'blocked', 'following', 'scheduled', 'parked', 'ready', 'running'])[live.state] as live_state, live.due_at,
  live.attempt as live_attempt, live.started_at as live_started_at, live.cancel_at, workers.uid as worker,
  (array['succeeded', 'failed', 'cancelled'])[outcomes.state] as end_state, outcomes.error, outcomes.attempt as end_attempt, outcomes.started_at as end_started_at,
  outcomes.ended_at, progress.fraction, progress.message as progress_message, progress.at as progress_at`

/** Joins for {@link jobColumns}, behind a `from` that brings `jobs`. All by primary key. */
export const jobJoins = `
  left join live on live.seq = jobs.seq
  left join outcomes on outcomes.seq = jobs.seq
  left join lanes on lanes.id = jobs.lane
  left join workers on workers.id = coalesce(live.worker, live.pin, outcomes.worker)
  left join jobs as parents on parents.seq = jobs.parent_seq
  left join jobs as roots on roots.seq = jobs.root_seq
  left join progress on progress.seq = jobs.seq
  left join cache on cache.key = live.cache_key and live.state = 3
  left join jobs as sources on sources.seq = coalesce(cache.seq, outcomes.cached_from)`
