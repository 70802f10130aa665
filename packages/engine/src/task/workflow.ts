import type { Flow } from '../flow/flow.ts'
import type { RecordedError } from '../job/job.ts'
import type { Task, TaskOptions } from './task.ts'

export type Workflow<Input = unknown, Output = unknown> = TaskOptions<Input, Output> & {
  readonly kind: 'workflow'
  readonly run: (input: Input, flow: Flow) => Promise<Output>
  readonly onFailure?: OnFailure<Input>
  readonly cleanupTimeoutMs: number
}

/** An hour. */
const CLEANUP_TIMEOUT_MS = 3_600_000

/**
 * Called once when the workflow fails, from whatever depth the error came (`error.origin` says where it was thrown), its
 * deadline included; not when it is cancelled. The steps that it asks `flow` for are recorded like all others.
 */
export type OnFailure<Input> = (error: RecordedError, input: Input, flow: Flow) => unknown

/** Anything that can be submitted. `any`, since a registry holds tasks of all types and the schemas guard each. */
// biome-ignore lint/suspicious/noExplicitAny: a Task is contravariant in its input; `unknown` would refuse every real task
export type AnyTask = Task<any, any> | Workflow<any, any>

/** What `flow.call`, `flow.start`, `flow.map` and `engine.submit` take: a task or a workflow. */
export type Callable<Input, Output> = Task<Input, Output> | Workflow<Input, Output>

/**
 * Names a function whose steps are recorded, so that it resumes where it stopped. Its code runs again from the start
 * after a crash; only what goes through `flow` is remembered, so everything else in it must be deterministic.
 * @example
 * const addTwice = workflow({
 *   name: 'add-twice',
 *   async run(n: number, flow) {
 *     const once = await flow.call(addOne, n)
 *     return flow.call(addOne, once)
 *   },
 * })
 */
export function workflow<Input = unknown, Output = unknown>(
  options: TaskOptions<Input, Output> & {
    readonly run: (input: Input, flow: Flow) => Promise<Output>
    readonly onFailure?: OnFailure<Input>
    /** How long each compensation may take, and `onFailure` after them; then it is given up. Default an hour. */
    readonly cleanupTimeoutMs?: number
  },
): Workflow<Input, Output> {
  return { ...options, kind: 'workflow', cleanupTimeoutMs: options.cleanupTimeoutMs ?? CLEANUP_TIMEOUT_MS }
}
