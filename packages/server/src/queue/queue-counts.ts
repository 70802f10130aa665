import type { QueueCounts, Store } from '@headrace/engine'

/** With fewer live jobs than this, they are counted anew each time. */
const COUNTED_AT_ONCE = 10_000
/** A million of them take a quarter of a second to count; so that is done every ten. */
const KEPT_PER_JOB_MS = 0.01
const KEPT_MS_MAX = 10_000
/** Where a machine is slow or busy, counting takes no more than this share of it. */
const KEPT_PER_COUNTING_MS = 20
/** What could not be counted now is not tried again at once: it may be that very counting which is too much. */
const FAILED_MS = 2_000

/** What waits and runs in each queue, for all who look at once. */
export interface QueueReader {
  read(): Promise<readonly QueueCounts[]>
  /** Somebody changed a queue here, and wants to see it. */
  forget(): void
}

/**
 * To count is to look at every live job. So that pages that look every two seconds cost the same few percent of a server
 * however long its queues are, long counts are kept a while, by the number of jobs that were counted.
 */
export function createQueueReader(store: Store): QueueReader {
  let kept: { readonly queues: Promise<readonly QueueCounts[]>; until: number } | undefined
  return {
    read() {
      if (kept !== undefined && store.clock.now() < kept.until) return kept.queues
      const begunAt = store.clock.now()
      const reading = { queues: store.queues(), until: Number.POSITIVE_INFINITY }
      kept = reading
      reading.queues.then(
        (queues) => {
          const live = queues.reduce((sum, one) => sum + one.waiting + one.scheduled + one.blocked + one.running, 0)
          const keptMs = live < COUNTED_AT_ONCE ? 0 : Math.min(KEPT_MS_MAX, live * KEPT_PER_JOB_MS)
          const now = store.clock.now()
          reading.until = now + Math.max(keptMs, live < COUNTED_AT_ONCE ? 0 : (now - begunAt) * KEPT_PER_COUNTING_MS)
        },
        () => {
          reading.until = store.clock.now() + FAILED_MS
        },
      )
      return reading.queues
    },
    forget() {
      kept = undefined
    },
  }
}
