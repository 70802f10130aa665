import type { Problem, StatusInfo, WireError } from '@headrace/wire'

/** Everything the client throws on purpose. `code` is for programs and never changes; `message` is for people. */
export abstract class ClientError extends Error {
  abstract readonly code: string
}

/** The server refused, and said why. `code` is the server's own, listed in docs/errors.md. */
export class ProblemError extends ClientError {
  override readonly name = 'ProblemError'
  readonly problem: Problem
  readonly status: number
  readonly code: string
  /** What `Retry-After` asked for, when the server sent it. */
  readonly retryAfterMs: number | undefined
  constructor(problem: Problem, retryAfterMs?: number) {
    super(problem.detail ?? problem.title)
    this.problem = problem
    this.status = problem.status
    this.code = problem.code
    this.retryAfterMs = retryAfterMs
  }
}

/** No answer, or none that Headrace would give. Whether a call that changes something took effect is unknown. */
export class UnreachableError extends ClientError {
  override readonly name = 'UnreachableError'
  readonly code = 'unreachable'
  readonly url: string
  constructor(url: string, why: string, options?: { cause: unknown }) {
    super(`${url} cannot be reached: ${why}. Is the server running, and is the address right?`, options)
    this.url = url
  }
}

/** The job ended `failed`. `error` is what its last attempt threw, from whatever depth of its tree. */
export class JobFailedError extends ClientError {
  override readonly name = 'JobFailedError'
  readonly code = 'job_failed'
  readonly jobId: string
  readonly error: WireError
  readonly status: StatusInfo
  constructor(status: StatusInfo) {
    const error = status.error ?? { code: 'unknown', message: status.message ?? 'no reason was recorded' }
    super(`${status.processID} (job ${status.jobID}) failed: ${error.message}`)
    this.jobId = status.jobID
    this.error = error
    this.status = status
  }
}

/** The job was cancelled before it ended. */
export class JobCancelledError extends ClientError {
  override readonly name = 'JobCancelledError'
  readonly code = 'job_cancelled'
  readonly jobId: string
  readonly status: StatusInfo
  constructor(status: StatusInfo) {
    super(`${status.processID} (job ${status.jobID}) was cancelled${reasonOf(status)}.`)
    this.jobId = status.jobID
    this.status = status
  }
}

/** The client stopped waiting; the job goes on. `lastStatus` is what was last known of it. */
export class WaitTimeoutError extends ClientError {
  override readonly name = 'WaitTimeoutError'
  readonly code = 'wait_timeout'
  readonly jobId: string
  readonly timeoutMs: number
  readonly lastStatus: StatusInfo | undefined
  constructor(jobId: string, timeoutMs: number, lastStatus: StatusInfo | undefined) {
    super(`Job ${jobId} had not ended after ${timeoutMs} ms. It goes on; ask again later.`)
    this.jobId = jobId
    this.timeoutMs = timeoutMs
    this.lastStatus = lastStatus
  }
}

function reasonOf(status: StatusInfo): string {
  const reason = status.error?.message ?? status.message
  return reason ? `: ${reason.replace(/\.$/, '')}` : ''
}
