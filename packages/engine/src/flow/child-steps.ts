import { GroupTooLargeError } from '../errors.ts'
import type { JobId } from '../job/job.ts'
import type { ChildOutcome, Claimed, GroupPolicy, NewJob, Payload, RecordedStep } from '../store/store.ts'
import { checkOptions } from '../task/check-options.ts'
import { parseInput } from '../task/validate.ts'
import type { AnyTask } from '../task/workflow.ts'
import { failureOfGroup, resultOfCall, resultsOfGroup, throwSessionLost } from './child-outcomes.ts'
import type { CallOptions, MapOptions } from './flow.ts'
import type { RunSteps } from './run-steps.ts'

/** Larger groups are refused: each child is a row, and the parent holds all results at once. */
export const GROUP_SIZE_MAX = 100_000

type Children = {
  readonly kind: 'call' | 'start' | 'map'
  readonly task: AnyTask
  readonly inputs: readonly unknown[]
  readonly options: MapOptions
  /** The step of the session that they belong to. */
  readonly session: number | undefined
}

/** The steps of a run that bring child jobs. */
export class ChildSteps {
  readonly #claimed: Claimed
  readonly #steps: RunSteps
  readonly #policies = new Map<number, GroupPolicy>()
  /** The child of each `call` that was stored in this attempt. */
  readonly #called = new Map<number, JobId>()

  constructor(claimed: Claimed, steps: RunSteps) {
    this.#claimed = claimed
    this.#steps = steps
  }

  call<Output>(task: AnyTask, input: unknown, options: CallOptions, session?: number): Promise<Output> {
    return this.#steps.begin('call', task.name, (step, recorded) => {
      if (recorded !== undefined) return this.#resume(step, recorded)
      return this.#record(step, { kind: 'call', task, inputs: [input], options, session })
    })
  }

  start(task: AnyTask, input: unknown, options: CallOptions, session?: number): Promise<JobId> {
    return this.#steps.begin('start', task.name, async (step, recorded) => {
      const known = recorded?.children[0]?.jobId
      const id = known ?? (await this.#record(step, { kind: 'start', task, inputs: [input], options, session }))
      if (id !== undefined) this.#steps.deliver(step, id)
    })
  }

  map(task: AnyTask, inputs: readonly unknown[], options: MapOptions, session?: number): Promise<unknown> {
    return this.#steps.begin('map', task.name, async (step, recorded) => {
      if (recorded !== undefined) return this.#resume(step, recorded)
      if (inputs.length > GROUP_SIZE_MAX) throw new GroupTooLargeError(task.name, inputs.length, GROUP_SIZE_MAX)
      await this.#record(step, { kind: 'map', task, inputs, options, session })
      if (inputs.length === 0) this.#steps.deliver(step, [])
    })
  }

  /**
   * Children of this step have ended, as many as it waits for.
   * @param results what the worker itself has just stored, which saves reading a called child's result again
   */
  async ended(step: number, results: ReadonlyMap<JobId, Payload> | undefined): Promise<void> {
    const { services, lease } = this.#steps
    const called = this.#called.get(step)
    const result = called === undefined ? undefined : results?.get(called)
    this.#called.delete(step)
    if (result !== undefined) await this.#steps.deliverPayload(step, result)
    else await this.#hand(step, await services.outcomes(lease.row, step))
  }

  /** @returns the first child's id, or undefined when nothing was stored because the run is over */
  async #record(step: number, { kind, task, inputs, options, session }: Children): Promise<JobId | undefined> {
    checkOptions(options)
    const children: NewJob[] = []
    for (const input of inputs) {
      const child = this.#newChild(task, input, options)
      children.push(child instanceof Promise ? await child : child)
    }
    const [first] = children
    if (kind === 'call' && first !== undefined) this.#called.set(step, first.id)
    const policy = kind === 'map' ? (options.onFailure ?? 'fail') : undefined
    if (policy !== undefined) this.#policies.set(step, policy)
    const isRecorded = await this.#steps.record(step, {
      kind,
      name: task.name,
      children,
      attached: kind !== 'start' || session !== undefined,
      ...(policy !== undefined && { policy }),
      ...(options.concurrency !== undefined && { concurrency: options.concurrency }),
      ...(session !== undefined && { session }),
    })
    return isRecorded ? first?.id : undefined
  }

  #newChild(task: AnyTask, input: unknown, options: CallOptions): NewJob | Promise<NewJob> {
    const { services } = this.#steps
    const build = (parsed: unknown): NewJob | Promise<NewJob> => {
      const make = (payload: Payload) =>
        services.newJob(task, { given: input, parsed, payload }, options, this.#claimed)
      const encoded = services.payloads.encode(input, `The input of ${task.name}`)
      return typeof encoded === 'string' ? make(encoded) : encoded.then(make)
    }
    const parsed = parseInput(task, input)
    return parsed instanceof Promise ? parsed.then(build) : build(parsed)
  }

  async #resume(step: number, recorded: RecordedStep): Promise<void> {
    const isPending = recorded.children.some((child) => child.state === 'pending')
    if (!isPending || failureOfGroup(recorded.children) !== undefined) await this.#hand(step, recorded.children)
  }

  async #hand(step: number, outcomes: readonly ChildOutcome[]): Promise<void> {
    const { payloads } = this.#steps.services
    const [called] = outcomes
    const isCall = this.#steps.waiter(step)?.kind === 'call'
    if (isCall && (called === undefined || called.state === 'pending')) return
    try {
      throwSessionLost(outcomes)
      if (isCall && called !== undefined) this.#steps.deliver(step, await resultOfCall(called, payloads))
      else this.#steps.deliver(step, await resultsOfGroup(outcomes, this.#policyOf(step), payloads))
    } catch (failure) {
      this.#steps.deliverError(step, failure)
    }
  }

  #policyOf(step: number): GroupPolicy {
    return this.#policies.get(step) ?? this.#steps.recorded(step)?.policy ?? 'fail'
  }
}
