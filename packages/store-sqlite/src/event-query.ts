import type { EventKind, EventQuery, JobEvent, JobId, Json } from '@headrace/engine'
import { FOR_EVER } from '@headrace/engine/rows'
import { LISTED_KINDS } from './event-log.ts'
import type { Prepared } from './prepared.ts'

type Row = {
  readonly cursor: number
  readonly id: JobId
  readonly kind: EventKind
  readonly attempt: number
  readonly at: number
  readonly worker: string | null
  readonly state: string | null
  readonly error: string | null
  readonly due_at: number | null
  readonly data: string | null
}

/**
 * Events after a cursor, in the order in which they were stored. What every job goes through is read from where it was
 * written down (`jobs`, `live`, `attempts`, `outcomes`); `log` lists it for those who follow all jobs.
 */
export function queryEvents(sql: Prepared, query: EventQuery): JobEvent[] {
  const { after, limit, kinds, levels, contains, attempt, jobId, tree } = query
  const list = (values: readonly string[] | undefined) => (values === undefined ? null : JSON.stringify(values))
  const values = [after, limit, list(kinds), list(levels), contains ?? null, attempt ?? null]
  const all = isListed(query) ? ofAll : toldOfAll
  const statement = sql.text(jobId === undefined ? all : tree === true ? ofTree : ofJob)
  return (statement.all(...values, ...(jobId === undefined ? [] : [jobId])) as Row[]).map(toEvent)
}

/** Whether the log may have events that are asked for: it lists what every job goes through, which has no text. */
function isListed({ kinds, levels, contains }: EventQuery): boolean {
  return levels === undefined && contains === undefined && (kinds?.some((kind) => LISTED.has(kind)) ?? true)
}

const LISTED: ReadonlySet<EventKind> = new Set(LISTED_KINDS)

function toEvent(row: Row): JobEvent {
  const { cursor, id, kind, attempt, at } = row
  return { cursor, jobId: id, kind, attempt, at, data: dataOf(row) }
}

function dataOf({ kind, data, worker, state, error: text, due_at: dueAt }: Row): Record<string, Json> {
  // Text of the store's own making.
  if (data !== null) return JSON.parse(data) as Record<string, Json>
  const error = text === null ? undefined : (JSON.parse(text) as Record<string, Json>)
  switch (kind) {
    case 'started':
      return { worker }
    case 'ended':
      // Files of the first schemas have nothing written out of a success.
      return {
        state: state ?? 'succeeded',
        ...(error && { error: { code: error.code ?? null, message: error.message ?? null } }),
      }
    case 'retried':
    case 'lapsed':
    case 'released':
    case 'parked':
      return { ...(dueAt !== null && dueAt < FOR_EVER && { dueAt }), ...(error && { error }) }
    default:
      return {}
  }
}

/** The numbers of parameters: 1 after, 2 limit, 3 kinds, 4 levels, 5 contains, 6 attempt, 7 the job. */
const KIND = (kind: string) => `(?3 is null or ${kind} in (select value from json_each(?3)))`

/** Those of `events`, as far as a page of them may need. */
const told = (where: string) => `
  select * from (
    select cursor, seq, kind, attempt, at, null as worker, null as due_at, null as error, null as state, data
    from events where ${where} and cursor > ?1 and ${KIND('kind')}
      and (?4 is null or data ->> 'level' in (select value from json_each(?4)))
      and (?5 is null or instr(lower(data ->> 'message'), lower(?5)) > 0)
      and (?6 is null or attempt = ?6)
    order by cursor limit ?2
  )`

/** What happened to some jobs, from the rows of those jobs. */
const ofSome = (scope: (seq: string) => string) => `
  select queued_cursor as cursor, seq, 'queued' as kind, 0 as attempt, created_at as at, null as worker, null as due_at,
    null as error, null as state, null as data
  from jobs where ${scope('jobs.seq')}
  union all
  select started_cursor, seq, 'started', attempt, started_at, worker, null, null, null, null
  from live where ${scope('live.seq')} and state = 'running'
  union all
  select started_cursor, seq, 'started', attempt, started_at, worker, null, null, null, null
  from attempts where ${scope('attempts.seq')}
  union all
  select ended_cursor, seq, outcome, attempt, ended_at, null, due_at, error, null, null
  from attempts where ${scope('attempts.seq')}
  union all
  select started_cursor, seq, 'started', attempt, started_at, worker, null, null, null, null
  from outcomes where ${scope('outcomes.seq')}
  union all
  select ended_cursor, seq, 'ended', attempt, ended_at, null, null, error, state, null
  from outcomes where ${scope('outcomes.seq')}
  union all ${told(scope('events.seq'))}`

const filtered = (found: string) => `
  select found.cursor as cursor, jobs.id as id, found.kind as kind, found.attempt as attempt, found.at as at,
    workers.uid as worker, found.due_at as due_at, found.error as error, found.state as state, found.data as data
  from (${found}) as found
  cross join jobs on jobs.seq = found.seq
  left join workers on workers.id = found.worker
  where found.cursor > ?1 and ${KIND('found.kind')} and (?6 is null or found.attempt = ?6)
    and ((?4 is null and ?5 is null) or found.data is not null)
  order by found.cursor limit ?2`

const ofJob = filtered(ofSome((seq) => `${seq} = (select seq from jobs where id = ?7)`))

const ofTree = `
  with recursive tree (seq) as (
    select seq from jobs where id = ?7
    union all
    select child.seq from tree cross join jobs as child indexed by jobs_children on child.parent_seq = tree.seq
  )
  ${filtered(ofSome((seq) => `${seq} in (select seq from tree)`))}`

/** The log is unpacked in its own order, which is that of the cursors, and no further than to the end of the page. */
const ofAll = filtered(`
  select * from (
    select log.first + entry.key as cursor, entry.value as seq, log.kind as kind, log.attempt as attempt, log.at as at,
      log.worker as worker, attempts.due_at as due_at, coalesce(outcomes.error, attempts.error) as error,
      outcomes.state as state, null as data
    from log
    cross join json_each(log.seqs) as entry
    left join outcomes on log.kind = 'ended' and outcomes.seq = entry.value
    left join attempts on log.kind not in ('queued', 'started', 'ended') and attempts.seq = entry.value
      and attempts.attempt = log.attempt
    where log.last > ?1 and log.first + entry.key > ?1 and ${KIND('log.kind')} and (?6 is null or log.attempt = ?6)
      and exists (select 1 from jobs where jobs.seq = entry.value)
    order by log.last limit ?2
  )
  union all ${told('true')}`)

const toldOfAll = filtered(told('true'))
