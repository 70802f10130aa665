import type { Enqueued, NewJob } from '@headrace/engine'
import { addEvent, type Context, type Parent, type StoredJob } from './place.ts'

/** Stores jobs, all or none; those whose idempotency key was used before are not stored. */
export function enqueueJobs(context: Context, jobs: readonly NewJob[]): Enqueued[] {
  refuseTakenIds(context, jobs)
  return jobs.map((job) => enqueueJob(context, job))
}

function enqueueJob(context: Context, job: NewJob): Enqueued {
  const { idempotency } = context.place
  if (job.idempotency !== undefined) {
    const { scope, key, fingerprint } = job.idempotency
    const used = idempotency.get(JSON.stringify([scope, key]))
    if (used !== undefined) return { outcome: used.fingerprint === fingerprint ? 'existing' : 'conflict', id: used.id }
    idempotency.set(JSON.stringify([scope, key]), { fingerprint, id: job.id })
  }
  insertJob(context, job, undefined, false)
  return { outcome: 'created', id: job.id }
}

/** Nothing was changed yet when this throws. */
export function refuseTakenIds({ place }: Context, jobs: readonly NewJob[]): void {
  const ids = new Set<string>()
  for (const { id } of jobs) {
    if (place.byId.has(id) || ids.has(id)) throw new Error(`the job id ${id} is taken`)
    ids.add(id)
  }
}

/** @param isHeld its group has no place for it yet */
export function insertJob(context: Context, job: NewJob, parent: Parent | undefined, isHeld: boolean): StoredJob {
  const { place, clock, hints } = context
  const now = clock.now()
  const dueAt = job.dueAt ?? now
  const state = isHeld ? 'held' : dueAt > now ? 'scheduled' : 'ready'
  const stored: StoredJob = {
    seq: place.jobs.length + 1,
    job,
    createdAt: now,
    parent,
    steps: new Map(),
    attempts: [],
    signals: [],
    attempt: 0,
    live: {
      state,
      dueAt,
      failures: 0,
      lapses: 0,
      isBusy: false,
      worker: undefined,
      startedAt: undefined,
      cancel: undefined,
      ending: undefined,
      compensates: false,
    },
    end: undefined,
    progress: undefined,
  }
  place.jobs.push(stored)
  place.byId.set(job.id, stored)
  place.live.add(stored)
  addEvent(context, stored, 'queued', 0, now)
  if (state === 'ready') hints.queue(job.queue)
  if (state === 'scheduled') hints.dueAt(dueAt)
  return stored
}
