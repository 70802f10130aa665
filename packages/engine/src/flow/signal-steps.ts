import type { StandardSchemaV1 } from '@standard-schema/spec'
import { InputInvalidError, SignalTimeoutError } from '../errors.ts'
import type { RecordedError } from '../job/job.ts'
import type { Payload } from '../store/store.ts'
import { checkDuration, checkText } from '../task/check-options.ts'
import { parseBy } from '../task/validate.ts'
import type { RunSteps } from './run-steps.ts'

export type WaitForOptions<Value = unknown> = {
  /** Throws `SignalTimeoutError` when no signal has come within so many milliseconds. Default: it waits for ever. */
  readonly timeoutMs?: number
  /** Reads the value; one that it refuses is thrown as `InputInvalidError`, and the signal is used up. */
  readonly schema?: StandardSchemaV1<unknown, Value>
}

/** What the store says that a wait for a signal came to. */
type Received = { readonly value?: Payload; readonly error?: RecordedError }

/** The steps of a run that wait for a word from outside. */
export class SignalSteps {
  readonly #steps: RunSteps
  readonly #schemas = new Map<number, StandardSchemaV1>()

  constructor(steps: RunSteps) {
    this.#steps = steps
  }

  waitFor<Value>(name: string, { timeoutMs, schema }: WaitForOptions<Value>): Promise<Value> {
    return this.#steps.begin('signal', name, async (step, recorded) => {
      checkText('The name of a signal', name)
      if (timeoutMs !== undefined) checkDuration('timeoutMs', timeoutMs)
      if (schema !== undefined) this.#schemas.set(step, schema)
      if (recorded !== undefined) return this.received(step, recorded)
      const dueAt = timeoutMs === undefined ? undefined : Math.ceil(this.#steps.services.clock.now() + timeoutMs)
      await this.#steps.record(step, { kind: 'signal', name, ...(dueAt !== undefined && { dueAt }) })
    })
  }

  /** Hands it over if it is there. */
  async received(step: number, { value, error }: Received): Promise<void> {
    if (error !== undefined) return this.#steps.deliverError(step, new SignalTimeoutError(error.message))
    if (value === undefined) return
    const schema = this.#schemas.get(step)
    const decoded = await this.#steps.services.payloads.decode(value)
    const name = this.#steps.waiter(step)?.name
    const toError = (issues: ConstructorParameters<typeof InputInvalidError>[1]) =>
      new InputInvalidError(`the signal ${name}`, issues)
    this.#steps.deliver(step, schema === undefined ? decoded : await parseBy(schema, decoded, toError))
  }
}
