import {
  cancelled,
  type EndState,
  endedAs,
  type JobId,
  type RecordedError,
  type Release,
  type Transition,
} from '@headrace/engine'
import { admit, type Due } from './admit.ts'
import { leaveCache } from './cache.ts'
import { HAS_SESSIONS, lastWord } from './last-word.ts'
import { countOut, giveOutPermits, returnPermit } from './limits.ts'
import { park, wake } from './parking.ts'
import type { Context } from './prepared.ts'

/** A live job, as far as its end concerns others. */
export type Ending = {
  readonly seq: number
  /** Looked up where it is not at hand. */
  readonly id?: JobId
  readonly kind: string
  readonly attempt: number
  readonly worker: number | null
  readonly started_at: number | null
  readonly parent_seq: number | null
  readonly step: number | null
  readonly grouped: number
  /** `held`: it had no place in its group, so its end lets nobody else go. */
  readonly state?: string
}

/** Ended children of one parent's step, counted over a transaction. */
type Countdown = {
  readonly parentSeq: number
  readonly step: number
  readonly grouped: boolean
  ended: number
  /** The one that ends a group of policy `fail`: the first that failed, or else the first that was cancelled. */
  failure: { readonly seq: number; readonly state: EndState } | undefined
  /** Places that they leave to the held ones. */
  freed: number
}

/**
 * The ends of jobs within one transaction, and what follows from them: a group of children counts down, a parent's step
 * is released, the children of an ended workflow are cancelled. `finish` must be called before the commit.
 */
export class Endings {
  readonly #context: Context
  readonly #countdowns = new Map<string, Countdown>()
  readonly #released: Release[] = []
  /** Keys of limits that may have a permit for somebody who waits for one. */
  readonly #permitsWanted = new Set<string>()

  constructor(context: Context) {
    this.#context = context
  }

  /**
   * Ends a live job; one that something else in this transaction has ended already stays as it is.
   * @returns false when it goes on, for its code has the last word
   */
  end(job: Ending, asked: EndedAs): boolean {
    let to = asked
    if (job.kind === 'workflow' && asked.to !== 'succeeded') {
      const word = lastWord(this.#context, this, job, asked)
      if (word === 'begins') return false
      // What was read of it before it began to clean up is out of date: only the worker that does so ends it now.
      if (word !== undefined && job.worker === null) return false
      if (word !== undefined) to = endedAs(word, asked)
    }
    this.#endForGood(job, to)
    return true
  }

  #endForGood(job: Ending, to: EndedAs): void {
    const gone = this.#context.sql.get<Gone>('deleteLive', job.seq)
    if (gone === undefined) return
    if (gone.limit_key !== null) countOut(this.#context, this, gone.limit_key, gone.permit)
    if ((gone.cleanup & HAS_SESSIONS) !== 0) this.#context.sql.run('closeSessionsOf', job.seq)
    this.ended(job, to, gone.started_cursor)
    if (to.cachedFrom !== undefined) this.#context.sql.run('noteCacheHit', to.cachedFrom, job.seq)
    else if (gone.cache_key !== null && gone.state !== 'following')
      leaveCache(this.#context, this, { seq: job.seq, key: gone.cache_key, to })
  }

  /**
   * What follows from the end of a job that is not live any more.
   * @param startedCursor that of its last attempt's beginning; null when none was under way
   */
  ended(job: Ending, to: EndedAs, startedCursor: number | null): void {
    const { sql, clock, hints, events } = this.#context
    const now = clock.now()
    const { seq, attempt, worker, started_at: startedAt } = job
    const error = to.error === undefined ? null : JSON.stringify(to.error)
    const cursor = events.cursors()
    const result = to.result ?? null
    sql.run('insertOutcome', seq, to.to, result, error, attempt, worker, startedAt, now, startedCursor, cursor)
    events.list(cursor, seq, { kind: 'ended', attempt, at: now, worker: null })
    hints.events()
    const id = job.id ?? sql.get<{ id: JobId }>('jobIdBySeq', seq)?.id
    if (id !== undefined) hints.ended(id)
    this.#count(job, to.to)
    if (job.kind === 'workflow') this.endChildren(seq)
  }

  /** A permit of this limit may be free, or somebody new waits for one. */
  permitWanted(key: string): void {
    this.#permitsWanted.add(key)
  }

  /** Counts the groups down, and gives out permits. @returns the steps that were released by it, each exactly once */
  finish(): Release[] {
    // Cancelled children may count down groups in turn, so this goes on until nothing is left.
    while (this.#countdowns.size > 0) {
      const countdowns = [...this.#countdowns.values()]
      this.#countdowns.clear()
      const parents = this.#parentsOf(countdowns.filter(({ grouped }) => !grouped))
      for (const countdown of countdowns) {
        const { parentSeq, step } = countdown
        const parent = parents.get(parentSeq)
        if (countdown.grouped) this.#countDown(countdown)
        else if (parent !== undefined) this.#tellReleased({ seq: parentSeq, step }, parent)
      }
    }
    // Last of all, when everyone who may want one is there.
    for (const key of this.#permitsWanted) giveOutPermits(this.#context, key)
    this.#permitsWanted.clear()
    return this.#released
  }

  #count({ seq, parent_seq: parentSeq, step, grouped, state: before }: Ending, state: EndState): void {
    if (parentSeq === null || step === null) return
    const key = `${parentSeq}/${step}`
    let countdown = this.#countdowns.get(key)
    if (countdown === undefined) {
      countdown = { parentSeq, step, grouped: grouped === 1, ended: 0, failure: undefined, freed: 0 }
      this.#countdowns.set(key, countdown)
    }
    countdown.ended++
    const { failure } = countdown
    if (state === 'failed' && failure?.state !== 'failed') countdown.failure = { seq, state }
    else if (state === 'cancelled') countdown.failure ??= { seq, state }
    if (before !== 'held') countdown.freed++
  }

  #countDown({ parentSeq, step, ended, failure, freed }: Countdown): void {
    const { sql } = this.#context
    const before = sql.get<{ released: number }>('groupReleased', parentSeq, step)?.released ?? 1
    const endedBy = failure?.seq ?? null
    const after = sql.get<{ released: number; remaining: number }>('countDownGroup', ended, endedBy, parentSeq, step)
    if (after === undefined) return
    const isReleasedNow = before === 0 && after.released === 1
    // What is left of a released group may be what a workflow that cleans up waits for.
    if (isReleasedNow) this.release({ seq: parentSeq, step })
    else if (before === 1) wake(this.#context, this, parentSeq)
    if (after.remaining <= 0) return
    if (isReleasedNow) {
      this.#cancelRest(parentSeq, step)
      return
    }
    this.#unhold(parentSeq, step, freed)
  }

  #unhold(parentSeq: number, step: number, places: number): void {
    const { sql, clock, hints } = this.#context
    type Row = Due & { readonly state: 'ready' | 'scheduled'; readonly due_at: number }
    for (const row of sql.all<Row>('unholdChildren', clock.now(), parentSeq, step, places)) {
      if (row.state === 'ready') admit(this.#context, this, row)
      else hints.dueAt(row.due_at)
    }
  }

  /** The first failure ended the group: what is left of it is of no use. */
  #cancelRest(parentSeq: number, step: number): void {
    for (const sibling of this.#context.sql.all<{ seq: number }>('groupChildren', parentSeq, step)) {
      cancelTree(this.#context, this, sibling.seq, 'Another job of its group failed.')
    }
  }

  /** A workflow's step need not be waited for any more. */
  release(released: Released): void {
    const parent = this.#context.sql.get<Parent>('releasedParent', released.seq)
    if (parent !== undefined) this.#tellReleased(released, parent)
  }

  #parentsOf(countdowns: readonly Countdown[]): ReadonlyMap<number, Parent> {
    if (countdowns.length === 0) return new Map()
    const seqs = JSON.stringify(countdowns.map(({ parentSeq }) => parentSeq))
    const parents = this.#context.sql.all<Parent & { readonly seq: number }>('releasedParents', seqs)
    return new Map(parents.map((parent) => [parent.seq, parent]))
  }

  #tellReleased({ seq, ...released }: Released, { id, state }: Parent): void {
    if (state === 'parked') wake(this.#context, this, seq, released.step)
    this.#released.push({ parentId: id, ...released })
    this.#context.hints.released(id)
  }

  /** Cancels the children that end with their workflow. */
  endChildren(seq: number): void {
    for (const child of this.#context.sql.all<{ seq: number }>('attachedChildren', seq)) {
      cancelTree(this.#context, this, child.seq, 'Its workflow ended before it.')
    }
  }
}

type Released = { readonly seq: number } & Omit<Release, 'parentId'>
/** A workflow of which a step is released; its state as long as it lives. */
type Parent = { readonly id: JobId; readonly state: string | null }

/** What `live` said of a job last. */
type Gone = Pick<Due, 'limit_key' | 'permit' | 'cache_key'> & {
  readonly state: string
  readonly cleanup: number
  readonly started_cursor: number | null
}

export type EndedAs = {
  readonly to: EndState
  readonly result?: string
  readonly error?: RecordedError
  /** The job whose result it is. */
  readonly cachedFrom?: number
}

type LiveRow = Ending & {
  readonly is_ending: number
  readonly state: string
  readonly cancel_at: number | null
  readonly id: JobId
}

/**
 * Cancels what waits in a tree, and asks what runs in it to stop.
 * @returns whether the top of the tree is over now, or still running
 */
export function cancelTree(
  context: Context,
  endings: Endings,
  seq: number,
  reason: string,
): 'cancelled' | 'cancelling' {
  const { sql, clock, hints } = context
  let top: 'cancelled' | 'cancelling' = 'cancelled'
  // From the leaves up, so that each learns the reason given and not that its workflow ended.
  for (const job of sql.all<LiveRow>('liveTree', seq).reverse()) {
    // It is on its way to an end, which nothing changes any more.
    const isEnding = job.is_ending === 1
    const isOver = !isEnding && job.state !== 'running'
    if (isOver && endings.end({ ...job, worker: null, started_at: null }, cancelled(reason))) continue
    if (job.seq === seq) top = 'cancelling'
    if (isEnding || isOver) continue
    hints.cancelled(job.id)
    if (job.cancel_at !== null) continue
    const now = clock.now()
    if (sql.run('requestCancel', now, reason, job.seq).changes === 0) continue
    context.events.add(job.seq, 'cancel-requested', job.attempt, now, JSON.stringify({ reason }))
    hints.events()
  }
  return top
}

/** A running job, as far as its return to the line depends on it. */
export type HeldRow = Ending &
  Due & {
    readonly lapses: number
    readonly lapses_max: number | null
    /** It said that it does something itself, though it may have steps that wait. */
    readonly busy: number
    readonly deadline_at: number | null
    readonly cancel_reason: string | null
    readonly worker: number
    readonly started_at: number
    readonly session: number | null
  }

/** Writes down what became of a running job. */
export function applyTransition(context: Context, endings: Endings, held: HeldRow, transition: Transition): void {
  if (transition.to === 'parked') park(context, endings, held, transition)
  else if (transition.to === 'waiting') wait(context, endings, held, transition)
  else endings.end(held, transition)
}

function wait(
  context: Context,
  endings: Endings,
  held: HeldRow,
  transition: Transition & { readonly to: 'waiting' },
): void {
  const { dueAt } = transition
  const state = dueAt > context.clock.now() ? 'scheduled' : 'ready'
  returnToLine(context, held, { ...transition, state })
  if (state === 'ready') {
    admit(context, endings, held, transition.because !== 'retried')
    return
  }
  context.hints.dueAt(dueAt)
  if (held.limit_key !== null && held.permit === 1) returnPermit(context, endings, held.seq, held.limit_key)
}

/** The attempt of a running job is over, and the job waits in one form or another. */
export function returnToLine(
  { sql, clock, hints, events }: Context,
  held: HeldRow,
  how: {
    readonly because: 'retried' | 'released' | 'lapsed' | 'parked'
    readonly state: 'scheduled' | 'ready' | 'parked'
    readonly dueAt: number
    readonly error?: RecordedError
    readonly isBlamed?: boolean
  },
): void {
  const now = clock.now()
  const { because, state, dueAt, error, isBlamed } = how
  const lapses = isBlamed ? held.lapses + 1 : because === 'retried' ? 0 : held.lapses
  const recorded = error === undefined ? null : JSON.stringify(error)
  const { seq, attempt, worker, started_at: startedAt } = held
  const cursor = events.cursors()
  sql.run('insertAttempt', seq, attempt, worker, startedAt, now, because, recorded, cursor, dueAt)
  sql.run('returnToWaiting', state, dueAt, because === 'retried' ? 1 : 0, lapses, seq)
  events.list(cursor, seq, { kind: because, attempt, at: now, worker: null })
  hints.events()
}
