import { HistoryInvalidError } from '../../errors.ts'
import { WorkflowRun } from '../../flow/workflow-run.ts'
import type { WorkflowServices } from '../../flow/workflow-services.ts'
import type { RecordedHistory } from '../../history/record-history.ts'
import type { WorkerId } from '../../job/job.ts'
import { Payloads } from '../../payload/payloads.ts'
import type { Claimed, Ending, RecordedStep, Settlement } from '../../store/store.ts'
import type { Workflow } from '../../task/workflow.ts'
import { QuietClock } from './quiet-clock.ts'

/** What became of a replay. */
export type Replayed = {
  /** Recorded steps. */
  readonly steps: number
  /**
   * The first step that the code does not repeat: what it was, and what it is now. A job like the recorded one, if it were
   * at it, would fail with `workflow_changed`. Left out when all is the same.
   */
  readonly difference?: { readonly step: number; readonly recorded: string; readonly now: string }
}

/**
 * Runs a workflow's code against a recorded history: nothing is stored, no task and no step's function runs, and no time
 * passes. What the code asks for beyond the history of a job that had not ended is left open.
 * @param history from `recordHistory` or `headrace history`
 * @throws {HistoryInvalidError} when it is no history, or that of another workflow
 * @example
 * const { difference } = await replay(readBook, JSON.parse(await readFile('book.json', 'utf8')))
 * assert.equal(difference, undefined)
 */
export async function replay<Input, Output>(
  workflow: Workflow<Input, Output>,
  history: RecordedHistory,
): Promise<Replayed> {
  checkHistory(workflow.name, history)
  const clock = new QuietClock(history.readAt)
  // A workflow of any types, which is only ever given the input that was recorded.
  const run = new WorkflowRun(claimedOf(history), workflow as Workflow, servicesOf(history, clock))
  let settlement: Settlement | undefined
  void run.run().then((settled) => {
    settlement = settled
  })
  await clock.quiet()
  const difference = run.changedBy?.change ?? differenceAtEnd(history, run, settlement)
  run.stop({ why: 'lease_lost' })
  return { steps: history.steps.length, ...(difference !== undefined && { difference }) }
}

function checkHistory(name: string, history: RecordedHistory): void {
  const { format, task, steps, input } = history ?? {}
  if (format !== 1 || !Array.isArray(steps) || typeof input !== 'string')
    throw new HistoryInvalidError('it is not what recordHistory or headrace history gives')
  if (task !== name) throw new HistoryInvalidError(`it is one of the workflow ${task}, and not of ${name}`)
}

/** The step at which the end of a workflow that had the last word was decided. */
function endingOf({ steps, end }: RecordedHistory): Ending | undefined {
  const ending = steps.find(({ kind }) => kind === 'ending')
  if (ending === undefined) return undefined
  const error = end?.error ?? { code: 'unknown', message: 'It had not ended when its history was read.' }
  return { to: ending.name === 'cancelled' ? 'cancelled' : 'failed', error, step: ending.step }
}

function claimedOf(history: RecordedHistory): Claimed {
  const { jobId, task, input, owner, readAt, steps } = history
  const seed = steps.find(({ keptFrom }) => keptFrom !== undefined)?.keptFrom
  const ending = endingOf(history)
  return {
    // Not the first attempt, so that it looks for its history, and asks before it runs a step's function.
    lease: { jobId, attempt: 2, worker: 'replay' as WorkerId, row: 0 },
    ...{ task, kind: 'workflow', queue: 'replay', priority: 0, input, createdAt: readAt, failures: 0 },
    ...(owner !== undefined && { owner }),
    ...(seed !== undefined && { seed }),
    ...(ending !== undefined && { ending }),
  }
}

/** Nothing that the code asks for beyond what was recorded is ever answered. */
function servicesOf({ steps }: RecordedHistory, clock: QuietClock): WorkflowServices {
  const never = () => new Promise<never>(() => {})
  return {
    clock,
    payloads: new Payloads(undefined),
    history: async () => steps,
    outcomes: async (_, step) => steps.find((recorded) => recorded.step === step)?.children ?? [],
    advance: never,
    takeSlot: never,
    newJob: never,
    tell: () => {},
    releaseSlot: () => {},
    rests: () => {},
    wakes: () => {},
    lookForCancel: () => {},
  }
}

/** Whether the code asked for less than was recorded or, of a job that succeeded, for more. */
function differenceAtEnd(
  history: RecordedHistory,
  run: WorkflowRun,
  settlement: Settlement | undefined,
): Replayed['difference'] {
  const steps = [...history.steps].sort((a, b) => a.step - b.step)
  const { asked } = run
  const missed = steps.find(({ step, kind }) => step > asked && kind !== 'ending')
  if (missed !== undefined && endingOf(history) === undefined)
    return { step: missed.step, recorded: described(missed), now: 'not reached' }
  const hasEndedElse = history.end?.state === 'succeeded' && settlement?.outcome !== 'succeeded'
  if (!hasEndedElse) return undefined
  const now = settlement?.outcome === 'failed' ? `failure: ${settlement.error.message}` : 'a further step, or a wait'
  return { step: asked, recorded: 'the last step of a workflow that succeeded', now }
}

function described({ kind, name }: RecordedStep): string {
  return `${kind} ${name}`
}
