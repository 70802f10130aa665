/** The columns of a job wherever jobs are read; `toJob` turns them into the union. */
export const jobColumns = `
  jobs.seq as seq, jobs.id as id, jobs.task as task, jobs.kind as kind, jobs.queue as queue, jobs.priority as priority,
  jobs.created_at as created_at, jobs.deadline_at as deadline_at, jobs.owner as owner, jobs.tags as tags,
  jobs.step as step, jobs.item as item, jobs.retry_of as retry_of, jobs.limits as limits, jobs.cache as cache,
  sources.id as cached_from, outcomes.cached_from is not null as is_hit, lanes.deployment as deployment, lanes.labels as labels, lanes.needs as needs,
  parents.id as parent_id, roots.id as root_id,
  live.state as live_state, live.due_at as due_at, live.attempt as live_attempt, live.started_at as live_started_at,
  live.cancel_at as cancel_at, workers.uid as worker, outcomes.state as end_state, outcomes.error as error,
  outcomes.attempt as end_attempt, outcomes.started_at as end_started_at, outcomes.ended_at as ended_at,
  progress.fraction as fraction, progress.message as progress_message, progress.at as progress_at`

/** Joins for {@link jobColumns}, behind a `from` that brings `jobs`. All by primary key. */
export const jobJoins = `
  left join live on live.seq = jobs.seq
  left join outcomes on outcomes.seq = jobs.seq
  left join lanes on lanes.id = jobs.lane
  left join workers on workers.id = coalesce(live.worker, live.pin, outcomes.worker)
  left join jobs as parents on parents.seq = jobs.parent_seq
  left join jobs as roots on roots.seq = jobs.root_seq
  left join progress on progress.seq = jobs.seq
  left join cache on cache.key = live.cache_key and live.state = 'following'
  left join jobs as sources on sources.seq = coalesce(cache.seq, outcomes.cached_from)`
