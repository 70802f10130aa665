import type { StatusInfo } from '@headrace/wire'

/** A job's state as people see it: the engine's five, with a wait for an instant and a pending cancel told apart. */
export type ShownState = 'scheduled' | 'waiting' | 'running' | 'cancelling' | 'succeeded' | 'failed' | 'cancelled'

export function shownState(job: StatusInfo, nowMs: number): ShownState {
  if (isEnded(job)) return job.state
  if (job.cancelRequestedAt !== undefined) return 'cancelling'
  if (job.state === 'waiting' && job.dueAt !== undefined && Date.parse(job.dueAt) > nowMs) return 'scheduled'
  return job.state
}

export function isEnded(job: StatusInfo): boolean {
  return job.state === 'succeeded' || job.state === 'failed' || job.state === 'cancelled'
}

/** 0 to 1; a job that succeeded is done whatever it last told. */
export function fractionDone(job: StatusInfo): number {
  if (job.state === 'succeeded') return 1
  return job.progressFraction ?? job.progress / 100
}
