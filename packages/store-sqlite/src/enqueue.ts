import { type Enqueued, type JobLimit, laneOf, limitFull, type NewJob, namesOfJobs } from '@headrace/engine'
import { admit } from './admit.ts'
import { deleteNotes } from './artifact-names.ts'
import { hasAnswer, putInCache } from './cache.ts'
import { placeRoot } from './deployments.ts'
import { type EndedAs, type Ending, Endings } from './ending.ts'
import { HAS_ON_FAILURE } from './last-word.ts'
import { countIn, inTheWay, isUnderSameLimit, makeRoom } from './limits.ts'
import type { Context } from './prepared.ts'
import { joinSession, type SessionRow } from './sessions.ts'

/** A workflow's step as the parent of new jobs. */
export type ParentStep = {
  readonly seq: number
  readonly rootSeq: number
  readonly deployment: string
  readonly step: number
  readonly grouped: boolean
  readonly attached: boolean
  /** The one that they belong to. */
  readonly session?: SessionRow | undefined
}

/** Stores jobs that have no parent, and what follows from it. */
export function enqueueJobs(context: Context, jobs: readonly NewJob[]): Enqueued[] {
  const endings = new Endings(context)
  const enqueued = jobs.map((job) => enqueueJob(context, endings, job))
  deleteNotes(context.sql, namesOfJobs(jobs))
  endings.finish()
  return enqueued
}

/** Stores a job, unless its idempotency key was used before, or its limit refuses it. */
function enqueueJob(context: Context, endings: Endings, job: NewJob): Enqueued {
  if (job.idempotency !== undefined) {
    const { scope, key, fingerprint } = job.idempotency
    const used = context.sql.get<{ fingerprint: string; job_id: string }>('idempotencyByKey', scope, key)
    if (used !== undefined) {
      // Only ids of stored jobs are written there.
      const id = used.job_id as NewJob['id']
      return { outcome: used.fingerprint === fingerprint ? 'existing' : 'conflict', id }
    }
  }
  // What needs no worker is held up by no limit.
  const isAnswered = job.limit !== undefined && hasAnswer(context, job)
  const inItsWay = !isAnswered && job.limit?.whenFull === 'reject' ? inTheWay(context, job.limit) : undefined
  if (inItsWay !== undefined) return { outcome: 'rejected', id: inItsWay, why: 'limit_full' }
  const placed = placeRoot(context, job)
  if ('refused' in placed) return { outcome: 'rejected', id: job.id, why: placed.refused }
  if (job.idempotency !== undefined) {
    const { scope, key, fingerprint } = job.idempotency
    context.sql.run('insertIdempotency', scope, key, fingerprint, job.id, context.clock.now())
  }
  const { limit: _, ...unlimited } = job
  insertNewJob(context, endings, { ...(isAnswered ? unlimited : job), deployment: placed.to }, undefined, 0, false)
  return { outcome: 'created', id: job.id }
}

/** @returns the store's own number for the job */
export function insertNewJob(
  context: Context,
  endings: Endings,
  job: NewJob,
  parent: ParentStep | undefined,
  item: number,
  held: boolean,
): number {
  const { sql, clock, hints, lanes, events } = context
  const now = clock.now()
  const limit = limitOf(context, job, parent)
  const full = parent !== undefined && limit?.whenFull === 'reject' ? inTheWay(context, limit) : undefined
  if (limit?.whenFull === 'replace') makeRoom(context, endings, limit, job.id)
  const deployment = parent?.deployment ?? job.deployment ?? ''
  const lane = lanes.numberOf(laneOf(job, deployment))
  const cursor = events.cursors()
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
    job.limit === undefined ? null : JSON.stringify(job.limit),
    cursor,
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
    limit?.key ?? null,
    job.cleanup === true ? HAS_ON_FAILURE : 0,
    deployment === '' ? null : deployment,
  )
  if (job.lapsesMax !== undefined) sql.run('limitLapses', job.lapsesMax, seq)
  if (job.keeps !== undefined && job.retryOf !== undefined) {
    sql.run('keepSteps', seq, JSON.stringify(job.keeps), job.retryOf)
    sql.run('inheritSeed', job.retryOf, seq)
  }
  if (job.cache !== undefined) putInCache(context, seq, job.cache)
  if (limit !== undefined) countIn(context, endings, limit)
  for (const tag of job.tags ?? []) sql.run('insertTag', tag, seq)
  events.list(cursor, seq, { kind: 'queued', attempt: 0, at: now, worker: null })
  hints.events()
  const sessionEnd = parent?.session && joinSession(context, seq, parent.session)
  if (sessionEnd !== undefined) refuseChild(endings, { seq, state, kind: job.kind }, parent, sessionEnd)
  else if (limit !== undefined && full !== undefined)
    refuseChild(endings, { seq, state, kind: job.kind }, parent, { to: 'failed', error: limitFull(limit, full) })
  else if (state === 'ready')
    admit(context, endings, {
      seq,
      queue: job.queue,
      limit_key: limit?.key ?? null,
      permit: 0,
      cache_key: job.cache?.key ?? null,
    })
  else if (state === 'scheduled') hints.dueAt(dueAt)
  return seq
}

/** The limit that holds for a job. What a workflow waits for would never get the permit that the workflow holds itself. */
function limitOf(context: Context, { limit }: NewJob, parent: ParentStep | undefined): JobLimit | undefined {
  if (limit === undefined || parent?.attached !== true) return limit
  return isUnderSameLimit(context, parent.seq, limit.key) ? undefined : limit
}

/** Nobody is there to be told that a child was not stored: it is stored as one that failed, for its parent to see. */
function refuseChild(
  endings: Endings,
  child: Pick<Ending, 'seq' | 'kind' | 'state'>,
  parent: ParentStep | undefined,
  to: EndedAs,
): void {
  const place = { parent_seq: parent?.seq ?? null, step: parent?.step ?? null, grouped: parent?.grouped ? 1 : 0 }
  endings.end({ ...child, ...place, attempt: 0, worker: null, started_at: null }, to)
}
