import { OptionInvalidError } from '../errors.ts'
import { END_STATES, type EndState } from '../job/job.ts'
import { checkDuration, checkText } from '../task/check-options.ts'

/** How long after its end: milliseconds, or a text such as `30d`, `12h`, `90m`, `45s`, or `forever`. */
export type KeepFor = number | string

/** For each way to end. */
export type Keep = Readonly<Partial<Record<EndState, KeepFor>>>

/**
 * How long ended jobs are kept, and artifacts that nothing names. A task's own word counts before its queue's, and that
 * before the general one.
 */
export type RetentionPolicy = {
  readonly keep: Keep
  readonly tasks?: Readonly<Record<string, Keep>>
  readonly queues?: Readonly<Record<string, Keep>>
  /** How long an artifact is kept after it was last put, and after the last name of it has gone. */
  readonly artifacts?: KeepFor
}

/** In force until somebody sets another one. */
export const DEFAULT_RETENTION = {
  keep: { succeeded: '30d', failed: '90d', cancelled: '30d' },
  artifacts: '7d',
} satisfies RetentionPolicy

/** Milliseconds after the end; null: for ever. */
export type KeepMs = Readonly<Partial<Record<EndState, number | null>>>
export type Retention = {
  readonly keep: Readonly<Record<EndState, number | null>>
  readonly tasks: Readonly<Record<string, KeepMs>>
  readonly queues: Readonly<Record<string, KeepMs>>
  readonly artifacts: number | null
}

const UNITS_MS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }

/** @throws {OptionInvalidError} naming what cannot be meant */
export function readRetention(policy: RetentionPolicy): Retention {
  const { keep, tasks = {}, queues = {}, artifacts = DEFAULT_RETENTION.artifacts } = policy
  const general = { ...readKeep('keep', DEFAULT_RETENTION.keep), ...readKeep('keep', keep) }
  const all = (option: string, keeps: Readonly<Record<string, Keep>>) =>
    Object.fromEntries(
      Object.entries(keeps).map(([name, one]) => {
        checkText(`a name in ${option}`, name)
        return [name, readKeep(`${option}.${name}`, one)]
      }),
    )
  // Sound: the default names every state.
  const jobs = { keep: general as Retention['keep'], tasks: all('tasks', tasks), queues: all('queues', queues) }
  return { ...jobs, artifacts: readKeepFor('artifacts', artifacts) }
}

function readKeep(option: string, keep: Keep): KeepMs {
  if (typeof keep !== 'object' || keep === null)
    throw new OptionInvalidError(option, String(keep), 'an object such as { succeeded: "30d" }')
  const strange = Object.keys(keep).find((state) => !END_STATES.some((known) => known === state))
  if (strange !== undefined) throw new OptionInvalidError(option, `of ${strange}`, `of ${END_STATES.join(', ')}`)
  return Object.fromEntries(
    Object.entries(keep).map(([state, keepFor]) => [state, readKeepFor(`${option}.${state}`, keepFor)]),
  )
}

/** @returns milliseconds, or null for ever. @throws {OptionInvalidError} */
export function readKeepFor(option: string, keepFor: KeepFor): number | null {
  if (keepFor === 'forever') return null
  if (typeof keepFor === 'number') {
    checkDuration(option, keepFor)
    return keepFor
  }
  const [, count, unit = ''] = /^(\d{1,9})([smhd])$/.exec(keepFor) ?? []
  const ms = Number(count) * (UNITS_MS[unit] ?? Number.NaN)
  if (Number.isNaN(ms))
    throw new OptionInvalidError(option, String(keepFor), 'a time such as 30d, 12h, 90m, or forever')
  checkDuration(option, ms)
  return ms
}

/** An ended job, as far as it depends on that whether it may go. */
export type EndedJob = {
  readonly state: EndState
  readonly task: string
  readonly queue: string
  readonly endedAt: number
}

/** Whether its time has passed. */
export function isPastKeep({ keep, tasks, queues }: Retention, job: EndedJob, now: number): boolean {
  const { task, queue, state } = job
  // Null is an answer, too.
  const keepMs = [tasks[task]?.[state], queues[queue]?.[state], keep[state]].find((ms) => ms !== undefined)
  return typeof keepMs === 'number' && job.endedAt + keepMs <= now
}

/** No job that was submitted after this instant may go yet; undefined when all are kept for ever. */
export function pruneHorizon({ keep, tasks, queues }: Retention, now: number): number | undefined {
  const times = [keep, ...Object.values(tasks), ...Object.values(queues)].flatMap((one) => Object.values(one))
  const least = Math.min(...times.filter((ms) => ms !== null))
  return least === Number.POSITIVE_INFINITY ? undefined : now - least
}
