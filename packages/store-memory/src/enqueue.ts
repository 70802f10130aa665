import { type Enqueued, type JobLimit, laneOf, limitFull, type NewJob, namesOfJobs, readLane } from '@headrace/engine'
import { admit } from './admit.ts'
import { deleteNotes } from './artifact-names.ts'
import { hasAnswer } from './cache.ts'
import { placeRoot } from './deployments.ts'
import { Endings } from './ending.ts'
import { countIn, inTheWay, limitThatHolds, makeRoom } from './limits.ts'
import { addEvent, type Context, type Live, type Parent, type StoredJob } from './place.ts'
import { joinSession } from './sessions.ts'

/** Stores jobs, all or none; those whose idempotency key was used before are not stored. */
export function enqueueJobs(context: Context, jobs: readonly NewJob[]): Enqueued[] {
  refuseTakenIds(context, jobs)
  const endings = new Endings(context)
  const enqueued = jobs.map((job) => enqueueJob(context, endings, job))
  deleteNotes(context, namesOfJobs(jobs))
  endings.finish()
  return enqueued
}

function enqueueJob(context: Context, endings: Endings, job: NewJob): Enqueued {
  const { idempotency } = context.place
  const key = job.idempotency && JSON.stringify([job.idempotency.scope, job.idempotency.key])
  const used = key === undefined ? undefined : idempotency.get(key)
  if (used !== undefined) {
    const isSame = used.fingerprint === job.idempotency?.fingerprint
    return { outcome: isSame ? 'existing' : 'conflict', id: used.id }
  }
  // What needs no worker is held up by no limit.
  const isAnswered = job.limit !== undefined && hasAnswer(context, job)
  const inItsWay = !isAnswered && job.limit?.whenFull === 'reject' ? inTheWay(context, job.limit) : undefined
  if (inItsWay !== undefined) return { outcome: 'rejected', id: inItsWay, why: 'limit_full' }
  const placed = placeRoot(context, job)
  if ('refused' in placed) return { outcome: 'rejected', id: job.id, why: placed.refused }
  if (key !== undefined && job.idempotency) {
    idempotency.set(key, { fingerprint: job.idempotency.fingerprint, id: job.id })
  }
  const { limit: _, ...unlimited } = job
  insertJob(context, endings, { ...(isAnswered ? unlimited : job), deployment: placed.to }, undefined, false)
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
export function insertJob(
  context: Context,
  endings: Endings,
  job: NewJob,
  parent: Parent | undefined,
  isHeld: boolean,
): StoredJob {
  const { place, clock, hints } = context
  const now = clock.now()
  const limit = limitThatHolds(job.limit, parent)
  const full = parent !== undefined && limit?.whenFull === 'reject' ? inTheWay(context, limit) : undefined
  if (limit?.whenFull === 'replace') makeRoom(context, endings, limit, job.id)
  const dueAt = job.dueAt ?? now
  const state = isHeld ? 'held' : dueAt > now ? 'scheduled' : 'ready'
  const deployment = parent?.job.lane.deployment ?? job.deployment ?? ''
  const stored: StoredJob = {
    seq: place.jobs.length + 1,
    job,
    lane: readLane(laneOf(job, deployment)),
    createdAt: now,
    parent,
    steps: new Map(),
    attempts: [],
    signals: [],
    attempt: 0,
    seed: undefined,
    live: newLive(job, limit, { state, dueAt }),
    end: undefined,
    progress: undefined,
    isRemoved: false,
  }
  place.jobs.push(stored)
  place.byId.set(job.id, stored)
  place.live.add(stored)
  keepSteps(context, stored)
  // Its parent's step is there before the ends of its children are counted.
  parent?.step.children.push(stored)
  if (limit !== undefined) countIn(context, endings, limit)
  addEvent(context, stored, 'queued', 0, now)
  const sessionEnd = parent && joinSession(stored, parent)
  // Nobody is there to be told that a child was not stored: it is stored as one that failed, for its parent to see.
  if (sessionEnd !== undefined) endings.end(stored, sessionEnd)
  else if (limit !== undefined && full !== undefined)
    endings.end(stored, { to: 'failed', error: limitFull(limit, full) })
  else if (state === 'ready') admit(context, endings, stored)
  else if (state === 'scheduled') hints.dueAt(dueAt)
  return stored
}

function newLive(job: NewJob, limit: JobLimit | undefined, when: Pick<Live, 'state' | 'dueAt'>): Live {
  return {
    ...when,
    rank: when.dueAt,
    limitKey: limit?.key,
    hasPermit: false,
    cacheKey: job.cache?.key,
    failures: 0,
    lapses: 0,
    isBusy: false,
    worker: undefined,
    startedAt: undefined,
    cancel: undefined,
    ending: undefined,
    compensates: false,
    session: undefined,
  }
}

/** Takes over steps of the job that this one repeats, with the children that they stand for. */
function keepSteps({ place }: Context, stored: StoredJob): void {
  const { keeps = [], retryOf } = stored.job
  const old = retryOf === undefined ? undefined : place.byId.get(retryOf)
  if (old === undefined || keeps.length === 0) return
  stored.seed = old.seed ?? old.job.id
  for (const kept of keeps) {
    const step = old.steps.get(kept.step)
    if (step === undefined) continue
    const keptFrom = step.recorded.keptFrom ?? old.job.id
    stored.steps.set(kept.step, { ...step, recorded: { ...step.recorded, ...kept, keptFrom } })
  }
}
