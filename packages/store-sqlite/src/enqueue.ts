import type { Enqueued, NewJob } from '@headrace/engine'
import type { Context } from './prepared.ts'

/** A workflow's step as the parent of new jobs. */
export type ParentStep = {
  readonly seq: number
  readonly rootSeq: number
  readonly step: number
  readonly grouped: boolean
  readonly attached: boolean
}

/** Stores a job, unless its idempotency key was used before. */
export function enqueueJob(context: Context, job: NewJob): Enqueued {
  if (job.idempotency !== undefined) {
    const { scope, key, fingerprint } = job.idempotency
    const used = context.sql.get<{ fingerprint: string; job_id: string }>('idempotencyByKey', scope, key)
    if (used !== undefined) {
      // Only ids of stored jobs are written there.
      const id = used.job_id as NewJob['id']
      return { outcome: used.fingerprint === fingerprint ? 'existing' : 'conflict', id }
    }
    context.sql.run('insertIdempotency', scope, key, fingerprint, job.id, context.clock.now())
  }
  insertNewJob(context, job, undefined, 0, false)
  return { outcome: 'created', id: job.id }
}

/** @returns the store's own number for the job */
export function insertNewJob(
  { sql, clock, hints, lanes }: Context,
  job: NewJob,
  parent: ParentStep | undefined,
  item: number,
  held: boolean,
): number {
  const now = clock.now()
  const lane = lanes.numberOf({ queue: job.queue, task: job.task, deployment: '', labels: '', needs: '' })
  const { lastInsertRowid: seq } = sql.run(
    'insertJob',
    job.id,
    job.task,
    job.kind,
    job.queue,
    job.priority,
    job.input,
    now,
    job.deadlineAt ?? null,
    job.owner ?? null,
    job.tags?.length ? JSON.stringify(job.tags) : null,
    parent?.seq ?? null,
    parent?.rootSeq ?? null,
    parent?.step ?? null,
    parent === undefined ? null : item,
    job.retryOf ?? null,
    lane,
  )
  const dueAt = job.dueAt ?? now
  const state = held ? 'held' : dueAt > now ? 'scheduled' : 'ready'
  sql.run(
    'insertLive',
    seq,
    state,
    job.queue,
    lane,
    job.priority,
    dueAt,
    dueAt,
    job.deadlineAt ?? null,
    job.kind,
    parent?.seq ?? null,
    parent?.step ?? null,
    parent?.grouped ? 1 : 0,
    parent?.attached ? 1 : 0,
  )
  for (const tag of job.tags ?? []) sql.run('insertTag', tag, seq)
  sql.run('insertEvent', seq, 'queued', 0, now, null)
  hints.events()
  if (state === 'ready') hints.queue(job.queue)
  if (state === 'scheduled') hints.dueAt(dueAt)
  return seq
}
