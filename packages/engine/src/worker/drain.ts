import type { WorkerId } from '../job/job.ts'
import { DRAIN_REQUESTS, type Store } from '../store/store.ts'

/** What runs on a worker that is drained has so long to end. */
export const DRAIN_GRACE_MS = 30_000

// A request is kept with the jobs, under the worker's id, until the worker has heard of it or is gone. It hears with a sweep.

export async function askToDrain(store: Store, worker: WorkerId, graceMs: number): Promise<void> {
  await forgetTheGone(store)
  await store.settings.put(DRAIN_REQUESTS, worker, { graceMs })
}

/** The workers that are asked to stop, and still are there. */
export async function drainingWorkers(store: Store): Promise<ReadonlySet<string>> {
  return new Set((await store.settings.list(DRAIN_REQUESTS)).map(({ key }) => key))
}

/** A worker that ended before it heard of its request leaves it behind. */
async function forgetTheGone(store: Store): Promise<void> {
  const alive = new Set<string>((await store.workers()).map(({ id }) => id))
  for (const key of await drainingWorkers(store)) if (!alive.has(key)) await store.settings.delete(DRAIN_REQUESTS, key)
}

export async function forgetDrain(store: Store, worker: WorkerId): Promise<void> {
  await store.settings.delete(DRAIN_REQUESTS, worker)
}

/** @returns how long what runs on the worker has to end, if it is asked to stop */
export async function drainGraceMs(store: Store, worker: WorkerId): Promise<number | undefined> {
  const request = await store.settings.get(DRAIN_REQUESTS, worker)
  return (request as { readonly graceMs: number } | undefined)?.graceMs // sound: only askToDrain writes there
}
