import {
  type Advance,
  type Commit,
  type CommitResult,
  cancelled,
  type JobId,
  type Lease,
  laneOf,
  limitFull,
  type NewStep,
  type RecordedError,
  type StepKind,
} from '@headrace/engine'
import type { Changes, Ending, HeldRow } from './changes.ts'
import { statements } from './connection/named.ts'
import { call, type Session } from './connection/session.ts'
import type { Work } from './context.ts'
import { hintAtNew, joinSessions, limitLapses, notePlaced, type Placed, storeJobs } from './enqueue.ts'
import type { Lanes } from './lanes.ts'
import { areUnderSameLimit, LimitGate } from './limits.ts'
import { endOfJoining, type SessionBook } from './sessions.ts'
import { takeKeptSignal } from './signals.ts'
import { COMPENSATES, HAS_SESSIONS } from './states.ts'

/** Children are of their parents' deployments, so those are looked up first. Outside of any transaction. */
export async function makeLanesOfSteps(session: Session, lanes: Lanes, batch: Commit): Promise<void> {
  const parents = batch.advance.filter(({ steps }) => steps.some(({ children = [] }) => children.length > 0))
  if (parents.length === 0) return
  const deployments = await readDeployments(
    session,
    parents.map(({ lease }) => lease.row),
  )
  const keys = parents.flatMap(({ lease, steps }) =>
    steps.flatMap(({ children = [] }) => children.map((job) => laneOf(job, deployments.get(lease.row) ?? ''))),
  )
  await lanes.make(session, keys)
}

/** Limits that refuse or replace are locked before any job is. */
export function lockLimitsOfSteps(work: Work, batch: Commit): Promise<LimitGate> {
  const children = batch.advance.flatMap(({ steps }) => steps.flatMap(({ children = [] }) => children))
  const seqs = [...batch.settle, ...batch.advance].map(({ lease }) => lease.row)
  return LimitGate.lock(work, children, seqs)
}

async function readDeployments(session: Session, seqs: readonly number[]): Promise<ReadonlyMap<number, string>> {
  const rows = await session.run<RootRow>(statements.rootsOf, [[...new Set(seqs)]])
  return new Map(rows.map(({ seq, deployment }) => [seq, deployment]))
}

type RootRow = { readonly seq: number; readonly root_seq: number; readonly deployment: string }

type Owned = {
  readonly seq: number
  readonly attempt: number
  readonly rootSeq: number
  readonly deployment: string
  readonly step: NewStep
}

/** What decides over new children. */
type Rules = { readonly changes: Changes; readonly gate: LimitGate; readonly sessions: SessionBook }

/** Stores the next steps of workflows, those of each all or none. */
export async function recordSteps(
  work: Work,
  rules: Rules,
  advances: readonly Advance[],
  held: Map<number, HeldRow>,
): Promise<CommitResult['advanced']> {
  if (advances.length === 0) return []
  const answers = advances.map(({ lease }): CommitResult['advanced'][number] => {
    const job = held.get(lease.row)
    if (job === undefined || job.attempt !== lease.attempt) return 'lease_lost'
    return job.cancel_reason === null ? 'recorded' : 'cancelling'
  })
  const recorded = advances.filter((_, index) => answers[index] === 'recorded')
  noteProgress(work, recorded, held)
  const { fresh, over } = await freshSteps(work, recorded)
  if (fresh.length > 0) await storeSteps(work, rules, fresh)
  noteCleanups(work, fresh, held)
  for (const { seq, step } of fresh) {
    if (step.kind === 'signal') await takeKeptSignal(work, rules.changes, { seq, step: step.step, name: step.name })
  }
  await rules.sessions.close(work, rules.changes, over)
  return answers
}

function noteProgress({ tx }: Work, recorded: readonly Advance[], held: ReadonlyMap<number, HeldRow>): void {
  const busy = recorded.filter(({ steps }) => steps.length === 0).map(({ lease }) => lease.row)
  const moving = recorded.filter(({ steps, lease }) => {
    const job = held.get(lease.row)
    return steps.length > 0 && job !== undefined && (job.lapses > 0 || job.busy)
  })
  if (busy.length > 0) tx.later('markBusy', busy)
  if (moving.length > 0) {
    tx.later(
      'resetLapses',
      moving.map(({ lease }) => lease.row),
    )
  }
}

/** From now on their workflows do not end otherwise than well without undoing them, nor at all without ending their sessions. */
function noteCleanups({ tx }: Work, fresh: readonly Owned[], held: Map<number, HeldRow>): void {
  const of = (isIt: (step: NewStep) => boolean) => new Set(fresh.filter(({ step }) => isIt(step)).map(({ seq }) => seq))
  const compensating = of(({ compensates }) => compensates === true)
  if (compensating.size > 0) tx.later('markCompensates', [...compensating])
  noteCleanup(held, compensating, COMPENSATES)
  noteCleanup(
    held,
    of(({ kind }) => kind === 'session'),
    HAS_SESSIONS,
  )
}

function noteCleanup(held: Map<number, HeldRow>, seqs: ReadonlySet<number>, bit: number): void {
  for (const seq of seqs) {
    const job = held.get(seq)
    if (job !== undefined) held.set(seq, { ...job, cleanup: job.cleanup | bit })
  }
}

type Fresh = {
  /** Without those that are said again, since the worker had not heard that they were recorded. */
  readonly fresh: readonly Owned[]
  /** Sessions that were begun before, and are over. */
  readonly over: readonly { readonly seq: number; readonly step: number }[]
}

async function freshSteps({ tx }: Work, recorded: readonly Advance[]): Promise<Fresh> {
  const all = recorded.flatMap(({ lease, steps }) => steps.map((step) => ({ lease, step })))
  if (all.length === 0) return { fresh: [], over: [] }
  const [known = [], roots = []] = await tx.all([
    call(
      statements.stepsRecorded,
      all.map(({ lease }) => lease.row),
      all.map(({ step }) => step.step),
    ),
    call(statements.rootsOf, [...new Set(all.map(({ lease }) => lease.row))]),
  ])
  const seen = new Set((known as readonly KnownStep[]).map(({ seq, step }) => `${seq}/${step}`))
  const completed = completeSteps(tx, all, known as readonly KnownStep[])
  const over = completed
    .filter(({ step: { kind, value, error } }) => kind === 'session' && (value !== undefined || error !== undefined))
    .map(({ lease, step }) => ({ seq: lease.row, step: step.step }))
  const rootOf = new Map((roots as readonly RootRow[]).map((row) => [row.seq, row]))
  const fresh: Owned[] = []
  for (const { lease, step } of all) {
    const key = `${lease.row}/${step.step}`
    if (seen.has(key)) continue
    seen.add(key)
    const { root_seq: rootSeq = lease.row, deployment = '' } = rootOf.get(lease.row) ?? {}
    fresh.push({ seq: lease.row, attempt: lease.attempt, rootSeq, deployment, step })
  }
  return { fresh, over }
}

type KnownStep = {
  readonly seq: number
  readonly step: number
  readonly kind: StepKind
  readonly compensates: boolean
}

type Said = { readonly lease: Lease; readonly step: NewStep }

/** Steps that are to be undone, and sessions, are stored when they begin, and here they are over. */
function completeSteps(tx: Work['tx'], all: readonly Said[], known: readonly KnownStep[]): readonly Said[] {
  const isBegun = ({ compensates, kind }: KnownStep) => compensates || kind === 'session'
  const begun = new Set(known.filter(isBegun).map(({ seq, step }) => `${seq}/${step}`))
  const over = all.filter(({ lease, step }) => begun.has(`${lease.row}/${step.step}`))
  if (over.length === 0) return []
  tx.later(
    'completeSteps',
    over.map(({ lease }) => lease.row),
    over.map(({ step }) => step.step),
    over.map(({ step }) => step.value),
    over.map(({ step }) => (step.error === undefined ? null : JSON.stringify(step.error))),
  )
  return over
}

async function storeSteps(work: Work, rules: Rules, owned: readonly Owned[]): Promise<void> {
  const { tx, lanes, hints, now } = work
  const { changes } = rules
  const begun = owned.filter(({ step }) => step.kind === 'session').map(({ seq, step }) => ({ seq, step: step.step }))
  await rules.sessions.open(work, begun)
  const { children, over } = await admitChildren(work, rules, owned.flatMap(childrenOf))
  const calls =
    children.length === 0
      ? []
      : [storeJobs(children, { lanes, now }), ...limitLapses(children), ...joinSessions(children)]
  await tx.all([...calls, insertSteps(work, owned)])
  notePlaced(work, children)
  await endOver(work, changes, over)
  hintAtNew(
    hints,
    children.filter(({ isHeld }) => !isHeld).map(({ job }) => job),
    now,
  )
  await tellSteps(work, owned)
}

type Over = ReadonlyMap<JobId, { readonly to: 'failed' | 'cancelled'; readonly error: RecordedError }>

/**
 * Which limits new children are counted in, and what their limits decide. Nobody is there to be told that a child was not
 * stored: it is stored as one that has ended, for its parent to see.
 */
async function admitChildren(
  work: Work,
  { changes, gate, sessions }: Rules,
  children: readonly Placed[],
): Promise<{ readonly children: readonly Placed[]; readonly over: Over }> {
  const over = new Map<JobId, { readonly to: 'failed' | 'cancelled'; readonly error: RecordedError }>()
  const free = await underOtherLimits(work, children)
  const admitted: Placed[] = []
  for (const given of children) {
    const { limit, id } = given.job
    const session = sessionOf(given, sessions)
    const end = session && endOfJoining(session)
    const child = session === undefined || end !== undefined ? given : { ...given, session }
    if (end !== undefined) {
      over.set(id, end)
      admitted.push(child)
      continue
    }
    if (limit === undefined || free.has(id)) {
      admitted.push(child)
      continue
    }
    const other = limit.whenFull === 'reject' ? await gate.inTheWay(limit) : undefined
    admitted.push(other === undefined ? { ...child, limitKey: limit.key } : child)
    if (other !== undefined) {
      over.set(id, { to: 'failed', error: limitFull(limit, other) })
      continue
    }
    if (limit.whenFull === 'replace') {
      const reason = await gate.makeRoom(limit, id, changes)
      for (const replaced of gate.ownInTheWay(limit)) over.set(replaced, cancelled(reason))
    }
    gate.countIn(limit.key, id)
  }
  return { children: admitted, over }
}

function sessionOf({ parent }: Placed, sessions: SessionBook): ReturnType<SessionBook['find']> {
  return parent?.session === undefined ? undefined : sessions.find({ seq: parent.seq, step: parent.session })
}

/** Children that work under the permit of a workflow above them. */
async function underOtherLimits(work: Work, children: readonly Placed[]): Promise<ReadonlySet<JobId>> {
  const attached = children.flatMap(({ job: { id, limit }, parent }) =>
    parent?.attached && limit !== undefined ? [{ id, parentSeq: parent.seq, key: limit.key }] : [],
  )
  const under = await areUnderSameLimit(work, attached)
  return new Set(attached.filter((_, index) => under.has(index)).map(({ id }) => id))
}

async function endOver({ tx }: Work, changes: Changes, over: Over): Promise<void> {
  if (over.size === 0) return
  type Row = Omit<Ending, 'worker' | 'started_at' | 'started_cursor'> & { readonly id: JobId }
  for (const row of await tx.rows<Row>('liveByIds', [...over.keys()])) {
    const end = over.get(row.id)
    if (end !== undefined) changes.end({ ...row, worker: null, started_at: null, started_cursor: null }, end)
  }
}

function childrenOf({ seq, rootSeq, deployment, step }: Owned): Placed[] {
  const { children = [], concurrency = Number.POSITIVE_INFINITY } = step
  const grouped = step.kind !== 'map' ? 0 : concurrency < children.length ? 2 : 1
  const at = { seq, rootSeq, step: step.step, grouped, attached: step.attached ?? false, deployment } as const
  const parent = step.session === undefined ? at : { ...at, session: step.session }
  return children.map((job, item) => ({ job, parent, item, isHeld: item >= concurrency }))
}

function insertSteps({ now }: Work, owned: readonly Owned[]) {
  const list = <T>(pick: (step: NewStep) => T) => owned.map(({ step }) => pick(step))
  const isGroup = (step: NewStep) => step.kind === 'map'
  const sizeOf = (step: NewStep) => step.children?.length ?? 0
  return call(
    statements.insertSteps,
    owned.map(({ seq }) => seq),
    list(({ step }) => step),
    list(({ kind }) => kind),
    list(({ name }) => name),
    list(({ value }) => value),
    list(({ error }) => (error === undefined ? null : JSON.stringify(error))),
    list(({ dueAt }) => dueAt),
    list((step) => (isGroup(step) ? (step.policy ?? 'fail') : null)),
    list((step) => (isGroup(step) ? sizeOf(step) : null)),
    list((step) => isGroup(step) && sizeOf(step) === 0),
    list(({ delivered }) => (delivered.length > 0 ? JSON.stringify(delivered) : null)),
    list(({ deliveredFrom }) => deliveredFrom),
    list(({ compensates }) => compensates === true),
    now,
    list(({ session }) => session),
  )
}

/** A child is told of by its own events, and `now` is of no interest. */
async function tellSteps({ tx, ledger, hints, now }: Work, owned: readonly Owned[]): Promise<void> {
  const told = owned.filter(({ step }) => step.kind !== 'call' && step.kind !== 'start' && step.kind !== 'now')
  if (told.length === 0) return
  const all = <T>(value: T) => told.map(() => value)
  tx.later(
    'insertEvents',
    await ledger.cursors(told.length),
    told.map(({ seq }) => seq),
    all('step'),
    told.map(({ attempt }) => attempt),
    all(now),
    all(null),
    all(null),
    told.map(({ step: { step, kind, name } }) => JSON.stringify({ step, kind, name })),
  )
  hints.events()
}
