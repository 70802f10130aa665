import {
  afterGoodbye,
  afterSettlement,
  type Claimed,
  type Commit,
  type CommitResult,
  type JobId,
  namesOfCommit,
  type Release,
  type Settlement,
} from '@headrace/engine'
import { deleteNotes } from './artifact-names.ts'
import { Changes, type HeldRow, running } from './changes.ts'
import { type ClaimedRow, claimCall, type KnownWorker, toClaimed } from './claim.ts'
import { codeOf } from './connection/errors.ts'
import { statements } from './connection/named.ts'
import type { Call } from './connection/pipeline.ts'
import { call, type Session } from './connection/session.ts'
import { type Context, inTransaction, type Work } from './context.ts'
import { type LaneRow, lanesAfter } from './lanes.ts'
import { type DueRow, hintAtPromoted } from './promote.ts'
import { lockLimitsOfSteps, makeLanesOfSteps, recordSteps } from './record.ts'
import { ROUTING_CHANGED } from './routing.ts'
import { serveNotes } from './serve.ts'
import { meetSessionQueues, SessionBook } from './sessions.ts'
import { type Asked, claimFromSetQueues } from './set-queue-claim.ts'
import { tellCalls } from './tell.ts'

/** However many fall due at one instant, a transaction stays short; the next sweep goes on with the rest. */
export const PROMOTED_MAX = 1_000

type Rows = readonly Readonly<Record<string, unknown>>[]

/**
 * Everything a worker has to say. The usual case, tasks that succeeded and the claim of the next ones, is one round trip
 * and one transaction; what it leaves out is decided row by row in a second one, before the worker gets its answer.
 */
export async function commitBatch(
  session: Session,
  context: Context,
  batch: Commit,
  worker: KnownWorker,
): Promise<CommitResult> {
  for (const { lease } of batch.settle) worker.forget(lease)
  // It may have been promoted again.
  if (context.routing.isRetired(worker.deployment)) await context.routing.load(session)
  await makeLanesOfSteps(session, context.lanes, batch)
  await meetSessionQueues(session, context, batch)
  if (batch.advance.length > 0 || batch.holds !== undefined) return commitSlowly(session, context, batch, worker)
  const quick = batch.settle.filter(isQuick)
  if (quick.length < batch.settle.length) return commitSlowly(session, context, batch, worker)
  return commitQuickly(session, context, batch, worker)
}

function isQuick(settlement: Settlement): settlement is Extract<Settlement, { outcome: 'succeeded' }> {
  return settlement.outcome === 'succeeded'
}

async function commitQuickly(
  session: Session,
  context: Context,
  batch: Commit,
  worker: KnownWorker,
): Promise<CommitResult> {
  const { clock, hints } = context
  const now = clock.now()
  const settle = batch.settle.filter(isQuick)
  const tells = tellCalls(batch.tell, worker.number)
  const settles = settle.length === 0 ? [] : [settleCall(settle, worker.number, now)]
  const claims = claimCalls(context, batch, worker, now)
  // A claim promises nothing to anybody: one that a crash forgets is made again.
  const isFlushed = tells.length + settles.length > 0
  const before = isFlushed ? [...tells, ...settles] : [call(statements.withoutFlush)]
  const ended = settle.map(({ lease }) => lease.jobId)
  const behind = ended.length === 0 ? [] : context.ahead.tell({ ended, events: true })
  const results = await session.pipeline([...before, ...claims.calls, ...deleteNotes(namesOfCommit(batch))], behind)
  if (tells.length > 0) hints.events()
  const answer = readSettled(settles.length === 0 ? [] : (results[tells.length] ?? []), settle, context)
  const claimed = readClaims(results.slice(before.length), claims, { context, batch, worker, isFlushed })
  const left = settle.filter((_, index) => !answer.settled.has(index))
  const slow = left.length === 0 ? undefined : await commitSlowly(session, context, justSettle(batch, left), worker)
  const settled = settle.map((settlement, index) =>
    answer.settled.has(index) ? 'settled' : (slow?.settled[left.indexOf(settlement)] ?? 'lease_lost'),
  )
  const hasServed = !context.notes.isEmpty
  const served = await serveNotes(session, context)
  const more = await claimMore(session, context, {
    batch,
    worker,
    claims,
    claimed: claimed.jobs,
    hasNews: claimed.hasNews || left.length > 0 || hasServed,
  })
  return {
    settled,
    advanced: [],
    claimed: [...claimed.jobs, ...more],
    released: [...answer.released, ...(slow?.released ?? []), ...served],
  }
}

function justSettle({ worker }: Commit, settle: readonly Settlement[]): Commit {
  return { worker, settle, advance: [], tell: [], claim: [] }
}

/** In the order of their numbers, so that the rows are locked in it. */
function settleCall(
  settle: readonly Extract<Settlement, { outcome: 'succeeded' }>[],
  worker: number,
  now: number,
): Call {
  const order = [...settle.keys()].sort((a, b) => (settle[a]?.lease.row ?? 0) - (settle[b]?.lease.row ?? 0))
  const list = <T>(pick: (settlement: (typeof settle)[number]) => T) =>
    order.map((index) => pick(settle[index] as (typeof settle)[number]))
  return call(
    statements.settleSucceeded,
    list(({ lease }) => lease.row),
    list(({ lease }) => lease.attempt),
    list(({ result }) => result),
    worker,
    now,
    order,
  )
}

function readSettled(
  rows: Rows,
  settle: readonly Settlement[],
  { hints, lanes }: Context,
): { readonly settled: ReadonlySet<number>; readonly released: readonly Release[] } {
  const settled = new Set<number>()
  const released: Release[] = []
  type Row = {
    readonly place: number | null
    readonly parent_id: JobId | null
    readonly step: number | null
    readonly lane: number | null
  }
  for (const { place, parent_id: parentId, step, lane } of rows as readonly Row[]) {
    if (lane !== null) hints.queue(lanes.queueOf(lane) ?? '')
    if (place !== null) {
      settled.add(place)
      const jobId = settle[place]?.lease.jobId
      if (jobId !== undefined) hints.ended(jobId)
    }
    if (parentId !== null && step !== null) {
      released.push({ parentId, step })
      hints.released(parentId)
    }
  }
  if (rows.length > 0) hints.events()
  return { settled, released }
}

type Claims = {
  readonly calls: readonly Call[]
  /** What is asked of queues with settings, or with jobs that need resources: each in a transaction of its own. */
  readonly set: readonly Asked[]
  /** What was asked of which lanes, in the order of the calls after the first three. */
  readonly asked: readonly Asked[]
}

const NO_CLAIMS: Claims = { calls: [], set: [], asked: [] }

/** The questions of a claim: lanes that others have made, what has fallen due, and then each queue. */
function claimCalls(context: Context, batch: Commit, worker: KnownWorker, now: number): Claims {
  const wanted = batch.claim.filter(({ slots }) => slots > 0)
  if (wanted.length === 0 || worker.number < 0 || context.routing.isRetired(worker.deployment)) return NO_CLAIMS
  const all = wanted.flatMap(({ queue, slots }) => {
    const lanes = worker.lanesOf(queue, context.lanes.ofQueue(queue))
    return lanes.length === 0 ? [] : [{ queue, slots, lanes }]
  })
  const { version } = context.routing
  const isSet = ({ queue, lanes }: Asked) =>
    context.routing.isSet(queue) || (batch.free !== undefined && lanes.some(({ amounts }) => amounts !== undefined))
  const set = all.filter(isSet)
  const asked = all.filter((one) => !isSet(one))
  const calls = [
    lanesAfter(context.lanes),
    call(statements.announceJobs, now),
    call(statements.promoteScheduled, now, PROMOTED_MAX),
    ...asked.map(({ lanes, slots }) => claimCall(worker, lanes, { slots, now, version })),
  ]
  return { calls, asked, set }
}

function readClaims(
  results: readonly Rows[],
  { calls, asked }: Claims,
  {
    context,
    batch,
    worker,
    isFlushed,
  }: {
    readonly context: Context
    readonly batch: Commit
    readonly worker: KnownWorker
    readonly isFlushed: boolean
  },
): { readonly jobs: readonly Claimed[]; readonly hasNews: boolean } {
  if (calls.length === 0) return { jobs: [], hasNews: false }
  // The statements' own columns.
  const hasNews = context.lanes.add(results[0] as readonly LaneRow[])
  const due = results[2] as unknown as readonly DueRow[]
  hintAtPromoted(context, due)
  context.notes.asked(due)
  const jobs = asked.flatMap(({ lanes, slots }, index) => {
    const rows = (results[3 + index] ?? []) as unknown as readonly ClaimedRow[]
    worker.remember(rows, lanes, slots)
    return worker.newOf(rows, isFlushed).map((row) => toClaimed(row, batch, context.lanes))
  })
  if (jobs.length > 0) context.hints.events()
  return { jobs, hasNews }
}

/**
 * Claims again where another process had made a lane that this one did not know, or where more was settled since, and from
 * queues that are paused, rated or fair.
 */
async function claimMore(
  session: Session,
  context: Context,
  {
    batch,
    worker,
    claims,
    claimed,
    hasNews,
  }: {
    readonly batch: Commit
    readonly worker: KnownWorker
    readonly claims: Claims
    readonly claimed: readonly Claimed[]
    readonly hasNews: boolean
  },
): Promise<readonly Claimed[]> {
  if (claims.calls.length === 0) return []
  const rest = batch.claim.map(({ queue, slots }) => ({
    queue,
    slots: slots - claimed.filter((job) => job.queue === queue).length,
  }))
  const again = { ...batch, claim: rest }
  const more = claimCalls(context, again, worker, context.clock.now())
  const plain = hasNews && more.asked.length > 0 ? await claimAgain(session, context, again, worker, more) : []
  if (plain === 'routing_changed') {
    // What was said stands; only the claim is made again, by what is so now.
    await context.routing.load(session)
    return claimMore(session, context, { batch, worker, claims, claimed, hasNews })
  }
  const set = more.set.length > 0 ? await claimFromSetQueues(session, context, { batch: again, worker }, more.set) : []
  return [...plain, ...set]
}

async function claimAgain(
  session: Session,
  context: Context,
  batch: Commit,
  worker: KnownWorker,
  claims: Claims,
): Promise<readonly Claimed[] | 'routing_changed'> {
  try {
    return readClaims(await session.pipeline(claims.calls), claims, { context, batch, worker, isFlushed: true }).jobs
  } catch (error) {
    if (codeOf(error) !== ROUTING_CHANGED) throw error
    return 'routing_changed'
  }
}

/** Each job on its own, by the state machine. */
async function commitSlowly(
  session: Session,
  context: Context,
  batch: Commit,
  worker: KnownWorker,
): Promise<CommitResult> {
  let claims = NO_CLAIMS
  let answers: readonly Rows[] = []
  const result = await inTransaction(session, context, async (work) => {
    const said = await sayAll(work, batch, worker)
    claims = claimCalls(context, batch, worker, work.now)
    // What its limit or the result cache lets go by it can be claimed behind it.
    if (!context.notes.isEmpty) return said
    answers = await work.tx.commit(claims.calls)
    return said
  })
  for (const [index, answer] of result.advanced.entries()) {
    const lease = batch.advance[index]?.lease
    if (answer === 'lease_lost' && lease !== undefined) worker.forget(lease)
  }
  const isClaimed = answers.length > 0
  const { jobs, hasNews } = isClaimed
    ? readClaims(answers, claims, { context, batch, worker, isFlushed: true })
    : { jobs: [], hasNews: claims.calls.length > 0 }
  const hasServed = !context.notes.isEmpty
  const served = await serveNotes(session, context)
  const isAgain = hasNews || hasServed
  const more = await claimMore(session, context, { batch, worker, claims, claimed: jobs, hasNews: isAgain })
  return { ...result, claimed: [...jobs, ...more], released: [...result.released, ...served] }
}

async function sayAll(work: Work, batch: Commit, worker: KnownWorker): Promise<Omit<CommitResult, 'claimed'>> {
  const { tx, hints } = work
  const tells = tellCalls(batch.tell, worker.number)
  if (tells.length > 0) {
    await tx.all(tells)
    hints.events()
  }
  const changes = new Changes(work)
  const gate = await lockLimitsOfSteps(work, batch)
  const sessions = await SessionBook.lock(work, batch)
  const unheard = batch.holds === undefined ? [] : await findUnheard(work, worker.number, batch.holds)
  const held = await lockHeld(work, changes, batch, worker.number, unheard)
  const advanced = await recordSteps(work, { changes, gate, sessions }, batch.advance, held)
  const settled = batch.settle.map((settlement): CommitResult['settled'][number] => {
    const job = held.get(settlement.lease.row)
    if (job === undefined || job.attempt !== settlement.lease.attempt) return 'lease_lost'
    held.delete(job.seq)
    changes.apply(job, afterSettlement(running(job), settlement))
    return job.cancel_reason === null ? 'settled' : 'cancelled'
  })
  for (const seq of unheard) {
    const job = held.get(seq)
    if (job !== undefined) changes.apply(job, afterGoodbye(job.cancel_reason ?? undefined, work.now))
  }
  const released = await changes.finish()
  work.tx.ask(deleteNotes(namesOfCommit(batch)))
  return { settled, advanced, released }
}

/** What an earlier commit claimed without the worker's hearing of it; it goes back to the line. */
async function findUnheard({ tx }: Work, worker: number, holds: Commit['holds'] & object): Promise<readonly number[]> {
  const known = new Map(holds.map(({ row, attempt }) => [row, attempt]))
  const rows = await tx.rows<{ readonly seq: number; readonly attempt: number }>('heldByWorker', worker)
  return rows.filter(({ seq, attempt }) => known.get(seq) !== attempt).map(({ seq }) => seq)
}

/** The jobs that the batch speaks of, as far as the worker holds them. */
async function lockHeld(
  work: Work,
  changes: Changes,
  batch: Commit,
  worker: number,
  unheard: readonly number[],
): Promise<Map<number, HeldRow>> {
  const ending = [...batch.settle.map(({ lease }) => lease.row), ...unheard]
  const seqs = [...new Set([...ending, ...batch.advance.map(({ lease }) => lease.row)])]
  if (seqs.length === 0) return new Map()
  const [groups = [], rows = [], block = []] = await work.tx.all([
    call(statements.lockGroups, ending),
    call(statements.lockHeld, seqs, worker),
    work.ledger.draw,
  ])
  changes.knowGroups(groups)
  work.ledger.open(block)
  // The statement's own columns.
  return new Map((rows as unknown as readonly HeldRow[]).map((row) => [row.seq, row]))
}
