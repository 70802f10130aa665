import { JobCancelledError, JobFailedError, ProblemError, UnreachableError, WaitTimeoutError } from '@headrace/client'
import type { JobState } from '@headrace/wire'
import { CommanderError } from 'commander'
import { CliError } from './errors.ts'

/** What the command's end says to scripts; README.md explains each. */
export const EXIT = {
  ok: 0,
  failed: 1,
  usage: 2,
  notFound: 3,
  auth: 4,
  cancelled: 5,
  unreachable: 6,
  waitTimeout: 124,
  interrupted: 130,
} as const

export type ExitCode = (typeof EXIT)[keyof typeof EXIT]

/** The exit code of a command that waited for a job. */
export function exitCodeOfState(state: JobState): ExitCode {
  if (state === 'failed') return EXIT.failed
  return state === 'cancelled' ? EXIT.cancelled : EXIT.ok
}

export function exitCodeOfError(error: unknown): ExitCode {
  if (error instanceof CliError) return error.exitCode
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage
  if (error instanceof ProblemError) return exitCodeOfStatus(error.status)
  if (error instanceof UnreachableError) return EXIT.unreachable
  if (error instanceof WaitTimeoutError) return EXIT.waitTimeout
  if (error instanceof JobCancelledError) return EXIT.cancelled
  if (error instanceof JobFailedError) return EXIT.failed
  return exitCodeOfCode((error as { readonly code?: unknown } | null)?.code)
}

/** By code, so that the packages which throw these need not be loaded to tell: geo's are about what the caller gave. */
function exitCodeOfCode(code: unknown): ExitCode {
  if (typeof code !== 'string') return EXIT.failed
  if (code === 'layer_not_found') return EXIT.notFound
  if (code === 'artifact_store_unavailable' || code === 'store_unavailable') return EXIT.unreachable
  if (/^(store_unusable|artifacts_url_invalid|artifact_bucket_missing|artifact_credentials_refused)$/.test(code))
    return EXIT.usage
  return /^(layer|raster|crs|classes)_/.test(code) ? EXIT.usage : EXIT.failed
}

function exitCodeOfStatus(status: number): ExitCode {
  if (status === 401 || status === 403) return EXIT.auth
  if (status === 404) return EXIT.notFound
  if (status >= 502 && status <= 504) return EXIT.unreachable
  return status < 500 && status !== 429 ? EXIT.usage : EXIT.failed
}
