import type { SQLInputValue } from 'node:sqlite'
import { assertNever, type JobFilter, type JobState } from '@headrace/engine'
import type { Prepared } from './prepared.ts'

/** A search inside tags and inputs looks at no more than the newest jobs, so that it answers at once whatever the history. */
const SEARCH_DEPTH = 20_000
/** A beginning of an id that fits more jobs than this tells nothing apart. */
const SEARCH_IDS_MAX = 1_000
/** Up to so many tasks are read one by one, each in the order of its index. */
const TASKS_APART_MAX = 20
const STATES = 5

export type Conditions = { readonly sql: string[]; readonly values: SQLInputValue[] }

/** The number of a job in the table that drives an arm: ordered by that one, nothing needs sorting. */
type Seq = 'chosen.seq' | 'jobs.seq'

/**
 * One way to some of the jobs that were asked for, newest first. `from` is read in the order of an index, as far as `by`
 * holds; `joins` brings `jobs` where it is not that; `where` is looked at in each row.
 */
export type Arm = {
  readonly from: string
  readonly joins: string
  readonly seq: Seq
  readonly by: Conditions
  readonly where: Conditions
  /**
   * How many rows may have to be looked at for one that fits: few, or as many as there are. Of `jobs`, which has a row
   * for nearly every number, numbers are counted instead of rows.
   */
  readonly rows: 'few' | 'many' | 'one for each number'
}

/** Jobs below a number, and from another one on. */
export type Range = { readonly before: number; readonly from: number }

/** The ways to the jobs of a filter; none when no job can fit it. */
export function armsOf(sql: Prepared, asked: JobFilter, range: Range): Arm[] {
  const filter = withTasksOfQueues(sql, asked)
  const { search } = filter
  if (search === undefined || search === '') return listArms(filter, range)
  const named = tasksNamed(sql, search).filter((task) => filter.tasks?.includes(task) ?? true)
  const byTask = named.length > 0 ? listArms({ ...filter, tasks: named }, range) : []
  return [idArm(filter, range, search), textArm(filter, range, search), ...byTask]
}

/** Most queues are those of a few tasks, by which their jobs are found. */
function withTasksOfQueues(sql: Prepared, filter: JobFilter): JobFilter {
  const { queues } = filter
  // Jobs of the first schema have no lane.
  if (queues === undefined || sql.get<{ lane: number | null }>('oldestLane')?.lane === null) return filter
  const rows = sql.all<{ task: string }>('tasksOfQueues', JSON.stringify(queues))
  const tasks = rows.map(({ task }) => task).filter((task) => filter.tasks?.includes(task) ?? true)
  return tasks.length <= TASKS_APART_MAX ? { ...filter, tasks } : filter
}

function tasksNamed(sql: Prepared, search: string): string[] {
  const text = search.toLowerCase()
  const tasks = sql.all<{ task: string }>('taskNames').map(({ task }) => task)
  return tasks.filter((task) => task.toLowerCase().includes(text))
}

function idArm(filter: JobFilter, range: Range, search: string): Arm {
  const arm = plainArm(filter, range)
  const id = search.toLowerCase()
  add(
    arm.where,
    `jobs.seq in (select seq from jobs where id >= ? and id < ? order by id desc limit ${SEARCH_IDS_MAX})`,
    id,
    `${id}\u{10FFFF}`,
  )
  return { ...arm, rows: 'few' }
}

function textArm(filter: JobFilter, range: Range, search: string): Arm {
  const arm = plainArm(filter, range)
  arm.where.sql.push(`jobs.seq > (select max(seq) from jobs) - ${SEARCH_DEPTH}`)
  add(arm.where, '(instr(lower(jobs.tags), lower(?)) > 0 or instr(lower(jobs.input), lower(?)) > 0)', search, search)
  return { ...arm, rows: 'few' }
}

/** An arm for each state that was asked for, since each has its own index. */
function listArms(asked: JobFilter, range: Range): Arm[] {
  if (asked.limitKey !== undefined) return [limitArm(asked, range, asked.limitKey)]
  if (asked.tasks?.length === 0) return []
  // Only these have an error, and few do.
  const filter: JobFilter =
    asked.errorCode !== undefined && asked.states === undefined ? { ...asked, states: ['failed', 'cancelled'] } : asked
  const states = new Set(filter.states)
  if (filter.states === undefined || states.size === STATES) return jobArms(filter, range)
  return [...states].flatMap((state) => stateArms(filter, state, range))
}

function limitArm(filter: JobFilter, range: Range, key: string): Arm {
  const by = within('chosen.seq', range)
  add(by, 'chosen.limit_key = ?', key)
  const where = conditions(filter)
  return {
    from: 'live as chosen indexed by live_limited',
    joins: JOBS_OF_CHOSEN,
    seq: 'chosen.seq',
    by,
    where,
    rows: 'many',
  }
}

const JOBS_OF_CHOSEN = 'cross join jobs on jobs.seq = chosen.seq'

/**
 * What a state's jobs are found by. The live ones are few beside the history, and so are those that failed or were
 * cancelled. Most jobs succeed, so that the index of any other filter soon has a page of them.
 */
function stateArms(filter: JobFilter, state: JobState, range: Range): Arm[] {
  const { tasks, owner, tag, parentId } = filter
  const isNarrow = parentId !== undefined || (state === 'succeeded' && (tasks ?? owner ?? tag) !== undefined)
  if (isNarrow) return jobArms({ ...filter, states: [state] }, range)
  const by = within('chosen.seq', range)
  const where = conditions(without(filter, 'states'))
  const arm = (from: string, rows: Arm['rows']): Arm[] => {
    return [{ from, joins: JOBS_OF_CHOSEN, seq: 'chosen.seq', by, where, rows }]
  }
  switch (state) {
    case 'waiting':
      // Past the running ones, which are no more than the workers hold.
      where.sql.push(`chosen.state <> 'running'`)
      addLive(where, filter)
      return arm('live as chosen not indexed', 'many')
    case 'running':
      by.sql.push(`chosen.state = 'running'`)
      addLive(where, filter)
      return arm('live as chosen indexed by live_running_by_seq', 'few')
    case 'succeeded':
      add(where, 'chosen.state = ?', state)
      return arm('outcomes as chosen not indexed', 'many')
    case 'failed':
    case 'cancelled':
      // The second part is what the index is made of.
      add(by, `chosen.state = ? and chosen.state <> 'succeeded'`, state)
      return arm('outcomes as chosen indexed by outcomes_unsuccessful', 'many')
    default:
      return assertNever(state)
  }
}

/** What the row of a live job tells already, which spares a look at the job. */
function addLive(where: Conditions, { rootsOnly, queues }: JobFilter): void {
  if (rootsOnly === true) where.sql.push('chosen.parent_seq is null')
  if (queues !== undefined) addIn(where, 'chosen.queue', queues)
}

/** By whatever else the filter names, or else the jobs as they came. One task's jobs lie in order, those of two do not. */
function jobArms(filter: JobFilter, range: Range): Arm[] {
  const { tasks = [], owner, tag, parentId } = filter
  const isApart = tasks.length > 1 && tasks.length <= TASKS_APART_MAX && (owner ?? tag ?? parentId) === undefined
  if (!isApart) return [jobArm(filter, range)]
  return [...new Set(tasks)].map((task) => jobArm({ ...filter, tasks: [task] }, range))
}

function jobArm(filter: JobFilter, range: Range): Arm {
  const { parentId, tag, owner, tasks } = filter
  const [task] = tasks ?? []
  if (parentId !== undefined) {
    const arm = plainArm(without(filter, 'parentId'), range)
    add(arm.by, 'jobs.parent_seq = (select seq from jobs where id = ?)', parentId)
    return { ...arm, from: 'jobs indexed by jobs_children', rows: 'few' }
  }
  if (tag !== undefined) {
    const by = within('chosen.seq', range)
    add(by, 'chosen.tag = ?', tag)
    const where = conditions(without(filter, 'tag'))
    return { from: 'job_tags as chosen', joins: JOBS_OF_CHOSEN, seq: 'chosen.seq', by, where, rows: 'many' }
  }
  if (owner !== undefined) {
    const arm = plainArm(without(filter, 'owner'), range)
    add(arm.by, 'jobs.owner = ?', owner)
    return { ...arm, from: 'jobs indexed by jobs_by_owner', rows: 'many' }
  }
  if (task !== undefined && tasks?.length === 1) {
    const arm = plainArm(without(filter, 'tasks'), range)
    add(arm.by, 'jobs.task = ?', task)
    return { ...arm, from: 'jobs indexed by jobs_by_task', rows: 'many' }
  }
  return plainArm(filter, range)
}

function without(filter: JobFilter, name: keyof JobFilter): JobFilter {
  const { [name]: _, ...rest } = filter
  return rest
}

function plainArm(filter: JobFilter, range: Range): Arm {
  const by = within('jobs.seq', range)
  return {
    from: 'jobs not indexed',
    joins: '',
    seq: 'jobs.seq',
    by,
    where: conditions(filter),
    rows: 'one for each number',
  }
}

function within(seq: Seq, { before, from }: Range): Conditions {
  return from > 0
    ? { sql: [`${seq} < ?`, `${seq} >= ?`], values: [before, from] }
    : { sql: [`${seq} < ?`], values: [before] }
}

function conditions(filter: JobFilter): Conditions {
  const where: Conditions = { sql: [], values: [] }
  if (filter.states !== undefined) addStates(where, filter.states)
  if (filter.tasks !== undefined) addIn(where, 'jobs.task', filter.tasks)
  if (filter.queues !== undefined) addIn(where, 'jobs.queue', filter.queues)
  if (filter.owner !== undefined) add(where, 'jobs.owner = ?', filter.owner)
  if (filter.tag !== undefined)
    add(where, 'exists (select 1 from job_tags where job_tags.tag = ? and job_tags.seq = jobs.seq)', filter.tag)
  if (filter.rootsOnly === true) where.sql.push('jobs.parent_seq is null')
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

function add(where: Conditions, sql: string, ...values: SQLInputValue[]): void {
  where.sql.push(sql)
  where.values.push(...values)
}

function addIn(where: Conditions, column: string, values: readonly string[]): void {
  add(where, `${column} in (${values.map(() => '?').join(', ')})`, ...values)
}
