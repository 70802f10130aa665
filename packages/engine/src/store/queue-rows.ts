import type { Rate } from '../routing/rate.ts'
import type { QueueCounts } from './store.ts'

/** What the SQL stores count of the jobs in a queue. */
export type QueueCountRow = Omit<QueueCounts, 'oldestDueAt'> & { readonly oldest_due_at: number | null }

/** An owner's weight in a queue, where it is not 1. */
export type ShareWeightRow = { readonly queue: string; readonly owner: string; readonly weight: number }

/** How a queue is set, as far as a reader sees it. */
type Shown = { readonly paused: boolean; readonly fair: boolean; readonly rate: Rate | undefined }

/** What waits and runs in each queue, and how those with settings are set, by name. */
export function toQueueCounts(
  counts: readonly QueueCountRow[],
  settings: ReadonlyMap<string, Shown>,
  weights: readonly ShareWeightRow[],
): QueueCounts[] {
  const counted: QueueCounts[] = counts.map(({ oldest_due_at: oldestDueAt, ...rest }) => ({
    ...rest,
    ...(oldestDueAt !== null && { oldestDueAt }),
  }))
  const named = new Set(counted.map(({ queue }) => queue))
  for (const queue of settings.keys())
    if (!named.has(queue)) counted.push({ queue, waiting: 0, scheduled: 0, running: 0, blocked: 0 })
  const byQueue = Map.groupBy(weights, ({ queue }) => queue)
  return counted
    .sort((a, b) => (a.queue < b.queue ? -1 : 1))
    .map((one) => {
      const { paused = false, fair = false, rate } = settings.get(one.queue) ?? {}
      const shares = byQueue.get(one.queue)?.map(({ owner, weight }) => [owner, weight] as const)
      return {
        ...one,
        ...(paused && { paused }),
        ...(fair && { fair }),
        ...(rate && { rate }),
        ...(shares && { shares: Object.fromEntries(shares) }),
      }
    })
}
