import type { JobId, JobState } from '@headrace/engine'

/** A job that was to be brought to its end waits for something that time does not bring. */
export class NothingDueError extends Error {
  override readonly name = 'NothingDueError'
  readonly code = 'nothing_due'
  constructor(id: JobId, task: string, state: JobState, waitsFor: readonly string[]) {
    const waits = waitsFor.length > 0 ? ` It waits for: ${waitsFor.join(', ')}.` : ''
    super(`Job ${id} (${task}) is ${state}, and nothing falls due that would bring it on.${waits}`)
  }
}
