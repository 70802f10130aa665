import { EngineError, type InputInvalidError, type TaskFailedError } from '@headrace/engine'
import { HttpProblem, pointerOf } from './http-problem.ts'

/** What Fastify throws: it has a `code` of its own and a status. */
type FastifyFault = Error & { readonly code?: string; readonly statusCode?: number }

/**
 * What a client is told about anything that was thrown.
 * @param sizeBytesMax the body limit of the route, for the message of a 413
 * @returns            a problem; status 500 for what nobody foresaw, without a word of its message
 */
export function problemOfError(error: unknown, request: { readonly id: string; readonly sizeBytesMax: number }) {
  if (error instanceof HttpProblem) return error
  if (error instanceof EngineError) return problemOfEngineError(error) ?? internalProblem(request.id, error)
  return problemOfFault(error as FastifyFault, request.sizeBytesMax) ?? internalProblem(request.id, error)
}

function problemOfEngineError(error: EngineError): HttpProblem | undefined {
  const say = (status: number, title: string, headers: Readonly<Record<string, string>> = {}) =>
    new HttpProblem({ status, code: error.code, title, detail: error.message, headers }, { cause: error })
  switch (error.code) {
    case 'input_invalid':
      return problemOfInput(error as InputInvalidError) // sound: only that class has this code
    case 'option_invalid':
      return say(400, 'An option is invalid')
    case 'schedule_invalid':
      return say(400, 'The schedule is invalid')
    case 'schedule_range_too_large':
      return say(400, 'The span is too long')
    case 'unknown_deployment':
      return say(404, 'No such deployment')
    case 'unknown_worker':
      return say(404, 'No such worker')
    case 'deployment_busy':
      return say(409, 'The deployment has live jobs')
    case 'unknown_schedule':
      return say(404, 'No such schedule')
    case 'not_json':
      return say(400, 'The input is not JSON')
    case 'unknown_task':
      return say(404, 'No such process')
    case 'unknown_job':
      return say(404, 'No such job')
    case 'job_not_ended':
    case 'job_ended':
    case 'not_a_workflow':
      return say(409, 'The job is not in a state for this')
    case 'prune_interrupted':
      return say(409, 'The pass is not here')
    case 'deployment_closed':
      return say(409, 'The deployment takes no new jobs')
    case 'limit_full':
      return say(409, 'The limit is full')
    case 'idempotency_conflict':
      return say(422, 'The idempotency key was used for another request')
    case 'payload_too_large':
      return say(413, 'The input is too large')
    case 'task_failed':
      return problemOfFailure(error as TaskFailedError) // sound: only that class has this code
    case 'job_cancelled':
      return say(410, 'The job was cancelled')
    case 'store_full':
      return say(507, 'The store is full')
    case 'store_unavailable':
      return say(503, 'The store does not answer', { 'retry-after': '5' })
    default:
      return undefined
  }
}

/** @param prefix where in the request's body the input stands; the body itself is the input when it is left out */
export function problemOfInput(error: InputInvalidError, prefix: readonly string[] = []): HttpProblem {
  const errors = error.issues.map((issue) => ({
    pointer: pointerOf([...prefix, ...issue.path]),
    detail: issue.message,
  }))
  return new HttpProblem(
    { status: 400, code: error.code, title: 'The input is invalid', detail: error.message, errors },
    { cause: error },
  )
}

/** 422, not 5xx: the server is well, and to ask for the result again is useless. */
function problemOfFailure(error: TaskFailedError): HttpProblem {
  return new HttpProblem(
    { status: 422, code: error.error.code, title: `${error.task} failed`, detail: error.message },
    { cause: error },
  )
}

function problemOfFault(error: FastifyFault, sizeBytesMax: number): HttpProblem | undefined {
  switch (error?.code) {
    case 'FST_ERR_CTP_BODY_TOO_LARGE':
      return new HttpProblem({
        status: 413,
        code: 'body_too_large',
        title: 'The body is too large',
        detail: `The body is larger than the ${sizeBytesMax} bytes taken here. Put the data in an artifact and pass its id, or split it.`,
      })
    case 'FST_ERR_CTP_INVALID_MEDIA_TYPE':
      return new HttpProblem({
        status: 415,
        code: 'media_type_unsupported',
        title: 'The media type is not understood',
        detail: 'This takes JSON. Send it with Content-Type: application/json.',
      })
    default:
      return problemOfStatus(error)
  }
}

/** A 4xx of Fastify or of a plugin: its message is about the request, so the client may read it. */
function problemOfStatus(error: FastifyFault): HttpProblem | undefined {
  const status = error?.statusCode
  if (status === undefined || status < 400 || status > 499) return undefined
  return new HttpProblem({ status, code: 'request_invalid', title: 'The request is invalid', detail: error.message })
}

function internalProblem(requestId: string, cause: unknown): HttpProblem {
  return new HttpProblem(
    {
      status: 500,
      code: 'internal',
      title: 'Something went wrong here',
      detail: `The server met an error that it did not foresee; its log has it under request ${requestId}.`,
    },
    { cause },
  )
}
