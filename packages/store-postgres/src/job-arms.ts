import { assertNever, type JobFilter, type JobId, type JobState } from '@headrace/engine'
import { statements } from './connection/named.ts'
import type { Session } from './connection/session.ts'
import type { Value } from './connection/values.ts'

/** A search inside tags and inputs looks at no more than the newest jobs, so that it answers at once whatever the history. */
const SEARCH_DEPTH = 20_000
/** A beginning of an id that fits more jobs than this tells nothing apart. */
const SEARCH_IDS_MAX = 1_000
/** Up to so many tasks are read one by one, each in the order of its index. */
const TASKS_APART_MAX = 20
const STATES = 5

const END_STATE = { succeeded: 1, failed: 2, cancelled: 3 } as const

/** How far an arm goes: to a number, and over so many rows at most, where that is given. Both are SQL. */
export type Reach = { readonly from: string; readonly depth?: string }

/**
 * One way to some of the jobs that were asked for, newest first: what it reads, in the order of an index, and what is
 * looked at in each row of it. Its texts are made when they are used, for each one brings values of its own.
 */
export type Arm = {
  /** Gives `seq` and, where one value of an index is read, that value as `key`, in the order of that index. */
  readonly chosen: (reach: Reach) => string
  readonly order: 'seq desc' | 'key desc, seq desc'
  readonly where: (reach: Reach) => readonly string[]
  /** The number of the last row within its depth, or null where there are fewer; left out where they are always few. */
  readonly floor?: (reach: Required<Reach>) => string
}

type Where = () => readonly string[]

/** Values of a composed query, by the numbers under which its text names them. */
export class Values {
  readonly all: Value[] = []

  add(value: Value, type: string): string {
    this.all.push(value)
    return `$${this.all.length}::${type}`
  }
}

/** A filter, with what the store knows of the names in it. */
export type KnownFilter = JobFilter & {
  /** Tasks whose names contain what is searched for. */
  readonly named?: readonly string[]
}

export async function knownFilter(session: Session, filter: JobFilter): Promise<KnownFilter> {
  const { search } = filter
  const narrowed = await withTasksOfQueues(session, filter)
  if (search === undefined || search === '') return narrowed
  const names = await session.run<{ readonly task: string }>(statements.taskNames, [])
  const named = names
    .map(({ task }) => task)
    .filter((task) => task.toLowerCase().includes(search.toLowerCase()) && (narrowed.tasks?.includes(task) ?? true))
  return { ...narrowed, named }
}

/** Most queues are those of a few tasks, by which their jobs are found. */
async function withTasksOfQueues(session: Session, filter: JobFilter): Promise<JobFilter> {
  const { queues } = filter
  if (queues === undefined) return filter
  const rows = await session.run<{ readonly task: string }>(statements.tasksOfQueues, [queues])
  const tasks = rows.map(({ task }) => task).filter((task) => filter.tasks?.includes(task) ?? true)
  return tasks.length <= TASKS_APART_MAX ? { ...filter, tasks } : filter
}

/** The ways to the jobs of a filter below a number; none when no job can fit it. */
export function armsOf(filter: KnownFilter, before: string, values: Values): readonly Arm[] {
  return new JobArms(values, before).of(filter)
}

class JobArms {
  readonly #values: Values
  readonly #before: string

  constructor(values: Values, before: string) {
    this.#values = values
    this.#before = before
  }

  of({ named = [], ...filter }: KnownFilter): Arm[] {
    const { search } = filter
    if (search === undefined || search === '') return this.#listArms(filter)
    const byTask = named.length > 0 ? this.#listArms({ ...filter, tasks: named }) : []
    return [...this.#idArm(filter, search.toLowerCase()), this.#textArm(filter, search), ...byTask]
  }

  #idArm(filter: JobFilter, beginning: string): Arm[] {
    const range = rangeOfIds(beginning)
    if (range === undefined) return []
    const found = () => {
      const [from, to] = [this.#values.add(range.from, 'uuid'), this.#values.add(range.to, 'uuid')]
      return `select seq from jobs where id >= ${from} and id <= ${to} order by id desc limit ${SEARCH_IDS_MAX}`
    }
    return [this.#few(found, () => this.#conditions(filter))]
  }

  #textArm(filter: JobFilter, search: string): Arm {
    const where = () => {
      const text = this.#values.add(search.replaceAll('\u0000', ''), 'text')
      const fits = `(strpos(lower(jobs.tags), lower(${text})) > 0 or strpos(lower(jobs.input), lower(${text})) > 0)`
      return [...this.#conditions(filter), fits]
    }
    const isNew = `seq > (select seq from jobs order by seq desc limit 1) - ${SEARCH_DEPTH}`
    const { floor: _, ...arm } = this.#jobsAsTheyCame(where, isNew)
    return arm
  }

  /** An arm for each state that was asked for, since each has its own index. */
  #listArms(asked: JobFilter): Arm[] {
    if (asked.limitKey !== undefined) return [this.#byKey('live', 'limit_key', text(asked.limitKey), this.#rest(asked))]
    if (asked.tasks?.length === 0) return []
    // Only these have an error, and few do.
    const filter: JobFilter =
      asked.errorCode !== undefined && asked.states === undefined
        ? { ...asked, states: ['failed', 'cancelled'] }
        : asked
    const states = new Set(filter.states)
    if (filter.states === undefined || states.size === STATES) return this.#jobArms(filter)
    return [...states].flatMap((state) => this.#stateArms(filter, state))
  }

  /**
   * What a state's jobs are found by. The live ones are few beside the history, and so are those that failed or were
   * cancelled. Most jobs succeed, so that the index of any other filter soon has a page of them.
   */
  #stateArms(filter: JobFilter, state: JobState): Arm[] {
    const { tasks, owner, tag, parentId } = filter
    const isNarrow = parentId !== undefined || (state === 'succeeded' && (tasks ?? owner ?? tag) !== undefined)
    if (isNarrow) return this.#jobArms({ ...filter, states: [state] })
    const where = this.#rest(filter, 'states')
    switch (state) {
      case 'waiting':
        return [this.#byRow('live', where, 'state <> 7')]
      case 'running':
        return [this.#few(() => 'select seq from live where state = 7', where)]
      case 'succeeded':
        return [this.#byRow('outcomes', () => [...where(), this.#inStates([state])])]
      case 'failed':
      case 'cancelled':
        return [this.#byKey('outcomes', 'state', { value: END_STATE[state], type: 'smallint' }, where, 'state > 1')]
      default:
        return assertNever(state)
    }
  }

  /** By whatever else the filter names, or else the jobs as they came. One task's jobs lie in order, those of two do not. */
  #jobArms(filter: JobFilter): Arm[] {
    const { tasks = [], owner, tag, parentId } = filter
    const isApart = tasks.length > 1 && tasks.length <= TASKS_APART_MAX && (owner ?? tag ?? parentId) === undefined
    const filters = isApart ? [...new Set(tasks)].map((task) => ({ ...filter, tasks: [task] })) : [filter]
    return filters.map((one) => this.#jobArm(one))
  }

  #jobArm(filter: JobFilter): Arm {
    const { parentId, tag, owner, tasks } = filter
    const [task] = tasks ?? []
    if (parentId !== undefined) {
      const found = () => `select seq from jobs where parent_seq = ${this.#parent(parentId)}`
      return this.#few(found, this.#rest(filter, 'parentId'))
    }
    if (tag !== undefined) return this.#byKey('job_tags', 'tag', text(tag), this.#rest(filter, 'tag'))
    if (owner !== undefined) return this.#byKey('jobs', 'owner', text(owner), this.#rest(filter, 'owner'))
    if (task !== undefined && tasks?.length === 1)
      return this.#byKey('jobs', 'task', text(task), this.#rest(filter, 'tasks'))
    return this.#jobsAsTheyCame(this.#rest(filter))
  }

  /** There is a job for nearly every number, so that numbers are counted instead of rows. */
  #jobsAsTheyCame(where: Where, also?: string): Arm {
    return {
      ...this.#byRow('jobs', where, also),
      floor: ({ from, depth }) => {
        const floor = `least(${this.#before}, newest.seq + 1) - ${depth}`
        const oldest = '(select seq from jobs order by seq limit 1)'
        return `
          (select ${floor} from (select seq from jobs order by seq desc limit 1) as newest
           where ${floor} > greatest(${from}, ${oldest}))`
      },
    }
  }

  #byRow(table: string, where: Where, also = 'true'): Arm {
    const chosen = ({ from, depth }: Reach) => `
      select seq from ${table} where seq < ${this.#before} and seq >= ${from} and ${also}
      order by seq desc ${atMost(depth)}`
    return { chosen, order: 'seq desc', where, floor: lastOf(chosen) }
  }

  /**
   * Compared as pairs, so that no index but that of the pair will do, whatever the statistics say. A lower pair would not
   * end its scan, so what is below the range is left out behind it.
   */
  #byKey(table: string, key: string, { value, type }: Typed, where: Where, also = 'true'): Arm {
    const chosen = ({ depth }: Reach) => {
      const given = this.#values.add(value, type)
      return `
        select ${key} as key, seq from ${table}
        where (${key}, seq) < (${given}, ${this.#before}) and ${key} >= ${given} and ${key} is not null and ${also}
        order by ${key} desc, seq desc ${atMost(depth)}`
    }
    const within: Arm['where'] = ({ from }) => [`chosen.seq >= ${from}`, ...where()]
    return { chosen, order: 'key desc, seq desc', where: within, floor: lastOf(chosen) }
  }

  /** Found without regard to their order, and then put into it. */
  #few(found: () => string, where: Where): Arm {
    const chosen = ({ from }: Reach) => `
      select seq from (${found()} offset 0) as found where seq < ${this.#before} and seq >= ${from} order by seq desc`
    return { chosen, order: 'seq desc', where }
  }

  /** What is left to be looked at when one part of the filter was found by its index. */
  #rest(filter: JobFilter, found?: keyof JobFilter): Where {
    return () => this.#conditions(found === undefined ? filter : { ...filter, [found]: undefined })
  }

  #parent(id: JobId): string {
    return `(select seq from jobs where id = ${this.#values.add(id, 'uuid')})`
  }

  #conditions(filter: JobFilter): string[] {
    const where: string[] = []
    const { tasks, queues, owner, tag, parentId, createdFrom, createdTo, errorCode, retried } = filter
    if (filter.states !== undefined) where.push(this.#inStates(filter.states))
    if (tasks !== undefined) where.push(this.#in('jobs.task', tasks))
    if (queues !== undefined) where.push(this.#in('jobs.queue', queues))
    if (owner !== undefined) where.push(`jobs.owner = ${this.#values.add(owner, 'text')}`)
    if (tag !== undefined) {
      const text = this.#values.add(tag, 'text')
      where.push(`exists (select from job_tags where job_tags.tag = ${text} and job_tags.seq = chosen.seq)`)
    }
    if (filter.rootsOnly === true) where.push('jobs.parent_seq is null')
    if (parentId !== undefined) where.push(`jobs.parent_seq = ${this.#parent(parentId)}`)
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

type Typed = { readonly value: Value; readonly type: string }

function text(value: string): Typed {
  return { value, type: 'text' }
}

/** Without a limit, too, it stays a query of its own, whose index nothing around it decides. */
function atMost(depth: string | undefined): string {
  return depth === undefined ? 'offset 0' : `limit ${depth}`
}

function lastOf(chosen: Arm['chosen']): Required<Arm>['floor'] {
  return (reach) => `(select seq from (${chosen(reach)}) as chosen offset ${reach.depth} - 1 limit 1)`
}

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
