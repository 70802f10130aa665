import type { Engine } from '../engine.ts'
import { NotAWorkflowError, UnknownJobError } from '../errors.ts'
import { type EndState, isEnded, type JobId, type RecordedError } from '../job/job.ts'
import type { ChildOutcome, Payload, RecordedStep } from '../store/store.ts'

/** What a workflow recorded, as plain JSON: to be kept in a file, and checked against code that is newer. See `replay`. */
export type RecordedHistory = {
  readonly format: 1
  readonly task: string
  readonly jobId: JobId
  readonly owner?: string
  /** When this was read: milliseconds since 1970. */
  readonly readAt: number
  /** JSON text, as all payloads here. */
  readonly input: Payload
  readonly steps: readonly RecordedStep[]
  /** Left out while it has not ended. */
  readonly end?: { readonly state: EndState; readonly error?: RecordedError }
}

/**
 * Reads what a workflow recorded. It may have ended, or be at it.
 * @throws {UnknownJobError} {NotAWorkflowError}
 * @example await writeFile('book.json', JSON.stringify(await recordHistory(engine, id)))
 */
export async function recordHistory(engine: Engine, id: JobId): Promise<RecordedHistory> {
  const job = await engine.job(id)
  if (job === undefined) throw new UnknownJobError(id)
  if (job.kind !== 'workflow') throw new NotAWorkflowError(id)
  const steps = await engine.store.steps(id)
  const outcome = isEnded(job.state) ? await engine.outcome(id) : undefined
  return {
    format: 1,
    task: job.task,
    jobId: id,
    ...(job.owner !== undefined && { owner: job.owner }),
    readAt: engine.clock.now(),
    input: JSON.stringify((await engine.input(id)) ?? null),
    steps: await Promise.all(steps.map((step) => withPayloads(engine, step))),
    ...(outcome !== undefined && {
      end: { state: outcome.state, ...(outcome.error !== undefined && { error: outcome.error }) },
    }),
  }
}

/** What was moved to the artifacts because of its size is brought back, so that a history needs nothing else. */
async function withPayloads(engine: Engine, step: RecordedStep): Promise<RecordedStep> {
  const inline = async (payload: Payload) => JSON.stringify(await engine.decode(payload))
  const children = step.children.map(
    async (child): Promise<ChildOutcome> =>
      child.state === 'succeeded' ? { ...child, result: await inline(child.result) } : child,
  )
  return {
    ...step,
    ...(step.value !== undefined && { value: await inline(step.value) }),
    children: await Promise.all(children),
  }
}
