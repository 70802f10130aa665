import type { QueueList, WorkerList } from '@headrace/wire'

export type QueueWithSlots = QueueList['queues'][number] & {
  /** Of all workers together: how many of its jobs can run at once. */
  readonly slots: number
}

/** The queues that have jobs, and those that only have workers waiting for some; by name. */
export function queuesWithSlots(
  queues: QueueList['queues'],
  workers: WorkerList['workers'],
): readonly QueueWithSlots[] {
  const slots = new Map<string, number>()
  for (const worker of workers) {
    for (const [queue, count] of Object.entries(worker.queues)) slots.set(queue, (slots.get(queue) ?? 0) + count)
  }
  const counted = new Map(queues.map((queue) => [queue.queue, queue]))
  const names = [...new Set([...counted.keys(), ...slots.keys()])].sort()
  return names.map((queue) => ({
    ...(counted.get(queue) ?? { queue, waiting: 0, scheduled: 0, running: 0 }),
    slots: slots.get(queue) ?? 0,
  }))
}
