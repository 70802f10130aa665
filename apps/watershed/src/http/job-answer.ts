import type { Job, JobState, Json } from '@headrace/engine'

/** What upstream knows of a job's state; one that is waiting, too, has `started` there. */
type MmwStatus = 'started' | 'complete' | 'failed'

/** The body of GET /api/jobs/{uuid}/. */
export type JobAnswer = {
  readonly job_uuid: string
  readonly status: MmwStatus
  /** Empty text until there is one. */
  readonly result: Json
  /** Empty text where nothing went wrong. */
  readonly error: string
  /** When it was submitted, as upstream has it. */
  readonly started: string
  readonly finished: string | null
}

const STATUS_OF_STATE: Readonly<Record<JobState, MmwStatus>> = {
  waiting: 'started',
  running: 'started',
  succeeded: 'complete',
  failed: 'failed',
  cancelled: 'failed',
}

/** @param result of a job that succeeded */
export function toJobAnswer(job: Job, result: Json | undefined): JobAnswer {
  return {
    job_uuid: job.id,
    status: STATUS_OF_STATE[job.state],
    result: result ?? '',
    error: 'error' in job ? job.error.message : '',
    started: new Date(job.createdAt).toISOString(),
    finished: 'endedAt' in job ? new Date(job.endedAt).toISOString() : null,
  }
}
