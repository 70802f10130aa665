import { AttemptTimeoutError, DeadlineExceededError, JobCancelledError, LeaseLostError } from '../errors.ts'
import type { Waits } from '../flow/run-steps.ts'
import type { RecordedError } from '../job/job.ts'
import { recordError } from '../job/recorded-error.ts'
import { cancelled } from '../job/transition.ts'
import type { Lease, Settlement } from '../store/store.ts'

/** Why an attempt is asked to stop. */
export type StopReason =
  | { readonly why: 'cancel'; readonly reason: string }
  | { readonly why: 'timeout'; readonly timeoutMs: number }
  | { readonly why: 'deadline' }
  | { readonly why: 'lease_lost' }
  | { readonly why: 'worker_stops' }
  | ({ readonly why: 'parked' } & Waits)

/** The attempt that is asked to stop. */
export type Stopping = { readonly lease: Lease; readonly task: string }

/** What its signal fires with. */
export function stopError(stop: StopReason, { lease, task }: Stopping): Error {
  switch (stop.why) {
    case 'cancel':
      return new JobCancelledError(lease.jobId, stop.reason)
    case 'timeout':
      return new AttemptTimeoutError(task, stop.timeoutMs)
    case 'deadline':
      return new DeadlineExceededError(task)
    case 'lease_lost':
      return new LeaseLostError(lease.jobId, lease.attempt)
    case 'worker_stops':
      return new Error('The worker stops; the job goes on elsewhere.')
    case 'parked':
      return new Error('The workflow rests in the store.')
  }
}

/** How an attempt that stopped as it was asked to is settled; undefined when its job is somebody else's by now. */
export function stoppedSettlement(stop: StopReason, stopping: Stopping, now: number): Settlement | undefined {
  const { lease } = stopping
  switch (stop.why) {
    case 'cancel':
      return { lease, outcome: 'cancelled', error: cancelled(stop.reason).error }
    case 'timeout':
    case 'deadline':
      return { lease, outcome: 'failed', error: recordedStop(stop, stopping) }
    case 'worker_stops':
      return { lease, outcome: 'released', dueAt: now, reason: 'The worker stopped.' }
    case 'parked': {
      const { waits, dueAt } = stop
      return { lease, outcome: 'parked', waits, ...(dueAt !== undefined && { dueAt }) }
    }
    case 'lease_lost':
      return undefined
  }
}

function recordedStop(stop: StopReason, stopping: Stopping): RecordedError {
  return recordError(stopError(stop, stopping), { jobId: stopping.lease.jobId, name: stopping.task })
}
