import { amountsOf, type Job, minus, plus, type WorkerRow } from '@headrace/engine'
import type { WireWorker } from '@headrace/wire'
import { iso } from '../job/status-info.ts'

/** A worker as it crosses HTTP. @param running jobs that run, on whichever worker */
export function toWireWorker(
  worker: WorkerRow,
  seen: { readonly running: readonly Job[]; readonly draining: ReadonlySet<string> },
): WireWorker {
  const { id, name, host, pid, queues, startedAt, leaseUntil, deployment, labels = [] } = worker
  return {
    ...{ id, name, host, pid, queues, running: worker.running },
    startedAt: iso(startedAt),
    leaseUntil: iso(leaseUntil),
    ...(deployment !== undefined && deployment !== '' && { deployment }),
    labels,
    resources: resourcesOf(worker, seen.running),
    draining: seen.draining.has(id),
  }
}

/** A workflow holds what it needs only while its own code runs, which the store does not know; so tasks alone are counted. */
function resourcesOf({ id, offers = {} }: WorkerRow, running: readonly Job[]): WireWorker['resources'] {
  const total = amountsOf(offers)
  const held = running
    .filter((job) => job.state === 'running' && job.kind === 'task' && job.worker === id)
    .map(({ needs = {} }) => amountsOf(needs))
  const free = minus(total, held.reduce(plus, {}))
  return Object.fromEntries(
    Object.entries(total).map(([name, amount]) => [name, { total: amount, free: Math.max(0, free[name] ?? 0) }]),
  )
}
