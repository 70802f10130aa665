import type { Clock, Timer } from '../clock/clock.ts'
import { GroupTooLargeError, StepFailedError, WorkflowChangedError } from '../errors.ts'
import type { JobId, RecordedError } from '../job/job.ts'
import { recordError } from '../job/recorded-error.ts'
import type { Payloads } from '../payload/payloads.ts'
import type {
  ChildOutcome,
  Claimed,
  GroupPolicy,
  Lease,
  LogLevel,
  NewJob,
  NewStep,
  Payload,
  RecordedStep,
  Settlement,
  StepKind,
  Told,
} from '../store/store.ts'
import { checkDuration, checkOptions } from '../task/check-options.ts'
import { parseInput, parseOutput } from '../task/validate.ts'
import type { AnyTask, Callable, Workflow } from '../task/workflow.ts'
import { clampFraction } from '../worker/attempt.ts'
import { type StopReason, stopError, stoppedSettlement } from '../worker/stop-reason.ts'
import { failureOfGroup, resultOfCall, resultsOfGroup } from './child-outcomes.ts'
import { Deliveries } from './deliveries.ts'
import type { CallOptions, Flow, MapOptions, Outcome } from './flow.ts'
import { seededRandom, uuidFrom } from './seeded-random.ts'

/** Larger groups are refused: each child is a row, and the parent holds all results at once. */
export const GROUP_SIZE_MAX = 100_000
const WORKFLOW_GRACE_MS = 5_000

/** A child's input, as its task's schema reads it and as the store keeps it. */
export type ChildInput = { readonly parsed: unknown; readonly payload: Payload }

export type WorkflowServices = {
  readonly clock: Clock
  readonly payloads: Payloads
  history(row: number): Promise<readonly RecordedStep[]>
  outcomes(row: number, step: number): Promise<readonly ChildOutcome[]>
  advance(lease: Lease, steps: readonly NewStep[]): Promise<'recorded' | 'lease_lost' | 'cancelling'>
  tell(told: Told): void
  /** Resolves once a slot of the workflow's queue is taken for a local step. */
  takeSlot(queue: string): Promise<void>
  releaseSlot(queue: string): void
  newJob(task: AnyTask, input: ChildInput, options: CallOptions, parent: Claimed): NewJob
  /** The cancel that the store knows of has not been heard of yet. */
  lookForCancel(): void
}

type Waiter = {
  readonly kind: StepKind
  readonly name: string
  readonly resolve: (value: never) => void
  readonly reject: (error: unknown) => void
  /** Its outcome is on its way to the code; a second word of it is of no interest. */
  isSettled: boolean
}

type LocalOutcome = { readonly value: Payload } | { readonly error: RecordedError }

/**
 * One resident execution of a workflow. Its code runs in the worker's event loop between the outcomes that it waits for;
 * while it waits it holds no slot, only memory. After a crash another worker runs it again from the start, with its
 * recorded steps at hand.
 */
export class WorkflowRun implements Flow {
  readonly id: JobId
  readonly owner: string | undefined
  readonly lease: Lease
  readonly task: string
  readonly #claimed: Claimed
  readonly #workflow: Workflow
  readonly #services: WorkflowServices
  readonly #controller = new AbortController()
  readonly #waiters = new Map<number, Waiter>()
  readonly #timers = new Set<Timer>()
  readonly #policies = new Map<number, GroupPolicy>()
  /** The child of each `call` that was stored in this attempt. */
  readonly #called = new Map<number, JobId>()
  readonly #nextRandom: () => number
  #recorded = new Map<number, RecordedStep>()
  #deliveries: Deliveries | undefined
  #stepCount = 0
  #localSteps = 0
  #holdsSlot = true
  /** A local step runs in the slot that the workflow holds for its code. */
  #isSlotUsed = false
  #isOver = false
  #stop: StopReason | undefined
  #fatal: Error | undefined
  #end: (settlement: Settlement | undefined) => void = () => {}

  constructor(claimed: Claimed, workflow: Workflow, services: WorkflowServices) {
    this.id = claimed.lease.jobId
    this.owner = claimed.owner
    this.lease = claimed.lease
    this.task = workflow.name
    this.#claimed = claimed
    this.#workflow = workflow
    this.#services = services
    this.#nextRandom = seededRandom(this.id)
  }

  get signal(): AbortSignal {
    return this.#controller.signal
  }

  /** The steps that wait for children; each is asked after by its number. */
  get childWaits(): readonly number[] {
    const steps: number[] = []
    for (const [step, waiter] of this.#waiters) {
      if (!waiter.isSettled && (waiter.kind === 'call' || waiter.kind === 'map')) steps.push(step)
    }
    return steps
  }

  /** Runs it to its end. Undefined: somebody else holds it now, or it was handed back. */
  async run(): Promise<Settlement | undefined> {
    const ended = new Promise<Settlement | undefined>((resolve) => {
      this.#end = resolve
    })
    try {
      const history = this.lease.attempt > 1 ? await this.#services.history(this.lease.row) : []
      this.#recorded = new Map(history.map((step) => [step.step, step]))
      this.#deliveries = new Deliveries(this.#services.clock, history, (missing) => this.#rest(missing))
      this.#startDeadline()
      const { payloads } = this.#services
      const input = await parseInput(this.#workflow, await payloads.decode(this.#claimed.input))
      void this.#execute(input)
      this.#deliveries.start()
    } catch (error) {
      this.#end(this.#failure(error))
    }
    const settlement = await ended
    this.#isOver = true
    this.#deliveries?.stop()
    // For local steps that nobody waits for any more.
    this.#controller.abort(new Error('The workflow ended before this step of it.'))
    for (const timer of this.#timers) timer.cancel()
    this.#giveSlotBack()
    return settlement
  }

  /** Asks it to stop: what it waits for is rejected, its local steps see their signal fire. The first reason counts. */
  stop(reason: StopReason, graceMs = WORKFLOW_GRACE_MS): void {
    if (this.#stop !== undefined) return
    this.#stop = reason
    const error = stopError(reason, this)
    this.#controller.abort(error)
    this.#deliveries?.stop()
    // Handed back or lost, its code must not see that: it goes on elsewhere as if nothing had happened.
    if (isElsewhere(reason)) {
      if (this.#localSteps === 0) this.#end(this.#settled(reason))
      else this.#timer(() => this.#end(this.#settled(reason)), graceMs)
      return
    }
    for (const waiter of this.#waiters.values()) waiter.reject(error)
    this.#waiters.clear()
    this.#timer(() => this.#end(this.#settled(reason)), graceMs)
  }

  /**
   * Children of this step have ended, as many as it waits for.
   * @param results what the worker itself has just stored, which saves reading a called child's result again
   */
  async release(step: number, results?: ReadonlyMap<JobId, Payload>): Promise<void> {
    const waiter = this.#waiters.get(step)
    if (waiter === undefined || waiter.isSettled || this.#stop !== undefined) return
    try {
      const called = this.#called.get(step)
      const result = called === undefined ? undefined : results?.get(called)
      if (result !== undefined) this.#deliver(step, await this.#services.payloads.decode(result))
      else await this.#childrenEnded(step, waiter, await this.#services.outcomes(this.lease.row, step))
    } catch (error) {
      this.#deliverError(step, error)
    }
  }

  call<Input, Output>(task: Callable<Input, Output>, input: Input, options: CallOptions = {}): Promise<Output> {
    return this.#startStep('call', task.name, (step, recorded) => {
      if (recorded === undefined) return this.#recordChildren(step, 'call', task, [input], options, true)
      return this.#resumeChildren(step, recorded)
    })
  }

  start<Input, Output>(task: Callable<Input, Output>, input: Input, options: CallOptions = {}): Promise<JobId> {
    return this.#startStep('start', task.name, async (step, recorded) => {
      const id =
        recorded?.children[0]?.jobId ?? (await this.#recordChildren(step, 'start', task, [input], options, false))
      if (id !== undefined) this.#deliver(step, id)
    })
  }

  map<Input, Output>(
    task: Callable<Input, Output>,
    inputs: readonly Input[],
    options: MapOptions & { onFailure: 'collect' },
  ): Promise<Outcome<Output>[]>
  map<Input, Output>(task: Callable<Input, Output>, inputs: readonly Input[], options?: MapOptions): Promise<Output[]>
  map<Input, Output>(
    task: Callable<Input, Output>,
    inputs: readonly Input[],
    options: MapOptions = {},
  ): Promise<unknown> {
    return this.#startStep('map', task.name, async (step, recorded) => {
      if (recorded !== undefined) return this.#resumeChildren(step, recorded)
      if (inputs.length > GROUP_SIZE_MAX) throw new GroupTooLargeError(task.name, inputs.length, GROUP_SIZE_MAX)
      await this.#recordChildren(step, 'map', task, inputs, options, true)
      if (inputs.length === 0) this.#deliver(step, [])
    })
  }

  all<const T extends readonly unknown[]>(branches: T): Promise<{ -readonly [K in keyof T]: Awaited<T[K]> }> {
    return Promise.all(branches) as Promise<{ -readonly [K in keyof T]: Awaited<T[K]> }>
  }

  step<Output>(name: string, fn: (signal: AbortSignal) => Output | Promise<Output>): Promise<Output> {
    return this.#startStep('step', name, async (step, recorded) => {
      if (recorded === undefined) return this.#runLocally(step, name, fn)
      if (recorded.error !== undefined) return this.#deliverError(step, new StepFailedError(name, recorded.error))
      this.#deliver(step, await this.#services.payloads.decode(recorded.value ?? 'null'))
    })
  }

  sleep(ms: number): Promise<void> {
    return this.#startStep('sleep', `${ms} ms`, async (step, recorded) => {
      checkDuration('The time to sleep', ms)
      const dueAt = recorded?.dueAt ?? Math.ceil(this.#services.clock.now() + ms)
      if (recorded === undefined && !(await this.#record(step, { kind: 'sleep', name: `${ms} ms`, dueAt }))) return
      this.#sleepUntil(step, dueAt)
    })
  }

  now(): Promise<number> {
    return this.#startStep('now', 'now', async (step, recorded) => {
      if (recorded?.value !== undefined) return this.#deliver(step, Number(recorded.value))
      const now = this.#services.clock.now()
      // Whatever the code does with it is stored later, and therefore only together with it.
      void this.#record(step, { kind: 'now', name: 'now', value: String(now) })
      this.#deliver(step, now)
    })
  }

  random(): number {
    return this.#nextRandom()
  }

  uuid(): string {
    return uuidFrom(this.#nextRandom)
  }

  progress(fraction: number, message?: string): void {
    const told = { kind: 'progress', fraction: clampFraction(fraction) } as const
    this.#services.tell({
      lease: this.lease,
      at: this.#services.clock.now(),
      ...told,
      ...(message !== undefined && { message }),
    })
  }

  log(level: LogLevel, message: string): void {
    this.#services.tell({ lease: this.lease, at: this.#services.clock.now(), kind: 'log', level, message })
  }

  async #execute(input: unknown): Promise<void> {
    try {
      const output = await this.#workflow.run(input, this)
      const parsed = await parseOutput(this.#workflow, output)
      const result = await this.#services.payloads.encode(parsed, `The result of ${this.#workflow.name}`)
      if (this.#fatal !== undefined) throw this.#fatal
      if (this.#stop !== undefined) this.#end(this.#settled(this.#stop))
      else this.#end({ lease: this.lease, outcome: 'succeeded', result })
    } catch (error) {
      if (this.#stop !== undefined) this.#end(this.#settled(this.#stop))
      else this.#end(this.#failure(this.#fatal ?? error))
    }
  }

  /** Gives a step its number at once, in the order in which the code asks; the rest may take its time. */
  #startStep<T>(
    kind: StepKind,
    name: string,
    begin: (step: number, recorded: RecordedStep | undefined) => unknown,
  ): Promise<T> {
    const promise = new Promise<T>((resolve, reject) => {
      if (this.#stop !== undefined || this.#fatal !== undefined) {
        reject(this.#fatal ?? this.signal.reason)
        return
      }
      const step = ++this.#stepCount
      const recorded = this.#recorded.get(step)
      if (recorded !== undefined && (recorded.kind !== kind || recorded.name !== name)) {
        reject(this.#changed(step, `${recorded.kind} ${recorded.name}`, `${kind} ${name}`))
        return
      }
      this.#waiters.set(step, { kind, name, resolve, reject, isSettled: false })
      Promise.resolve(recorded)
        .then((known) => begin(step, known))
        .catch((error: unknown) => this.#deliverError(step, error))
    })
    // A branch may be left alone while another one fails; its rejection must not end the process.
    promise.catch(() => {})
    return promise
  }

  /** @returns the first child's id, or undefined when nothing was stored because the run is over */
  async #recordChildren(
    step: number,
    kind: 'call' | 'start' | 'map',
    task: AnyTask,
    inputs: readonly unknown[],
    options: MapOptions,
    attached: boolean,
  ): Promise<JobId | undefined> {
    const { payloads } = this.#services
    checkOptions(options)
    const children: NewJob[] = []
    for (const input of inputs) {
      const reading = parseInput(task, input)
      const parsed = reading instanceof Promise ? await reading : reading
      const encoded = payloads.encode(input, `The input of ${task.name}`)
      const payload = typeof encoded === 'string' ? encoded : await encoded
      children.push(this.#services.newJob(task, { parsed, payload }, options, this.#claimed))
    }
    const [first] = children
    if (kind === 'call' && first !== undefined) this.#called.set(step, first.id)
    const isRecorded = await this.#record(step, {
      kind,
      name: task.name,
      children,
      attached,
      ...(kind === 'map' && { policy: options.onFailure ?? 'fail' }),
      ...(options.concurrency !== undefined && { concurrency: options.concurrency }),
    })
    return isRecorded ? first?.id : undefined
  }

  async #resumeChildren(step: number, recorded: RecordedStep): Promise<void> {
    const waiter = this.#waiters.get(step)
    const isPending = recorded.children.some((child) => child.state === 'pending')
    const isReleased = !isPending || failureOfGroup(recorded.children) !== undefined
    if (waiter !== undefined && isReleased) await this.#childrenEnded(step, waiter, recorded.children)
  }

  async #childrenEnded(step: number, waiter: Waiter, outcomes: readonly ChildOutcome[]): Promise<void> {
    const { payloads } = this.#services
    const [called] = outcomes
    if (waiter.kind === 'call' && (called === undefined || called.state === 'pending')) return
    try {
      if (waiter.kind === 'call' && called !== undefined) this.#deliver(step, await resultOfCall(called, payloads))
      else this.#deliver(step, await resultsOfGroup(outcomes, this.#policyOf(step), payloads))
    } catch (failure) {
      this.#deliverError(step, failure)
    }
  }

  #policyOf(step: number): GroupPolicy {
    return this.#policies.get(step) ?? this.#recorded.get(step)?.policy ?? 'fail'
  }

  async #runLocally(step: number, name: string, fn: (signal: AbortSignal) => unknown): Promise<void> {
    const { queue } = this.#claimed
    // The first one goes into the slot that the workflow holds while its code runs.
    const needsSlot = !this.#holdsSlot || this.#isSlotUsed
    this.#localSteps++
    if (needsSlot) await this.#services.takeSlot(queue)
    else this.#isSlotUsed = true
    try {
      if (this.#stop !== undefined || this.#isOver) return
      // It may be what took the last worker down, and the store cannot see that it runs unless it is told.
      if (this.lease.attempt > 1 && !(await this.#advance([]))) return
      if (this.#isOver) return
      const outcome: LocalOutcome = await this.#tryLocally(name, fn)
      // Nothing is recorded of a step that was interrupted: it runs again elsewhere, or not at all.
      if (this.#stop !== undefined) return
      if (!(await this.#record(step, { kind: 'step', name, ...outcome }))) return
      if ('error' in outcome) this.#deliverError(step, new StepFailedError(name, outcome.error))
      else this.#deliver(step, await this.#services.payloads.decode(outcome.value))
    } finally {
      this.#localSteps--
      if (needsSlot) this.#services.releaseSlot(queue)
      else this.#isSlotUsed = false
      if (!needsSlot) this.#deliveries?.start()
      if (this.#localSteps === 0 && this.#stop !== undefined && isElsewhere(this.#stop))
        this.#end(this.#settled(this.#stop))
    }
  }

  async #tryLocally(name: string, fn: (signal: AbortSignal) => unknown): Promise<LocalOutcome> {
    try {
      return { value: await this.#services.payloads.encode(await fn(this.signal), `The result of step ${name}`) }
    } catch (thrown) {
      return { error: recordError(thrown, { jobId: this.id, name: this.#workflow.name }) }
    }
  }

  /** Stores a step, with what the code had received before it. @returns false when the run is over */
  async #record(step: number, what: Omit<NewStep, 'step' | 'delivered' | 'deliveredFrom'>): Promise<boolean> {
    if (what.policy !== undefined) this.#policies.set(step, what.policy)
    const fresh = this.#deliveries?.takeFresh() ?? { delivered: [], deliveredFrom: 0 }
    return this.#advance([{ step, ...what, ...fresh }])
  }

  async #advance(steps: readonly NewStep[]): Promise<boolean> {
    const answer = await this.#services.advance(this.lease, steps)
    if (answer === 'lease_lost') this.stop({ why: 'lease_lost' })
    if (answer === 'cancelling') this.#services.lookForCancel()
    return answer === 'recorded' && this.#stop === undefined
  }

  #sleepUntil(step: number, dueAt: number): void {
    const leftMs = dueAt - this.#services.clock.now()
    if (leftMs <= 0) this.#deliver(step, undefined)
    // A timer may fire early, or be cut short at 24 days.
    else this.#timer(() => this.#sleepUntil(step, dueAt), leftMs)
  }

  #deliver(step: number, value: unknown): void {
    this.#settleWaiter(step, (waiter) => waiter.resolve(value as never))
  }

  #deliverError(step: number, error: unknown): void {
    this.#settleWaiter(step, (waiter) => waiter.reject(error))
  }

  #settleWaiter(step: number, settle: (waiter: Waiter) => void): void {
    const waiter = this.#waiters.get(step)
    if (waiter === undefined || waiter.isSettled || this.#stop !== undefined) return
    waiter.isSettled = true
    this.#deliveries?.add(step, () => {
      this.#waiters.delete(step)
      this.#called.delete(step)
      settle(waiter)
    })
  }

  /** The code rests: it waits for children, time or its own local steps. */
  #rest(missing: number | undefined): void {
    if (missing !== undefined && !this.#waiters.has(missing)) {
      const recorded = this.#recorded.get(missing)
      const was = recorded === undefined ? 'something' : `${recorded.kind} ${recorded.name}`
      this.#end(this.#failure(this.#changed(missing, was, 'not reached')))
      return
    }
    if (!this.#isSlotUsed) this.#giveSlotBack()
  }

  #giveSlotBack(): void {
    if (!this.#holdsSlot) return
    this.#holdsSlot = false
    this.#services.releaseSlot(this.#claimed.queue)
  }

  #changed(step: number, recorded: string, now: string): Error {
    this.#fatal ??= new WorkflowChangedError(this.#workflow.name, step, recorded, now)
    return this.#fatal
  }

  #startDeadline(): void {
    const { deadlineAt } = this.#claimed
    if (deadlineAt === undefined) return
    const leftMs = deadlineAt - this.#services.clock.now()
    if (leftMs <= 0) this.stop({ why: 'deadline' })
    else this.#timer(() => this.#startDeadline(), leftMs)
  }

  #timer(fn: () => void, delayMs: number): void {
    const timer = this.#services.clock.setTimeout(() => {
      this.#timers.delete(timer)
      fn()
    }, delayMs)
    this.#timers.add(timer)
  }

  #failure(error: unknown): Settlement {
    const recorded = recordError(error, { jobId: this.id, name: this.#workflow.name })
    return { lease: this.lease, outcome: 'failed', error: recorded }
  }

  #settled(stop: StopReason): Settlement | undefined {
    return stoppedSettlement(stop, this, this.#services.clock.now())
  }
}

/** Its code must not see that it stops: it goes on in another worker as if nothing had happened. */
function isElsewhere({ why }: StopReason): boolean {
  return why === 'worker_stops' || why === 'lease_lost'
}
