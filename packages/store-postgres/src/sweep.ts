import { afterGoodbye, afterLapse, DRAIN_REQUESTS, deadlineExceeded, type SweepResult } from '@headrace/engine'
import { Changes, type Ending, type HeldRow, running } from './changes.ts'
import { PROMOTED_MAX } from './commit.ts'
import { statements } from './connection/named.ts'
import { call, type Session } from './connection/session.ts'
import { type Context, inTransaction, type Work } from './context.ts'
import { moveDeployments } from './deployments.ts'
import { type DueRow, hintAtPromoted } from './promote.ts'
import { type QueueRow, wakeRated } from './queue-settings.ts'
import { type LostSessions, loseSessions, lostOf } from './sessions.ts'
import { endSignalWaits } from './signals.ts'

/** The advisory lock of whoever sweeps. */
const SWEEP_LOCK = -2
/** A process is looked for so long before it is believed to have ended: it may only be connecting again. */
const MISSED_MS = 300
/** After its own restart a server has seen nobody for a moment. */
const SERVER_AGE_MS_MIN = 3_000
/** How far back it is looked for claims that were under way when their worker was ended. */
const STRAGGLERS_MS = 60_000

type MissingRow = { readonly id: number; readonly missed_at: number | null; readonly server_age_ms: number }
type WorkerRow = {
  readonly id: number
  readonly process: number
  readonly is_gone: boolean
  readonly has_lapsed: boolean
}
/** What a look found that there is to do. */
export type Findings = {
  readonly missing: readonly MissingRow[]
  readonly workers: readonly WorkerRow[]
  readonly stragglers: readonly number[]
  readonly hasWork: boolean
  readonly nextDueAt: number | undefined
  readonly schedulesDue: boolean
  readonly draining: readonly string[]
  readonly areDeploymentsMoving: boolean
  readonly queues: readonly QueueRow[]
}

/**
 * Takes back what lost workers held, makes due what has fallen due, and ends what passed its deadline. Everybody looks;
 * whoever finds something to do does it alone.
 */
export async function sweep(session: Session, context: Context, found: Findings): Promise<SweepResult> {
  const swept = await act(session, context, found)
  const tokenAt = await wakeRated(session, context, found.queues)
  if (tokenAt === undefined) return swept
  return { ...swept, nextDueAt: Math.min(tokenAt, swept.nextDueAt ?? tokenAt) }
}

/** What a sweep says that has nothing to do; undefined where there is something. */
export function nothingToSweep({ hasWork, queues, ...found }: Findings): SweepResult | undefined {
  const isRated = queues.some(({ rate_count: rate }) => rate !== null)
  return hasWork || isRated ? undefined : result(found)
}

async function act(session: Session, context: Context, found: Findings): Promise<SweepResult> {
  const { schedulesDue, draining } = found
  if (!found.hasWork) return result(found)
  return inTransaction(session, context, async (work) => {
    const [mine] = await work.tx.rows<{ readonly is_mine: boolean }>('trySweep', SWEEP_LOCK)
    if (!mine?.is_mine) return result(found)
    const dead = missProcesses(work, found.missing)
    const lost = found.workers.filter(({ is_gone, has_lapsed, process }) => is_gone || has_lapsed || dead.has(process))
    const changes = new Changes(work)
    const returned = await loseWorkers(work, changes, { lost, dead, stragglers: found.stragglers })
    await promote(work)
    await takeNotes(work)
    work.tx.later('deleteExpiredCache', work.now)
    await endPastDeadline(work, changes)
    await endSignalWaits(work, changes)
    await changes.finish()
    if (found.areDeploymentsMoving) moveDeployments(work, await work.tx.rows('deploymentsToMove'))
    const next = await work.tx.all([
      call(statements.nextScheduled),
      call(statements.nextSignalEnd),
      call(statements.nextScheduleAfter, work.now),
    ])
    const nextDueAt = soonest(next.flat())
    return result({ lostWorkers: lost.length, returnedJobs: returned, nextDueAt, schedulesDue, draining })
  })
}

function result(found: {
  readonly lostWorkers?: number
  readonly returnedJobs?: number
  readonly nextDueAt: number | undefined
  readonly schedulesDue: boolean
  readonly draining: readonly string[]
}): SweepResult {
  const { lostWorkers = 0, returnedJobs = 0, nextDueAt, schedulesDue, draining } = found
  return {
    lostWorkers,
    returnedJobs,
    ...(nextDueAt !== undefined && { nextDueAt }),
    ...(schedulesDue && { schedulesDue }),
    ...(draining.length > 0 && { draining }),
  }
}

function soonest(rows: readonly Readonly<Record<string, unknown>>[]): number | undefined {
  return rows.length === 0 ? undefined : Math.min(...rows.map((row) => Number(row.due_at)))
}

/**
 * One round trip that changes nothing: most of the time there is nothing to do.
 * @param now      what falls due is judged by it
 * @param leaseNow the instant by which leases are judged; the database's own where it is left out
 */
export async function lookForWork(session: Session, now: number, leaseNow: number | undefined): Promise<Findings> {
  const [
    missing = [],
    workers = [],
    stragglers = [],
    scheduled = [],
    signals = [],
    late = [],
    fresh = [],
    schedules = [],
    due = [],
    noted = [],
    expired = [],
    moving = [],
    queues = [],
    draining = [],
  ] = await session.pipeline([
    call(statements.missingProcesses),
    call(statements.lostWorkers, leaseNow),
    call(statements.endedHolders, now - STRAGGLERS_MS),
    call(statements.nextScheduled),
    call(statements.nextSignalEnd),
    call(statements.pastDeadline, now),
    call(statements.unannounced),
    call(statements.nextScheduleAfter, now),
    call(statements.scheduleDue, now),
    call(statements.hasNotes),
    call(statements.hasExpiredCache, now),
    call(statements.deploymentsToMove),
    call(statements.queueSettings),
    call(statements.listSettings, DRAIN_REQUESTS),
  ])
  const nextDueAt = soonest([...scheduled, ...signals, ...schedules])
  // The statements' own columns.
  const all = workers as unknown as readonly WorkerRow[]
  const gone = missing as unknown as readonly MissingRow[]
  const hasWork =
    gone.length + stragglers.length + late.length > 0 ||
    all.some(({ is_gone, has_lapsed }) => is_gone || has_lapsed) ||
    fresh[0]?.found === true ||
    noted[0]?.found === true ||
    expired[0]?.found === true ||
    moving.length > 0 ||
    (nextDueAt !== undefined && nextDueAt <= now)
  return {
    missing: gone,
    workers: all,
    stragglers: stragglers.map(({ id }) => Number(id)),
    hasWork,
    nextDueAt,
    schedulesDue: due.length > 0,
    draining: draining.map(({ key }) => String(key)),
    areDeploymentsMoving: moving.length > 0,
    queues: queues as unknown as readonly QueueRow[],
  }
}

/** @returns the processes that are gone for good */
function missProcesses({ tx, now }: Work, missing: readonly MissingRow[]): ReadonlySet<number> {
  const seen = missing.filter(({ server_age_ms: ageMs }) => ageMs >= SERVER_AGE_MS_MIN)
  const fresh = seen.filter(({ missed_at: missedAt }) => missedAt === null).map(({ id }) => id)
  const isGone = ({ missed_at: missedAt }: MissingRow) => missedAt !== null && now - missedAt >= MISSED_MS
  const dead = seen.filter(isGone).map(({ id }) => id)
  if (fresh.length > 0) tx.later('missProcesses', fresh, now)
  if (dead.length > 0) tx.later('deleteProcesses', dead)
  return new Set(dead)
}

/** Ends workers; each job that they held goes on elsewhere. @returns how many those are */
async function loseWorkers(
  work: Work,
  changes: Changes,
  {
    lost,
    dead,
    stragglers,
  }: {
    readonly lost: readonly WorkerRow[]
    readonly dead: ReadonlySet<number>
    readonly stragglers: readonly number[]
  },
): Promise<number> {
  const { tx, now } = work
  if (lost.length > 0) {
    tx.later(
      'endWorkers',
      lost.map(({ id }) => id),
      now,
    )
  }
  const whys = new Map(stragglers.map((id) => [id, 'it was ended']))
  for (const { id, is_gone, process } of lost)
    whys.set(id, is_gone || dead.has(process) ? 'its process ended' : 'its lease lapsed')
  const lostSessions = await loseSessions(work, changes, whys)
  let returned = 0
  for (const [id, why] of whys) returned += await loseWorker(work, changes, { id, why, lostSessions })
  return returned
}

async function loseWorker(
  work: Work,
  changes: Changes,
  { id: worker, why, lostSessions }: { readonly id: number; readonly why: string; readonly lostSessions: LostSessions },
): Promise<number> {
  const held = await lockHeldBy(work, changes, worker)
  if (held.length === 0) return 0
  const workflows = held.filter(({ is_workflow, busy }) => is_workflow && !busy).map(({ seq }) => seq)
  type Row = { readonly seq: number }
  const resting = new Set(
    workflows.length === 0
      ? []
      : (await work.tx.rows<Row>('waitingWorkflows', workflows, work.now)).map(({ seq }) => seq),
  )
  for (const job of held) {
    const sessionLost = lostOf(job, lostSessions)
    const lapse = { now: work.now, why, isResting: resting.has(job.seq), sessionLost }
    changes.apply(job, afterLapse(running(job), lapse))
  }
  return held.length
}

/** Everything that a worker holds, its groups locked before it. */
async function lockHeldBy({ tx }: Work, changes: Changes, worker: number): Promise<readonly HeldRow[]> {
  const rows = await tx.rows<{ readonly seq: number }>('heldByWorker', worker)
  if (rows.length === 0) return []
  const seqs = rows.map(({ seq }) => seq)
  const [groups = [], held = []] = await tx.all([
    call(statements.lockGroups, seqs),
    call(statements.lockHeld, seqs, worker),
  ])
  changes.knowGroups(groups)
  // The statement's own columns.
  return held as unknown as readonly HeldRow[]
}

/** Hands back what workers that say goodbye still hold. */
export async function releaseWorkers(work: Work, workers: readonly number[]): Promise<void> {
  const changes = new Changes(work)
  work.tx.later('endWorkers', workers, work.now)
  const lost = await loseSessions(work, changes, new Map(workers.map((id) => [id, 'it stopped'])))
  for (const worker of workers) {
    for (const job of await lockHeldBy(work, changes, worker))
      changes.apply(job, afterGoodbye(job.cancel_reason ?? undefined, work.now, lostOf(job, lost)))
  }
  await changes.finish()
}

async function promote(work: Work): Promise<void> {
  const [, rows = []] = await work.tx.all([
    call(statements.announceJobs, work.now),
    call(statements.promoteScheduled, work.now, PROMOTED_MAX),
  ])
  // The statement's own columns.
  const due = rows as unknown as readonly DueRow[]
  hintAtPromoted(work, due)
  work.notes.asked(due)
}

/** What others have left undone for limits and results is served behind this. */
async function takeNotes({ tx, notes }: Work): Promise<void> {
  type Row = { readonly is_cache: boolean; readonly key: string }
  const rows = await tx.rows<Row>('notedKeys')
  notes.asked(
    rows.map((row) =>
      row.is_cache ? { limit_key: null, cache_key: row.key } : { limit_key: row.key, cache_key: null },
    ),
  )
}

// A running job's deadline is kept by its worker, or at the worker's loss.
async function endPastDeadline({ tx, now }: Work, changes: Changes): Promise<void> {
  const late = await tx.rows<{ readonly seq: number }>('pastDeadline', now)
  if (late.length === 0) return
  const seqs = late.map(({ seq }) => seq)
  const [groups = [], jobs = []] = await tx.all([call(statements.lockGroups, seqs), call(statements.lockWaiting, seqs)])
  changes.knowGroups(groups)
  for (const job of jobs as unknown as readonly Ending[]) {
    const waiting = { ...job, worker: null, started_at: null, started_cursor: null }
    changes.end(waiting, { to: 'failed', error: deadlineExceeded() })
  }
}
