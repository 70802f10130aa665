import type { SQLInputValue } from 'node:sqlite'
import type {
  EndState,
  EventKind,
  EventQuery,
  Job,
  JobEvent,
  JobFilter,
  JobId,
  JobPage,
  Json,
  Page,
} from '@headrace/engine'
import { type JobRow, jobColumns, jobJoins, toJob } from './job-rows.ts'
import type { Prepared } from './prepared.ts'

/** A search inside inputs looks at no more than the newest jobs, so that it answers at once whatever the history. */
const SEARCH_DEPTH = 20_000

type Conditions = { readonly sql: string[]; readonly values: SQLInputValue[] }

/** Jobs by filter, newest first. */
export function queryJobs(sql: Prepared, filter: JobFilter, page: Page): JobPage {
  const where: Conditions = { sql: ['1'], values: [] }
  if (page.before !== undefined) add(where, 'jobs.seq < ?', Number(page.before))
  addFilter(where, filter)
  const statement = sql.text(`
    select ${jobColumns}
    from jobs ${jobJoins}
    where ${where.sql.join(' and ')}
    order by jobs.seq desc limit ?`)
  const rows = statement.all(...where.values, page.limit + 1) as JobRow[]
  const shown = rows.slice(0, page.limit)
  const last = shown.at(-1)
  return { jobs: shown.map(toJob), ...(rows.length > page.limit && last !== undefined && { next: String(last.seq) }) }
}

export function queryJob(sql: Prepared, id: JobId): Job | undefined {
  const row = sql.text(`select ${jobColumns} from jobs ${jobJoins} where jobs.id = ?`).get(id)
  return row === undefined ? undefined : toJob(row as JobRow)
}

/** A job and its descendants, oldest first. */
export function queryTree(sql: Prepared, id: JobId, limit: number): Job[] {
  const statement = sql.text(`
    with recursive tree (seq) as (
      select seq from jobs where id = ?
      union all
      select child.seq from tree cross join jobs as child indexed by jobs_children on child.parent_seq = tree.seq
      limit ?
    )
    select ${jobColumns}
    from tree cross join jobs on jobs.seq = tree.seq ${jobJoins}
    order by jobs.seq`)
  return (statement.all(id, limit) as JobRow[]).map(toJob)
}

/** Events after a cursor, in the order in which they were stored. */
export function queryEvents(sql: Prepared, query: EventQuery): JobEvent[] {
  const where: Conditions = { sql: ['events.cursor > ?'], values: [query.after] }
  if (query.jobId !== undefined) addScope(where, query.jobId, query.tree === true)
  if (query.kinds !== undefined) addIn(where, 'events.kind', query.kinds)
  if (query.levels !== undefined) addIn(where, `events.data ->> 'level'`, query.levels)
  if (query.contains !== undefined) add(where, `instr(lower(events.data ->> 'message'), lower(?)) > 0`, query.contains)
  if (query.attempt !== undefined) add(where, 'events.attempt = ?', query.attempt)
  const statement = sql.text(`
    select events.cursor as cursor, jobs.id as id, events.kind as kind, events.attempt as attempt, events.at as at,
      events.data as data
    from events join jobs on jobs.seq = events.seq
    where ${where.sql.join(' and ')}
    order by events.cursor limit ?`)
  return (statement.all(...where.values, query.limit) as EventRow[]).map(toEvent)
}

type EventRow = {
  readonly cursor: number
  readonly id: string
  readonly kind: EventKind
  readonly attempt: number
  readonly at: number
  readonly data: string | null
}

function toEvent(row: EventRow): JobEvent {
  const { cursor, kind, attempt, at } = row
  const data = row.data === null ? defaultData(kind) : (JSON.parse(row.data) as Record<string, Json>)
  // The store's own rows hold nothing but ids in this place.
  return { cursor, jobId: row.id as JobId, kind, attempt, at, data }
}

// Success is what most jobs end with, so it is not written out on each.
function defaultData(kind: EventKind): Record<string, Json> {
  return kind === 'ended' ? { state: 'succeeded' satisfies EndState } : {}
}

function addScope(where: Conditions, jobId: JobId, tree: boolean): void {
  if (!tree) {
    add(where, 'events.seq = (select seq from jobs where id = ?)', jobId)
    return
  }
  const sql = `events.seq in (
    with recursive tree (seq) as (
      select seq from jobs where id = ?
      union all
      select child.seq from tree cross join jobs as child indexed by jobs_children on child.parent_seq = tree.seq
    ) select seq from tree)`
  add(where, sql, jobId)
}

function addFilter(where: Conditions, filter: JobFilter): void {
  if (filter.states !== undefined) addStates(where, filter.states)
  if (filter.tasks !== undefined) addIn(where, 'jobs.task', filter.tasks)
  if (filter.queues !== undefined) addIn(where, 'jobs.queue', filter.queues)
  if (filter.owner !== undefined) add(where, 'jobs.owner = ?', filter.owner)
  if (filter.tag !== undefined) add(where, 'jobs.seq in (select seq from job_tags where tag = ?)', filter.tag)
  if (filter.rootsOnly === true) add(where, 'jobs.parent_seq is null')
  if (filter.parentId !== undefined)
    add(where, 'jobs.parent_seq = (select seq from jobs where id = ?)', filter.parentId)
  if (filter.createdFrom !== undefined) add(where, 'jobs.created_at >= ?', filter.createdFrom)
  if (filter.createdTo !== undefined) add(where, 'jobs.created_at <= ?', filter.createdTo)
  if (filter.search !== undefined && filter.search !== '') addSearch(where, filter.search)
}

// The few live jobs drive the query for live states; the index by state drives it for ended ones.
function addStates(where: Conditions, states: JobFilter['states'] & object): void {
  const parts: string[] = []
  if (states.includes('waiting')) parts.push(`jobs.seq in (select seq from live where state <> 'running')`)
  if (states.includes('running')) parts.push(`jobs.seq in (select seq from live where state = 'running')`)
  const ended = states.filter((state) => state !== 'waiting' && state !== 'running')
  if (ended.length > 0) {
    parts.push(`outcomes.state in (${ended.map(() => '?').join(', ')})`)
    where.values.push(...ended)
  }
  where.sql.push(parts.length > 0 ? `(${parts.join(' or ')})` : '0')
}

function addSearch(where: Conditions, search: string): void {
  where.sql.push(`(
    (jobs.id >= ? and jobs.id < ?)
    or instr(lower(jobs.task), lower(?)) > 0
    or instr(lower(jobs.tags), lower(?)) > 0
    or (jobs.seq > (select max(seq) from jobs) - ${SEARCH_DEPTH} and instr(lower(jobs.input), lower(?)) > 0))`)
  const id = search.toLowerCase()
  where.values.push(id, `${id}\u{10FFFF}`, search, search, search)
}

function add(where: Conditions, sql: string, ...values: SQLInputValue[]): void {
  where.sql.push(sql)
  where.values.push(...values)
}

function addIn(where: Conditions, column: string, values: readonly string[]): void {
  add(where, `${column} in (${values.map(() => '?').join(', ')})`, ...values)
}
