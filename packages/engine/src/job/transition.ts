import { assertNever } from '../brand.ts'
import type { Ending, Settlement } from '../store/store.ts'
import type { EndState, JobId, JobLimit, RecordedError } from './job.ts'

// What a job may become. Nothing else decides it; the stores only write down what these functions say.
//
//           claim               returned
// waiting ─────────▶ running ─────────────▶ succeeded
//  │   ▲              │ │ │
//  │   └──────────────┘ │ └───────────────▶ failed      threw with no attempts left, or passed its deadline
//  │    threw, lapsed   │
//  │    handed back,    │
//  │    or parked       │
//  └────────────────────┴─────────────────▶ cancelled
//
// A store holds `waiting` in five forms: `held` (not due until its group lets it go), `scheduled` (due later), `blocked`
// (due, and without a permit of its limit), `parked` (a workflow that waits for its steps, in no worker) and `ready`. Asking a running job to stop leaves it running until its worker settles it, or is lost.

/** What a running job is, as far as its next state depends on it. */
export type Running = {
  readonly cancelReason: string | undefined
  readonly deadlineAt: number | undefined
  /** Workers lost in a row that it may have killed, without a recorded step between them. */
  readonly lapses: number
  /** So many of them are taken for proof. Default {@link LAPSES_MAX}. */
  readonly lapsesMax?: number | undefined
}

/** The loss of a job's worker. */
export type Lapse = {
  readonly now: number
  readonly why: string
  /**
   * Whether it is a workflow that rested, as far as its store knows: a stored step of it still waits, for children or
   * for time, and it had not said that it does something itself meanwhile.
   */
  readonly isResting: boolean
  /** Of a job that belongs to a session of that worker: how it fails, for nobody else may go on with it. */
  readonly sessionLost?: RecordedError | undefined
}

export type Transition =
  | { readonly to: EndState; readonly result?: string; readonly error?: RecordedError }
  | {
      readonly to: 'waiting'
      readonly dueAt: number
      readonly because: 'retried' | 'released' | 'lapsed'
      readonly error?: RecordedError
      /** The worker's loss counts against the job, which may have caused it. */
      readonly isBlamed?: boolean
    }
  /** It waits in the store for one of these steps, or for an instant, and in no worker. */
  | { readonly to: 'parked'; readonly waits: readonly number[]; readonly dueAt?: number }

/** A job that loses so many workers in a row while it may run code is taken to kill them, and fails; unless its task says otherwise. */
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
    case 'parked': {
      const { waits, dueAt } = settlement
      return { to: 'parked', waits, ...(dueAt !== undefined && { dueAt }) }
    }
    default:
      return assertNever(settlement)
  }
}

/**
 * What becomes of a job whose worker was lost. A workflow may rest for weeks and outlive many workers, none of which it
 * killed: a loss counts against it only when its code may have run. Its code runs between two outcomes, and then nothing
 * of it waits, or in a local step, and a workflow that had lost a worker before says so before it begins one. What
 * is left is a workflow whose code kills between two outcomes while another branch of it waits: it is blamed as soon
 * as that branch has ended. To count a loss too few costs some workers; to count one too many fails a healthy job.
 */
export function afterLapse(
  running: Running,
  { now, why, isResting, sessionLost }: Lapse,
): Exclude<Transition, { readonly to: 'parked' }> {
  if (running.cancelReason !== undefined) return cancelled(running.cancelReason)
  if (running.deadlineAt !== undefined && running.deadlineAt <= now) return { to: 'failed', error: deadlineExceeded() }
  if (sessionLost !== undefined) return { to: 'failed', error: sessionLost }
  const error: RecordedError = { code: 'worker_lost', message: `The worker was lost: ${why}.`, retryable: true }
  if (isResting) return { to: 'waiting', dueAt: now, because: 'lapsed', error, isBlamed: false }
  const { lapses, lapsesMax = LAPSES_MAX } = running
  if (lapses + 1 < lapsesMax) return { to: 'waiting', dueAt: now, because: 'lapsed', error, isBlamed: true }
  const lost = lapsesMax === 1 ? 'A worker was lost' : `${lapsesMax} workers were lost in a row`
  const message = `${lost} while running this job, the last one since ${why}. It may be what kills them.`
  return { to: 'failed', error: { code: 'poison_job', message, retryable: false } }
}

/** What becomes of a job whose worker says goodbye while it holds it. @param lost see {@link Lapse.sessionLost} */
export function afterGoodbye(
  cancelReason: string | undefined,
  now: number,
  lost?: RecordedError,
): Exclude<Transition, { readonly to: 'parked' }> {
  if (cancelReason !== undefined) return cancelled(cancelReason)
  return lost === undefined ? { to: 'waiting', dueAt: now, because: 'released' } : { to: 'failed', error: lost }
}

/** The error of all that lives of a session whose worker is gone, and of what is added to it later. */
export function sessionLost(worker: string, why: string): RecordedError {
  return { code: 'session_lost', message: `Worker ${worker} of the session was lost: ${why}.`, retryable: true }
}

/** The error of a job of a session whose worker could never take it, as nobody else may. */
export function sessionUnfit(task: string): RecordedError {
  const message = `The worker of its session does not know ${task}, or lacks the labels or the resources that it asks for.`
  return { code: 'session_unfit', message, retryable: false }
}

/** Why what lives of a session is cancelled when its body is over. */
export const SESSION_OVER = 'Its session ended before it.'

/** How a cancelled job ends. */
export function cancelled(reason: string): { readonly to: 'cancelled'; readonly error: RecordedError } {
  return { to: 'cancelled', error: { code: 'job_cancelled', message: reason, retryable: false } }
}

/** The error of a job whose deadline passed before it could end. */
export function deadlineExceeded(): RecordedError {
  return { code: 'deadline_exceeded', message: 'The job did not end before its deadline.', retryable: false }
}

/** The error of a child that was refused because its limit was full. */
export function limitFull({ key, max }: JobLimit, inTheWay: JobId): RecordedError {
  const message = `The limit ${key} takes ${max}, and is full: job ${inTheWay} is in the way.`
  return { code: 'limit_full', message, retryable: true }
}

/** What a workflow gets instead of a signal that did not come in time. Only the store decides that, once. */
export function signalTimedOut(name: string): RecordedError {
  return { code: 'signal_timeout', message: `No signal ${name} came in time.`, retryable: false }
}

/** What a live workflow has to do before it may end otherwise than well. */
export type LastWord = {
  readonly hasOnFailure: boolean
  /** A step was begun that is to be undone. */
  readonly compensates: boolean
}

/**
 * Whether a job that is to end `failed` or `cancelled` first gets another attempt, in which its code has the last word. Once
 * it has had it, or while it has it, nothing changes how it ends.
 */
export function cleansUp({ hasOnFailure, compensates }: LastWord, to: EndState): boolean {
  switch (to) {
    case 'succeeded':
      return false
    case 'cancelled':
      return compensates
    case 'failed':
      return compensates || hasOnFailure
    default:
      return assertNever(to)
  }
}

/** How a workflow ends that had the last word: as it was to, with what its worker has to add about its cleaning up. */
export function endedAs(
  { to, error }: Ending,
  settled: { readonly to: EndState; readonly error?: RecordedError },
): { readonly to: 'failed' | 'cancelled'; readonly error: RecordedError } {
  return { to, error: settled.to === to && settled.error !== undefined ? settled.error : error }
}
