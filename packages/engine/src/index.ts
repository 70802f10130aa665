export { assertNever, type Branded } from './brand.ts'
export type { CacheMode, CacheOptions } from './cache/cache-key.ts'
export { CANVAS_TASK, canvasWorkflow } from './canvas/canvas-workflow.ts'
export { CANVAS_LIMITS } from './canvas/check.ts'
export * from './canvas/node.ts'
export { type RunOptions as CanvasRunOptions, runCanvas, tagOfNode } from './canvas/run.ts'
export { CANVAS_SCHEMA } from './canvas/schema.ts'
export type { Clock, Timer } from './clock/clock.ts'
export { artifactNamesIn, namesOfCommit, namesOfJobs, unreadPayloadOf } from './collection/artifact-names.ts'
export type { ArtifactPlace, PlacedArtifact } from './collection/artifact-place.ts'
export type { ArtifactAmount, Collected, CollectionProgress } from './collection/collection.ts'
export type { ArtifactPass } from './collection/collection-turns.ts'
export { ARTIFACT_NOTES, Removals } from './collection/removals.ts'
export * from './engine.ts'
export * from './errors.ts'
export { ExecutorError, type ExecutorErrorCode } from './executor/errors.ts'
export { type Executor, program, thread } from './executor/executor.ts'
export type { ThreadJob } from './executor/thread-job.ts'
export type { CallOptions, Flow, MapOptions, Outcome, StepOptions } from './flow/flow.ts'
export type { Polled, PollOptions } from './flow/poll.ts'
export type { Session, SessionCallOptions, SessionMapOptions, SessionOptions } from './flow/session.ts'
export type { WaitForOptions } from './flow/signal-steps.ts'
export { type RecordedHistory, recordHistory } from './history/record-history.ts'
export { isJobId } from './job/ids.ts'
export * from './job/job.ts'
export { DEFAULT_QUEUE } from './job/new-job.ts'
export {
  afterGoodbye,
  afterLapse,
  afterSettlement,
  cancelled,
  cleansUp,
  deadlineExceeded,
  endedAs,
  LAPSES_MAX,
  type LastWord,
  limitFull,
  type Running,
  SESSION_OVER,
  sessionLost,
  sessionUnfit,
  signalTimedOut,
  type Transition,
} from './job/transition.ts'
export type { Json } from './json.ts'
export { isArtifactOwner, noteArtifactOwner } from './payload/artifact-owners.ts'
export type { ArtifactSink } from './payload/payloads.ts'
export {
  DEFAULT_RETENTION,
  isPastKeep,
  type Keep,
  type KeepFor,
  pruneHorizon,
  type Retention,
  type RetentionPolicy,
} from './retention/policy.ts'
export type {
  PruneOptions,
  PruneStep,
  RetentionBook,
  RetentionPass,
  RetentionStatus,
} from './retention/retention-book.ts'
export type { RedriveFilter, Redriven, RedriveOptions } from './retry/retries.ts'
export type { RetryFrom, RetryOptions } from './retry/retry-job.ts'
export { type DeploymentState, type Placed, placeJob } from './routing/deployment.ts'
export { fairRank } from './routing/fair.ts'
export {
  LaneChoice,
  type LaneKey,
  type LaneWants,
  laneMatcher,
  laneOf,
  readLane,
  type WorkerTraits,
} from './routing/lane.ts'
export { type Bucket, nextTokenAt, type Rate, refilled, wholeTokens } from './routing/rate.ts'
export { type Amounts, amountsOf, lacking, minus, plus, type Resources } from './routing/resources.ts'
export { chooseFitting, type Room, type Starving } from './routing/room.ts'
export { type WaitCode, type WaitReason, whyWaiting } from './routing/why-waiting.ts'
export * from './schedule/schedule.ts'
export type { BackfillOptions, Schedule, Schedules } from './schedule/schedules.ts'
export { HintCollector, HintListeners } from './store/hints.ts'
export type { Firing, ScheduleRecord, ScheduleRecords } from './store/schedule-records.ts'
export * from './store/store.ts'
export { type JobContext, type LimitOption, type RetryPolicy, type Task, type TaskOptions, task } from './task/task.ts'
export { type AnyTask, type Callable, type OnFailure, type Workflow, workflow } from './task/workflow.ts'
export { drainingWorkers } from './worker/drain.ts'
export type { Worker, WorkerOptions } from './worker/supervised-worker.ts'
