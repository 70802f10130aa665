import { setAlarm } from '../clock/alarm.ts'
import type { Clock } from '../clock/clock.ts'
import { CleanupTimeoutError } from '../errors.ts'
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

  /** @param timeoutMs for each of them; its step is recorded as failed then, so that none is waited for twice */
  async run(steps: RunSteps, locals: LocalSteps, timeoutMs: number): Promise<void> {
    for (const [, { name, compensate, value }] of [...this.#compensations].sort(([a], [b]) => b - a)) {
      const what = `the compensation of ${name}`
      await this.#try(what, () =>
        locals.compensate(name, async (signal) => {
          const { clock, payloads } = steps.services
          const decoded = value === undefined ? undefined : await payloads.decode(value)
          const limit = { clock, endsAt: clock.now() + timeoutMs, error: new CleanupTimeoutError(what, timeoutMs) }
          await within(limit, signal, (own) => compensate(decoded, own))
        }),
      )
    }
  }

  /** @param limit by an instant that is the same after a crash, and after a rest in the store */
  async tell(
    workflow: Workflow,
    { error, input }: { readonly error: RecordedError; readonly input: unknown },
    flow: Flow,
    limit: Pick<Limit, 'clock' | 'endsAt'>,
  ): Promise<void> {
    const { onFailure, cleanupTimeoutMs } = workflow
    if (onFailure === undefined) return
    const timedOut = new CleanupTimeoutError('onFailure', cleanupTimeoutMs)
    await this.#try('onFailure', () =>
      within({ ...limit, error: timedOut }, flow.signal, () => onFailure(error, input, flow)),
    )
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

type Limit = { readonly clock: Clock; readonly endsAt: number; readonly error: Error }

/** What does not listen to its signal is left behind. @throws the limit's error once its instant has come */
async function within(
  { clock, endsAt, error }: Limit,
  signal: AbortSignal,
  fn: (signal: AbortSignal) => unknown,
): Promise<void> {
  const controller = new AbortController()
  const { promise: passed, reject } = Promise.withResolvers<never>()
  const alarm = setAlarm(clock, endsAt, () => {
    controller.abort(error)
    reject(error)
  })
  try {
    const work = Promise.resolve(fn(AbortSignal.any([signal, controller.signal])))
    // Nobody hears of it any more once its time has passed.
    work.catch(() => {})
    await Promise.race([work, passed])
  } finally {
    alarm.cancel()
    passed.catch(() => {})
  }
}

function detailsOf({ details }: RecordedError): object {
  return details !== null && typeof details === 'object' && !Array.isArray(details)
    ? details
    : details === undefined
      ? {}
      : { details }
}
