import type { Clock } from '../clock/clock.ts'
import type { SubmitOptions, Submitted } from '../engine.ts'
import {
  OptionInvalidError,
  ScheduleInvalidError,
  ScheduleRangeTooLargeError,
  UnknownScheduleError,
  UnknownTaskError,
} from '../errors.ts'
import { sha256 } from '../sha256.ts'
import type { ScheduleRecord } from '../store/schedule-records.ts'
import type { NewJob, Store } from '../store/store.ts'
import { checkDuration, checkOptions } from '../task/check-options.ts'
import type { LimitOption } from '../task/task.ts'
import type { AnyTask } from '../task/workflow.ts'
import { instantsBetween, nextFiring, upcoming } from './next-firing.ts'
import {
  type Calendar,
  type CatchUp,
  type DeclaredSchedule,
  type Overlap,
  type ReadCron,
  type ScheduleOptions,
  tagOfSchedule,
} from './schedule.ts'

/** A stored schedule, with what comes next. */
export type Schedule = ScheduleOptions &
  Omit<ScheduleRecord, 'body' | 'name'> & {
    /** A program brings it along, and stores it again when it starts. */
    readonly isDeclared: boolean
    /** The next five instants; none while it is paused, or where nobody here can read its expression. */
    readonly nextRuns: readonly number[]
  }

export type BackfillOptions = {
  /** The first instant that may be fired, and the first that may not; milliseconds since 1970. */
  readonly from: number
  readonly to: number
  /** So many of its jobs run at once. Default 1. */
  readonly concurrency?: number
}

type Parts = {
  readonly store: Store
  readonly clock: Clock
  readonly tasks: ReadonlyMap<string, AnyTask>
  readonly cron: ReadCron | undefined
  readonly declared: readonly DeclaredSchedule[]
  newJob(task: AnyTask, input: unknown, options: SubmitOptions): NewJob | Promise<NewJob>
  submit(jobs: readonly NewJob[]): Promise<readonly Submitted[]>
  report(message: string, error: unknown): void
}

const OVERLAPS: readonly Overlap[] = ['skip', 'buffer-one', 'allow', 'cancel-running']
const CATCH_UPS: readonly CatchUp[] = ['none', 'one', 'all']
const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/
const BACKFILL_MAX = 10_000
const FIRED_AT_ONCE = 50
const NEXT_RUNS = 5

/** Tasks that are started by the clock. Any process with a worker fires what is due; each instant once. */
export class Schedules {
  readonly #parts: Parts
  readonly #calendars = new Map<string, Calendar>()

  constructor(parts: Parts) {
    this.#parts = parts
    for (const declared of parts.declared) this.#check(declared)
  }

  /**
   * Makes a schedule, or changes the one of this name: then its next instant is counted from now.
   * @throws {ScheduleInvalidError} {OptionInvalidError} {UnknownTaskError} {InputInvalidError}; nothing was stored
   */
  async put(options: ScheduleOptions): Promise<Schedule> {
    const { calendar, task } = this.#check(options)
    const now = this.#parts.clock.now()
    // What it would submit is made once, so that a wrong input or option is told now and not at night.
    await this.#job(options, task, now)
    const nextAt = calendar.next(now)
    if (nextAt === undefined) throw new ScheduleInvalidError(options.name, `cron ${options.cron} never comes again`)
    await this.#parts.store.schedules.put({ name: options.name, body: JSON.stringify(options), nextAt })
    return this.get(options.name)
  }

  /** @throws {UnknownScheduleError} */
  async get(name: string): Promise<Schedule> {
    return this.#show(await this.#record(name))
  }

  /** By name. */
  async list(): Promise<readonly Schedule[]> {
    return (await this.#parts.store.schedules.list()).map((record) => this.#show(record))
  }

  /** Its jobs stay. One that a program declares comes back when that starts. @throws {UnknownScheduleError} */
  async delete(name: string): Promise<void> {
    if (!(await this.#parts.store.schedules.delete(name))) throw new UnknownScheduleError(name)
  }

  /** Fires no more until it is resumed; what falls due meanwhile is not caught up. @throws {UnknownScheduleError} */
  async pause(name: string): Promise<Schedule> {
    if (!(await this.#parts.store.schedules.pause(name, { paused: true, nextAt: undefined })))
      throw new UnknownScheduleError(name)
    return this.get(name)
  }

  /** @throws {UnknownScheduleError} */
  async resume(name: string): Promise<Schedule> {
    const record = await this.#record(name)
    if (!record.paused) return this.#show(record)
    const nextAt = this.#calendarOf(optionsOf(record)).next(this.#parts.clock.now())
    await this.#parts.store.schedules.pause(name, { paused: false, nextAt })
    return this.get(name)
  }

  /** Starts its task now, beside whatever runs of it. @throws {UnknownScheduleError} {UnknownTaskError} */
  async trigger(name: string): Promise<Submitted> {
    const options = optionsOf(await this.#record(name))
    const task = this.#task(options.task)
    const now = this.#parts.clock.now()
    const job = await this.#job({ ...options, overlap: 'allow', jitterMs: 0 }, task, now)
    const [submitted] = await this.#parts.submit([job])
    if (submitted === undefined) throw new Error('the store answered with fewer jobs than it was given')
    return submitted
  }

  /**
   * Starts its task for each instant of a span, whether that was fired before or not, a few at a time.
   * @throws {UnknownScheduleError} {UnknownTaskError} {OptionInvalidError}
   * @throws {ScheduleRangeTooLargeError} for more than 10,000 instants; nothing was stored
   */
  async backfill(name: string, { from, to, concurrency = 1 }: BackfillOptions): Promise<readonly Submitted[]> {
    const options = optionsOf(await this.#record(name))
    const task = this.#task(options.task)
    checkOptions({ concurrency })
    if (!Number.isFinite(from) || !Number.isFinite(to) || from >= to)
      throw new OptionInvalidError('The span', `${from} to ${to}`, 'two instants, the earlier one first')
    const instants = instantsBetween(this.#calendarOf(options), { from, to, max: BACKFILL_MAX })
    if (instants === undefined) throw new ScheduleRangeTooLargeError(name, BACKFILL_MAX)
    const limit = { key: `schedule:${name}:backfill`, max: concurrency }
    const jobs: NewJob[] = []
    for (const at of instants) jobs.push(await this.#job({ ...options, jitterMs: 0 }, task, at, limit))
    return jobs.length === 0 ? [] : this.#parts.submit(jobs)
  }

  /** Stores the schedules that this program brings along; one that has not changed goes on as it is. */
  async declare(): Promise<void> {
    for (const declared of this.#parts.declared) {
      const stored = await this.#parts.store.schedules.get(declared.name)
      if (stored?.body !== JSON.stringify(declared)) await this.put(declared)
    }
  }

  /** Fires what is due, of the tasks that are known here. */
  async fireDue(): Promise<void> {
    for (const record of await this.#parts.store.schedules.due(FIRED_AT_ONCE)) {
      try {
        await this.#fire(record)
      } catch (error) {
        this.#parts.report(`The schedule ${record.name} could not be fired; it is tried again.`, error)
      }
    }
  }

  async #fire(record: ScheduleRecord): Promise<void> {
    const options = optionsOf(record)
    const task = this.#parts.tasks.get(options.task)
    const { nextAt: expectedNextAt, name } = record
    // Another process knows that task, or can read the expression.
    if (task === undefined || this.#parts.cron === undefined || expectedNextAt === undefined) return
    const now = this.#parts.clock.now()
    const { instants, skipped, nextAt } = nextFiring(options, this.#calendarOf(options), {
      nextAt: expectedNextAt,
      now,
    })
    const jobs: NewJob[] = []
    for (const at of instants) jobs.push(await this.#job(options, task, at))
    const firedAt = instants.at(-1)
    await this.#parts.store.schedules.fire({
      name,
      expectedNextAt,
      nextAt,
      jobs,
      skipped,
      ...(firedAt !== undefined && { firedAt }),
      ...(overlapOf(options, task) === 'buffer-one' && { liveMax: 2 }),
    })
  }

  #job(options: ScheduleOptions, task: AnyTask, at: number, limit = limitOf(options, task)): NewJob | Promise<NewJob> {
    const { name, input = null, queue, priority, owner, tags = [], deadlineMs, jitterMs = 0 } = options
    const delayMs = at + jitter(name, at, jitterMs) - this.#parts.clock.now()
    return this.#parts.newJob(task, input, {
      tags: [...tags, tagOfSchedule(name), `scheduled-for:${new Date(at).toISOString()}`],
      ...(jitterMs > 0 && delayMs > 0 && { delayMs }),
      ...(queue !== undefined && { queue }),
      ...(priority !== undefined && { priority }),
      ...(owner !== undefined && { owner }),
      ...(deadlineMs !== undefined && { deadlineMs }),
      ...(limit !== undefined && { limit }),
    })
  }

  #check(options: ScheduleOptions): { readonly calendar: Calendar; readonly task: AnyTask } {
    const { name, overlap, catchUp, catchUpWindowMs, jitterMs, queue, priority, deadlineMs, tags } = options
    if (!NAME.test(name)) throw new ScheduleInvalidError(name, 'a name has 1 to 100 letters, digits, ".", "-" and "_"')
    const task = this.#task(options.task)
    if (overlap !== undefined && !OVERLAPS.includes(overlap))
      throw new OptionInvalidError('overlap', String(overlap), `one of ${OVERLAPS.join(', ')}`)
    if (catchUp !== undefined && !CATCH_UPS.includes(catchUp))
      throw new OptionInvalidError('catchUp', String(catchUp), `one of ${CATCH_UPS.join(', ')}`)
    if (task.limit !== undefined && overlap !== undefined && overlap !== 'allow')
      throw new OptionInvalidError('overlap', overlap, `allow, since ${task.name} has a limit of its own`)
    if (catchUpWindowMs !== undefined) checkDuration('catchUpWindowMs', catchUpWindowMs)
    if (jitterMs !== undefined) checkDuration('jitterMs', jitterMs)
    checkOptions({
      ...(queue !== undefined && { queue }),
      ...(priority !== undefined && { priority }),
      ...(deadlineMs !== undefined && { deadlineMs }),
      ...(tags !== undefined && { tags }),
    })
    return { calendar: this.#calendarOf(options), task }
  }

  #calendarOf({ name, cron, timeZone = 'UTC' }: ScheduleOptions): Calendar {
    const key = `${timeZone} ${cron}`
    const known = this.#calendars.get(key)
    if (known !== undefined) return known
    if (this.#parts.cron === undefined)
      throw new OptionInvalidError('cron', 'missing from createEngine', 'a reader of cron expressions (@headrace/cron)')
    try {
      const calendar = this.#parts.cron(cron, timeZone)
      this.#calendars.set(key, calendar)
      return calendar
    } catch (cause) {
      throw new ScheduleInvalidError(name, cause instanceof Error ? cause.message : String(cause), { cause })
    }
  }

  #task(name: string): AnyTask {
    const task = this.#parts.tasks.get(name)
    if (task === undefined) throw new UnknownTaskError(name, [...this.#parts.tasks.keys()])
    return task
  }

  async #record(name: string): Promise<ScheduleRecord> {
    const record = await this.#parts.store.schedules.get(name)
    if (record === undefined) throw new UnknownScheduleError(name)
    return record
  }

  #show(record: ScheduleRecord): Schedule {
    const { body: _, ...shown } = record
    const { isDeclared, ...options } = JSON.parse(record.body) as ScheduleOptions & { readonly isDeclared?: true }
    return { ...options, ...shown, isDeclared: isDeclared === true, nextRuns: this.#nextRuns(record, options) }
  }

  #nextRuns({ paused, nextAt }: ScheduleRecord, options: ScheduleOptions): readonly number[] {
    if (paused || nextAt === undefined) return []
    if (this.#parts.cron === undefined) return [nextAt]
    return upcoming(this.#calendarOf(options), nextAt - 1, NEXT_RUNS)
  }
}

/** What this engine wrote, it reads. */
function optionsOf({ body }: ScheduleRecord): ScheduleOptions {
  return JSON.parse(body) as ScheduleOptions
}

function overlapOf({ overlap }: ScheduleOptions, task: AnyTask): Overlap {
  return overlap ?? (task.limit === undefined ? 'skip' : 'allow')
}

/** The overlap of a schedule's runs is a limit by its name, so that the store decides it together with the firing. */
function limitOf(options: ScheduleOptions, task: AnyTask): LimitOption | undefined {
  const key = tagOfSchedule(options.name)
  switch (overlapOf(options, task)) {
    case 'allow':
      return undefined
    case 'skip':
      return { key, max: 1, whenFull: 'reject' }
    case 'buffer-one':
      return { key, max: 1, whenFull: 'wait' }
    case 'cancel-running':
      return { key, max: 1, whenFull: 'replace' }
  }
}

/** Spread evenly, and the same wherever it is asked. */
function jitter(name: string, at: number, jitterMs: number): number {
  const share = Number.parseInt(sha256(`${name} ${at}`).slice(0, 8), 16) / 0x1_0000_0000
  return Math.floor(share * jitterMs)
}
