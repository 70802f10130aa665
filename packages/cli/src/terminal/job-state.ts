import type { JobState, StatusInfo } from '@headrace/wire'
import { durationText } from './duration.ts'
import type { Style } from './terminal.ts'

const STYLES: Readonly<Record<JobState, Style>> = {
  waiting: 'dim',
  running: 'cyan',
  succeeded: 'green',
  failed: 'red',
  cancelled: 'yellow',
}

export function styleOfState(state: JobState): Style {
  return STYLES[state]
}

/** The state as a person would say it: a running job that was asked to stop is cancelling. */
export function stateText(job: StatusInfo): string {
  const isOpen = job.state === 'waiting' || job.state === 'running'
  return isOpen && job.cancelRequestedAt !== undefined ? 'cancelling' : job.state
}

/** How long it ran, or has been running; empty before it began. */
export function ranText(job: StatusInfo, now: number): string {
  if (job.started === undefined) return ''
  const until = job.finished === undefined ? now : Date.parse(job.finished)
  return durationText(until - Date.parse(job.started))
}
