import type { JobId, RecordedError } from './job/job.ts'

/** Every code that the engine's errors carry, on purpose. A closed list: `docs/errors.md` explains each. */
export type ErrorCode =
  | 'input_invalid'
  | 'output_invalid'
  | 'not_json'
  | 'option_invalid'
  | 'unknown_task'
  | 'unknown_job'
  | 'duplicate_task'
  | 'idempotency_conflict'
  | 'job_not_ended'
  | 'job_ended'
  | 'task_failed'
  | 'step_failed'
  | 'job_cancelled'
  | 'task_threw'
  | 'attempt_timeout'
  | 'deadline_exceeded'
  | 'worker_lost'
  | 'poison_job'
  | 'cleanup_timeout'
  | 'lease_lost'
  | 'workflow_changed'
  | 'wait_timeout'
  | 'store_unavailable'
  | 'store_full'
  | 'store_refused'
  | 'store_not_ours'
  | 'store_too_new'
  | 'store_unusable'
  | 'transaction_refused'
  | 'payload_too_large'
  | 'group_too_large'
  | 'limit_full'
  | 'deployment_closed'
  | 'unknown_deployment'
  | 'deployment_busy'
  | 'unknown_worker'
  | 'canvas_unresolved'
  | 'schedule_invalid'
  | 'unknown_schedule'
  | 'schedule_range_too_large'
  | 'signal_timeout'
  | 'poll_timeout'
  | 'session_lost'
  | 'session_unfit'
  | 'history_invalid'
  | 'not_a_workflow'
  | 'prune_interrupted'

/** Everything the engine throws on purpose. `code` is for programs and never changes; `message` is for people. */
export abstract class EngineError extends Error {
  abstract readonly code: ErrorCode
}

/** One thing wrong with an input: where, as a path of keys, and what. */
export type InputIssue = { readonly path: readonly (string | number)[]; readonly message: string }

export class InputInvalidError extends EngineError {
  override readonly name = 'InputInvalidError'
  readonly code = 'input_invalid'
  readonly retryable = false
  readonly issues: readonly InputIssue[]
  constructor(task: string, issues: readonly InputIssue[]) {
    super(`The input of ${task} is invalid: ${describeIssues(issues)}.`)
    this.issues = issues
  }
}

export class OutputInvalidError extends EngineError {
  override readonly name = 'OutputInvalidError'
  readonly code = 'output_invalid'
  readonly retryable = false
  constructor(task: string, issues: readonly InputIssue[]) {
    super(`${task} returned something that its output schema refuses: ${describeIssues(issues)}.`)
  }
}

export class NotJsonError extends EngineError {
  override readonly name = 'NotJsonError'
  readonly code = 'not_json'
  readonly retryable = false
  constructor(what: string, options?: { cause: unknown }) {
    super(
      `${what} cannot be stored as JSON. Return plain objects, arrays, strings, finite numbers, booleans or null.`,
      options,
    )
  }
}

export class OptionInvalidError extends EngineError {
  override readonly name = 'OptionInvalidError'
  readonly code = 'option_invalid'
  readonly retryable = false
  constructor(option: string, value: string, allowed: string) {
    super(`${option} is ${value}; it must be ${allowed}. Nothing was stored.`)
  }
}

export class UnknownTaskError extends EngineError {
  override readonly name = 'UnknownTaskError'
  readonly code = 'unknown_task'
  constructor(task: string, known: readonly string[]) {
    super(`No task or workflow is named ${task}. Known here: ${known.join(', ') || 'none'}.`)
  }
}

export class UnknownJobError extends EngineError {
  override readonly name = 'UnknownJobError'
  readonly code = 'unknown_job'
  constructor(id: string) {
    super(`There is no job ${id}. It may never have existed, or its retention has passed.`)
  }
}

export class DuplicateTaskError extends EngineError {
  override readonly name = 'DuplicateTaskError'
  readonly code = 'duplicate_task'
  constructor(task: string) {
    super(`Two tasks are named ${task}. Names are global; rename one of them.`)
  }
}

export class IdempotencyConflictError extends EngineError {
  override readonly name = 'IdempotencyConflictError'
  readonly code = 'idempotency_conflict'
  readonly jobId: JobId
  constructor(key: string, jobId: JobId) {
    super(
      `The idempotency key ${key} was used for another request, which became job ${jobId}. Send a new key for a new request.`,
    )
    this.jobId = jobId
  }
}

/** Something that only a live job can take was sent to one that has ended. */
export class JobEndedError extends EngineError {
  override readonly name = 'JobEndedError'
  readonly code = 'job_ended'
  constructor(id: JobId, what: string) {
    super(`Job ${id} has ended, and takes no ${what} any more. Nothing was stored.`)
  }
}

export class JobNotEndedError extends EngineError {
  override readonly name = 'JobNotEndedError'
  readonly code = 'job_not_ended'
  constructor(id: JobId, state: string) {
    super(`Job ${id} is ${state}; this needs a job that has ended. Wait for it, or cancel it first.`)
  }
}

/** A job that was waited for failed. `error` is what its last attempt threw, from whatever depth. */
export class TaskFailedError extends EngineError {
  override readonly name = 'TaskFailedError'
  readonly code = 'task_failed'
  readonly retryable = false
  readonly jobId: JobId
  readonly task: string
  readonly error: RecordedError
  constructor(jobId: JobId, task: string, error: RecordedError) {
    super(`${task} (job ${jobId}) failed: ${error.message}`)
    this.jobId = jobId
    this.task = task
    this.error = error
  }
}

/** A local step of a workflow failed. `error` is what it threw, the same on every replay. */
export class StepFailedError extends EngineError {
  override readonly name = 'StepFailedError'
  readonly code = 'step_failed'
  readonly retryable = false
  readonly error: RecordedError
  constructor(step: string, error: RecordedError) {
    super(`Step ${step} failed: ${error.message}`)
    this.error = error
  }
}

export class JobCancelledError extends EngineError {
  override readonly name = 'JobCancelledError'
  readonly code = 'job_cancelled'
  readonly retryable = false
  readonly jobId: JobId
  constructor(jobId: JobId, reason: string) {
    super(`Job ${jobId} was cancelled: ${reason}`)
    this.jobId = jobId
  }
}

export class AttemptTimeoutError extends EngineError {
  override readonly name = 'AttemptTimeoutError'
  readonly code = 'attempt_timeout'
  constructor(task: string, timeoutMs: number) {
    super(`${task} took longer than its timeout of ${timeoutMs} ms. Raise timeoutMs, or give it less to do.`)
  }
}

/** A compensation, or an `onFailure`, took too long; its workflow goes on to end without it. */
export class CleanupTimeoutError extends EngineError {
  override readonly name = 'CleanupTimeoutError'
  readonly code = 'cleanup_timeout'
  constructor(cleanup: string, timeoutMs: number) {
    super(`${cleanup} did not end within ${timeoutMs} ms, and is given up.`)
  }
}

export class DeadlineExceededError extends EngineError {
  override readonly name = 'DeadlineExceededError'
  readonly code = 'deadline_exceeded'
  readonly retryable = false
  constructor(task: string) {
    super(`${task} did not end before its deadline.`)
  }
}

export class LeaseLostError extends EngineError {
  override readonly name = 'LeaseLostError'
  readonly code = 'lease_lost'
  constructor(jobId: JobId, attempt: number) {
    super(`Attempt ${attempt} of job ${jobId} no longer holds its lease; what it does now is not recorded.`)
  }
}

export class WorkflowChangedError extends EngineError {
  override readonly name = 'WorkflowChangedError'
  readonly code = 'workflow_changed'
  readonly retryable = false
  /** The first step that differs, what it was, and what it is now. */
  readonly change: { readonly step: number; readonly recorded: string; readonly now: string }
  constructor(task: string, step: number, recorded: string, now: string) {
    super(
      `${task} did not repeat what it recorded: step ${step} was ${recorded}, and is now ${now}. ` +
        'Its code changed, or it is not deterministic: keep clocks, randomness and I/O inside flow.step, flow.now and flow.random.',
    )
    this.change = { step, recorded, now }
  }
}

/** A workflow waited for a signal that did not come in time. It may catch this and go on. */
export class SignalTimeoutError extends EngineError {
  override readonly name = 'SignalTimeoutError'
  readonly code = 'signal_timeout'
  readonly retryable = false
}

/** Work that was started elsewhere was not done in time; it was told to end if `cancel` says how. */
export class PollTimeoutError extends EngineError {
  override readonly name = 'PollTimeoutError'
  readonly code = 'poll_timeout'
  readonly retryable = false
  constructor(name: string, timeoutMs: number) {
    super(`${name} was not done after ${timeoutMs} ms. Raise timeoutMs, or find out what holds it up there.`)
  }
}

/**
 * The worker that had all steps of a session is gone, and with it what they left there. All that lived of the session has
 * failed with this; it may be begun anew, on another worker.
 */
export class SessionLostError extends EngineError {
  override readonly name = 'SessionLostError'
  readonly code = 'session_lost'
  readonly retryable = true
}

/** What was to be replayed is no history of that workflow. */
export class HistoryInvalidError extends EngineError {
  override readonly name = 'HistoryInvalidError'
  readonly code = 'history_invalid'
  constructor(why: string) {
    super(`The history cannot be replayed: ${why}.`)
  }
}

/** Only a workflow's code can wait for a signal. */
export class NotAWorkflowError extends EngineError {
  override readonly name = 'NotAWorkflowError'
  readonly code = 'not_a_workflow'
  constructor(id: JobId) {
    super(
      `Job ${id} is a task, and only workflows wait for signals and have a history. Nothing was stored; check the job's id.`,
    )
  }
}

export class WaitTimeoutError extends EngineError {
  override readonly name = 'WaitTimeoutError'
  readonly code = 'wait_timeout'
  constructor(id: JobId, timeoutMs: number) {
    super(`Job ${id} had not ended after ${timeoutMs} ms. It goes on; ask again later.`)
  }
}

export class StoreUnavailableError extends EngineError {
  override readonly name = 'StoreUnavailableError'
  readonly code = 'store_unavailable'
  constructor(store: string, waitedMs: number, options?: { cause: unknown }) {
    super(`The store ${store} did not answer within ${waitedMs} ms. Jobs are safe; workers keep trying.`, options)
  }
}

/** A store that did not answer when it was to be opened; nothing was begun. The same may go through later, unchanged. */
export class StoreUnreachableError extends EngineError {
  override readonly name = 'StoreUnreachableError'
  readonly code = 'store_unavailable'
  constructor(store: string, why: string, remedy: string, options?: { cause: unknown }) {
    super(`The store ${store} cannot be reached: ${why}. ${remedy}`, options)
  }
}

export class StoreFullError extends EngineError {
  override readonly name = 'StoreFullError'
  readonly code = 'store_full'
  constructor(store: string, options?: { cause: unknown }) {
    super(
      `The store ${store} cannot grow: its disk is full. Nothing of this was stored. Free some space and try again.`,
      options,
    )
  }
}

/** A store that is well refused what an attempt wanted to have recorded, so the attempt's job failed. */
export class StoreRefusedError extends EngineError {
  override readonly name = 'StoreRefusedError'
  readonly code = 'store_refused'
  readonly retryable = false
  constructor(what: string, options: { cause: unknown }) {
    const { cause } = options
    const reason = (cause instanceof Error ? cause.message : String(cause)).slice(0, REASON_LENGTH_MAX)
    super(`The store refused ${what}: ${reason}. Look for a value that cannot be stored, and submit it again.`, options)
  }
}

export class StoreNotOursError extends EngineError {
  override readonly name = 'StoreNotOursError'
  readonly code = 'store_not_ours'
  constructor(path: string, why: string, options?: { cause: unknown }) {
    super(`${path} is not a Headrace database: ${why}. It was left as it is. Name another file.`, options)
  }
}

export class StoreTooNewError extends EngineError {
  override readonly name = 'StoreTooNewError'
  readonly code = 'store_too_new'
  constructor(path: string, found: number, known: number) {
    super(`${path} has schema ${found}, and this Headrace knows up to ${known}. Run the newer Headrace that made it.`)
  }
}

/** A store that could not be opened, for a reason that stays until somebody changes something. */
export class StoreUnusableError extends EngineError {
  override readonly name = 'StoreUnusableError'
  readonly code = 'store_unusable'
  constructor(store: string, why: string, remedy: string, options?: { cause: unknown }) {
    super(`${store} cannot be used: ${why}. ${remedy}`, options)
  }
}

/** What was given as `in` of a submission cannot take jobs of this store. */
export class TransactionRefusedError extends EngineError {
  override readonly name = 'TransactionRefusedError'
  readonly code = 'transaction_refused'
  constructor(why: string, options?: { cause: unknown }) {
    super(`The transaction cannot take the job: ${why}. Nothing was stored.`, options)
  }
}

export class PayloadTooLargeError extends EngineError {
  override readonly name = 'PayloadTooLargeError'
  readonly code = 'payload_too_large'
  readonly retryable = false
  constructor(what: string, sizeBytes: number, sizeBytesMax: number) {
    super(
      `${what} has ${sizeBytes} bytes of JSON; at most ${sizeBytesMax} are taken. Put it in an artifact and pass its id.`,
    )
  }
}

/** `jobId`: the oldest live job of the same limit. Nothing was stored. */
export class LimitFullError extends EngineError {
  override readonly name = 'LimitFullError'
  readonly code = 'limit_full'
  readonly jobId: JobId
  constructor(key: string, max: number, jobId: JobId) {
    super(
      `The limit ${key} takes ${max}, and is full: job ${jobId} is in the way. Wait for its end, or cancel it. Nothing was stored.`,
    )
    this.jobId = jobId
  }
}

/** A draining or retired deployment takes no new jobs. Nothing was stored. */
export class DeploymentClosedError extends EngineError {
  override readonly name = 'DeploymentClosedError'
  readonly code = 'deployment_closed'
  constructor(deployment: string, state: string) {
    super(
      `Deployment ${deployment} is ${state}, and takes no new jobs. Name another one, or none for the active one, or promote it again. Nothing was stored.`,
    )
  }
}

export class UnknownDeploymentError extends EngineError {
  override readonly name = 'UnknownDeploymentError'
  readonly code = 'unknown_deployment'
  constructor(deployment: string) {
    super(`There is no deployment ${deployment}: no worker and no job has named it yet. Start a worker of it first.`)
  }
}

/** A deployment that is to be retired still has jobs that live. Nothing was changed. */
export class DeploymentBusyError extends EngineError {
  override readonly name = 'DeploymentBusyError'
  readonly code = 'deployment_busy'
  constructor(deployment: string) {
    super(
      `Jobs of the deployment ${deployment} have not ended. Drain it and it retires by itself, or force it, which cancels them. Nothing was changed.`,
    )
  }
}

export class UnknownWorkerError extends EngineError {
  override readonly name = 'UnknownWorkerError'
  readonly code = 'unknown_worker'
  constructor(worker: string) {
    super(
      `There is no worker ${worker}. It may have stopped; a worker that lost its lease comes back under another id.`,
    )
  }
}

/** A canvas came to a place where it cannot go on: a reference leads to nothing, or to something of another kind. */
export class CanvasUnresolvedError extends EngineError {
  override readonly name = 'CanvasUnresolvedError'
  readonly code = 'canvas_unresolved'
  readonly retryable = false
  constructor(why: string) {
    super(`The canvas cannot go on: ${why}.`)
  }
}

export class ScheduleInvalidError extends EngineError {
  override readonly name = 'ScheduleInvalidError'
  readonly code = 'schedule_invalid'
  constructor(schedule: string, why: string, options?: { cause: unknown }) {
    super(`The schedule ${schedule} cannot be: ${why}. Nothing was stored.`, options)
  }
}

export class UnknownScheduleError extends EngineError {
  override readonly name = 'UnknownScheduleError'
  readonly code = 'unknown_schedule'
  constructor(schedule: string) {
    super(`There is no schedule ${schedule}.`)
  }
}

export class ScheduleRangeTooLargeError extends EngineError {
  override readonly name = 'ScheduleRangeTooLargeError'
  readonly code = 'schedule_range_too_large'
  constructor(schedule: string, instantsMax: number) {
    super(`The span holds more than ${instantsMax} instants of ${schedule}. Fill in shorter ones, one after the other.`)
  }
}

export class PruneInterruptedError extends EngineError {
  override readonly name = 'PruneInterruptedError'
  readonly code = 'prune_interrupted'
  constructor() {
    super(
      'The pass over the artifacts that this goes on with is not here: another one was begun, or it was begun in another process. Begin again without a cursor.',
    )
  }
}

export class GroupTooLargeError extends EngineError {
  override readonly name = 'GroupTooLargeError'
  readonly code = 'group_too_large'
  readonly retryable = false
  constructor(task: string, size: number, sizeMax: number) {
    super(`A group of ${size} × ${task} is larger than ${sizeMax}. Let each child take several items.`)
  }
}

/** Throw it from a task when trying again is useless: the job fails at once, whatever attempts it has left. */
export class NonRetryableError extends Error {
  override readonly name: string = 'NonRetryableError'
  readonly retryable = false
}

const REASON_LENGTH_MAX = 500

function describeIssues(issues: readonly InputIssue[]): string {
  const shown = issues
    .slice(0, 5)
    .map((issue) => `${issue.path.join('.') || 'the whole value'}: ${issue.message.replace(/\.$/, '')}`)
  const more = issues.length > shown.length ? ` (and ${issues.length - shown.length} more)` : ''
  return shown.join('; ') + more
}
