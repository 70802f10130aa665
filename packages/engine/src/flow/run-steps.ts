import type { Timer } from '../clock/clock.ts'
import { WorkflowChangedError } from '../errors.ts'
import type { Ending, Lease, NewStep, Payload, RecordedStep, StepKind } from '../store/store.ts'
import type { Workflow } from '../task/workflow.ts'
import type { StopReason } from '../worker/stop-reason.ts'
import { Deliveries } from './deliveries.ts'
import type { WorkflowServices } from './workflow-services.ts'

/** A step that the code has asked for and not yet received. */
export type Waiter = {
  readonly kind: StepKind
  readonly name: string
  readonly resolve: (value: never) => void
  readonly reject: (error: unknown) => void
  /** The store knows of it, so that another attempt finds it again. */
  isRecorded: boolean
  /** Its outcome is on its way to the code; a second word of it is of no interest. */
  isSettled: boolean
  /** Time alone ends the wait, at this instant. */
  dueAt?: number
}

/** What a resting workflow waits for: steps that the store releases, and the instant at which the first sleep is over. */
export type Waits = { readonly waits: readonly number[]; readonly dueAt?: number }

/** What happens to the run that asks for the steps. */
export type RunEvents = {
  /**
   * The code rests: it waits for children, signals, time or its own local steps. It is caught up when it has received all
   * that an earlier attempt's code had received.
   */
  rested(isCaughtUp: boolean): void
  /** Something was handed to the code, which runs again. */
  woke(): void
  /** The code does not repeat what was recorded. */
  changed(error: WorkflowChangedError): void
  stop(reason: StopReason): void
}

/** What the store releases when children end or a signal comes. */
const RELEASED: readonly StepKind[] = ['call', 'map', 'signal']

/**
 * The steps of one run: each gets its number in the order in which the code asks, is stored once, and its outcome is
 * handed to the code through {@link Deliveries}.
 */
export class RunSteps {
  readonly lease: Lease
  readonly services: WorkflowServices
  readonly #workflow: Workflow
  readonly #events: RunEvents
  readonly #waiters = new Map<number, Waiter>()
  readonly #timers = new Set<Timer>()
  #recorded: ReadonlyMap<number, RecordedStep> = new Map()
  #deliveries: Deliveries | undefined
  #count = 0
  /** Of a run that only cleans up, while its code is replayed: from this step on nothing is of the code. */
  #codeEndsAt: number | undefined
  /** Why nothing more is begun. */
  #closedBy: { readonly error: unknown } | undefined

  constructor(lease: Lease, workflow: Workflow, services: WorkflowServices, events: RunEvents) {
    this.lease = lease
    this.services = services
    this.#workflow = workflow
    this.#events = events
  }

  /** How many steps the code has asked for. */
  get asked(): number {
    return this.#count
  }

  get isClosed(): boolean {
    return this.#closedBy !== undefined
  }

  /** The steps that wait for the store to release them; each is asked after by its number. */
  get releasable(): readonly number[] {
    const steps: number[] = []
    for (const [step, { kind, isSettled }] of this.#waiters) {
      if (!isSettled && RELEASED.includes(kind)) steps.push(step)
    }
    return steps
  }

  /** What the code waits for, when another attempt could wait for all of it just as well; undefined when not. */
  get waits(): Waits | undefined {
    if (this.#waiters.size === 0) return undefined
    const waits: number[] = []
    let dueAt = Number.POSITIVE_INFINITY
    for (const [step, waiter] of this.#waiters) {
      if (!waiter.isRecorded || waiter.isSettled) return undefined
      if (RELEASED.includes(waiter.kind)) waits.push(step)
      else if (waiter.dueAt !== undefined) dueAt = Math.min(dueAt, waiter.dueAt)
      else return undefined
    }
    return dueAt === Number.POSITIVE_INFINITY ? { waits } : { waits, dueAt }
  }

  /**
   * @param history what earlier attempts stored
   * @param ending  the code is only replayed, up to where it stood, and nothing of it is begun any more
   */
  load(history: readonly RecordedStep[], ending?: Ending): void {
    this.#recorded = new Map(history.map((step) => [step.step, step]))
    this.#deliveries = new Deliveries(this.services.clock, history, (missing) => this.#rest(missing))
    if (ending === undefined) return
    this.#codeEndsAt = ending.step
    this.#deliveries.replayUntil(ending.step)
  }

  /** The code stands where it stood, and stays there; what is asked for from now on cleans up after it. */
  cleanUp(): void {
    if (this.#codeEndsAt === undefined) return
    this.#count = this.#codeEndsAt
    this.#codeEndsAt = undefined
    this.#waiters.clear()
    this.#deliveries?.goOn()
  }

  /** Whether the code is replayed only to clean up after it. */
  get isReplayOnly(): boolean {
    return this.#codeEndsAt !== undefined
  }

  /** Lets the code run until it rests. */
  goOn(): void {
    this.#deliveries?.start()
  }

  /** Nothing more is begun, stored or handed over. */
  freeze(error: unknown): void {
    this.#closedBy ??= { error }
    this.#deliveries?.stop()
  }

  /** The code sees an error wherever it waits, and at whatever it asks for next. */
  reject(error: unknown): void {
    this.freeze(error)
    for (const waiter of this.#waiters.values()) waiter.reject(error)
    this.#waiters.clear()
  }

  /** The run is over. */
  close(error: unknown): void {
    this.freeze(error)
    for (const timer of this.#timers) timer.cancel()
    this.#timers.clear()
  }

  waiter(step: number): Waiter | undefined {
    return this.#waiters.get(step)
  }

  recorded(step: number): RecordedStep | undefined {
    return this.#recorded.get(step)
  }

  /** Gives a step its number at once, in the order in which the code asks; the rest may take its time. */
  begin<T>(
    kind: StepKind,
    name: string,
    begin: (step: number, recorded: RecordedStep | undefined) => unknown,
  ): Promise<T> {
    const promise = new Promise<T>((resolve, reject) => {
      if (this.#closedBy !== undefined) {
        reject(this.#closedBy.error)
        return
      }
      const step = ++this.#count
      const recorded = this.#recorded.get(step)
      // The code stood before this when its end was decided, and waits for ever.
      if (this.#codeEndsAt !== undefined && (recorded === undefined || step >= this.#codeEndsAt)) return
      if (recorded !== undefined && (recorded.kind !== kind || recorded.name !== name)) {
        reject(this.#change(step, `${recorded.kind} ${recorded.name}`, `${kind} ${name}`))
        return
      }
      this.#waiters.set(step, { kind, name, resolve, reject, isRecorded: recorded !== undefined, isSettled: false })
      Promise.resolve(recorded)
        .then((known) => begin(step, known))
        .catch((error: unknown) => this.deliverError(step, error))
    })
    // A branch may be left alone while another one fails; its rejection must not end the process.
    promise.catch(() => {})
    return promise
  }

  /** Stores a step, with what the code had received before it. @returns false when the run is over */
  async record(step: number, what: Omit<NewStep, 'step' | 'delivered' | 'deliveredFrom'>): Promise<boolean> {
    const fresh = this.#deliveries?.takeFresh() ?? { delivered: [], deliveredFrom: 0 }
    const isRecorded = await this.#advance([{ step, ...what, ...fresh }])
    const waiter = this.#waiters.get(step)
    if (isRecorded && waiter !== undefined) waiter.isRecorded = true
    // What it waits for was on its way to the store when it came to rest.
    if (isRecorded && this.#deliveries?.isResting) this.#events.rested(true)
    return isRecorded
  }

  /** A step that was stored when it began is over. @returns false when the run is over */
  complete(step: number, what: Omit<NewStep, 'step' | 'delivered' | 'deliveredFrom'>): Promise<boolean> {
    return this.#advance([{ step, ...what, delivered: [], deliveredFrom: 0 }])
  }

  /** A session is over, unless it was so by the record; the store hears of it with what is stored next. */
  endSession(step: number, how: Pick<NewStep, 'name' | 'value' | 'error'>): void {
    const recorded = this.#recorded.get(step)
    if (this.isClosed || this.isReplayOnly || recorded?.value !== undefined || recorded?.error !== undefined) return
    void this.complete(step, { kind: 'session', ...how })
  }

  /** Says that the attempt now does something itself. @returns false when the run is over */
  sayBusy(): Promise<boolean> {
    return this.#advance([])
  }

  async #advance(steps: readonly NewStep[]): Promise<boolean> {
    const answer = await this.services.advance(this.lease, steps)
    if (answer === 'lease_lost') this.#events.stop({ why: 'lease_lost' })
    if (answer === 'cancelling') this.services.lookForCancel()
    return answer === 'recorded' && !this.isClosed
  }

  async deliverPayload(step: number, payload: Payload | undefined): Promise<void> {
    this.deliver(step, await this.services.payloads.decode(payload ?? 'null'))
  }

  deliver(step: number, value: unknown): void {
    this.#settle(step, (waiter) => waiter.resolve(value as never))
  }

  deliverError(step: number, error: unknown): void {
    this.#settle(step, (waiter) => waiter.reject(error))
  }

  /** Calls back at an instant, unless the run is over by then. */
  at(instant: number, fn: () => void): void {
    const { clock } = this.services
    const leftMs = instant - clock.now()
    if (leftMs <= 0) fn()
    // A timer may fire early, or be cut short at 24 days.
    else this.after(leftMs, () => this.at(instant, fn))
  }

  after(delayMs: number, fn: () => void): void {
    const timer = this.services.clock.setTimeout(() => {
      this.#timers.delete(timer)
      fn()
    }, delayMs)
    this.#timers.add(timer)
  }

  #settle(step: number, settle: (waiter: Waiter) => void): void {
    const waiter = this.#waiters.get(step)
    if (waiter === undefined || waiter.isSettled || this.isClosed) return
    waiter.isSettled = true
    this.#events.woke()
    this.#deliveries?.add(step, () => {
      this.#waiters.delete(step)
      settle(waiter)
    })
  }

  #rest(missing: number | undefined): void {
    if (missing === undefined || this.#waiters.has(missing)) {
      this.#events.rested(missing === undefined)
      return
    }
    const recorded = this.#recorded.get(missing)
    const was = recorded === undefined ? 'something' : `${recorded.kind} ${recorded.name}`
    this.#change(missing, was, 'not reached')
  }

  #change(step: number, recorded: string, now: string): unknown {
    const error = new WorkflowChangedError(this.#workflow.name, step, recorded, now)
    this.freeze(error)
    this.#events.changed(error)
    return error
  }
}
