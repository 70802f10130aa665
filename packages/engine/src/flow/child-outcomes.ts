import { JobCancelledError, SessionLostError, TaskFailedError } from '../errors.ts'
import type { Payloads } from '../payload/payloads.ts'
import type { ChildOutcome, GroupPolicy } from '../store/store.ts'
import type { Outcome } from './flow.ts'

/** What a workflow's code is handed of a called child that has ended. @throws the child's failure */
export async function resultOfCall(outcome: ChildOutcome, payloads: Payloads): Promise<unknown> {
  if (outcome.state === 'succeeded') return payloads.decode(outcome.result)
  throw failureOf(outcome)
}

/**
 * What a workflow's code is handed of a group that was released, in item order.
 * @throws under policy `fail`, the failure that ended the group. Siblings end soon after it, cancelled because of it, and
 *   the store alone knows which was first: so the first run and every replay of it see the same one.
 */
export async function resultsOfGroup(
  outcomes: readonly ChildOutcome[],
  policy: GroupPolicy,
  payloads: Payloads,
): Promise<unknown[]> {
  if (policy === 'collect') return Promise.all(outcomes.map((outcome) => collect(outcome, payloads)))
  const failure = failureOfGroup(outcomes)
  if (failure !== undefined) throw failure
  return Promise.all(outcomes.map((outcome) => resultOfCall(outcome, payloads)))
}

/**
 * Under policy `collect`, too: what the code has of a session whose worker is lost is of no use to it. The store says so of a
 * child of the session itself; an error that came up through a child says where it comes from.
 * @throws {SessionLostError}
 */
export function throwSessionLost(outcomes: readonly ChildOutcome[]): void {
  for (const outcome of outcomes) {
    if (outcome.state !== 'failed') continue
    const { code, message, origin } = outcome.error
    if (code === 'session_lost' && origin === undefined) throw new SessionLostError(message)
  }
}

/** The failure that ended a group of policy `fail`; undefined while, or when, none did. */
export function failureOfGroup(outcomes: readonly ChildOutcome[]): Error | undefined {
  const failed = outcomes.find((outcome) => 'endedGroup' in outcome && outcome.endedGroup === true)
  return failed === undefined ? undefined : failureOf(failed)
}

async function collect(outcome: ChildOutcome, payloads: Payloads): Promise<Outcome<unknown>> {
  if (outcome.state === 'succeeded') return { ok: true, value: await payloads.decode(outcome.result) }
  return { ok: false, error: failureOf(outcome) }
}

function failureOf(child: ChildOutcome): Error {
  switch (child.state) {
    case 'cancelled':
      return new JobCancelledError(child.jobId, child.error.message)
    case 'failed':
      return new TaskFailedError(child.jobId, child.task, child.error)
    case 'pending':
    case 'succeeded':
      return new Error(`Job ${child.jobId} is ${child.state}, though its end was waited for as a failure.`)
  }
}
