import {
  cancelled,
  cleansUp,
  type EndState,
  endedAs,
  type JobId,
  type Ending as LastWord,
  type RecordedError,
  type Release,
  type Transition,
} from '@headrace/engine'
import { FOR_EVER } from '@headrace/engine/rows'
import { statements } from './connection/named.ts'
import { call } from './connection/session.ts'
import { withoutNul } from './connection/values.ts'
import type { Work } from './context.ts'
import { type Countdown, countDown, type GroupRow } from './group.ts'
import { LOGGED } from './ledger.ts'
import { type DueRow, noteAsking } from './promote.ts'
import { COMPENSATES, HAS_ON_FAILURE, HAS_SESSIONS, STATE } from './states.ts'

/** A live job, as far as its end concerns others. */
export type Ending = {
  readonly seq: number
  readonly is_workflow: boolean
  readonly attempt: number
  readonly worker: number | null
  readonly started_at: number | null
  readonly started_cursor: number | null
  readonly parent_seq: number | null
  readonly step: number | null
  readonly grouped: number
  readonly state: number
  readonly cleanup: number
  readonly ending: string | null
  readonly limit_key: string | null
  /** It holds one of its limit. */
  readonly permit: boolean
  readonly cache_key: string | null
}

/** A running job, as far as its return to the line depends on it. */
export type HeldRow = Ending & {
  readonly lane: number
  readonly failures: number
  readonly lapses: number
  readonly lapses_max: number | null
  /** It said that it does something itself, though it may have steps that wait. */
  readonly busy: boolean
  readonly deadline_at: number | null
  readonly cancel_reason: string | null
  readonly worker: number
  readonly started_at: number
  readonly started_cursor: number
  readonly session: number | null
}

type End = {
  readonly to: EndState
  readonly result?: string
  readonly error?: RecordedError
  /** It was given the result of another job. */
  readonly isAnswer?: boolean
}
type Releasing = {
  readonly seq: number
  readonly step: number
  readonly value?: string
  readonly error?: RecordedError
}
type TreeRow = Ending & { readonly cancel_at: number | null; readonly id: JobId }
type Back = Extract<Transition, { to: 'waiting' } | { to: 'parked' }>

const END_STATE = { succeeded: 1, failed: 2, cancelled: 3 } as const

/**
 * What one transaction does to live jobs, and what follows from it: a group of children counts down, a parent's step is
 * released, the children of an ended workflow are cancelled. Everything is gathered first, and written as few statements
 * over many rows. Groups are locked before jobs, and both in the order of their numbers, so that nobody waits in a circle.
 */
export class Changes {
  readonly #work: Work
  readonly #ends: { readonly job: Ending; readonly end: End }[] = []
  readonly #backs = new Map<number, { readonly job: HeldRow; readonly back: Back }>()
  readonly #beginnings: { readonly job: Ending; readonly to: 'failed' | 'cancelled'; readonly error: RecordedError }[] =
    []
  /** Workflows that have the last word, once their children have ended. */
  readonly #begun: number[] = []
  /** Parents of groups that were released before, and have one child less to wait for. */
  readonly #waking: number[] = []
  readonly #touched = new Set<number>()
  readonly #groups = new Map<string, GroupRow>()
  readonly #countdowns = new Map<string, Countdown>()
  readonly #released: Release[] = []
  /** Parents whose step was released, of whom the id is not known yet. */
  readonly #releasing: Releasing[] = []

  constructor(work: Work) {
    this.#work = work
  }

  /** Groups that were locked for jobs which may end. */
  knowGroups(rows: readonly unknown[]): void {
    // Both statements that lock groups give these columns.
    for (const row of rows as readonly GroupRow[]) {
      const key = keyOf(row.seq, row.step)
      // What this transaction has changed itself stands.
      if (!this.#groups.has(key)) this.#groups.set(key, row)
    }
  }

  /** Writes down what became of a running job. */
  apply(job: HeldRow, transition: Transition): void {
    if (transition.to !== 'waiting' && transition.to !== 'parked') this.end(job, transition)
    else if (this.#touch(job.seq)) this.#backs.set(job.seq, { job, back: transition })
  }

  /**
   * Ends a live job; one that something else in this transaction has ended already stays as it is.
   * @returns false when it goes on, for its code has the last word
   */
  end(job: Ending, end: End): boolean {
    return this.#touch(job.seq) ? this.#endOnce(job, end) : true
  }

  #endOnce(job: Ending, end: End): boolean {
    if (!job.is_workflow || end.to === 'succeeded' || end.error === undefined) {
      this.#ends.push({ job, end })
      return true
    }
    if (job.ending !== null) {
      this.#ends.push({ job, end: endedAs(JSON.parse(job.ending) as LastWord, end) })
      return true
    }
    const words = {
      hasOnFailure: (job.cleanup & HAS_ON_FAILURE) !== 0,
      compensates: (job.cleanup & COMPENSATES) !== 0,
    }
    if (!cleansUp(words, end.to)) {
      this.#ends.push({ job, end })
      return true
    }
    this.#beginnings.push({ job, to: end.to, error: end.error })
    return false
  }

  /** A step of a workflow that waited has what it waited for. */
  release(step: Releasing): void {
    this.#releasing.push(step)
  }

  #touch(seq: number): boolean {
    if (this.#touched.has(seq)) return false
    this.#touched.add(seq)
    return true
  }

  /** Writes it all. @returns the steps that were released by it, each exactly once */
  async finish(): Promise<Release[]> {
    // Cancelled children may count down groups in turn, so this goes on until nothing is left.
    while (this.#ends.length > 0 || this.#beginnings.length > 0 || this.#countdowns.size > 0) {
      const workflows = await this.#writeEnds()
      const begun = await this.#beginEndings()
      await this.#endChildren([...workflows, ...begun])
      await this.#countDown()
    }
    // Then, since the end of one may have cancelled another that was to go back to the line.
    await this.#writeBacks()
    await this.#nameReleases()
    await this.#wakeEndings()
    return this.#released
  }

  async #writeBacks(): Promise<void> {
    const backs = [...this.#backs.values()]
    this.#backs.clear()
    if (backs.length === 0) return
    const { tx, hints, now, lanes } = this.#work
    const places = await this.#placesOf(backs)
    const list = <T>(pick: (one: (typeof backs)[number]) => T) => backs.map(pick)
    tx.later(
      'returnJobs',
      list(({ job }) => job.seq),
      places.map(({ state }) => state),
      places.map(({ dueAt }) => dueAt),
      list(({ job, back }) => job.failures + (becauseOf(back) === 'retried' ? 1 : 0)),
      list(({ job, back }) => lapsesAfter(job, back)),
      list(({ back }) => becauseOf(back) !== 'retried'),
    )
    this.#givePermitsBack(backs, places)
    const cursors = await this.#logBacks(backs)
    tx.later(
      'insertAttempts',
      list(({ job }) => job.seq),
      list(({ job }) => job.attempt),
      list(({ job }) => job.worker),
      list(({ job }) => job.started_at),
      list(({ job }) => job.started_cursor),
      cursors,
      list(({ back }) => becauseOf(back)),
      places.map(({ dueAt }) => dueAt),
      list(({ back }) => (back.to === 'waiting' ? textOf(back.error) : null)),
      now,
    )
    hints.events()
    for (const [index, { job }] of backs.entries()) {
      const { state, dueAt } = places[index] ?? { state: STATE.ready, dueAt: now }
      if (state === STATE.ready) hints.queue(lanes.queueOf(job.lane) ?? '')
      else if (dueAt !== FOR_EVER) hints.dueAt(dueAt)
    }
  }

  /** What is not due before later waits without one. */
  #givePermitsBack(
    backs: readonly { readonly job: HeldRow; readonly back: Back }[],
    places: readonly { readonly state: number }[],
  ): void {
    const { tx, notes } = this.#work
    const jobs = backs.filter(({ job }, index) => job.permit && places[index]?.state === STATE.scheduled)
    if (jobs.length === 0) return
    tx.later(
      'givePermitsBack',
      jobs.map(({ job }) => job.seq),
    )
    for (const { job } of jobs) if (job.limit_key !== null) notes.limit(job.limit_key, { taken: -1 })
  }

  /** Where in the line each goes. A workflow is not parked when something that it waits for has happened by now. */
  async #placesOf(
    backs: readonly { readonly job: HeldRow; readonly back: Back }[],
  ): Promise<readonly { readonly state: number; readonly dueAt: number }[]> {
    const { tx, now } = this.#work
    const waits = backs.flatMap(({ job, back }) =>
      back.to === 'parked' ? back.waits.map((step) => ({ seq: job.seq, step })) : [],
    )
    type Row = { readonly seq: number }
    const seqs = waits.map(({ seq }) => seq)
    const steps = waits.map(({ step }) => step)
    const rows = waits.length === 0 ? [] : await tx.rows<Row>('releasedWaits', seqs, steps)
    const released = new Set(rows.map(({ seq }) => seq))
    return backs.map(({ job, back }) => {
      const { dueAt = FOR_EVER } = back
      if (dueAt <= now) return { state: STATE.ready, dueAt: back.to === 'parked' ? now : dueAt }
      if (back.to !== 'parked') return { state: STATE.scheduled, dueAt }
      return released.has(job.seq) ? { state: STATE.ready, dueAt: now } : { state: STATE.parked, dueAt }
    })
  }

  async #logBacks(backs: readonly { readonly job: HeldRow; readonly back: Back }[]): Promise<number[]> {
    const cursorOf = new Map<number, number>()
    for (const because of ['retried', 'lapsed', 'released', 'parked'] as const) {
      const jobs = backs.filter(({ back }) => becauseOf(back) === because).map(({ job }) => job)
      const cursors = await this.#work.ledger.log(LOGGED[because], jobs)
      for (const [index, job] of jobs.entries()) cursorOf.set(job.seq, cursors[index] ?? 0)
    }
    return backs.map(({ job }) => cursorOf.get(job.seq) ?? 0)
  }

  /** @returns the workflows among them */
  async #writeEnds(): Promise<number[]> {
    const ends = this.#ends.splice(0)
    if (ends.length === 0) return []
    const { tx, hints, now, ledger } = this.#work
    const list = <T>(pick: (one: (typeof ends)[number]) => T) => ends.map(pick)
    const cursors = await ledger.log(
      LOGGED.ended,
      ends.map(({ job }) => job),
    )
    const rows = await tx.rows<{ readonly id: JobId }>(
      'endJobs',
      list(({ job }) => job.seq),
      list(({ end }) => END_STATE[end.to]),
      list(({ end }) => end.result),
      list(({ end }) => textOf(end.error)),
      list(({ job }) => job.attempt),
      list(({ job }) => job.worker),
      list(({ job }) => job.started_at),
      list(({ job }) => job.started_cursor),
      cursors,
      now,
    )
    hints.events()
    for (const { id } of rows) hints.ended(id)
    for (const { job, end } of ends) {
      this.#count(job, end.to)
      this.#note(job, end)
    }
    this.#closeSessions(ends)
    return ends.filter(({ job }) => job.is_workflow).map(({ job }) => job.seq)
  }

  /** Those of workflows that end; the jobs of them end as their children. */
  #closeSessions(ends: readonly { readonly job: Ending }[]): void {
    const seqs = ends.filter(({ job }) => (job.cleanup & HAS_SESSIONS) !== 0).map(({ job }) => job.seq)
    if (seqs.length > 0) this.#work.tx.later('closeSessionsOf', seqs)
  }

  #note({ seq, limit_key: limitKey, permit, cache_key: cacheKey }: Ending, { isAnswer = false }: End): void {
    const { notes } = this.#work
    if (limitKey !== null) notes.limit(limitKey, { live: -1, taken: permit ? -1 : 0 })
    if (cacheKey !== null && !isAnswer) notes.cache(cacheKey, seq)
  }

  /** Their attempts are over, and their children are asked to stop. @returns their numbers */
  async #beginEndings(): Promise<readonly number[]> {
    const beginnings = this.#beginnings.splice(0)
    if (beginnings.length === 0) return []
    const { tx, hints, now, ledger } = this.#work
    const seqs = beginnings.map(({ job }) => job.seq)
    const rows = await tx.rows<{ readonly seq: number; readonly step: number }>('nextSteps', seqs)
    const steps = new Map(rows.map(({ seq, step }) => [seq, step]))
    const stepOf = (seq: number) => steps.get(seq) ?? 1
    const list = <T>(pick: (one: (typeof beginnings)[number]) => T) => beginnings.map(pick)
    const none = list(() => null)
    const numbers = seqs.map(stepOf)
    const endings = list(({ to }) => to)
    const zeros = list(() => 0)
    const no = list(() => false)
    const yes = list(() => true)
    const kinds = list(() => 'ending')
    tx.later(
      'insertSteps',
      seqs,
      numbers,
      kinds,
      endings,
      none,
      none,
      none,
      none,
      none,
      yes,
      none,
      zeros,
      no,
      now,
      none,
    )
    const cursors = await ledger.cursors(beginnings.length)
    const attempts = list(({ job }) => job.attempt)
    const data = list(({ to, error: { code, message } }) => JSON.stringify({ state: to, error: { code, message } }))
    tx.later(
      'insertEvents',
      cursors,
      seqs,
      kinds,
      attempts,
      list(() => now),
      none,
      none,
      data,
    )
    this.#keepAttempts(beginnings, cursors)
    const words = list(({ job, to, error }) => JSON.stringify({ to, error, step: stepOf(job.seq) } satisfies LastWord))
    tx.later('beginEndings', seqs, words)
    hints.events()
    this.#closeSessions(beginnings)
    this.#begun.push(...seqs)
    return seqs
  }

  #keepAttempts(
    beginnings: readonly { readonly job: Ending; readonly to: string; readonly error: RecordedError }[],
    cursors: readonly number[],
  ): void {
    const ran = [...beginnings.entries()].filter(([, { job }]) => job.worker !== null)
    if (ran.length === 0) return
    const { tx, now } = this.#work
    const list = <T>(pick: (one: (typeof beginnings)[number]) => T) => ran.map(([, one]) => pick(one))
    tx.later(
      'insertAttempts',
      list(({ job }) => job.seq),
      list(({ job }) => job.attempt),
      list(({ job }) => job.worker),
      list(({ job }) => job.started_at),
      list(({ job }) => job.started_cursor),
      ran.map(([index]) => cursors[index]),
      list(({ to }) => to),
      list(() => now),
      list(({ error }) => textOf(error)),
      now,
    )
  }

  async #wakeEndings(): Promise<void> {
    const begun = this.#begun.splice(0)
    if (begun.length === 0) return
    const { tx, hints, now, lanes } = this.#work
    const woken = noteAsking(this.#work, await tx.rows<DueRow>('wakeEndings', begun, now))
    for (const { lane } of woken) hints.queue(lanes.queueOf(lane) ?? '')
  }

  #count({ seq, parent_seq: parentSeq, step, grouped, state: before }: Ending, state: EndState): void {
    if (parentSeq === null || step === null) return
    const key = keyOf(parentSeq, step)
    let countdown = this.#countdowns.get(key)
    if (countdown === undefined) {
      countdown = { parentSeq, step, grouped, ended: 0, failure: undefined, freed: 0 }
      this.#countdowns.set(key, countdown)
    }
    countdown.ended++
    const { failure } = countdown
    if (state === 'failed' && failure?.state !== 'failed') countdown.failure = { seq, state }
    else if (state === 'cancelled') countdown.failure ??= { seq, state }
    // A held one had no place in its group, so its end lets nobody else go.
    if (before !== STATE.held) countdown.freed++
  }

  async #countDown(): Promise<void> {
    const countdowns = [...this.#countdowns.values()]
    this.#countdowns.clear()
    const updated: GroupRow[] = []
    const stopped: { readonly seq: number; readonly step: number }[] = []
    const freed: { readonly seq: number; readonly step: number; readonly places: number }[] = []
    for (const countdown of countdowns) {
      const { parentSeq: seq, step } = countdown
      if (countdown.grouped === 0) {
        this.#releasing.push({ seq, step })
        continue
      }
      const group = await this.#group(seq, step)
      if (group === undefined) continue
      const after = countDown(group, countdown)
      this.#groups.set(keyOf(seq, step), after)
      updated.push(after)
      const isReleasedNow = !group.released && after.released
      if (isReleasedNow) this.#releasing.push({ seq, step })
      // What is left of a released group may be what a workflow that cleans up waits for.
      else if (group.released) this.#waking.push(seq)
      if (after.remaining <= 0) continue
      if (isReleasedNow) stopped.push({ seq, step })
      else if (countdown.grouped === 2 && countdown.freed > 0) freed.push({ seq, step, places: countdown.freed })
    }
    this.#writeGroups(updated)
    await this.#unhold(freed)
    await this.#cancelRest(stopped)
  }

  async #group(seq: number, step: number): Promise<GroupRow | undefined> {
    const key = keyOf(seq, step)
    if (!this.#groups.has(key)) this.knowGroups(await this.#work.tx.rows('lockGroup', seq, step))
    return this.#groups.get(key)
  }

  #writeGroups(groups: readonly GroupRow[]): void {
    if (groups.length === 0) return
    this.#work.tx.later(
      'updateGroups',
      groups.map(({ seq }) => seq),
      groups.map(({ step }) => step),
      groups.map(({ remaining }) => remaining),
      groups.map(({ released }) => released),
      groups.map(({ ended_by: endedBy }) => endedBy),
    )
  }

  async #unhold(
    freed: readonly { readonly seq: number; readonly step: number; readonly places: number }[],
  ): Promise<void> {
    if (freed.length === 0) return
    const { tx, hints, now, lanes } = this.#work
    type Row = DueRow & { readonly state: number; readonly due_at: number }
    const rows = await tx.rows<Row>(
      'unholdChildren',
      freed.map(({ seq }) => seq),
      freed.map(({ step }) => step),
      freed.map(({ places }) => places),
      now,
    )
    noteAsking(this.#work, rows)
    for (const row of rows) {
      if (row.state === STATE.ready) hints.queue(lanes.queueOf(row.lane) ?? '')
      else if (row.state === STATE.scheduled) hints.dueAt(row.due_at)
    }
  }

  /** The first failure ended these groups: what is left of them is of no use. */
  async #cancelRest(groups: readonly { readonly seq: number; readonly step: number }[]): Promise<void> {
    if (groups.length === 0) return
    const steps = groups.map(({ step }) => step)
    const rows = await this.#work.tx.rows<{ readonly seq: number }>(
      'groupChildren',
      groups.map(({ seq }) => seq),
      steps,
    )
    await this.cancelTrees(
      rows.map(({ seq }) => seq),
      'Another job of its group failed.',
    )
  }

  async #endChildren(workflows: readonly number[]): Promise<void> {
    if (workflows.length === 0) return
    const rows = await this.#work.tx.rows<{ readonly seq: number }>('attachedChildren', workflows)
    await this.cancelTrees(
      rows.map(({ seq }) => seq),
      'Its workflow ended before it.',
    )
  }

  /**
   * Cancels what waits in trees, and asks what runs in them to stop.
   * @returns the numbers of those that go on for now
   */
  async cancelTrees(roots: readonly number[], reason: string): Promise<ReadonlySet<number>> {
    const running = new Set<number>()
    if (roots.length === 0) return running
    const { tx, hints } = this.#work
    const [groups = [], rows = []] = await tx.all([
      call(statements.lockGroupsOfTrees, roots),
      call(statements.lockTrees, roots),
    ])
    this.knowGroups(groups)
    const asked: TreeRow[] = []
    // From the leaves up, so that each learns the reason given and not that its workflow ended.
    for (const job of (rows as unknown as readonly TreeRow[]).toReversed()) {
      if (this.#touched.has(job.seq)) {
        const back = this.#backs.get(job.seq)
        if (back !== undefined && job.ending === null) {
          this.#backs.delete(job.seq)
          this.#endOnce(back.job, cancelled(reason))
        }
        continue
      }
      // It is on its way to an end, which nothing changes any more.
      const isEnding = job.ending !== null
      const isOver = !isEnding && job.state !== STATE.running
      const waiting = { ...job, worker: null, started_at: null, started_cursor: null }
      if (isOver && this.end(waiting, cancelled(reason))) continue
      running.add(job.seq)
      if (isEnding || isOver) continue
      hints.cancelled(job.id)
      if (job.cancel_at === null) asked.push(job)
    }
    await this.#requestCancels(asked, reason)
    return running
  }

  /** @returns whether the top of the tree is over now, or still running */
  async cancel(seq: number, reason: string): Promise<'cancelled' | 'cancelling' | 'already_ended'> {
    const running = await this.cancelTrees([seq], reason)
    if (running.has(seq)) return 'cancelling'
    // It may have ended between the question and the lock.
    return this.#touched.has(seq) ? 'cancelled' : 'already_ended'
  }

  async #requestCancels(jobs: readonly Ending[], reason: string): Promise<void> {
    if (jobs.length === 0) return
    const { tx, hints, now, ledger } = this.#work
    const seqs = jobs.map(({ seq }) => seq)
    tx.later('requestCancels', seqs, now, withoutNul(reason))
    const cursors = await ledger.cursors(jobs.length)
    const data = JSON.stringify({ reason })
    const all = <T>(value: T) => jobs.map(() => value)
    const attempts = jobs.map(({ attempt }) => attempt)
    tx.later(
      'insertEvents',
      cursors,
      seqs,
      all('cancel-requested'),
      attempts,
      all(now),
      all(null),
      all(null),
      all(data),
    )
    hints.events()
  }

  async #nameReleases(): Promise<void> {
    const releasing = this.#releasing.splice(0)
    const waking = this.#waking.splice(0)
    if (releasing.length + waking.length === 0) return
    const { tx, hints, now, lanes } = this.#work
    const seqs = releasing.map(({ seq }) => seq)
    const steps = [...releasing.map(({ step }) => step), ...waking.map(() => null)]
    const [rows = [], woken = []] = await tx.all([
      call(statements.jobIds, [...new Set(seqs)]),
      call(statements.wakeParked, [...seqs, ...waking], steps, now),
    ])
    const ids = new Map((rows as readonly { seq: number; id: JobId }[]).map(({ seq, id }) => [seq, id]))
    for (const { seq, ...step } of releasing) {
      const parentId = ids.get(seq)
      if (parentId === undefined) continue
      this.#released.push({ parentId, ...step })
      hints.released(parentId)
    }
    // The statement's own columns.
    const ready = noteAsking(this.#work, woken as unknown as readonly DueRow[])
    for (const { lane } of ready) hints.queue(lanes.queueOf(lane) ?? '')
  }
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

function becauseOf(back: Back): 'retried' | 'lapsed' | 'released' | 'parked' {
  return back.to === 'parked' ? 'parked' : back.because
}

function lapsesAfter(job: HeldRow, back: Back): number {
  if (back.to === 'waiting' && back.isBlamed) return job.lapses + 1
  return becauseOf(back) === 'retried' ? 0 : job.lapses
}

function textOf(error: RecordedError | undefined): string | null {
  return error === undefined ? null : JSON.stringify(error)
}

function keyOf(seq: number, step: number): string {
  return `${seq}/${step}`
}
