import { afterLapse, DRAIN_REQUESTS, deadlineExceeded, type SweepResult } from '@headrace/engine'
import { forgetExpired } from './cache.ts'
import { giveBack, heldBy, promoteDue, running, scheduled } from './commit.ts'
import { retireDrained } from './deployments.ts'
import { applyTransition, Endings } from './ending.ts'
import { type Context, liveJobs, type StoredJob, type StoredStep, type StoredWorker } from './place.ts'
import { wakeRated } from './queue-settings.ts'
import { dueSchedules, nextScheduleAfter } from './schedules.ts'
import { loseSessions } from './sessions.ts'
import { endSignalWaits, nextSignalDue } from './signals.ts'

/** Takes back what lost workers held, makes due what has fallen due, and ends what passed its deadline. */
export function sweep(context: Context): SweepResult {
  const { place } = context
  for (const process of place.processes) if (process.isDead()) place.processes.delete(process)
  const endings = new Endings(context)
  let lostWorkers = 0
  let returnedJobs = 0
  for (const worker of place.workers.values()) {
    const why = whyLost(context, worker)
    if (why === undefined) continue
    lostWorkers++
    returnedJobs += loseWorker(context, endings, worker, why)
  }
  promoteDue(context, endings)
  endPastDeadline(context, endings)
  endSignalWaits(context, endings)
  forgetExpired(context)
  endings.finish()
  retireDrained(context)
  const nextDueAt = nextDue(context)
  const draining = [...(place.settings.get(DRAIN_REQUESTS)?.keys() ?? [])]
  return {
    ...{ lostWorkers, returnedJobs },
    ...(nextDueAt !== Number.POSITIVE_INFINITY && { nextDueAt }),
    ...(draining.length > 0 && { draining }),
    ...(dueSchedules(place, context.clock.now()).length > 0 && { schedulesDue: true }),
  }
}

/** When the next job, schedule or wait for a signal falls due, or a token comes that a job waits for. */
function nextDue(context: Context): number {
  const { place, clock } = context
  return Math.min(
    scheduled(place)[0]?.live.dueAt ?? Number.POSITIVE_INFINITY,
    nextSignalDue(context),
    nextScheduleAfter(place, clock.now()),
    wakeRated(context),
  )
}

function whyLost({ place, clock }: Context, { process, leaseUntil }: StoredWorker): string | undefined {
  if (!place.processes.has(process)) return 'its process ended'
  return leaseUntil <= clock.now() ? 'its lease lapsed' : undefined
}

/** Ends a worker; each job that it held goes on elsewhere. @returns how many it held */
function loseWorker(context: Context, endings: Endings, worker: StoredWorker, why: string): number {
  context.place.workers.delete(worker.id)
  const now = context.clock.now()
  loseSessions(context, endings, worker, why)
  const held = heldBy(context, worker.id)
  for (const job of held) {
    // The end of another one may have ended it.
    if (job.live === undefined) continue
    const lapse = { now, why, isResting: isResting(job, now), sessionLost: job.live.session?.end?.error }
    applyTransition(context, endings, job, afterLapse(running(job), lapse))
  }
  return held.length
}

function isResting({ job, live, steps }: StoredJob, now: number): boolean {
  return job.kind === 'workflow' && live?.isBusy === false && [...steps.values()].some((step) => isWaiting(step, now))
}

/** A step of a workflow that waits, for children or for an instant. */
function isWaiting({ recorded, children, isReleased }: StoredStep, now: number): boolean {
  switch (recorded.kind) {
    case 'map':
      return !isReleased
    case 'call':
      return children[0]?.end === undefined
    case 'sleep':
      return (recorded.dueAt ?? 0) > now
    case 'signal':
      return !isReleased
    default:
      return false
  }
}

// A running job's deadline is kept by its worker, or at the worker's loss.
function endPastDeadline(context: Context, endings: Endings): void {
  const now = context.clock.now()
  for (const job of liveJobs(context.place)) {
    const isPast = job.job.deadlineAt !== undefined && job.job.deadlineAt <= now
    if (isPast && job.live !== undefined && job.live.ending === undefined && job.live.state !== 'running')
      endings.end(job, { to: 'failed', error: deadlineExceeded() })
  }
}

/** Hands back what a worker that says goodbye still holds. */
export function releaseWorker(context: Context, worker: StoredWorker): void {
  context.place.workers.delete(worker.id)
  const endings = new Endings(context)
  loseSessions(context, endings, worker, 'it stopped')
  for (const job of heldBy(context, worker.id)) if (job.live !== undefined) giveBack(context, endings, job)
  endings.finish()
}
