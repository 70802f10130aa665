export {
  type Client,
  type ClientOptions,
  createClient,
  type EventFeedOptions,
  type JobPage,
  type JobsQuery,
  type RedriveQuery,
  type SubmitOptions,
} from './client.ts'
export type { Clock, Timer } from './clock/clock.ts'
export type { Documents } from './documents.ts'
export * from './errors.ts'
export type { Connection } from './events/follow-events.ts'
export type { Fetch, Token } from './http/http.ts'
export type { FollowJobOptions } from './job/follow-job.ts'
export type { Job } from './job/job.ts'
export type { LogOptions } from './job/read-logs.ts'
export { isEnded, type WaitOptions } from './job/wait-for-end.ts'
export type { AddedModel, ModelQuestion, Models, PredictOptions } from './models.ts'
export type { Schedules } from './schedules.ts'
