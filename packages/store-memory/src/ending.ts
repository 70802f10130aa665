import {
  cancelled,
  cleansUp,
  type Ending,
  type EndState,
  endedAs,
  type LastWord,
  type Payload,
  type RecordedError,
  type Release,
  type Transition,
} from '@headrace/engine'
import { admit } from './admit.ts'
import { leaveCache } from './cache.ts'
import { countOut, giveOutPermits, returnPermit } from './limits.ts'
import { addEvent, type Context, keptJobs, type Live, liveJobs, type StoredJob, type StoredStep } from './place.ts'
import { closeSessions } from './sessions.ts'

export type EndedAs = {
  readonly to: EndState
  readonly result?: string
  readonly error?: RecordedError
  /** The job whose result it is. */
  readonly cachedFrom?: StoredJob
}

function wordsOf({ job }: StoredJob, { compensates }: Live): LastWord {
  return { hasOnFailure: job.cleanup === true, compensates }
}

/** Ended children of one step, counted over an operation. */
type Countdown = {
  readonly parent: StoredJob
  readonly step: StoredStep
  ended: number
  /** The one that ends a group of policy `fail`: the first that failed, or else the first that was cancelled. */
  failure: { readonly job: StoredJob; readonly state: EndState } | undefined
  /** Places that they leave to the held ones. */
  freed: number
}

/** The ends of jobs within one operation, and what follows from them. `finish` must be called before it is over. */
export class Endings {
  readonly #context: Context
  readonly #countdowns = new Map<StoredStep, Countdown>()
  readonly #released: Release[] = []
  /** Keys of limits that may have a permit for somebody who waits for one. */
  readonly #permitsWanted = new Set<string>()

  constructor(context: Context) {
    this.#context = context
  }

  /** Ends a live job, when its code has no last word; one that has ended already stays as it is. */
  end(job: StoredJob, to: EndedAs): void {
    const { live } = job
    if (live?.ending !== undefined && to.to !== 'succeeded') this.#endForGood(job, endedAs(live.ending, to))
    else if (
      live !== undefined &&
      to.to !== 'succeeded' &&
      to.error !== undefined &&
      cleansUp(wordsOf(job, live), to.to)
    )
      this.#beginEnding(job, live, { to: to.to, error: to.error })
    else this.#endForGood(job, to)
  }

  /** Its attempt is over, its children are asked to stop, and when they have ended it is claimed once more. */
  #beginEnding(job: StoredJob, live: Live, { to, error }: Omit<Ending, 'step'>): void {
    const { clock } = this.#context
    const now = clock.now()
    const step = Math.max(0, ...job.steps.keys()) + 1
    const recorded = { step, kind: 'ending', name: to, delivered: [], deliveredFrom: 0, recordedAt: now } as const
    job.steps.set(step, { recorded, children: [], remaining: 0, isReleased: true, endedBy: undefined })
    const { worker, startedAt } = live
    if (worker !== undefined && startedAt !== undefined)
      job.attempts.push({ attempt: job.attempt, worker, startedAt, endedAt: now, outcome: to, error })
    const { code, message } = error
    addEvent(this.#context, job, 'ending', job.attempt, now, { state: to, error: { code, message } })
    closeSessions(job)
    const fresh = { worker: undefined, startedAt: undefined, cancel: undefined, isBusy: false, lapses: 0 }
    // What it undoes, it may undo anywhere.
    live.session = undefined
    Object.assign(live, fresh, { ending: { to, error, step }, state: 'parked', dueAt: Number.POSITIVE_INFINITY })
    this.#endChildren(job)
    this.#wakeEnding(job)
  }

  /** A workflow that waits for the end of its children to clean up has seen the last of them go. */
  #wakeEnding(job: StoredJob): void {
    const { place, clock } = this.#context
    const isChild = ({ parent }: StoredJob) => parent?.job === job && parent.isAttached
    if (job.live?.state !== 'parked' || job.live.ending === undefined || liveJobs(place).some(isChild)) return
    makeDue(this.#context, this, job, { dueAt: clock.now(), isBack: true })
  }

  #endForGood(job: StoredJob, to: EndedAs): void {
    const { place, clock, hints } = this.#context
    const { live } = job
    if (live === undefined) return
    const { to: state, result, error: failure, cachedFrom } = to
    const now = clock.now()
    job.end = {
      ...{ state, worker: live.worker, startedAt: live.startedAt, endedAt: now, cachedFrom },
      ...(result !== undefined && { result }),
      ...(failure !== undefined && { error: failure }),
    }
    job.live = undefined
    place.live.delete(job)
    if (live.limitKey !== undefined) countOut(this.#context, this, live.limitKey)
    const error = to.error === undefined ? {} : { error: { code: to.error.code, message: to.error.message } }
    addEvent(this.#context, job, 'ended', job.attempt, now, { state, ...error })
    hints.ended(job.job.id)
    this.#count(job, state, live.state)
    closeSessions(job)
    if (job.job.kind === 'workflow') this.#endChildren(job)
    if (cachedFrom === undefined && live.cacheKey !== undefined && live.state !== 'following')
      leaveCache(this.#context, this, { job, key: live.cacheKey, to })
  }

  /** A permit of this limit may be free, or somebody new waits for one. */
  permitWanted(key: string): void {
    this.#permitsWanted.add(key)
  }

  /** Counts the groups down, and gives out permits. @returns the steps that were released by it, each exactly once */
  finish(): Release[] {
    // Cancelled children may count down groups in turn, so this goes on until nothing is left.
    for (const countdown of this.#countdowns.values()) {
      this.#countdowns.delete(countdown.step)
      if (countdown.step.recorded.kind === 'map') this.#countDown(countdown)
      else this.#release(countdown.parent, countdown.step)
      this.#wakeEnding(countdown.parent)
    }
    // Last of all, when everyone who may want one is there.
    for (const key of this.#permitsWanted) giveOutPermits(this.#context, key)
    this.#permitsWanted.clear()
    return this.#released
  }

  #count(job: StoredJob, state: EndState, before: Live['state']): void {
    if (job.parent === undefined) return
    const { job: parent, step } = job.parent
    const countdown = this.#countdowns.get(step) ?? { parent, step, ended: 0, failure: undefined, freed: 0 }
    this.#countdowns.set(step, countdown)
    countdown.ended++
    if (state === 'failed' && countdown.failure?.state !== 'failed') countdown.failure = { job, state }
    if (state === 'cancelled') countdown.failure ??= { job, state }
    if (before !== 'held') countdown.freed++
  }

  #countDown({ parent, step, ended, failure, freed }: Countdown): void {
    step.remaining -= ended
    const isEndedBy = step.recorded.policy === 'fail' && failure !== undefined
    if (isEndedBy) step.endedBy ??= failure.job
    const isReleasedNow = !step.isReleased && (step.remaining <= 0 || isEndedBy)
    if (isReleasedNow) this.#release(parent, step)
    if (step.remaining <= 0) return
    if (isReleasedNow) this.#cancelRest(step)
    else this.#letGo(step, freed)
  }

  /** The first failure ended the group: what is left of it is of no use. */
  #cancelRest(step: StoredStep): void {
    for (const sibling of step.children) {
      if (sibling.live) cancelTree(this.#context, this, sibling, 'Another job of its group failed.')
    }
  }

  /** Lets so many held children go, each not before its own time. */
  #letGo(step: StoredStep, places: number): void {
    const held = step.children.filter(({ live }) => live?.state === 'held')
    const now = this.#context.clock.now()
    for (const job of held.slice(0, places)) {
      makeDue(this.#context, this, job, { dueAt: Math.max(now, job.live?.dueAt ?? now) })
    }
  }

  /** What a wait for a signal came to. */
  receive(job: StoredJob, step: StoredStep, received: { readonly value: Payload } | { readonly error: RecordedError }) {
    step.recorded = { ...step.recorded, ...received }
    this.#release(job, step)
  }

  #release(parent: StoredJob, step: StoredStep): void {
    step.isReleased = true
    // A child that it had only started is nothing that a parked workflow waits for.
    const isParked = parent.live?.state === 'parked' && parent.live.ending === undefined
    if (isParked && step.recorded.kind !== 'start')
      makeDue(this.#context, this, parent, { dueAt: this.#context.clock.now(), isBack: true })
    this.#released.push(releaseOf(parent, step))
    this.#context.hints.released(parent.job.id)
  }

  #endChildren(job: StoredJob): void {
    for (const child of liveJobs(this.#context.place)) {
      if (child.parent?.job !== job || !child.parent.isAttached) continue
      cancelTree(this.#context, this, child, 'Its workflow ended before it.')
    }
  }
}

export function releaseOf(parent: StoredJob, { recorded: { step, kind, value, error } }: StoredStep): Release {
  const received = kind === 'signal' && { ...(value !== undefined && { value }), ...(error !== undefined && { error }) }
  return { parentId: parent.job.id, step, ...received }
}

/** Lets a job wait for its time, or decides what becomes of it when that has come. */
function makeDue(
  context: Context,
  endings: Endings,
  job: StoredJob,
  { dueAt, isBack = false }: { readonly dueAt: number; readonly isBack?: boolean },
): void {
  const { live } = job
  if (live === undefined) return
  Object.assign(live, { dueAt, rank: dueAt })
  if (dueAt <= context.clock.now()) {
    admit(context, endings, job, isBack)
    return
  }
  live.state = 'scheduled'
  context.hints.dueAt(dueAt)
  if (live.limitKey !== undefined && live.hasPermit) returnPermit(endings, live, live.limitKey)
}

/**
 * Cancels what waits in a tree, and asks what runs in it to stop.
 * @returns whether the top of the tree is over now, or still running
 */
export function cancelTree(
  context: Context,
  endings: Endings,
  top: StoredJob,
  reason: string,
): 'cancelled' | 'cancelling' {
  // From the leaves up, so that each learns the reason given and not that its workflow ended.
  for (const job of descendants(context, top).reverse()) {
    // It is on its way to an end, which nothing changes any more.
    if (job.live?.ending !== undefined) continue
    if (job.live?.state === 'running') requestCancel(context, job, job.live, reason)
    else endings.end(job, cancelled(reason))
  }
  return top.live === undefined ? 'cancelled' : 'cancelling'
}

function requestCancel(context: Context, job: StoredJob, live: Live, reason: string): void {
  context.hints.cancelled(job.job.id)
  if (live.cancel !== undefined) return
  const now = context.clock.now()
  live.cancel = { at: now, reason }
  addEvent(context, job, 'cancel-requested', job.attempt, now, { reason })
}

/** A job and everything below it, the top first. */
export function descendants({ place }: Context, top: StoredJob): StoredJob[] {
  // A child always comes after its parent.
  const tree = new Set([top])
  for (const job of keptJobs(place)) if (job.parent !== undefined && tree.has(job.parent.job)) tree.add(job)
  return [...tree]
}

/** Writes down what became of a running job. */
export function applyTransition(context: Context, endings: Endings, job: StoredJob, transition: Transition): void {
  if (transition.to === 'parked') park(context, endings, job, transition)
  else if (transition.to === 'waiting') {
    returnToLine(context, job, transition)
    makeDue(context, endings, job, { dueAt: transition.dueAt, isBack: transition.because !== 'retried' })
  } else endings.end(job, transition)
}

/** A workflow rests in the store, unless something that it waits for has happened by now. */
function park(
  context: Context,
  endings: Endings,
  job: StoredJob,
  { waits, dueAt = Number.POSITIVE_INFINITY }: Transition & { readonly to: 'parked' },
): void {
  const now = context.clock.now()
  const isDue = dueAt <= now || waits.some((step) => job.steps.get(step)?.isReleased === true)
  returnToLine(context, job, { because: 'parked', dueAt: isDue ? now : dueAt })
  if (job.live === undefined) return
  if (isDue) makeDue(context, endings, job, { dueAt: now, isBack: true })
  else Object.assign(job.live, { state: 'parked', dueAt, rank: dueAt })
  if (!isDue && Number.isFinite(dueAt)) context.hints.dueAt(dueAt)
}

/** The attempt of a running job is over. */
function returnToLine(
  context: Context,
  job: StoredJob,
  how: {
    readonly because: 'retried' | 'released' | 'lapsed' | 'parked'
    readonly dueAt: number
    readonly error?: RecordedError
    readonly isBlamed?: boolean
  },
): void {
  const { live } = job
  if (live?.worker === undefined || live.startedAt === undefined) return
  const now = context.clock.now()
  const { because, dueAt, error, isBlamed } = how
  const { worker, startedAt } = live
  const went = { attempt: job.attempt, worker, startedAt, endedAt: now, outcome: because } as const
  job.attempts.push(error === undefined ? went : { ...went, error })
  if (because === 'retried') live.failures++
  live.lapses = isBlamed === true ? live.lapses + 1 : because === 'retried' ? 0 : live.lapses
  live.worker = undefined
  live.startedAt = undefined
  addEvent(context, job, because, job.attempt, now, { dueAt: Number.isFinite(dueAt) ? dueAt : undefined, error })
}
