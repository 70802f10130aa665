import { checkDuration } from '../task/check-options.ts'
import type { RunSteps } from './run-steps.ts'

/** Waits without a slot; survives restarts. @throws {OptionInvalidError} */
export function sleep(steps: RunSteps, ms: number): Promise<void> {
  const name = `${ms} ms`
  return steps.begin('sleep', name, async (step, recorded) => {
    checkDuration('The time to sleep', ms)
    const dueAt = recorded?.dueAt ?? Math.ceil(steps.services.clock.now() + ms)
    const waiter = steps.waiter(step)
    if (waiter !== undefined) waiter.dueAt = dueAt
    if (recorded === undefined && !(await steps.record(step, { kind: 'sleep', name, dueAt }))) return
    steps.at(dueAt, () => steps.deliver(step, undefined))
  })
}

/** Milliseconds since 1970, recorded. */
export function now(steps: RunSteps): Promise<number> {
  return steps.begin('now', 'now', (step, recorded) => {
    if (recorded?.value !== undefined) return steps.deliver(step, Number(recorded.value))
    const instant = steps.services.clock.now()
    // Whatever the code does with it is stored later, and therefore only together with it.
    void steps.record(step, { kind: 'now', name: 'now', value: String(instant) })
    return steps.deliver(step, instant)
  })
}
