import {
  type Advance,
  afterGoodbye,
  afterSettlement,
  assertNever,
  type Commit,
  type CommitResult,
  type Json,
  type Lease,
  type NewStep,
  namesOfCommit,
  type Settlement,
  type Told,
  type WorkerId,
} from '@headrace/engine'
import { admit } from './admit.ts'
import { deleteNotes } from './artifact-names.ts'
import { claimAll } from './claim.ts'
import { applyTransition, Endings } from './ending.ts'
import { insertJob, refuseTakenIds } from './enqueue.ts'
import { addEvent, type Context, type Live, liveJobs, type StoredJob, type StoredStep } from './place.ts'
import { closeSession, failUnfit } from './sessions.ts'
import { takeKeptSignal } from './signals.ts'

/** A job under a worker's lease. */
type Held = StoredJob & { live: Live }

/** Everything a worker has to say, all of it or nothing. */
export function commitBatch(context: Context, batch: Commit): CommitResult {
  refuseTakenIds(context, newChildren(context, batch))
  const endings = new Endings(context)
  for (const told of batch.tell) tell(context, told, batch.worker)
  const advanced = batch.advance.map((advance) => recordSteps(context, endings, advance, batch.worker))
  const settled = batch.settle.map((settlement) => settle(context, endings, settlement, batch.worker))
  if (batch.holds !== undefined) giveBackUnheard(context, endings, batch.worker, batch.holds)
  if (batch.claim.length > 0) promoteDue(context, endings)
  if (batch.claim.length > 0) failUnfit(context, endings, batch.worker)
  deleteNotes(context, namesOfCommit(batch))
  const released = endings.finish()
  return { settled, advanced, claimed: claimAll(context, batch), released }
}

/** The job of a lease, while this worker's attempt holds it. */
function held({ place }: Context, lease: Lease, worker: WorkerId): Held | undefined {
  const job = place.byId.get(lease.jobId)
  if (job?.live?.state !== 'running' || job.live.worker !== worker || job.attempt !== lease.attempt) return undefined
  return job as Held
}

/** What the state machine needs to know of a held job. */
export function running({ job, live }: Held) {
  const deadlineAt = live.ending === undefined ? job.deadlineAt : undefined
  return { cancelReason: live.cancel?.reason, deadlineAt, lapses: live.lapses, lapsesMax: job.lapsesMax }
}

function tell(context: Context, told: Told, worker: WorkerId): void {
  const job = held(context, told.lease, worker)
  if (job === undefined) return
  if (told.kind === 'progress') {
    const { fraction, message, at } = told
    job.progress = { fraction, at, ...(message !== undefined && { message }) }
  }
  addEvent(context, job, told.kind, told.lease.attempt, told.at, toldData(told))
}

function toldData(told: Told): { readonly [key: string]: Json | undefined } {
  switch (told.kind) {
    case 'progress':
      return { fraction: told.fraction, message: told.message }
    case 'log':
      return { level: told.level, message: told.message }
    case 'metric':
      return { name: told.name, step: told.step, value: told.value }
    case 'artifact':
      return { name: told.name, artifact: told.artifact, sizeBytes: told.sizeBytes, mediaType: told.mediaType }
    default:
      return assertNever(told)
  }
}

function settle(
  context: Context,
  endings: Endings,
  settlement: Settlement,
  worker: WorkerId,
): CommitResult['settled'][number] {
  const job = held(context, settlement.lease, worker)
  if (job === undefined) return 'lease_lost'
  const isCancelled = job.live.cancel !== undefined
  applyTransition(context, endings, job, afterSettlement(running(job), settlement))
  return isCancelled ? 'cancelled' : 'settled'
}

function newChildren(context: Context, batch: Commit) {
  return batch.advance.flatMap(({ lease, steps }) => {
    const job = held(context, lease, batch.worker)
    if (job === undefined || job.live.cancel !== undefined) return []
    return steps.flatMap(({ step, children }) => (job.steps.has(step) ? [] : (children ?? [])))
  })
}

function recordSteps(
  context: Context,
  endings: Endings,
  { lease, steps }: Advance,
  worker: WorkerId,
): CommitResult['advanced'][number] {
  const job = held(context, lease, worker)
  if (job === undefined) return 'lease_lost'
  if (job.live.cancel !== undefined) return 'cancelling'
  job.live.isBusy = steps.length === 0
  if (steps.length > 0) job.live.lapses = 0
  for (const step of steps) recordStep(context, endings, job, step)
  return 'recorded'
}

function recordStep(context: Context, endings: Endings, job: Held, step: NewStep): void {
  // Said again, since the worker had not heard that it was recorded.
  const known = job.steps.get(step.step)
  if (known !== undefined) {
    const { compensates, value, error } = known.recorded
    const isBegun = compensates === true || known.session !== undefined
    if (!isBegun || value !== undefined || error !== undefined) return
    const { value: ended, error: failed } = step
    known.recorded = {
      ...known.recorded,
      ...(ended !== undefined && { value: ended }),
      ...(failed !== undefined && { error: failed }),
    }
    const isOver = ended !== undefined || failed !== undefined
    if (known.session !== undefined && isOver) closeSession(context, endings, known.session)
    return
  }
  if (step.compensates === true) job.live.compensates = true
  const { children = [], attached = false, concurrency = Number.POSITIVE_INFINITY, ...rest } = step
  const now = context.clock.now()
  const isGroup = step.kind === 'map'
  const stored: StoredStep = {
    recorded: { ...rest, ...(isGroup && { policy: step.policy ?? 'fail' }), recordedAt: now },
    children: [],
    remaining: children.length,
    isReleased: isGroup && children.length === 0,
    endedBy: undefined,
    ...(step.kind === 'session' && { session: { worker: undefined, end: undefined } }),
  }
  job.steps.set(step.step, stored)
  for (const [item, child] of children.entries()) {
    const parent = { job, step: stored, item, isAttached: attached }
    insertJob(context, endings, child, parent, item >= concurrency)
  }
  if (step.kind === 'signal') takeKeptSignal(endings, job, stored)
  if (step.kind === 'call' || step.kind === 'start' || step.kind === 'now') return
  addEvent(context, job, 'step', job.attempt, now, { step: step.step, kind: step.kind, name: step.name })
}

/** What an earlier commit claimed without the worker's hearing of it goes back to the line. */
function giveBackUnheard(context: Context, endings: Endings, worker: WorkerId, holds: Commit['holds'] & object): void {
  const known = new Map(holds.map(({ row, attempt }) => [row, attempt]))
  for (const job of heldBy(context, worker)) {
    if (known.get(job.seq) !== job.attempt) giveBack(context, endings, job)
  }
}

/** Hands a job back unharmed, unless nobody else may take it. */
export function giveBack(context: Context, endings: Endings, job: Held): void {
  const { cancel, session } = job.live
  const transition = afterGoodbye(cancel?.reason, context.clock.now(), session?.end?.error)
  applyTransition(context, endings, job, transition)
}

export function heldBy({ place }: Context, worker: WorkerId): Held[] {
  return liveJobs(place).filter(({ live }) => live.state === 'running' && live.worker === worker)
}

/** However many fall due at one instant, an operation stays short; the next sweep goes on with the rest. */
const PROMOTED_MAX = 1_000

/**
 * Scheduled jobs whose time has come can be claimed from now on: the first of them, when they are many. Of those of one pass, the
 * one that was stored first asks first for a permit or a result.
 */
export function promoteDue(context: Context, endings: Endings): void {
  const now = context.clock.now()
  const due = scheduled(context.place).filter(({ live }) => live.dueAt <= now)
  const promoted = due.slice(0, PROMOTED_MAX).sort((a, b) => a.seq - b.seq)
  for (const job of promoted) admit(context, endings, job)
}

/** The scheduled and parked jobs, the first to fall due first. */
export function scheduled(place: Context['place']): Held[] {
  const jobs = liveJobs(place).filter(({ live }) => live.state === 'scheduled' || live.state === 'parked')
  return jobs.sort((a, b) => a.live.dueAt - b.live.dueAt || a.seq - b.seq)
}
