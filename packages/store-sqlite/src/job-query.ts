import type { SQLInputValue } from 'node:sqlite'
import {
  assertNever,
  type Job,
  type JobFilter,
  type JobId,
  type JobPage,
  type JobState,
  type Page,
} from '@headrace/engine'
import { type JobRow, toJob } from '@headrace/engine/rows'
import { jobColumns, jobJoins } from './job-rows.ts'
import type { Prepared } from './prepared.ts'

/** A search inside tags and inputs looks at no more than the newest jobs, so that it answers at once whatever the history. */
const SEARCH_DEPTH = 20_000
/** A beginning of an id that fits more jobs than this tells nothing apart. */
const SEARCH_IDS_MAX = 1_000
/** Up to so many tasks are read one by one, each in the order of its index. */
const TASKS_APART_MAX = 20

type Conditions = { readonly sql: string[]; readonly values: SQLInputValue[] }

/** The number of a job in the table that drives an arm: ordered by that one, nothing needs sorting. */
type Seq = 'chosen.seq' | 'jobs.seq'

/** One way to some of the jobs that were asked for. `from` ends in what brings `jobs`. */
type Arm = { readonly from: string; readonly seq: Seq; readonly where: Conditions }

/**
 * Jobs by filter, newest first. Each arm reads its own jobs in the order of an index and stops after a page of them; the
 * page is the newest of what they give. One statement, so one state of the store.
 */
export function queryJobs(sql: Prepared, filter: JobFilter, page: Page): JobPage {
  const before = page.before === undefined ? Number.MAX_SAFE_INTEGER : Number(page.before)
  const limit = page.limit + 1
  const arms = armsOf(sql, filter, before)
  if (arms.length === 0) return { jobs: [] }
  const parts = arms.map(({ from, seq, where }) => {
    where.values.push(limit)
    return `
    select ${jobColumns}
    from ${from} ${jobJoins}
    where ${where.sql.join(' and ')}
    order by ${seq} desc limit ?`
  })
  const [only] = parts
  const isOne = parts.length === 1 && only !== undefined
  // A job that several arms give is the same row in each, and `union` keeps one.
  const text = isOne
    ? only
    : `${parts.map((part) => `select * from (${part})`).join(' union ')} order by seq desc limit ?`
  const values = arms.flatMap(({ where }) => where.values)
  const rows = sql.text(text).all(...values, ...(isOne ? [] : [limit])) as JobRow[]
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

function armsOf(sql: Prepared, filter: JobFilter, before: number): Arm[] {
  const { search } = filter
  if (search === undefined || search === '') return listArms(filter, before)
  const named = tasksNamed(sql, search).filter((task) => filter.tasks?.includes(task) ?? true)
  const byTask = named.length > 0 ? listArms({ ...filter, tasks: named }, before) : []
  return [idArm(filter, before, search), textArm(filter, before, search), ...byTask]
}

function tasksNamed(sql: Prepared, search: string): string[] {
  const text = search.toLowerCase()
  const tasks = sql.all<{ task: string }>('taskNames').map(({ task }) => task)
  return tasks.filter((task) => task.toLowerCase().includes(text))
}

function idArm(filter: JobFilter, before: number, search: string): Arm {
  const where = conditions(filter, before, 'jobs.seq')
  const id = search.toLowerCase()
  add(
    where,
    `jobs.seq in (select seq from jobs where id >= ? and id < ? order by id desc limit ${SEARCH_IDS_MAX})`,
    id,
    `${id}\u{10FFFF}`,
  )
  return { from: 'jobs not indexed', seq: 'jobs.seq', where }
}

function textArm(filter: JobFilter, before: number, search: string): Arm {
  const where = conditions(filter, before, 'jobs.seq')
  where.sql.push(`jobs.seq > (select max(seq) from jobs) - ${SEARCH_DEPTH}`)
  add(where, '(instr(lower(jobs.tags), lower(?)) > 0 or instr(lower(jobs.input), lower(?)) > 0)', search, search)
  return { from: 'jobs not indexed', seq: 'jobs.seq', where }
}

/** An arm for each state that was asked for, since each has its own index. */
function listArms(asked: JobFilter, before: number): Arm[] {
  if (asked.limitKey !== undefined) return [limitArm(asked, before, asked.limitKey)]
  // Only these have an error, and few do.
  const filter: JobFilter =
    asked.errorCode !== undefined && asked.states === undefined ? { ...asked, states: ['failed', 'cancelled'] } : asked
  const states = new Set(filter.states)
  if (filter.states === undefined || states.size === STATES) return jobArms(filter, before)
  return [...states].flatMap((state) => stateArms(filter, state, before))
}

function limitArm(filter: JobFilter, before: number, key: string): Arm {
  const where = conditions(filter, before, 'chosen.seq')
  add(where, 'chosen.limit_key = ?', key)
  return {
    from: 'live as chosen indexed by live_limited cross join jobs on jobs.seq = chosen.seq',
    seq: 'chosen.seq',
    where,
  }
}

const STATES = 5

/**
 * What a state's jobs are found by. The live ones are few beside the history, and so are those that failed or were
 * cancelled. Most jobs succeed, so that the index of any other filter soon has a page of them.
 */
function stateArms(filter: JobFilter, state: JobState, before: number): Arm[] {
  const { tasks, owner, tag, parentId } = filter
  const isNarrow = parentId !== undefined || (state === 'succeeded' && (tasks ?? owner ?? tag) !== undefined)
  if (isNarrow) return jobArms({ ...filter, states: [state] }, before)
  const { states: _, ...rest } = filter
  const where = conditions(rest, before, 'chosen.seq')
  const drivenBy = (table: string): Arm[] => {
    return [{ from: `${table} cross join jobs on jobs.seq = chosen.seq`, seq: 'chosen.seq', where }]
  }
  switch (state) {
    case 'waiting':
      // Past the running ones, which are no more than the workers hold. `parent_seq` spares a look at each child.
      where.sql.push(`chosen.state <> 'running'`)
      if (filter.rootsOnly === true) where.sql.push('chosen.parent_seq is null')
      return drivenBy('live as chosen not indexed')
    case 'running':
      where.sql.push(`chosen.state = 'running'`)
      if (filter.rootsOnly === true) where.sql.push('chosen.parent_seq is null')
      return drivenBy('live as chosen indexed by live_running_by_seq')
    case 'succeeded':
      add(where, 'chosen.state = ?', state)
      return drivenBy('outcomes as chosen not indexed')
    case 'failed':
    case 'cancelled':
      // The second part is what the index is made of.
      add(where, `chosen.state = ? and chosen.state <> 'succeeded'`, state)
      return drivenBy('outcomes as chosen indexed by outcomes_unsuccessful')
    default:
      return assertNever(state)
  }
}

/** By whatever else the filter names, or else the jobs as they came. One task's jobs lie in order, those of two do not. */
function jobArms(filter: JobFilter, before: number): Arm[] {
  const { tasks = [], owner, tag, parentId } = filter
  const isApart = tasks.length > 1 && tasks.length <= TASKS_APART_MAX && (owner ?? tag ?? parentId) === undefined
  const filters = isApart ? [...new Set(tasks)].map((task) => ({ ...filter, tasks: [task] })) : [filter]
  return filters.map((one) => ({ from: 'jobs', seq: 'jobs.seq', where: conditions(one, before, 'jobs.seq') }))
}

function conditions(filter: JobFilter, before: number, seq: Seq): Conditions {
  const where: Conditions = { sql: [`${seq} < ?`], values: [before] }
  if (filter.states !== undefined) addStates(where, filter.states)
  if (filter.tasks !== undefined) addTasks(where, filter.tasks)
  if (filter.queues !== undefined) addIn(where, 'jobs.queue', filter.queues)
  if (filter.owner !== undefined) add(where, 'jobs.owner = ?', filter.owner)
  if (filter.tag !== undefined) add(where, 'jobs.seq in (select seq from job_tags where tag = ?)', filter.tag)
  if (filter.rootsOnly === true) add(where, 'jobs.parent_seq is null')
  if (filter.parentId !== undefined)
    add(where, 'jobs.parent_seq = (select seq from jobs where id = ?)', filter.parentId)
  if (filter.createdFrom !== undefined) add(where, 'jobs.created_at >= ?', filter.createdFrom)
  if (filter.createdTo !== undefined) add(where, 'jobs.created_at <= ?', filter.createdTo)
  if (filter.errorCode !== undefined) add(where, `outcomes.error ->> 'code' = ?`, filter.errorCode)
  if (filter.retried !== undefined) {
    const not = filter.retried ? '' : 'not '
    where.sql.push(`${not}exists (select 1 from jobs as next where next.retry_of = jobs.id)`)
  }
  return where
}

// For jobs that something else has found: each one's state is looked up by its key.
function addStates(where: Conditions, states: readonly JobState[]): void {
  const parts = states.map((state) => {
    if (state === 'waiting') return `live.state <> 'running'`
    if (state === 'running') return `live.state = 'running'`
    where.values.push(state)
    return 'outcomes.state = ?'
  })
  where.sql.push(parts.length > 0 ? `(${parts.join(' or ')})` : '0')
}

// The plus keeps the index of tasks out of it when they are several: it would have all their jobs sorted first.
function addTasks(where: Conditions, tasks: readonly string[]): void {
  const [only] = tasks
  if (tasks.length === 1 && only !== undefined) add(where, 'jobs.task = ?', only)
  else addIn(where, '+jobs.task', tasks)
}

function add(where: Conditions, sql: string, ...values: SQLInputValue[]): void {
  where.sql.push(sql)
  where.values.push(...values)
}

function addIn(where: Conditions, column: string, values: readonly string[]): void {
  add(where, `${column} in (${values.map(() => '?').join(', ')})`, ...values)
}
