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
import { composed } from './connection/composed.ts'
import { statements } from './connection/named.ts'
import type { Session } from './connection/session.ts'
import type { Value } from './connection/values.ts'
import { jobColumns, jobJoins } from './job-rows.ts'

/** A search inside tags and inputs looks at no more than the newest jobs, so that it answers at once whatever the history. */
const SEARCH_DEPTH = 20_000
/** A beginning of an id that fits more jobs than this tells nothing apart. */
const SEARCH_IDS_MAX = 1_000
/** Up to so many tasks are read one by one, each in the order of its index. */
const TASKS_APART_MAX = 20

const END_STATE = { succeeded: 1, failed: 2, cancelled: 3 } as const

/** The number of a job in the table that drives an arm: ordered by that one, nothing needs sorting. */
type Seq = 'chosen.seq' | 'jobs.seq'

/** One way to some of the jobs that were asked for. `from` ends in what brings `jobs`. */
type Arm = { readonly from: string; readonly seq: Seq; readonly where: readonly string[] }

/** Values of a composed query, by the numbers under which its text names them. */
class Values {
  readonly all: Value[] = []

  add(value: Value, type: string): string {
    this.all.push(value)
    return `$${this.all.length}::${type}`
  }
}

/**
 * Jobs by filter, newest first. Each arm reads its own jobs in the order of an index and stops after a page of them; the
 * page is the newest of what they give. One statement, so one state of the store.
 */
export async function queryJobs(session: Session, filter: JobFilter, page: Page): Promise<JobPage> {
  const before = page.before === undefined ? Number.MAX_SAFE_INTEGER : Number(page.before)
  if (!Number.isSafeInteger(before)) return { jobs: [] }
  const values = new Values()
  const query = new JobQuery(values, values.add(before, 'bigint'))
  const arms = await query.arms(session, filter)
  if (arms.length === 0) return { jobs: [] }
  const limit = values.add(page.limit + 1, 'bigint')
  const parts = arms.map(({ from, seq, where }) => {
    return `(select ${seq} from ${from} where ${where.join(' and ')} order by ${seq} desc limit ${limit})`
  })
  const text = `
    with page as materialized (
      select seq from (${parts.join(' union ')}) as found order by seq desc limit ${limit}
    )
    select ${jobColumns}
    from page join jobs on jobs.seq = page.seq ${jobJoins}
    order by page.seq desc`
  const rows = await session.run<JobRow>(composed(text), values.all)
  const shown = rows.slice(0, page.limit)
  const last = shown.at(-1)
  return { jobs: shown.map(toJob), ...(rows.length > page.limit && last !== undefined && { next: String(last.seq) }) }
}

export async function queryJob(session: Session, id: JobId): Promise<Job | undefined> {
  const text = `select ${jobColumns} from jobs ${jobJoins} where jobs.id = $1::uuid`
  const [row] = await session.run<JobRow>(composed(text), [id])
  return row === undefined ? undefined : toJob(row)
}

/** A job and its descendants, oldest first. */
export async function queryTree(session: Session, id: JobId, limit: number): Promise<Job[]> {
  const text = `
    with recursive tree (seq) as (
      select seq from jobs where id = $1::uuid
      union all
      select child.seq from tree join jobs as child on child.parent_seq = tree.seq
    ),
    shown as materialized (select seq from tree limit $2::bigint)
    select ${jobColumns}
    from shown join jobs on jobs.seq = shown.seq ${jobJoins}
    order by jobs.seq`
  return (await session.run<JobRow>(composed(text), [id, limit])).map(toJob)
}

class JobQuery {
  readonly #values: Values
  readonly #before: string

  constructor(values: Values, before: string) {
    this.#values = values
    this.#before = before
  }

  async arms(session: Session, filter: JobFilter): Promise<Arm[]> {
    const { search } = filter
    if (search === undefined || search === '') return this.#listArms(filter)
    const text = search.toLowerCase()
    const names = await session.run<{ readonly task: string }>(statements.taskNames, [])
    const named = names
      .map(({ task }) => task)
      .filter((task) => task.toLowerCase().includes(text) && (filter.tasks?.includes(task) ?? true))
    const byTask = named.length > 0 ? this.#listArms({ ...filter, tasks: named }) : []
    return [...this.#idArm(filter, text), this.#textArm(filter, search), ...byTask]
  }

  #idArm(filter: JobFilter, beginning: string): Arm[] {
    const range = rangeOfIds(beginning)
    if (range === undefined) return []
    const where = this.#conditions(filter, 'jobs.seq')
    const [from, to] = [this.#values.add(range.from, 'uuid'), this.#values.add(range.to, 'uuid')]
    const found = `select seq from jobs where id >= ${from} and id <= ${to} order by id desc limit ${SEARCH_IDS_MAX}`
    return [{ from: 'jobs', seq: 'jobs.seq', where: [...where, `jobs.seq in (${found})`] }]
  }

  #textArm(filter: JobFilter, search: string): Arm {
    const where = this.#conditions(filter, 'jobs.seq')
    const text = this.#values.add(search.replaceAll('\u0000', ''), 'text')
    const isNew = `jobs.seq > (select seq from jobs order by seq desc limit 1) - ${SEARCH_DEPTH}`
    const fits = `(strpos(lower(jobs.tags), lower(${text})) > 0 or strpos(lower(jobs.input), lower(${text})) > 0)`
    return { from: 'jobs', seq: 'jobs.seq', where: [...where, isNew, fits] }
  }

  /** An arm for each state that was asked for, since each has its own index. */
  #listArms(asked: JobFilter): Arm[] {
    if (asked.limitKey !== undefined) return [this.#limitArm(asked, asked.limitKey)]
    // Only these have an error, and few do.
    const filter: JobFilter =
      asked.errorCode !== undefined && asked.states === undefined
        ? { ...asked, states: ['failed', 'cancelled'] }
        : asked
    const states = new Set(filter.states)
    if (filter.states === undefined || states.size === STATES) return this.#jobArms(filter)
    return [...states].flatMap((state) => this.#stateArms(filter, state))
  }

  #limitArm(filter: JobFilter, key: string): Arm {
    const isOfKey = `chosen.limit_key = ${this.#values.add(key, 'text')}`
    return {
      from: 'live as chosen join jobs on jobs.seq = chosen.seq',
      seq: 'chosen.seq',
      where: [...this.#conditions(filter, 'chosen.seq'), isOfKey],
    }
  }

  /**
   * What a state's jobs are found by. The live ones are few beside the history, and so are those that failed or were
   * cancelled. Most jobs succeed, so that the index of any other filter soon has a page of them.
   */
  #stateArms(filter: JobFilter, state: JobState): Arm[] {
    const { tasks, owner, tag, parentId } = filter
    const isNarrow = parentId !== undefined || (state === 'succeeded' && (tasks ?? owner ?? tag) !== undefined)
    if (isNarrow) return this.#jobArms({ ...filter, states: [state] })
    const { states: _, ...rest } = filter
    const where = this.#conditions(rest, 'chosen.seq')
    const drivenBy = (table: string, condition: string): Arm[] => [
      {
        from: `${table} as chosen join jobs on jobs.seq = chosen.seq`,
        seq: 'chosen.seq',
        where: [...where, condition],
      },
    ]
    switch (state) {
      case 'waiting':
        return drivenBy('live', 'chosen.state <> 7')
      case 'running':
        return drivenBy('live', 'chosen.state = 7')
      case 'succeeded':
        return drivenBy('outcomes', 'chosen.state = 1')
      case 'failed':
        return drivenBy('outcomes', 'chosen.state = 2')
      case 'cancelled':
        return drivenBy('outcomes', 'chosen.state = 3')
      default:
        return assertNever(state)
    }
  }

  /** By whatever else the filter names, or else the jobs as they came. One task's jobs lie in order, those of two do not. */
  #jobArms(filter: JobFilter): Arm[] {
    const { tasks = [], owner, tag, parentId } = filter
    const isApart = tasks.length > 1 && tasks.length <= TASKS_APART_MAX && (owner ?? tag ?? parentId) === undefined
    const filters = isApart ? [...new Set(tasks)].map((task) => ({ ...filter, tasks: [task] })) : [filter]
    return filters.map((one) => {
      const isByState = one.states !== undefined
      const joins = isByState
        ? 'jobs left join live on live.seq = jobs.seq left join outcomes on outcomes.seq = jobs.seq'
        : 'jobs'
      return { from: joins, seq: 'jobs.seq', where: this.#conditions(one, 'jobs.seq') }
    })
  }

  #conditions(filter: JobFilter, seq: Seq): string[] {
    const where = [`${seq} < ${this.#before}`]
    const { tasks, queues, owner, tag, parentId, createdFrom, createdTo, errorCode, retried } = filter
    if (filter.states !== undefined) where.push(this.#inStates(filter.states))
    if (tasks !== undefined) where.push(this.#in('jobs.task', tasks))
    if (queues !== undefined) where.push(this.#in('jobs.queue', queues))
    if (owner !== undefined) where.push(`jobs.owner = ${this.#values.add(owner, 'text')}`)
    if (tag !== undefined)
      where.push(`jobs.seq in (select seq from job_tags where tag = ${this.#values.add(tag, 'text')})`)
    if (filter.rootsOnly === true) where.push('jobs.parent_seq is null')
    if (parentId !== undefined) {
      where.push(`jobs.parent_seq = (select seq from jobs where id = ${this.#values.add(parentId, 'uuid')})`)
    }
    if (createdFrom !== undefined) where.push(`jobs.created_at >= ${this.#values.add(createdFrom, 'bigint')}`)
    if (createdTo !== undefined) where.push(`jobs.created_at <= ${this.#values.add(createdTo, 'bigint')}`)
    if (errorCode !== undefined) {
      const code = `(select outcomes.error::json ->> 'code' from outcomes where outcomes.seq = jobs.seq)`
      where.push(`${code} = ${this.#values.add(errorCode.replaceAll('\u0000', ''), 'text')}`)
    }
    if (retried !== undefined) {
      where.push(`${retried ? '' : 'not '}exists (select from jobs as next where next.retry_of = jobs.id)`)
    }
    return where
  }

  // For jobs that something else has found: each one's state is looked up by its key.
  #inStates(states: readonly JobState[]): string {
    const parts = states.map((state) => {
      if (state === 'waiting') return '(select state from live where live.seq = jobs.seq) <> 7'
      if (state === 'running') return '(select state from live where live.seq = jobs.seq) = 7'
      return `(select state from outcomes where outcomes.seq = jobs.seq) = ${END_STATE[state]}`
    })
    return parts.length > 0 ? `(${parts.join(' or ')})` : 'false'
  }

  #in(column: string, values: readonly string[]): string {
    const [only] = values
    if (values.length === 1) return `${column} = ${this.#values.add(only, 'text')}`
    return `${column} = any (${this.#values.add(values, 'text[]')})`
  }
}

const STATES = 5
const DIGITS = 32

/** All ids that begin so; undefined for what no id begins with. */
export function rangeOfIds(beginning: string): { readonly from: string; readonly to: string } | undefined {
  const pattern = '00000000-0000-0000-0000-000000000000'
  const fits = [...beginning].every((character, place) =>
    pattern[place] === '-' ? character === '-' : pattern[place] === '0' && /[0-9a-f]/.test(character),
  )
  if (!fits || beginning.length > pattern.length) return undefined
  const digits = beginning.replaceAll('-', '')
  return { from: digits.padEnd(DIGITS, '0'), to: digits.padEnd(DIGITS, 'f') }
}
