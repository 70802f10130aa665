import { StepFailedError, TaskFailedError } from '../errors.ts'
import type { JobId, RecordedError } from './job.ts'

/** Longer stacks and messages are cut: they are for people, and each attempt keeps one. */
const TEXT_LENGTH_MAX = 16_384

/**
 * What a task threw, as it is stored. An error that came up from a child keeps the child's code and message, and says
 * where it began, so that the top of a tree shows the cause and not a chain of wrappers.
 */
export function recordError(thrown: unknown, task: { readonly jobId: JobId; readonly name: string }): RecordedError {
  if (thrown instanceof TaskFailedError) {
    return { ...thrown.error, origin: thrown.error.origin ?? { jobId: thrown.jobId, task: thrown.task } }
  }
  if (thrown instanceof StepFailedError) return thrown.error
  const error = asErrorLike(thrown)
  return {
    code: typeof error.code === 'string' && error.code !== '' ? error.code : 'task_threw',
    message: cut(describe(error, thrown)),
    ...(typeof error.name === 'string' && { name: error.name }),
    ...(typeof error.stack === 'string' && { stack: cut(error.stack) }),
    ...(typeof error.retryable === 'boolean' && { retryable: error.retryable }),
    ...(task.name !== '' && { origin: { jobId: task.jobId, task: task.name } }),
  }
}

type ErrorLike = { code?: unknown; message?: unknown; name?: unknown; stack?: unknown; retryable?: unknown }

function asErrorLike(thrown: unknown): ErrorLike {
  return typeof thrown === 'object' && thrown !== null ? thrown : {}
}

function describe(error: ErrorLike, thrown: unknown): string {
  if (typeof error.message === 'string' && error.message !== '') return error.message
  return thrown instanceof Error ? thrown.name : `It threw ${String(thrown)}, which is not an Error.`
}

function cut(text: string): string {
  return text.length <= TEXT_LENGTH_MAX ? text : `${text.slice(0, TEXT_LENGTH_MAX)}… (cut, ${text.length} characters)`
}
