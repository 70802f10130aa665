import { JobCancelledError, JobFailedError } from '@headrace/client'
import type { StatusInfo } from '@headrace/wire'
import { ranText } from '../terminal/job-state.ts'
import type { Terminal } from '../terminal/terminal.ts'

/** Says how a watched job ended. @throws {JobFailedError | JobCancelledError} which the command's exit code is made of */
export function conclude(terminal: Terminal, status: StatusInfo): void {
  if (status.state === 'failed') throw new JobFailedError(status)
  if (status.state === 'cancelled') throw new JobCancelledError(status)
  const ran = ranText(status, Date.now())
  const text = `Job ${status.jobID} succeeded${ran ? ` in ${ran}` : ''}.`
  terminal.note(terminal.paintNote('green', text))
}
