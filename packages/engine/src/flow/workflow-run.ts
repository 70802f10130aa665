import { setAlarm } from '../clock/alarm.ts'
import type { WorkflowChangedError } from '../errors.ts'
import type { JobId } from '../job/job.ts'
import { recordError } from '../job/recorded-error.ts'
import type { Json } from '../json.ts'
import type { Claimed, Ending, Lease, LogLevel, Payload, RecordedStep, Release, Settlement } from '../store/store.ts'
import { parseInput, parseOutput } from '../task/validate.ts'
import type { Callable, Workflow } from '../task/workflow.ts'
import { clampFraction } from '../worker/attempt.ts'
import { type StopReason, stopError, stoppedSettlement } from '../worker/stop-reason.ts'
import { ChildSteps } from './child-steps.ts'
import { Cleanup, type Compensate } from './cleanup.ts'
import type { CallOptions, Flow, MapOptions, Outcome, StepOptions } from './flow.ts'
import { LocalSteps } from './local-steps.ts'
import { type PollOptions, poll } from './poll.ts'
import { RunSteps, type Waits } from './run-steps.ts'
import { seededRandom, uuidFrom } from './seeded-random.ts'
import { runSession, type Session, type SessionOptions } from './session.ts'
import { SignalSteps, type WaitForOptions } from './signal-steps.ts'
import { now, sleep } from './timed-steps.ts'
import type { Parkable, WorkflowServices } from './workflow-services.ts'

const WORKFLOW_GRACE_MS = 5_000

/**
 * One resident execution of a workflow. Its code runs in the worker's event loop between the outcomes that it waits for;
 * while it waits it holds no slot, only memory. After a crash another worker runs it again from the start, with its
 * recorded steps at hand.
 */
export class WorkflowRun implements Flow, Parkable {
  readonly id: JobId
  readonly owner: string | undefined
  readonly lease: Lease
  readonly task: string
  readonly #claimed: Claimed
  readonly #workflow: Workflow
  readonly #services: WorkflowServices
  readonly #controller = new AbortController()
  readonly #steps: RunSteps
  readonly #children: ChildSteps
  readonly #signals: SignalSteps
  readonly #locals: LocalSteps
  readonly #cleanup = new Cleanup()
  readonly #nextRandom: () => number
  #changedBy: WorkflowChangedError | undefined
  /** When an earlier attempt had stored the first step of its `onFailure`. */
  #toldAt: number | undefined
  /** When `onFailure` is given up. */
  #cleanupEndsAt: number | undefined
  #stop: StopReason | undefined
  #input: unknown
  #end: (settlement: Settlement | undefined) => void = () => {}

  constructor(claimed: Claimed, workflow: Workflow, services: WorkflowServices) {
    const { lease, owner } = claimed
    this.id = lease.jobId
    this.owner = owner
    this.lease = lease
    this.task = workflow.name
    this.#claimed = claimed
    this.#workflow = workflow
    this.#services = services
    this.#nextRandom = seededRandom(claimed.seed ?? this.id)
    this.#steps = new RunSteps(lease, workflow, services, {
      rested: (isCaughtUp) => this.#rest(isCaughtUp),
      woke: () => services.wakes(this),
      changed: (error) => {
        this.#changedBy = error
        this.#end(this.#changed(error))
      },
      stop: (reason) => this.stop(reason),
    })
    this.#children = new ChildSteps(claimed, this.#steps)
    this.#signals = new SignalSteps(this.#steps)
    const { signal } = this.#controller
    const allOver = () => this.#endElsewhere()
    const cleanup = this.#cleanup
    this.#locals = new LocalSteps({ steps: this.#steps, place: claimed, task: workflow.name, signal, cleanup, allOver })
  }

  get signal(): AbortSignal {
    return this.#controller.signal
  }

  /** That its code did not repeat what was recorded. */
  get changedBy(): WorkflowChangedError | undefined {
    return this.#changedBy
  }

  /** How many steps its code has asked for. */
  get asked(): number {
    return this.#steps.asked
  }

  /** The steps that the store releases; each is asked after by its number. */
  get releasable(): readonly number[] {
    return this.#steps.releasable
  }

  /** Runs it to its end. Undefined: somebody else holds it now, or it was handed back. */
  async run(): Promise<Settlement | undefined> {
    const ended = new Promise<Settlement | undefined>((resolve) => {
      this.#end = resolve
    })
    const deadline = this.#startDeadline()
    try {
      const { ending, seed } = this.#claimed
      const hasHistory = this.lease.attempt > 1 || ending !== undefined || seed !== undefined
      const history = hasHistory ? await this.#services.history(this.lease.row) : []
      if (ending !== undefined) this.#toldAt = history.find((step) => isOfOnFailure(step, ending))?.recordedAt
      this.#steps.load(history, ending)
      const { payloads } = this.#services
      const input = await parseInput(this.#workflow, await payloads.decode(this.#claimed.input))
      this.#input = input
      void this.#execute(input)
      this.#steps.goOn()
    } catch (error) {
      this.#end(this.#failure(error))
    }
    const settlement = await ended
    this.#services.wakes(this)
    deadline?.cancel()
    const over = new Error('The workflow ended before this step of it.')
    this.#steps.close(over)
    // For local steps that nobody waits for any more. Of one that is parked none runs, and its code must not see it.
    if (this.#stop?.why !== 'parked') this.#controller.abort(over)
    this.#locals.giveSlotBack()
    return settlement
  }

  /** Asks it to stop: what it waits for is rejected, its local steps see their signal fire. The first reason counts. */
  stop(reason: StopReason, graceMs = WORKFLOW_GRACE_MS): void {
    // What cleans up is on its way to an end: a request to cancel it was made before that, and is heard late.
    if (this.#stop !== undefined || (reason.why === 'cancel' && this.#claimed.ending !== undefined)) return
    this.#stop = reason
    const error = stopError(reason, this)
    if (reason.why !== 'parked') this.#controller.abort(error)
    // Handed back or lost, its code must not see that: it goes on elsewhere as if nothing had happened.
    if (isElsewhere(reason)) this.#steps.freeze(error)
    else this.#steps.reject(error)
    if (isElsewhere(reason) && this.#locals.running === 0) this.#endElsewhere()
    else this.#steps.after(graceMs, () => this.#end(this.#settled(reason)))
  }

  /** Leaves the worker's memory; the store wakes it when something happens that it waits for. */
  park(): void {
    const waits = this.#parkable()
    if (waits !== undefined) this.stop({ why: 'parked', ...waits })
  }

  /** What a step waits for has happened: children have ended, or a signal came. See {@link ChildSteps.ended}. */
  async release(release: Release, results?: ReadonlyMap<JobId, Payload>): Promise<void> {
    const { step } = release
    const waiter = this.#steps.waiter(step)
    if (waiter === undefined || waiter.isSettled || this.#stop !== undefined) return
    try {
      if (waiter.kind === 'signal') await this.#signals.received(step, release)
      else await this.#children.ended(step, results)
    } catch (error) {
      this.#steps.deliverError(step, error)
    }
  }

  call<Input, Output>(task: Callable<Input, Output>, input: Input, options: CallOptions = {}): Promise<Output> {
    return this.#children.call(task, input, options)
  }

  start<Input, Output>(task: Callable<Input, Output>, input: Input, options: CallOptions = {}): Promise<JobId> {
    return this.#children.start(task, input, options)
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
    return this.#children.map(task, inputs, options)
  }

  all<const T extends readonly unknown[]>(branches: T): Promise<{ -readonly [K in keyof T]: Awaited<T[K]> }> {
    return Promise.all(branches) as Promise<{ -readonly [K in keyof T]: Awaited<T[K]> }>
  }

  step<Output>(
    name: string,
    fn: (signal: AbortSignal) => Output | Promise<Output>,
    options: StepOptions<Output> = {},
  ): Promise<Output> {
    // Sound: it is given what this very function returned.
    return this.#locals.step(name, fn, options.compensate as Compensate | undefined)
  }

  sleep(ms: number): Promise<void> {
    return sleep(this.#steps, ms)
  }

  waitFor<Value = unknown>(name: string, options: WaitForOptions<Value> = {}): Promise<Value> {
    return this.#signals.waitFor(name, options)
  }

  poll<Handle extends Json, Output>(name: string, options: PollOptions<Handle, Output>): Promise<Output> {
    const polling = poll(this, name, options)
    // A branch may be left alone while another one fails; its rejection must not end the process.
    polling.catch(() => {})
    return polling
  }

  session<Output>(
    queue: string,
    body: (session: Session) => Promise<Output>,
    options: SessionOptions = {},
  ): Promise<Output> {
    const running = runSession({ steps: this.#steps, children: this.#children, task: this.task }, queue, body, options)
    // As above.
    running.catch(() => {})
    return running
  }

  now(): Promise<number> {
    return now(this.#steps)
  }

  random(): number {
    return this.#nextRandom()
  }

  uuid(): string {
    return uuidFrom(this.#nextRandom)
  }

  progress(fraction: number, message?: string): void {
    const told = { kind: 'progress', fraction: clampFraction(fraction) } as const
    const at = this.#services.clock.now()
    this.#services.tell({ lease: this.lease, at, ...told, ...(message !== undefined && { message }) })
  }

  log(level: LogLevel, message: string): void {
    this.#services.tell({ lease: this.lease, at: this.#services.clock.now(), kind: 'log', level, message })
  }

  async #execute(input: unknown): Promise<void> {
    if (this.#claimed.ending !== undefined) return this.#replay(input)
    try {
      const output = await this.#workflow.run(input, this)
      const parsed = await parseOutput(this.#workflow, output)
      const result = await this.#services.payloads.encode(parsed, `The result of ${this.#workflow.name}`)
      if (this.#stop !== undefined) this.#end(this.#settled(this.#stop))
      else this.#end({ lease: this.lease, outcome: 'succeeded', result })
    } catch (error) {
      if (this.#stop !== undefined) this.#end(this.#settled(this.#stop))
      else this.#end(this.#failure(error))
    }
  }

  #rest(isCaughtUp: boolean): void {
    if (this.#steps.isReplayOnly) {
      if (isCaughtUp) void this.#cleanUp()
      return
    }
    this.#locals.rest()
    if (this.#parkable() !== undefined) this.#services.rests(this)
  }

  /** Runs the code for what it asks for alone; how it is to end was decided before. */
  async #replay(input: unknown): Promise<void> {
    await Promise.resolve(this.#workflow.run(input, this)).catch(() => {})
  }

  /** Its code stands where it stood when its end was decided. */
  async #cleanUp(): Promise<void> {
    const { ending } = this.#claimed
    if (ending === undefined) return
    this.#steps.cleanUp()
    const { cleanupTimeoutMs } = this.#workflow
    const { clock } = this.#services
    await this.#cleanup.run(this.#steps, this.#locals, cleanupTimeoutMs)
    if (ending.to === 'failed') {
      const endsAt = (this.#toldAt ?? clock.now()) + cleanupTimeoutMs
      this.#cleanupEndsAt = endsAt
      await this.#cleanup.tell(this.#workflow, { error: ending.error, input: this.#input }, this, { clock, endsAt })
    }
    if (this.#stop === undefined) this.#end(this.#cleanup.settlement(this.#steps, ending))
  }

  #parkable(): Waits | undefined {
    const waits = this.#locals.running === 0 && this.#stop === undefined ? this.#steps.waits : undefined
    if (waits === undefined || this.#cleanupEndsAt === undefined) return waits
    return { ...waits, dueAt: Math.min(this.#cleanupEndsAt, waits.dueAt ?? Number.POSITIVE_INFINITY) }
  }

  /** It goes on elsewhere, and nothing of it runs here any more. */
  #endElsewhere(): void {
    if (this.#stop !== undefined && isElsewhere(this.#stop)) this.#end(this.#settled(this.#stop))
  }

  #startDeadline(): ReturnType<typeof setAlarm> | undefined {
    const { deadlineAt } = this.#claimed
    if (deadlineAt === undefined) return undefined
    return setAlarm(this.#services.clock, deadlineAt, () => this.stop({ why: 'deadline' }))
  }

  /** A workflow that only cleans up ends as it was to; that its code has changed is told with it. */
  #changed(error: Error): Settlement {
    const { ending } = this.#claimed
    if (ending === undefined) return this.#failure(error)
    this.log('error', `It could not be cleaned up: ${error.message}`)
    return this.#cleanup.settlement(this.#steps, ending)
  }

  #failure(error: unknown): Settlement {
    const recorded = recordError(error, { jobId: this.id, name: this.#workflow.name })
    return { lease: this.lease, outcome: 'failed', error: recorded }
  }

  #settled(stop: StopReason): Settlement | undefined {
    return stoppedSettlement(stop, this, this.#services.clock.now())
  }
}

/** What is recorded behind the end of the code, and undoes nothing, was asked for by `onFailure`. */
function isOfOnFailure({ step, kind }: RecordedStep, ending: Ending): boolean {
  return step > ending.step && kind !== 'compensate'
}

/** Its code must not see that it stops: it goes on in another worker as if nothing had happened. */
function isElsewhere({ why }: StopReason): boolean {
  return why === 'worker_stops' || why === 'lease_lost' || why === 'parked'
}
