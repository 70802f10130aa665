import type { EventKind, EventQuery, JobEvent, JobId, Json, WorkerId } from '@headrace/engine'
import { composed } from './connection/composed.ts'
import { statements } from './connection/named.ts'
import { call, type Session } from './connection/session.ts'

/** In one session, the statement before says how far the events are stored without a gap. */
const STORED = `current_setting('headrace.stored_before')::bigint`

type Row = {
  readonly cursor: number
  readonly id: JobId
  readonly kind: EventKind
  readonly attempt: number
  readonly at: number
  readonly worker: WorkerId | null
  readonly state: number | null
  readonly error: string | null
  readonly due_at: number | null
  readonly level: string | null
  readonly message: string | null
  readonly data: string | null
}

/**
 * Events after a cursor, in the order in which they were stored. What every job goes through is read from where it was
 * written down (`jobs`, `live`, `attempts`, `outcomes`); `log` lists it for those who follow everything.
 */
export async function queryEvents(session: Session, query: EventQuery): Promise<JobEvent[]> {
  if (query.kinds?.length === 0 || query.levels?.length === 0) return []
  const all = isListed(query) ? ofAll : toldOfAll
  const text = query.jobId === undefined ? all : query.tree === true ? ofTree : ofJob
  const [, rows = []] = await session.pipeline([
    call(statements.markStored),
    call(
      composed(text),
      query.after,
      query.limit,
      query.kinds,
      query.levels,
      query.contains?.replaceAll('\u0000', ''),
      query.attempt,
      ...(query.jobId === undefined ? [] : [query.jobId]),
    ),
  ])
  // The statement's own columns.
  return (rows as unknown as readonly Row[]).map(toEvent)
}

/** Whether the log may have events that are asked for: it lists what every job goes through, which has no text. */
function isListed({ kinds, levels, contains }: EventQuery): boolean {
  return levels === undefined && contains === undefined && (kinds?.some((kind) => LISTED.includes(kind)) ?? true)
}

export async function queryLastCursor(session: Session): Promise<number> {
  const [, rows = []] = await session.pipeline([call(statements.markStored), call(statements.lastCursor)])
  return Number(rows[0]?.cursor ?? 0)
}

function toEvent({ cursor, id, kind, attempt, at, ...row }: Row): JobEvent {
  return { cursor, jobId: id, kind, attempt, at, data: dataOf(kind, row) }
}

function dataOf(kind: EventKind, row: Omit<Row, 'cursor' | 'id' | 'kind' | 'attempt' | 'at'>): Record<string, Json> {
  // Text of the store's own making.
  const error = row.error === null ? undefined : (JSON.parse(row.error) as Record<string, Json>)
  switch (kind) {
    case 'queued':
      return {}
    case 'started':
      return { worker: row.worker }
    case 'ended': {
      const state = row.state === 1 ? 'succeeded' : row.state === 2 ? 'failed' : 'cancelled'
      return { state, ...(error && { error: { code: error.code ?? null, message: error.message ?? null } }) }
    }
    case 'retried':
    case 'lapsed':
    case 'released':
    case 'parked':
      return {
        ...(row.due_at !== null && row.due_at < Number.MAX_SAFE_INTEGER && { dueAt: row.due_at }),
        ...(error && { error }),
      }
    case 'log':
      return { level: row.level, message: row.message }
    default:
      return row.data === null ? {} : (JSON.parse(row.data) as Record<string, Json>)
  }
}

const lifecycle = (where: (seq: string) => string) => `
  select queued_cursor as cursor, seq, 'queued' as kind, 0 as attempt, created_at as at, null::integer as worker,
    null::bigint as due_at, null as error, null::smallint as state, null as level, null as message, null as data
  from jobs where ${where('jobs.seq')}
  union all
  select started_cursor, seq, 'started', attempt, started_at, worker, null, null, null, null, null, null
  from live where ${where('live.seq')} and state = 7
  union all
  select started_cursor, seq, 'started', attempt, started_at, worker, null, null, null, null, null, null
  from attempts where ${where('attempts.seq')}
  union all
  select ended_cursor, seq, outcome, attempt, ended_at, worker, due_at, error, null, null, null, null
  from attempts where ${where('attempts.seq')} and outcome in ('retried', 'lapsed', 'released', 'parked')
  union all
  select started_cursor, seq, 'started', attempt, started_at, worker, null, null, null, null, null, null
  from outcomes where ${where('outcomes.seq')} and started_cursor is not null
  union all
  select ended_cursor, seq, 'ended', attempt, ended_at, null, null, error, state, null, null, null
  from outcomes where ${where('outcomes.seq')}
  union all
  select cursor, seq, kind, attempt, at, null, null, null, null, level, message, data
  from events where ${where('events.seq')} and cursor > $1::bigint`

const filtered = (found: string, with_: string) => `
  with recursive ${with_}
  found as (${found})
  select found.cursor, jobs.id, found.kind, found.attempt, found.at, workers.uid as worker, found.due_at, found.error, found.state,
    found.level, found.message, found.data
  from found
  join jobs on jobs.seq = found.seq
  left join workers on workers.id = found.worker
  where found.cursor > $1::bigint and found.cursor < ${STORED}
    and ($3::text[] is null or found.kind = any ($3::text[]))
    and ($4::text[] is null or found.level = any ($4::text[]))
    and ($5::text is null or strpos(lower(found.message), lower($5::text)) > 0)
    and ($6::integer is null or found.attempt = $6::integer)
  order by found.cursor limit $2::bigint`

const ofJob = filtered(
  lifecycle((seq) => `${seq} = (select seq from jobs where id = $7::uuid)`),
  '',
)

const ofTree = filtered(
  lifecycle((seq) => `${seq} in (select seq from tree)`),
  `tree (seq) as (
    select seq from jobs where id = $7::uuid
    union all
    select child.seq from tree join jobs as child on child.parent_seq = tree.seq
  ),`,
)

/** By the numbers of `log.kind`, from 1 on. */
const LISTED: readonly EventKind[] = ['queued', 'started', 'ended', 'retried', 'lapsed', 'released', 'parked']
const KINDS = `(array[${LISTED.map((kind) => `'${kind}'`).join(', ')}])`

const told = `
  (select cursor, seq, kind, attempt, at, null::integer as worker, null::bigint as due_at, null as error,
     null::smallint as state, level, message, data
   from events
   where cursor > $1::bigint and cursor < ${STORED} and ($3::text[] is null or kind = any ($3::text[]))
     and ($4::text[] is null or level = any ($4::text[]))
     and ($5::text is null or strpos(lower(message), lower($5::text)) > 0)
     and ($6::integer is null or attempt = $6::integer)
   order by cursor limit $2::bigint)`

const toldOfAll = filtered(told, '')

/** What of a row of the log is asked for: of a job that is still there, behind the cursor, and of the attempt. */
const ENTRIES = `
  unnest(log.seqs, log.attempts) with ordinality as entry (seq, attempt, place)
  join jobs on jobs.seq = entry.seq
    and log.cursor + entry.place > $1::bigint + 1 and ($6::integer is null or coalesce(entry.attempt, 0) = $6::integer)`

/** The log is read row by row, until a page is full: a row may have a thousand events, and each is looked up. */
const ofAll = filtered(
  `
  (select log.cursor + entry.place - 1 as cursor, entry.seq, ${KINDS}[log.kind] as kind, coalesce(entry.attempt, 0) as attempt, log.at,
     log.worker, attempts.due_at, coalesce(attempts.error, outcomes.error) as error, outcomes.state, null as level,
     null as message, null as data
   from read
   join log on log.cursor = read.cursor
   cross join lateral (select entry.* from ${ENTRIES}) as entry
   left join attempts on log.kind > 3 and attempts.seq = entry.seq and attempts.attempt = entry.attempt
   left join outcomes on log.kind = 3 and outcomes.seq = entry.seq)
  union all ${told}`,
  `read (cursor, events) as (
    select $1::bigint - 1024, 0::bigint
    union all
    select next.cursor, read.events + next.events
    from read
    cross join lateral (
      select log.cursor, (select count(*) from ${ENTRIES}) as events
      from log
      where log.cursor > read.cursor and log.cursor < ${STORED} and ($3::text[] is null or ${KINDS}[kind] = any ($3::text[]))
      order by log.cursor limit 1
    ) as next
    where read.events < $2::bigint
  ),`,
)
