import {
  type Advance,
  afterGoodbye,
  afterSettlement,
  assertNever,
  type Claimed,
  type Commit,
  type CommitResult,
  type Lease,
  type NewStep,
  namesOfCommit,
  type Settlement,
  type Told,
} from '@headrace/engine'
import { admit, type Due } from './admit.ts'
import { deleteNotes } from './artifact-names.ts'
import { claimFromQueue, type KnownWorker } from './claim.ts'
import { isRetired } from './deployments.ts'
import { applyTransition, type Ending, Endings, type HeldRow } from './ending.ts'
import { insertNewJob } from './enqueue.ts'
import type { Durability } from './group-commit.ts'
import type { Context } from './prepared.ts'
import { closeSession, failUnfit, findSession, openSession } from './sessions.ts'
import { takeKeptSignal } from './signals.ts'

/** Outcomes and steps are on the disk before anyone sees them. A claim that is lost with the power is claimed again. */
export function durabilityOf(batch: Commit): Durability {
  return batch.settle.length > 0 || batch.advance.length > 0 ? 'before-seen' : 'later'
}

/** Everything a worker has to say, in one transaction. */
export function commitBatch(context: Context, batch: Commit, known: KnownWorker): CommitResult {
  const { number: worker } = known
  const endings = new Endings(context)
  for (const told of batch.tell) tell(context, told, worker)
  const advanced = batch.advance.map((advance) => recordSteps(context, endings, advance, worker))
  const settled = batch.settle.map((settlement) => settle(context, endings, settlement, worker))
  if (batch.holds !== undefined) giveBackUnheard(context, endings, worker, batch.holds)
  if (batch.claim.length > 0) promoteDue(context, endings)
  if (known.hasSessions) failUnfit(context, endings, batch, known)
  deleteNotes(context.sql, namesOfCommit(batch))
  const released = endings.finish()
  return { settled, advanced, claimed: claimAll(context, batch, known), released }
}

function tell({ sql, hints, events }: Context, told: Told, worker: number): void {
  const { row, attempt } = told.lease
  if (told.kind === 'progress') {
    const { changes } = sql.run('upsertProgress', row, told.fraction, told.message ?? null, told.at, attempt, worker)
    if (changes === 0) return
  }
  const data = JSON.stringify(toldData(told))
  sql.run('insertTold', row, told.kind, attempt, told.at, data, worker, events.cursors())
  hints.events()
}

function toldData(told: Told): object {
  switch (told.kind) {
    case 'progress':
      return { fraction: told.fraction, ...(told.message !== undefined && { message: told.message }) }
    case 'log':
      return { level: told.level, message: told.message }
    case 'metric':
      return { name: told.name, step: told.step, value: told.value }
    case 'artifact': {
      const { name, artifact, sizeBytes, mediaType } = told
      return { name, artifact, sizeBytes, ...(mediaType !== undefined && { mediaType }) }
    }
    default:
      return assertNever(told)
  }
}

function settle(
  context: Context,
  endings: Endings,
  settlement: Settlement,
  worker: number,
): CommitResult['settled'][number] {
  if (settlement.outcome === 'succeeded' && endSucceeded(context, endings, settlement, worker)) return 'settled'
  const held = heldRow(context, settlement.lease, worker)
  if (held === undefined) return 'lease_lost'
  applyTransition(context, endings, held, afterSettlement(running(held), settlement))
  return held.cancel_reason === null ? 'settled' : 'cancelled'
}

/** The usual case, by one statement less. @returns whether it was one */
function endSucceeded(
  { sql }: Context,
  endings: Endings,
  { lease, result }: Extract<Settlement, { outcome: 'succeeded' }>,
  worker: number,
): boolean {
  type Row = Omit<Ending, 'seq' | 'id'> & { readonly started_cursor: number | null }
  const held = sql.get<Row>('deleteSucceeded', lease.row, worker, lease.attempt)
  if (held === undefined) return false
  const job = { ...held, seq: lease.row, id: lease.jobId }
  endings.ended(job, { to: 'succeeded', result }, held.started_cursor)
  return true
}

function recordSteps(
  context: Context,
  endings: Endings,
  { lease, steps }: Advance,
  worker: number,
): 'recorded' | 'lease_lost' | 'cancelling' {
  const [first] = steps
  const held = context.sql.get<Held>('heldWorkflow', first?.step ?? null, lease.row, worker, lease.attempt)
  if (held === undefined) return 'lease_lost'
  if (held.cancel_reason !== null) return 'cancelling'
  if (steps.length === 0) context.sql.run('markBusy', lease.row)
  else if (held.lapses > 0 || held.busy === 1) context.sql.run('resetLapses', lease.row)
  for (const step of steps) {
    // The usual case, a single new step, by one statement less.
    const isNew = step === first && held.is_first_recorded === 0
    if (isNew || !completeRecorded(context, endings, lease.row, step)) recordStep(context, endings, lease, held, step)
  }
  return 'recorded'
}

/** A workflow, as far as its next steps depend on it. */
type Held = {
  readonly cancel_reason: string | null
  readonly lapses: number
  readonly busy: number
  readonly lane: number
  readonly root_seq: number
  /** Whether the first of these steps is recorded already. */
  readonly is_first_recorded: number
}

/**
 * A step that is said again, since the worker had not heard that it was recorded, or since it is over and its beginning was
 * recorded. @returns false where it is not recorded
 */
function completeRecorded(context: Context, endings: Endings, seq: number, step: NewStep): boolean {
  const { sql } = context
  const known = sql.get<{ compensates: number; kind: string }>('stepRecorded', seq, step.step)
  if (known === undefined) return false
  const isSession = known.kind === 'session'
  if (known.compensates !== 1 && !isSession) return true
  const error = step.error === undefined ? null : JSON.stringify(step.error)
  const { changes } = sql.run('completeStep', step.value ?? null, error, seq, step.step)
  const isOver = step.value !== undefined || step.error !== undefined
  if (isSession && isOver && changes > 0) closeSession(context, endings, seq, step.step)
  return true
}

function recordStep(context: Context, endings: Endings, lease: Lease, held: Held, step: NewStep): void {
  const { sql, clock } = context
  const now = clock.now()
  const children = insertChildren(context, endings, { seq: lease.row, held }, step)
  const isGroup = step.kind === 'map'
  sql.run(
    'insertStep',
    lease.row,
    step.step,
    step.kind,
    step.name,
    step.value ?? null,
    step.error === undefined ? null : JSON.stringify(step.error),
    step.dueAt ?? null,
    isGroup ? (step.policy ?? 'fail') : null,
    isGroup ? null : (children[0] ?? null),
    isGroup ? children.length : null,
    isGroup && children.length === 0 ? 1 : 0,
    step.delivered.length > 0 ? JSON.stringify(step.delivered) : null,
    step.deliveredFrom,
    now,
    step.compensates === true ? 1 : 0,
    step.session ?? null,
  )
  if (step.kind === 'session') openSession(context, lease.row, step.step)
  if (step.compensates === true) sql.run('markCompensates', lease.row)
  if (step.kind === 'signal') waitForSignal(context, endings, lease.row, step)
  if (step.kind === 'call' || step.kind === 'start' || step.kind === 'now') return
  const data = JSON.stringify({ step: step.step, kind: step.kind, name: step.name })
  context.events.add(lease.row, 'step', lease.attempt, now, data)
  context.hints.events()
}

function waitForSignal(context: Context, endings: Endings, seq: number, { step, name, dueAt }: NewStep): void {
  if (dueAt !== undefined) context.hints.dueAt(dueAt)
  takeKeptSignal(context, endings, { seq, step, name })
}

function insertChildren(
  context: Context,
  endings: Endings,
  { seq, held }: { readonly seq: number; readonly held: Held },
  step: NewStep,
): number[] {
  if (step.children === undefined || step.children.length === 0) return []
  const parent = {
    seq,
    rootSeq: held.root_seq,
    deployment: context.lanes.get(held.lane).deployment,
    step: step.step,
    grouped: step.kind === 'map',
    attached: step.attached ?? false,
    ...(step.session !== undefined && { session: findSession(context, seq, step.session) }),
  }
  const dueMax = step.concurrency ?? Number.POSITIVE_INFINITY
  return step.children.map((child, item) => insertNewJob(context, endings, child, parent, item, item >= dueMax))
}

function claimAll(context: Context, batch: Commit, worker: KnownWorker): Claimed[] {
  if (batch.claim.length === 0) return []
  // A worker that was taken for lost must not hold anything: nobody would take it away from it again.
  if (context.sql.get('workerAlive', worker.number) === undefined) return []
  if (isRetired(context, worker.deployment)) return []
  context.lanes.refresh()
  const room = batch.free && { free: batch.free }
  return batch.claim.flatMap((asked) => (asked.slots > 0 ? claimFromQueue(context, batch, worker, asked, room) : []))
}

/** However many fall due at one instant, a transaction stays short; the next sweep goes on with the rest. */
const PROMOTED_MAX = 1_000

/**
 * Scheduled jobs whose time has come can be claimed from now on: the first of them, when they are many. Of those of one pass, the
 * one that was stored first asks first for a permit or a result.
 */
export function promoteDue(context: Context, endings: Endings): void {
  const { sql, clock } = context
  const now = clock.now()
  const next = sql.get<{ due_at: number | null }>('nextScheduled')?.due_at ?? null
  if (next === null || next > now) return
  // In which order an update returns its rows is not said.
  const promoted = sql.all<Due>('promoteScheduled', now, PROMOTED_MAX).toSorted((a, b) => a.seq - b.seq)
  for (const due of promoted) admit(context, endings, due)
}

/** What an earlier commit claimed without the worker's hearing of it goes back to the line. */
function giveBackUnheard(context: Context, endings: Endings, worker: number, holds: Commit['holds'] & object): void {
  const known = new Map(holds.map(({ row, attempt }) => [row, attempt]))
  const dueAt = context.clock.now()
  for (const held of context.sql.all<HeldRow>('heldByWorker', worker)) {
    if (known.get(held.seq) === held.attempt) continue
    applyTransition(context, endings, held, afterGoodbye(held.cancel_reason ?? undefined, dueAt))
  }
}

function heldRow({ sql }: Context, lease: Lease, worker: number): HeldRow | undefined {
  const row = sql.get<Omit<HeldRow, 'seq'>>('heldJob', lease.row, worker, lease.attempt)
  return row === undefined ? undefined : { ...row, seq: lease.row }
}

/** What the state machine needs to know of a held job. */
export function running(held: HeldRow) {
  return {
    cancelReason: held.cancel_reason ?? undefined,
    deadlineAt: held.deadline_at ?? undefined,
    lapses: held.lapses,
    lapsesMax: held.lapses_max ?? undefined,
  }
}
