import { assertNever } from '../brand.ts'
import type { Settlement } from '../store/store.ts'
import type { EndState, RecordedError } from './job.ts'

// What a job may become. Nothing else decides it; the stores only write down what these functions say.
//
//           claim               returned
// waiting ─────────▶ running ─────────────▶ succeeded
//  │   ▲              │ │ │
//  │   └──────────────┘ │ └───────────────▶ failed      threw with no attempts left, or passed its deadline
//  │    threw, lapsed   │
//  │    or handed back  │
//  └────────────────────┴─────────────────▶ cancelled
//
// A store holds `waiting` in three forms: `held` (not due until its group lets it go), `scheduled` (due later) and
// `ready`. Asking a running job to stop leaves it running until its worker settles it, or is lost.

/** What a running job is, as far as its next state depends on it. */
export type Running = {
  readonly cancelReason: string | undefined
  readonly deadlineAt: number | undefined
  /** Workers lost in a row without a recorded step between them. */
  readonly lapses: number
}

export type Transition =
  | { readonly to: EndState; readonly result?: string; readonly error?: RecordedError }
  | {
      readonly to: 'waiting'
      readonly dueAt: number
      readonly because: 'retried' | 'released' | 'lapsed'
      readonly error?: RecordedError
    }

/** A job that loses so many workers in a row is taken to kill them, and fails. */
export const LAPSES_MAX = 5

/** What becomes of a job whose worker settles its attempt. Once it was asked to stop, it ends cancelled, whatever it did. */
export function afterSettlement(running: Running, settlement: Settlement): Transition {
  if (running.cancelReason !== undefined) return cancelled(running.cancelReason)
  switch (settlement.outcome) {
    case 'succeeded':
      return { to: 'succeeded', result: settlement.result }
    case 'failed':
    case 'cancelled':
      return { to: settlement.outcome, error: settlement.error }
    case 'retried':
      return { to: 'waiting', dueAt: settlement.dueAt, because: 'retried', error: settlement.error }
    case 'released':
      return { to: 'waiting', dueAt: settlement.dueAt, because: 'released' }
    default:
      return assertNever(settlement)
  }
}

/** What becomes of a job whose worker was lost at `now`. */
export function afterLapse(running: Running, now: number, why: string): Transition {
  if (running.cancelReason !== undefined) return cancelled(running.cancelReason)
  if (running.deadlineAt !== undefined && running.deadlineAt <= now) return { to: 'failed', error: deadlineExceeded() }
  const error: RecordedError = { code: 'worker_lost', message: `The worker was lost: ${why}.`, retryable: true }
  if (running.lapses + 1 < LAPSES_MAX) return { to: 'waiting', dueAt: now, because: 'lapsed', error }
  const message = `${LAPSES_MAX} workers were lost in a row while running this job, the last one since ${why}. It may be what kills them.`
  return { to: 'failed', error: { code: 'worker_lost', message, retryable: false } }
}

/** How a cancelled job ends. */
export function cancelled(reason: string): { readonly to: 'cancelled'; readonly error: RecordedError } {
  return { to: 'cancelled', error: { code: 'job_cancelled', message: reason, retryable: false } }
}

/** The error of a job whose deadline passed before it could end. */
export function deadlineExceeded(): RecordedError {
  return { code: 'deadline_exceeded', message: 'The job did not end before its deadline.', retryable: false }
}
