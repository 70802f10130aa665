import type { ErrorCode } from '@headrace/engine'
import type { Problem } from '@headrace/wire'

/** What the server itself says no to, besides what the engine does. A closed list: `docs/errors.md` explains each. */
export type ServerErrorCode =
  | 'unauthenticated'
  | 'scope_missing'
  | 'cross_site'
  | 'host_not_allowed'
  | 'route_unknown'
  | 'request_invalid'
  | 'body_not_json'
  | 'media_type_unsupported'
  | 'body_too_large'
  | 'idempotency_key_invalid'
  | 'artifact_unknown'
  | 'range_invalid'
  | 'upload_unknown'
  | 'upload_expired'
  | 'upload_too_large'
  | 'upload_offset_conflict'
  | 'upload_checksum_mismatch'
  | 'upload_busy'
  | 'upload_disk_full'
  | 'login_token_used'
  | 'dashboard_missing'
  | 'closing'
  | 'internal'

export type ProblemCode = ErrorCode | ServerErrorCode

/** One thing wrong with a request: `pointer` (RFC 6901) leads into the body, or names a query parameter. */
export type Flaw = { readonly pointer: string; readonly detail: string }

const TYPE_BASE = 'urn:headrace:error:'
const OGC_EXCEPTION_BASE = 'http://www.opengis.net/def/exceptions/ogcapi-processes-1/1.0/'

/** The codes for which OGC API - Processes 1.0 has a name of its own. */
const OGC_EXCEPTIONS: Readonly<Partial<Record<ProblemCode, string>>> = {
  unknown_task: 'no-such-process',
  unknown_job: 'no-such-job',
  job_not_ended: 'result-not-ready',
}

/**
 * An answer that is an error. Throw it from any route, an app's too, and the client gets an RFC 9457 problem.
 * @example throw new HttpProblem({ status: 404, code: 'layer_unknown', title: 'No such layer', detail: `There is no layer ${name}.` })
 */
export class HttpProblem extends Error {
  override readonly name = 'HttpProblem'
  readonly status: number
  /** One of {@link ProblemCode}, or an app's own. */
  readonly code: string
  readonly title: string
  readonly flaws: readonly Flaw[]
  readonly headers: Readonly<Record<string, string>>
  constructor(
    problem: {
      readonly status: number
      readonly code: ProblemCode | (string & {})
      readonly title: string
      readonly detail: string
      readonly errors?: readonly Flaw[]
      readonly headers?: Readonly<Record<string, string>>
    },
    options?: { readonly cause: unknown },
  ) {
    super(problem.detail, options)
    this.status = problem.status
    this.code = problem.code
    this.title = problem.title
    this.flaws = problem.errors ?? []
    this.headers = problem.headers ?? {}
  }
}

/** The body that goes over the wire. */
export function toProblem(problem: HttpProblem, instance: string): Problem {
  return {
    type: typeOfCode(problem.code),
    title: problem.title,
    status: problem.status,
    detail: problem.message,
    instance,
    code: problem.code,
    ...(problem.flaws.length > 0 ? { errors: problem.flaws } : {}),
  }
}

function typeOfCode(code: string): string {
  const ogcException = OGC_EXCEPTIONS[code as ProblemCode] // sound: an app's code finds nothing there
  return ogcException ? OGC_EXCEPTION_BASE + ogcException : TYPE_BASE + code
}

/** Says each flaw in the sentence too, for those who read only that; the first few, so that it stays a sentence. */
export function requestInvalid(what: string, errors: readonly Flaw[]): HttpProblem {
  const shown = errors.slice(0, 5).map((flaw) => `${flaw.pointer || 'the whole value'}: ${flaw.detail}`)
  const more = errors.length > shown.length ? ` (and ${errors.length - shown.length} more)` : ''
  return new HttpProblem({
    status: 400,
    code: 'request_invalid',
    title: 'The request is invalid',
    detail: `${what} is invalid. ${shown.join('; ')}${more}`,
    errors,
  })
}

export function unknownJob(id: string): HttpProblem {
  return new HttpProblem({
    status: 404,
    code: 'unknown_job',
    title: 'No such job',
    detail: `There is no job ${id} that you may see. It may never have existed, or its retention has passed.`,
  })
}

export function unknownProcess(id: string): HttpProblem {
  return new HttpProblem({
    status: 404,
    code: 'unknown_task',
    title: 'No such process',
    detail: `There is no process ${id} here. GET /processes lists them.`,
  })
}

/** RFC 6901. */
export function pointerOf(path: readonly PropertyKey[]): string {
  return path.map((key) => `/${String(key).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('')
}
