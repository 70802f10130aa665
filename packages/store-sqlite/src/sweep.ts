import {
  afterGoodbye,
  afterLapse,
  DRAIN_REQUESTS,
  deadlineExceeded,
  type RecordedError,
  type Release,
  type SweepResult,
} from '@headrace/engine'
import { FOR_EVER } from '@headrace/engine/rows'
import { forgetExpired } from './cache.ts'
import { promoteDue, running } from './commit.ts'
import { retireDrained } from './deployments.ts'
import { applyTransition, type Ending, Endings, type HeldRow } from './ending.ts'
import type { Context } from './prepared.ts'
import type { ProcessRegistry } from './process-registry.ts'
import { wakeRated } from './queue-settings.ts'
import { loseSessions } from './sessions.ts'
import { endSignalWaits } from './signals.ts'

type WorkerRow = { readonly id: number; readonly uid: string; readonly process: number; readonly lease_until: number }

/** Takes back what lost workers held, makes due what has fallen due, and ends what passed its deadline. */
export function sweep(context: Context, processes: ProcessRegistry): SweepResult & { readonly released: Release[] } {
  const { sql, clock } = context
  const endings = new Endings(context)
  const dead = processes.removeDead()
  let lostWorkers = 0
  let returnedJobs = 0
  for (const worker of sql.all<WorkerRow>('aliveWorkers')) {
    const why = whyLost(worker, dead, processes, clock.now())
    if (why === undefined) continue
    lostWorkers++
    returnedJobs += loseWorker(context, endings, worker.id, why)
  }
  promoteDue(context, endings)
  endPastDeadline(context, endings)
  endSignalWaits(context, endings)
  forgetExpired(context)
  const released = endings.finish()
  retireDrained(context)
  const nextDueAt = nextDue(context)
  const schedulesDue = sql.get('scheduleDue', clock.now()) !== undefined
  const draining = sql.all<{ readonly key: string }>('listSettings', DRAIN_REQUESTS).map(({ key }) => key)
  return {
    lostWorkers,
    returnedJobs,
    released,
    ...(nextDueAt !== undefined && { nextDueAt }),
    ...(schedulesDue && { schedulesDue }),
    ...(draining.length > 0 && { draining }),
  }
}

/** When the next job, schedule or wait for a signal falls due, or a token comes that a job waits for. */
function nextDue(context: Context): number | undefined {
  const { sql, clock } = context
  const job = sql.get<{ due_at: number | null }>('nextScheduled')?.due_at ?? Number.POSITIVE_INFINITY
  const signal = sql.get<{ due_at: number | null }>('nextSignalDue')?.due_at ?? Number.POSITIVE_INFINITY
  // One that is due already may have nobody here who knows its task, and must not have this sweep without end.
  const schedule = sql.get<{ next_at: number | null }>('nextScheduleAfter', clock.now())?.next_at
  const next = Math.min(job, signal, schedule ?? Number.POSITIVE_INFINITY, wakeRated(context))
  return next >= FOR_EVER ? undefined : next
}

function whyLost(
  worker: WorkerRow,
  dead: ReadonlySet<number>,
  processes: ProcessRegistry,
  now: number,
): string | undefined {
  if (dead.has(worker.process) || !processes.isKnown(worker.process)) return 'its process ended'
  if (worker.lease_until <= now) return 'its lease lapsed'
  return undefined
}

/** Ends a worker; each job that it held goes on elsewhere. @returns how many it held */
function loseWorker(context: Context, endings: Endings, worker: number, why: string): number {
  const { sql, clock } = context
  const lost = loseSessions(context, endings, worker, { name: endWorker(context, worker), why })
  const held = sql.all<HeldRow>('heldByWorker', worker)
  for (const { seq } of held) {
    const job = stillHeld(context, worker, seq)
    if (job === undefined) continue
    const lapse = { now: clock.now(), why, isResting: isResting(context, job), ...lostWith(job, lost) }
    applyTransition(context, endings, job, afterLapse(running(job), lapse))
  }
  return held.length
}

/** @returns the worker's name */
function endWorker({ sql, clock }: Context, worker: number): string {
  return sql.get<{ name: string }>('endWorker', clock.now(), worker)?.name ?? String(worker)
}

function lostWith({ session }: HeldRow, lost: RecordedError): { readonly sessionLost?: RecordedError } {
  return session === null ? {} : { sessionLost: lost }
}

function isResting({ sql, clock }: Context, job: HeldRow): boolean {
  return job.kind === 'workflow' && job.busy === 0 && sql.get('waitingStep', job.seq, clock.now()) !== undefined
}

// Read again, since the end of another one may have asked it to stop.
function stillHeld({ sql }: Context, worker: number, seq: number): HeldRow | undefined {
  return sql.get<HeldRow>('heldBySeq', seq, worker)
}

/** Hands back what a worker that says goodbye still holds. */
export function releaseWorker(context: Context, worker: number): Release[] {
  const { sql, clock } = context
  const endings = new Endings(context)
  const now = clock.now()
  const lost = loseSessions(context, endings, worker, { name: endWorker(context, worker), why: 'it stopped' })
  for (const { seq } of sql.all<HeldRow>('heldByWorker', worker)) {
    const job = stillHeld(context, worker, seq)
    if (job === undefined) continue
    const { sessionLost } = lostWith(job, lost)
    applyTransition(context, endings, job, afterGoodbye(job.cancel_reason ?? undefined, now, sessionLost))
  }
  return endings.finish()
}

// A running job's deadline is kept by its worker, or at the worker's loss.
function endPastDeadline(context: Context, endings: Endings): void {
  const { sql, clock } = context
  for (const job of sql.all<Ending>('pastDeadline', clock.now())) {
    endings.end({ ...job, worker: null, started_at: null }, { to: 'failed', error: deadlineExceeded() })
  }
}
