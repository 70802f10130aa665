import type { JobId } from '../job/job.ts'
import type { Enqueued, NewJob } from './store.ts'

/** A schedule as a store keeps it. `body` is what it says, as JSON text; only the engine looks inside. */
export type ScheduleRecord = {
  readonly name: string
  readonly body: string
  readonly paused: boolean
  /** The next instant that is to be fired; none when it has no more. */
  readonly nextAt?: number
  /** The latest instant that was fired. */
  readonly lastAt?: number
  readonly lastJobId?: JobId
  /** Jobs that it made. */
  readonly fired: number
  /** Instants of which no job was made: its last run was still at it, or they were missed and are not caught up. */
  readonly skipped: number
  readonly changedAt: number
}

/** One step of a schedule from an instant to the next: applied by whoever says it first, and by nobody else. */
export type Firing = {
  readonly name: string
  /** Nothing happens unless this is the record's `nextAt`. */
  readonly expectedNextAt: number
  readonly nextAt: number | undefined
  /** The latest of the instants that are fired. */
  readonly firedAt?: number
  readonly jobs: readonly NewJob[]
  /** A job is left out when so many jobs of its limit live already. */
  readonly liveMax?: number
  /** Instants that were passed over beforehand. */
  readonly skipped: number
}

/** Which tasks are to be started when; kept with the jobs, so that any process may start them, and one does. */
export interface ScheduleRecords {
  /**
   * Makes it, or changes its body and its next instant. The counts stay. With the body that it has, a next instant stays as
   * well: of several programs that bring the same schedule along, the last one must not have instants fired again.
   */
  put(schedule: {
    readonly name: string
    readonly body: string
    readonly nextAt: number | undefined
  }): Promise<'created' | 'changed'>
  /** A paused one falls due no more. @returns false when there is none of this name */
  pause(name: string, change: { readonly paused: boolean; readonly nextAt: number | undefined }): Promise<boolean>
  /** Its jobs stay. @returns false when there was none of this name */
  delete(name: string): Promise<boolean>
  get(name: string): Promise<ScheduleRecord | undefined>
  /** By name, at most 1,000. */
  list(): Promise<readonly ScheduleRecord[]>
  /** Those whose next instant has come, the longest due first. */
  due(limit: number): Promise<readonly ScheduleRecord[]>
  /** In one transaction; `elsewhere` when somebody else was first, or it was paused, changed or deleted. */
  fire(firing: Firing): Promise<'elsewhere' | readonly Enqueued[]>
}
