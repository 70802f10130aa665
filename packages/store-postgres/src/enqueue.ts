import {
  type Enqueued,
  HintCollector,
  type JobId,
  type LaneKey,
  laneOf,
  type NewJob,
  namesOfJobs,
} from '@headrace/engine'
import { deleteNotes } from './artifact-names.ts'
import { areAnswered } from './cache.ts'
import { Changes } from './changes.ts'
import { statements } from './connection/named.ts'
import type { Call } from './connection/pipeline.ts'
import { call, type Session } from './connection/session.ts'
import { type Context, inTransaction, type Work } from './context.ts'
import { type PlacedRoots, placeRoots } from './deployments.ts'
import type { Lanes } from './lanes.ts'
import { LimitGate } from './limits.ts'
import { HAS_ON_FAILURE, STATE } from './states.ts'

/** A workflow's step as the parent of new jobs. */
export type ParentStep = {
  readonly seq: number
  readonly rootSeq: number
  readonly step: number
  /** 0: a single child; 1: of a group; 2: of a group whose children are let go one by one. */
  readonly grouped: 0 | 1 | 2
  readonly attached: boolean
  readonly deployment: string
  /** The step of the session that they belong to. */
  readonly session?: number
}

/** A job with its place. */
export type Placed = {
  readonly job: NewJob
  readonly parent?: ParentStep
  readonly item?: number
  readonly isHeld?: boolean
  /** The limit that it is counted in: not that of a workflow above it, under whose permit it works. */
  readonly limitKey?: string
  /** The session that it joins, with its worker where that is chosen. */
  readonly session?: { readonly id: number; readonly worker: number | null }
}

export function laneKeyOf(placed: Placed): LaneKey {
  return laneOf(placed.job, deploymentOf(placed))
}

/** A child's deployment is its parent's, whatever it says. */
function deploymentOf({ job, parent }: Placed): string {
  return parent?.deployment ?? job.deployment ?? ''
}

/** Stores jobs, except those whose idempotency key was used before, and those that a limit or their deployment refuses. */
export async function enqueueJobs(session: Session, context: Context, all: readonly NewJob[]): Promise<Enqueued[]> {
  if (all.length === 0) return []
  const placed = await placeRoots(session, context, all)
  const { jobs, refused } = placed
  await context.lanes.make(
    session,
    jobs.map((job) => laneKeyOf({ job })),
  )
  if (refused.size === 0 && jobs.every(isPlain)) {
    const now = context.clock.now()
    const { lanes, routing, ahead } = context
    const placed = jobs.map((job) => ({ job }))
    const hints = new HintCollector()
    hintAtNew(hints, jobs, now)
    const behind = ahead.tell(hints.take() ?? {})
    const store = storeJobs(placed, { lanes, now, version: routing.version })
    await session.pipeline([store, ...deleteNotes(namesOfJobs(jobs))], behind)
    hintAtNew(context.hints, jobs, now)
    return jobs.map(({ id }) => ({ outcome: 'created', id }))
  }
  return inTransaction(session, context, (work) => enqueueKeyed(work, placed))
}

/** Nothing but its place in the line depends on what else there is. */
function isPlain({ idempotency, limit, cache, keeps, lapsesMax }: NewJob): boolean {
  return (
    idempotency === undefined &&
    limit === undefined &&
    cache === undefined &&
    keeps === undefined &&
    lapsesMax === undefined
  )
}

/** @param isAnnounced false inside of a transaction that is not ours, and may last: the cursors are drawn when it is over */
export async function enqueueKeyed(
  work: Work,
  { jobs, refused }: PlacedRoots,
  isAnnounced = true,
): Promise<Enqueued[]> {
  const answers = await useKeys(work, jobs)
  const created = jobs.filter((_, index) => answers[index]?.outcome === 'created')
  const taken = created.filter((job) => !refused.has(job))
  const inTheWay = taken.length === 0 ? new Map<JobId, JobId>() : await storeRoots(work, taken, isAnnounced)
  forgetKeys(
    work,
    created.filter((job) => refused.has(job) || inTheWay.has(job.id)),
  )
  return answers.map((answer, index): Enqueued => {
    const job = jobs[index]
    if (answer.outcome !== 'created' || job === undefined) return answer
    const why = refused.get(job)
    if (why !== undefined) return { outcome: 'rejected', id: job.id, why }
    const other = inTheWay.get(job.id)
    return other === undefined ? answer : { outcome: 'rejected', id: other, why: 'limit_full' }
  })
}

/** Stores jobs without a parent. @returns of those that a limit refuses, the job in the way */
async function storeRoots(
  work: Work,
  jobs: readonly NewJob[],
  isAnnounced: boolean,
): Promise<ReadonlyMap<JobId, JobId>> {
  // What needs no worker is held up by no limit.
  const answered = await areAnswered(
    work,
    jobs.filter(({ limit }) => limit !== undefined),
  )
  const gate = await LimitGate.lock(work, jobs)
  const inTheWay = new Map<JobId, JobId>()
  let accepted: NewJob[] = []
  const store = async () => {
    const placed = accepted.map((job): Placed => ({ job, ...(job.limit && { limitKey: job.limit.key }) }))
    accepted = []
    if (placed.length > 0) await storePlaced(work, placed, isAnnounced)
  }
  for (const job of jobs) {
    const { limit, id } = job
    if (limit?.whenFull === 'replace' && !answered.has(job)) {
      // What stands before it in this very list may have to make room for it.
      await store()
      const changes = new Changes(work)
      await gate.makeRoom(limit, id, changes)
      await changes.finish()
      await gate.recount(limit.key)
    }
    const other = limit?.whenFull === 'reject' && !answered.has(job) ? await gate.inTheWay(limit) : undefined
    if (other !== undefined) {
      inTheWay.set(id, other)
      continue
    }
    if (limit !== undefined) gate.countIn(limit.key, id)
    accepted.push(job)
  }
  await store()
  return inTheWay
}

/** Stores jobs that are let in, and notes them where they have to ask. */
export async function storePlaced(work: Work, placed: readonly Placed[], isAnnounced = true): Promise<void> {
  const { tx, lanes, hints, now, routing } = work
  // Within a caller's transaction they were placed by what was committed, whatever it sees itself.
  const version = isAnnounced ? routing.version : undefined
  await tx.all([
    storeJobs(placed, { lanes, now, isAnnounced, version }),
    ...placed.flatMap(({ job }) => keepSteps(job)),
    ...limitLapses(placed),
    // A caller's transaction may last, and would keep others waiting who name the same: its notes were deleted before.
    ...(isAnnounced ? deleteNotes(namesOfJobs(placed.map(({ job }) => job))) : []),
  ])
  notePlaced(work, placed)
  const due = placed.filter(({ isHeld }) => !isHeld).map(({ job }) => job)
  hintAtNew(hints, due, now)
}

/** Counts stored jobs in their limits, and says which of them ask. */
export function notePlaced({ notes }: Work, placed: readonly Placed[]): void {
  for (const { job, limitKey } of placed) {
    if (limitKey !== undefined && job.limit !== undefined) notes.limit(limitKey, { live: 1, max: job.limit.max })
    if (job.cache !== undefined) notes.cache(job.cache.key)
  }
}

/** Whoever was refused may come again with the same key. */
function forgetKeys({ tx }: Work, jobs: readonly NewJob[]): void {
  const keys = jobs.flatMap(({ idempotency }) => (idempotency === undefined ? [] : [idempotency]))
  if (keys.length === 0) return
  tx.later(
    'deleteKeys',
    keys.map(({ scope }) => scope),
    keys.map(({ key }) => key),
  )
}

/** The question by which jobs say how many workers each may lose, where it is not as many as others. */
export function limitLapses(placed: readonly Placed[]): Call[] {
  const jobs = placed.flatMap(({ job: { id, lapsesMax } }) => (lapsesMax === undefined ? [] : [{ id, lapsesMax }]))
  if (jobs.length === 0) return []
  const ids = jobs.map(({ id }) => id)
  return [
    call(
      statements.limitLapses,
      ids,
      jobs.map(({ lapsesMax }) => lapsesMax),
    ),
  ]
}

/** The question by which jobs join their sessions. */
export function joinSessions(placed: readonly Placed[]): Call[] {
  const jobs = placed.flatMap(({ job: { id }, session }) => (session === undefined ? [] : [{ id, session }]))
  if (jobs.length === 0) return []
  const ids = jobs.map(({ id }) => id)
  return [
    call(
      statements.joinSessions,
      ids,
      jobs.map(({ session }) => session.id),
      jobs.map(({ session }) => session.worker),
    ),
  ]
}

/** The question by which a job takes over steps of the one that it repeats. */
function keepSteps({ id, retryOf, keeps }: NewJob): Call[] {
  if (keeps === undefined || retryOf === undefined) return []
  const numbers = keeps.map(({ step }) => step)
  const delivered = keeps.map((kept) => (kept.delivered.length > 0 ? JSON.stringify(kept.delivered) : null))
  const from = keeps.map(({ deliveredFrom }) => deliveredFrom)
  return [call(statements.keepSteps, id, retryOf, numbers, delivered, from)]
}

type Used = { readonly fingerprint: string; readonly job_id: NewJob['id'] }

async function useKeys({ tx, now }: Work, jobs: readonly NewJob[]): Promise<Enqueued[]> {
  // The first job with a key is the one that may have it.
  const firsts = new Map<string, NewJob>()
  for (const job of jobs) {
    const { idempotency } = job
    if (idempotency !== undefined && !firsts.has(keyOf(idempotency))) firsts.set(keyOf(idempotency), job)
  }
  const keys = [...firsts.values()].flatMap(({ id, idempotency }) =>
    idempotency === undefined ? [] : [{ id, ...idempotency }],
  )
  const [scopes, names] = [keys.map(({ scope }) => scope), keys.map(({ key }) => key)]
  const fingerprints = keys.map(({ fingerprint }) => fingerprint)
  type Inserted = { readonly scope: string; readonly key: string }
  const inserted = new Set(
    keys.length === 0
      ? []
      : (
          await tx.rows<Inserted>(
            'insertKeys',
            scopes,
            names,
            fingerprints,
            keys.map(({ id }) => id),
            now,
          )
        ).map(keyOf),
  )
  const used = await readKeys(
    tx,
    keys.filter((key) => !inserted.has(keyOf(key))),
  )
  return jobs.map((job): Enqueued => {
    const { id, idempotency } = job
    if (idempotency === undefined) return { outcome: 'created', id }
    const key = keyOf(idempotency)
    const first = firsts.get(key)
    if (inserted.has(key) && first === job) return { outcome: 'created', id }
    const earlier = used.get(key) ?? { fingerprint: first?.idempotency?.fingerprint ?? '', job_id: first?.id ?? id }
    return { outcome: earlier.fingerprint === idempotency.fingerprint ? 'existing' : 'conflict', id: earlier.job_id }
  })
}

async function readKeys(
  tx: Work['tx'],
  keys: readonly { readonly scope: string; readonly key: string }[],
): Promise<ReadonlyMap<string, Used>> {
  if (keys.length === 0) return new Map()
  const [scopes, names] = [keys.map(({ scope }) => scope), keys.map(({ key }) => key)]
  const rows = await tx.rows<Used & { readonly i: number }>('usedKeys', scopes, names)
  return new Map(
    rows.flatMap((row) => {
      const key = keys[Number(row.i) - 1]
      return key === undefined ? [] : [[keyOf(key), row] as const]
    }),
  )
}

function keyOf({ scope, key }: { readonly scope: string; readonly key: string }): string {
  return `${scope}\n${key}`
}

/** The statement that stores jobs with their places in the line. */
export function storeJobs(
  placed: readonly Placed[],
  {
    lanes,
    now,
    isAnnounced = true,
    version,
  }: {
    readonly lanes: Lanes
    readonly now: number
    readonly isAnnounced?: boolean
    /** Of the routing by which they were placed; left out: where they go does not depend on it. */
    readonly version?: number | undefined
  },
): Call {
  const list = <T>(pick: (one: Placed) => T) => placed.map(pick)
  // What is not announced yet becomes ready only with its announcement.
  const stateOf = ({ job, isHeld, limitKey }: Placed) => {
    if (isHeld) return STATE.held
    if (!isAnnounced || (job.dueAt ?? now) > now) return STATE.scheduled
    if (job.cache !== undefined) return STATE.following
    return limitKey === undefined ? STATE.ready : STATE.blocked
  }
  return call(
    statements.storeJobs,
    list(({ job }) => job.id),
    list((one) => lanes.find(laneKeyOf(one))?.id),
    list(({ job }) => job.task),
    list(({ job }) => job.queue),
    list(({ job }) => job.kind === 'workflow'),
    list(({ job }) => job.priority),
    list(({ job }) => job.input),
    list(stateOf),
    list(({ job }) => job.dueAt ?? now),
    list(({ job }) => job.deadlineAt),
    list(({ job }) => job.owner),
    list(({ job }) => (job.tags?.length ? JSON.stringify(job.tags) : null)),
    list(({ job }) => job.retryOf),
    list(({ parent }) => parent?.seq),
    list(({ parent }) => parent?.rootSeq),
    list(({ parent }) => parent?.step),
    list(({ parent, item }) => (parent === undefined ? null : (item ?? 0))),
    list(({ parent }) => parent?.grouped),
    list(({ parent }) => parent?.attached),
    list((one) => deploymentOf(one) || null),
    list(({ job }) => (job.limit === undefined ? null : JSON.stringify(job.limit))),
    list(({ job }) => (job.cache === undefined ? null : JSON.stringify(job.cache))),
    list(({ limitKey }) => limitKey),
    list(({ job }) => job.cache?.key),
    now,
    isAnnounced,
    list(({ job }) => (job.cleanup === true ? HAS_ON_FAILURE : 0)),
    version,
  )
}

export function hintAtNew(hints: HintCollector, jobs: readonly NewJob[], now: number): void {
  for (const { queue, dueAt } of jobs) {
    if (dueAt === undefined || dueAt <= now) hints.queue(queue)
    else hints.dueAt(dueAt)
  }
  hints.events()
}
