import { StepFailedError } from '../errors.ts'
import type { RecordedError } from '../job/job.ts'
import { recordError } from '../job/recorded-error.ts'
import type { Claimed, Payload } from '../store/store.ts'
import type { Cleanup, Compensate } from './cleanup.ts'
import type { RunSteps } from './run-steps.ts'

export type LocalFunction = (signal: AbortSignal) => unknown

type LocalOutcome = { readonly value: Payload } | { readonly error: RecordedError }

type What = { readonly kind: 'step' | 'compensate'; readonly name: string; readonly compensates: boolean }

type Options = {
  readonly steps: RunSteps
  /** Where the slots are, and what each step needs besides one. */
  readonly place: Pick<Claimed, 'queue' | 'needs'>
  readonly task: string
  readonly signal: AbortSignal
  readonly cleanup: Cleanup
  /** The last one that ran is over. */
  readonly allOver: () => void
}

/** The steps that run in the worker itself, each in a slot of the workflow's queue, and that slot. */
export class LocalSteps {
  readonly #options: Options
  #running = 0
  /** The slot into which the workflow was claimed; its code runs in it, and the first local step. */
  #holdsSlot = true
  #isSlotUsed = false

  constructor(options: Options) {
    this.#options = options
  }

  get running(): number {
    return this.#running
  }

  step<Output>(name: string, fn: LocalFunction, compensate?: Compensate): Promise<Output> {
    const { steps, cleanup } = this.#options
    const what = { kind: 'step', name, compensates: compensate !== undefined } as const
    return steps.begin('step', name, (step, recorded) => {
      if (compensate !== undefined && recorded !== undefined) cleanup.note(recorded, compensate)
      const isOver = recorded?.value !== undefined || recorded?.error !== undefined
      if (!isOver) return steps.isReplayOnly ? undefined : this.#run(step, what, fn, recorded !== undefined)
      if (recorded.error !== undefined) return steps.deliverError(step, new StepFailedError(name, recorded.error))
      return steps.deliverPayload(step, recorded.value)
    })
  }

  /** Undoes a step. */
  compensate(name: string, fn: LocalFunction): Promise<unknown> {
    const { steps } = this.#options
    return steps.begin('compensate', name, (step, recorded) => {
      if (recorded === undefined) return this.#run(step, { kind: 'compensate', name, compensates: false }, fn, false)
      if (recorded.error !== undefined) return steps.deliverError(step, new StepFailedError(name, recorded.error))
      return steps.deliver(step, undefined)
    })
  }

  /** The code rests, and needs its slot no more. */
  rest(): void {
    if (!this.#isSlotUsed) this.giveSlotBack()
  }

  giveSlotBack(): void {
    if (!this.#holdsSlot) return
    this.#holdsSlot = false
    this.#options.steps.services.releaseSlot(this.#options.place)
  }

  async #run(step: number, what: What, fn: LocalFunction, isBegun: boolean): Promise<void> {
    const { steps, place } = this.#options
    // The first one goes into the slot that the workflow holds while its code runs.
    const needsSlot = !this.#holdsSlot || this.#isSlotUsed
    this.#running++
    if (needsSlot) await steps.services.takeSlot(place)
    else this.#isSlotUsed = true
    try {
      await this.#runInSlot(step, what, fn, isBegun)
    } finally {
      this.#running--
      if (needsSlot) steps.services.releaseSlot(place)
      else this.#isSlotUsed = false
      if (!needsSlot) steps.goOn()
      if (this.#running === 0) this.#options.allOver()
    }
  }

  async #runInSlot(
    step: number,
    { kind, name, compensates }: What,
    fn: LocalFunction,
    isBegun: boolean,
  ): Promise<void> {
    const { steps } = this.#options
    if (steps.isClosed) return
    // It may be what took the last worker down, and the store cannot see that it runs unless it is told.
    if (steps.lease.attempt > 1 && !(await steps.sayBusy())) return
    // So that it is undone even when nobody hears how it went.
    if (compensates && !isBegun && !(await steps.record(step, { kind, name, compensates }))) return
    if (steps.isClosed) return
    const outcome = await this.#try(name, fn)
    // Nothing is recorded of a step that was interrupted: it runs again elsewhere, or not at all.
    if (steps.isClosed) return
    const ended = { kind, name, ...outcome }
    if (!(await (compensates ? steps.complete(step, ended) : steps.record(step, ended)))) return
    if ('error' in outcome) steps.deliverError(step, new StepFailedError(name, outcome.error))
    else await steps.deliverPayload(step, outcome.value)
  }

  async #try(name: string, fn: LocalFunction): Promise<LocalOutcome> {
    const { steps, task, signal } = this.#options
    try {
      return { value: await steps.services.payloads.encode(await fn(signal), `The result of step ${name}`) }
    } catch (thrown) {
      return { error: recordError(thrown, { jobId: steps.lease.jobId, name: task }) }
    }
  }
}
