import { END_STATES, type Job, type Store } from '@headrace/engine'
import type { Quantiles, QueueTimes } from '@headrace/wire'
import { healthTask } from '../operation/health-task.ts'

/** Enough to tell the usual from the odd, and read within a few milliseconds whatever the history. */
const ENDED_JOBS = 500

/** How long jobs waited and ran of late, by queue. */
export async function readQueueTimes(store: Store): Promise<ReadonlyMap<string, QueueTimes>> {
  const { jobs } = await store.jobs({ states: END_STATES }, { limit: ENDED_JOBS })
  const byQueue = Map.groupBy(
    jobs.filter(({ task }) => task !== healthTask.name),
    (job) => job.queue,
  )
  return new Map([...byQueue].map(([queue, ended]) => [queue, timesOf(ended)]))
}

/** @param ended jobs of one queue */
export function timesOf(ended: readonly Job[]): QueueTimes {
  const ran = ended.flatMap((job) =>
    'endedAt' in job && job.startedAt !== undefined ? [{ ...job, startedAt: job.startedAt, endedAt: job.endedAt }] : [],
  )
  const waits = ran.filter(({ attempt }) => attempt === 1).map(({ createdAt, startedAt }) => startedAt - createdAt)
  const runs = ran.map(({ startedAt, endedAt }) => endedAt - startedAt)
  return {
    jobs: ended.length,
    ...(waits.length > 0 && { waitMs: quantilesOf(waits) }),
    ...(runs.length > 0 && { runMs: quantilesOf(runs) }),
  }
}

/** By the nearest rank. @param values at least one */
function quantilesOf(values: readonly number[]): Quantiles {
  const sorted = values.toSorted((a, b) => a - b)
  const at = (share: number) => Math.max(0, sorted[Math.ceil(share * sorted.length) - 1] ?? 0)
  return { p50: at(0.5), p95: at(0.95) }
}
