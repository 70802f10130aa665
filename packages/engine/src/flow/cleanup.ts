import type { RecordedError } from '../job/job.ts'
import { recordError } from '../job/recorded-error.ts'
import type { Ending, Payload, RecordedStep, Settlement } from '../store/store.ts'
import type { Workflow } from '../task/workflow.ts'
import type { Flow } from './flow.ts'
import type { LocalSteps } from './local-steps.ts'
import type { RunSteps } from './run-steps.ts'

/** Undoes a step. The value is what the step returned; undefined when it was begun and nobody knows how far it came. */
export type Compensate<Output = unknown> = (value: Output | undefined, signal: AbortSignal) => unknown

type Compensation = { readonly name: string; readonly compensate: Compensate; readonly value: Payload | undefined }

/**
 * What a workflow that failed or was cancelled has to do before it ends: its steps with a compensation are undone, the last
 * begun first, and `onFailure` is told. Each is a step of its own, so that after a crash the next worker goes on from there.
 * What goes wrong in it is told in the error's details, and keeps nothing else from being cleaned up.
 */
export class Cleanup {
  readonly #compensations = new Map<number, Compensation>()
  readonly #flaws: { readonly cleanup: string; readonly message: string }[] = []

  /** A step that is to be undone, as the code came by it again. One that threw has done nothing that it did not undo itself. */
  note(recorded: RecordedStep, compensate: Compensate): void {
    const { step, name, value, error } = recorded
    if (error === undefined) this.#compensations.set(step, { name, compensate, value })
  }

  async run(steps: RunSteps, locals: LocalSteps): Promise<void> {
    for (const [, { name, compensate, value }] of [...this.#compensations].sort(([a], [b]) => b - a)) {
      await this.#try(`the compensation of ${name}`, () =>
        locals.compensate(name, async (signal) => {
          const decoded = value === undefined ? undefined : await steps.services.payloads.decode(value)
          await compensate(decoded, signal)
        }),
      )
    }
  }

  async tell(workflow: Workflow, error: RecordedError, input: unknown, flow: Flow): Promise<void> {
    if (workflow.onFailure !== undefined)
      await this.#try('onFailure', async () => workflow.onFailure?.(error, input, flow))
  }

  settlement(steps: RunSteps, { to, error }: Ending): Settlement {
    const details = this.#flaws.length === 0 ? {} : { details: { ...detailsOf(error), cleanup: this.#flaws } }
    return { lease: steps.lease, outcome: to, error: { ...error, ...details } }
  }

  async #try(cleanup: string, fn: () => Promise<unknown>): Promise<void> {
    try {
      await fn()
    } catch (thrown) {
      const { message } = recordError(thrown, { jobId: '' as never, name: '' })
      this.#flaws.push({ cleanup, message })
    }
  }
}

function detailsOf({ details }: RecordedError): object {
  return details !== null && typeof details === 'object' && !Array.isArray(details)
    ? details
    : details === undefined
      ? {}
      : { details }
}
