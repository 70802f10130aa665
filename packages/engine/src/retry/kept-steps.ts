import type { RecordedError } from '../job/job.ts'
import type { ChildOutcome, KeptStep, RecordedStep } from '../store/store.ts'

/**
 * Which steps of an ended workflow a retry takes over, with the order in which their outcomes are handed to the code.
 *
 * What the code does depends on the outcomes that it received, and on their order, alone. So the order is kept up to the
 * step that failed: the one whose error the workflow ended with, or, when it ended with an error of its own, the first one
 * that failed. Everything that the code had asked for by then, and that is there, is taken over; the rest runs again. What
 * was undone when the workflow ended is not there any more, so that the retry begins before it; and neither is a session
 * that did not come to its end: what it left on its worker is gone, so that it begins anew.
 * @param error what the workflow ended with
 */
export function keptSteps(steps: readonly RecordedStep[], error: RecordedError | undefined): readonly KeptStep[] {
  const endsAt = steps.find(({ kind }) => kind === 'ending')?.step ?? Number.POSITIVE_INFINITY
  const own = steps.filter(({ step }) => step < endsAt)
  const received = receivedOrder(own)
  const failed = beganOf(own, failedStep(own, received, error))
  const wasUndone = (step: RecordedStep) =>
    endsAt !== Number.POSITIVE_INFINITY && step.compensates === true && step.error === undefined
  const byNumber = new Map(own.map((step) => [step.step, step]))
  const isUsable = (number: number) => {
    const step = byNumber.get(number)
    return step !== undefined && step !== failed && !wasUndone(step) && isThere(step)
  }
  const end = received.findIndex((number) => !isUsable(number))
  const order = end === -1 ? received : received.slice(0, end)
  const handed = new Set(order)
  const kept = own.filter(
    (step) =>
      receivedBefore(step) <= order.length && (handed.has(step.step) || (isUsable(step.step) && wentWell(step))),
  )
  return inOrder(kept, order)
}

/** Each kept step says which outcomes came between the one recorded before it and itself, as if they alone had been. */
function inOrder(kept: readonly RecordedStep[], order: readonly number[]): readonly KeptStep[] {
  let from = 0
  return [...kept]
    .sort((a, b) => receivedBefore(a) - receivedBefore(b) || a.step - b.step)
    .map((recorded) => {
      const to = receivedBefore(recorded)
      const one = { step: recorded.step, delivered: order.slice(from, to), deliveredFrom: from }
      from = to
      return one
    })
}

/** How many outcomes the code had received when the step was recorded. */
function receivedBefore({ delivered, deliveredFrom }: RecordedStep): number {
  return deliveredFrom + delivered.length
}

function receivedOrder(steps: readonly RecordedStep[]): readonly number[] {
  return steps
    .filter(({ delivered }) => delivered.length > 0)
    .sort((a, b) => a.deliveredFrom - b.deliveredFrom)
    .flatMap(({ delivered }) => delivered)
}

/** The step to begin again with; undefined when the code failed by itself, after steps that all went well. */
function failedStep(
  steps: readonly RecordedStep[],
  received: readonly number[],
  error: RecordedError | undefined,
): RecordedStep | undefined {
  const place = new Map(received.map((step, index) => [step, index]))
  // What was received last may not be noted: nothing was recorded after it.
  const placeOf = ({ step }: RecordedStep) => place.get(step) ?? received.length
  const failed = steps.filter((step) => failureOf(step) !== undefined).sort((a, b) => placeOf(a) - placeOf(b))
  return failed.findLast((step) => isSame(failureOf(step), error)) ?? failed.find((step) => !isOfRestarted(steps, step))
}

/** A session that was lost and begun anew, or a step of it: that failure was dealt with. */
function isOfRestarted(steps: readonly RecordedStep[], { kind, step, session }: RecordedStep): boolean {
  const lost = steps.find((one) => one.step === (kind === 'session' ? step : session))
  if (lost?.error?.code !== 'session_lost') return false
  return steps.some((later) => later.kind === 'session' && later.name === lost.name && later.step > lost.step)
}

/** Of a step of a session, the session: it is begun again as a whole. */
function beganOf(steps: readonly RecordedStep[], failed: RecordedStep | undefined): RecordedStep | undefined {
  return failed?.session === undefined ? failed : steps.find(({ step }) => step === failed.session)
}

function isSame(failure: RecordedError | undefined, error: RecordedError | undefined): boolean {
  return (
    failure !== undefined &&
    error !== undefined &&
    failure.code === error.code &&
    failure.message === error.message &&
    (failure.origin === undefined || failure.origin.jobId === error.origin?.jobId)
  )
}

/** What the code was told instead of a value; the outcomes of a group under `collect` are values, whatever they are. */
function failureOf({ kind, error, policy, children }: RecordedStep): RecordedError | undefined {
  if (error !== undefined) return error
  if (kind === 'start' || policy === 'collect') return undefined
  return children.map(errorOf).find((failure) => failure !== undefined)
}

function errorOf(child: ChildOutcome): RecordedError | undefined {
  return child.state === 'failed' || child.state === 'cancelled' ? child.error : undefined
}

/** What may be handed to code that has not received it yet: what was cancelled with its workflow is no outcome for it. */
function wentWell(step: RecordedStep): boolean {
  return (
    failureOf(step) === undefined && step.children.every(({ state }) => step.kind === 'start' || state !== 'cancelled')
  )
}

/** Whether the outcome of a step is on record, with all that it is made of. */
function isThere({ kind, value, error, children, keptFrom }: RecordedStep): boolean {
  switch (kind) {
    case 'start':
      return children.length > 0
    case 'call':
      return children.some(({ state }) => state !== 'pending')
    case 'map':
      // The children of one that was taken over may be gone with the job that it was taken from.
      if (keptFrom !== undefined && children.length === 0) return false
      return children.every(({ state }) => state !== 'pending')
    case 'sleep':
      return true
    case 'now':
    case 'signal':
    case 'session':
    case 'step':
    case 'ending':
    case 'compensate':
      return value !== undefined || error !== undefined
  }
}
