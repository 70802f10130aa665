import { OptionInvalidError } from '../errors.ts'
import type { Job, JobId } from '../job/job.ts'
import type { KeptStep, NewJob, Payload } from '../store/store.ts'
import { checkLimit, checkText } from '../task/check-options.ts'
import type { AnyTask } from '../task/workflow.ts'

/** Where a retry begins: with nothing, or with what the ended workflow had recorded before the step that failed. */
export type RetryFrom = 'start' | 'failed-step'

export type RetryOptions = {
  /**
   * Default: `failed-step` for a workflow that failed or was cancelled, else `start`. A task has no steps, and always
   * begins at its start.
   */
  readonly from?: RetryFrom
  /**
   * Instead of the ended job's. Steps that are taken over keep the outcomes that they came to with the old input: only
   * what runs from then on sees the new one. Code that asks for other steps because of it fails with `workflow_changed`;
   * for such a change, begin at the `start`.
   */
  readonly input?: unknown
  /** Makes a repeated request harmless; unique per owner. */
  readonly idempotencyKey?: string
}

/** @throws {OptionInvalidError} */
export function checkRetry({ from, idempotencyKey }: RetryOptions, { id, kind, state }: Job): RetryFrom {
  if (idempotencyKey !== undefined) checkText('idempotencyKey', idempotencyKey)
  const refuse = (allowed: string) => new OptionInvalidError('The place to begin (from)', String(from), allowed)
  if (from !== undefined && from !== 'start' && from !== 'failed-step') throw refuse('start or failed-step')
  if (from === 'failed-step' && kind === 'task') throw refuse(`start: job ${id} is of a task, which has no steps`)
  if (from === 'failed-step' && state === 'succeeded') throw refuse(`start: no step of job ${id} failed`)
  return from ?? (kind === 'workflow' && state !== 'succeeded' ? 'failed-step' : 'start')
}

export type Again = {
  readonly id: JobId
  readonly job: Job
  readonly task: AnyTask
  readonly payload: Payload
  /** The new input as the task's schema reads it, where there is a new one. */
  readonly edited?: { readonly input: unknown }
  readonly keeps: readonly KeptStep[]
}

/** A new job like an ended one, which the new one says that it repeats. */
export function retriedJob({ id, job, task, payload, edited, keeps }: Again): NewJob {
  const { kind, queue, priority, owner, tags, deployment, labels, needs } = job
  const limit =
    edited !== undefined && typeof task.limit === 'function' ? task.limit(edited.input) : (job.limit ?? undefined)
  return {
    id,
    task: job.task,
    kind,
    queue,
    priority,
    input: payload,
    tags,
    retryOf: job.id,
    ...(keeps.length > 0 && { keeps }),
    ...(owner !== undefined && { owner }),
    ...(deployment !== undefined && { deployment }),
    ...(labels !== undefined && { labels }),
    ...(needs !== undefined && { needs }),
    ...(limit !== undefined && { limit: checkLimit(limit) }),
    ...(task.lapsesMax !== undefined && { lapsesMax: task.lapsesMax }),
    ...(task.kind === 'workflow' && task.onFailure !== undefined && { cleanup: true }),
  }
}
