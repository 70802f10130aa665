import type {
  BackfillAnswer,
  BackfillRequest,
  Json,
  ScheduleList,
  ScheduleOptions,
  StatusInfo,
  WireSchedule,
} from '@headrace/wire'
import type { Http } from './http/http.ts'
import { createJob, type Job } from './job/job.ts'

/** Processes that the server starts by the clock. To change them needs the scope `operate`. */
export interface Schedules {
  /** By name. */
  list(): Promise<readonly WireSchedule[]>
  get(name: string): Promise<WireSchedule>
  /**
   * Makes a schedule, or changes the one of this name: then its next instant is counted from now.
   * @throws {ProblemError} `schedule_invalid`, `input_invalid`, and what else the server refuses; nothing was stored
   */
  put(name: string, schedule: ScheduleOptions): Promise<WireSchedule>
  /** Its jobs stay. */
  delete(name: string): Promise<void>
  pause(name: string): Promise<WireSchedule>
  resume(name: string): Promise<WireSchedule>
  /** Starts its process now, beside whatever runs of it. Not repeated when the connection is lost. */
  run(name: string): Promise<Job>
  /** A job for each instant of the span, fired before or not. Not repeated when the connection is lost. */
  backfill(name: string, span: BackfillRequest): Promise<BackfillAnswer>
}

export function createSchedules(http: Http): Schedules {
  const pathOf = (name: string, under = '') => `/schedules/${encodeURIComponent(name)}${under}`
  const post = <T>(path: string, body?: Json & object, isRepeatable = false) =>
    http.json<T>({ method: 'POST', path, isRepeatable, ...(body && { body }) })
  return {
    list: async () => (await http.json<ScheduleList>({ path: '/schedules' })).schedules,
    get: (name) => http.json<WireSchedule>({ path: pathOf(name) }),
    put: (name, schedule) => http.json<WireSchedule>({ method: 'PUT', path: pathOf(name), body: schedule }),
    delete: async (name) => void (await http.json({ method: 'DELETE', path: pathOf(name) })),
    pause: (name) => post<WireSchedule>(pathOf(name, '/pause'), undefined, true),
    resume: (name) => post<WireSchedule>(pathOf(name, '/resume'), undefined, true),
    run: async (name) => createJob(http, (await post<StatusInfo>(pathOf(name, '/run'))).jobID),
    backfill: (name, span) => post<BackfillAnswer>(pathOf(name, '/backfill'), span),
  }
}
