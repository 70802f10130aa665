import type { Json } from '../json.ts'
import type { AnyTask } from '../task/workflow.ts'

/**
 * What is done when an instant comes while the last run is still at it. `skip`: nothing. `buffer-one`: one more run waits for the
 * end of this one, and further instants are skipped meanwhile. `allow`: they run beside each other. `cancel-running`: the one at
 * it is cancelled, and the new one begins when it has stopped.
 */
export type Overlap = 'skip' | 'buffer-one' | 'allow' | 'cancel-running'

/**
 * What is done with instants that nobody was there to fire. `none`: they are passed over, but for one that is less than a
 * minute late. `one`: the latest of them is fired. `all`: each of them is, as far back as `catchUpWindowMs`.
 */
export type CatchUp = 'none' | 'one' | 'all'

export type ScheduleOptions = {
  /** Global. Letters, digits, `.`, `-`, `_`. */
  readonly name: string
  /** The task or workflow that is started. */
  readonly task: string
  readonly input?: Json
  /** Five fields, or six with seconds first; see the `cron` room for what it understands. */
  readonly cron: string
  /** An IANA name such as `Europe/Berlin`. Default `UTC`. */
  readonly timeZone?: string
  /** Default `skip`; a task with a limit of its own goes by that, and takes `allow` only. */
  readonly overlap?: Overlap
  /** Default `one`. */
  readonly catchUp?: CatchUp
  /** For `catchUp: 'all'`. Default a day. */
  readonly catchUpWindowMs?: number
  /** Each run begins so much later at most, always the same for one instant. Default 0. */
  readonly jitterMs?: number
  readonly queue?: string
  readonly priority?: number
  /** Of the jobs. */
  readonly owner?: string
  readonly tags?: readonly string[]
  readonly deadlineMs?: number
}

/** A schedule that a program brings along; it is stored when one of its workers starts. */
export type DeclaredSchedule = ScheduleOptions & { readonly isDeclared: true }

/**
 * Starts a task by the clock, wherever a worker runs, once for each instant.
 * @param options as {@link ScheduleOptions}, and `task` may be the task itself
 * @example
 * const nightly = schedule({ name: 'nightly', task: sync, cron: '30 2 * * *', timeZone: 'Europe/Berlin' })
 * const engine = createEngine({ store, tasks: [sync], schedules: [nightly], cron: readCron })
 */
export function schedule(
  options: Omit<ScheduleOptions, 'task'> & { readonly task: AnyTask | string },
): DeclaredSchedule {
  const { task } = options
  return { ...options, task: typeof task === 'string' ? task : task.name, isDeclared: true }
}

/** The instants of a cron expression in its time zone, in milliseconds since 1970. */
export interface Calendar {
  /** The first one after an instant; undefined when there is none. */
  next(after: number): number | undefined
}

/** Reads a cron expression. @throws when it says nothing that could be understood; the message says what */
export type ReadCron = (expression: string, timeZone: string) => Calendar

/** By this tag the runs of a schedule are found. */
export function tagOfSchedule(name: string): string {
  return `schedule:${name}`
}

export const CATCH_UP_WINDOW_MS = 86_400_000
