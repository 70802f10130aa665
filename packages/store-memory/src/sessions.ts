import { cancelled, laneMatcher, SESSION_OVER, sessionLost, sessionUnfit, type WorkerId } from '@headrace/engine'
import { cancelTree, type Endings } from './ending.ts'
import { type Context, liveJobs, type Parent, type Session, type StoredJob, type StoredWorker } from './place.ts'

/** A new job belongs to the session that its step names. @returns how it ends when that is over or lost */
export function joinSession({ live }: StoredJob, { job, step }: Parent): Session['end'] {
  const { session: number } = step.recorded
  const session = number === undefined ? undefined : job.steps.get(number)?.session
  if (session === undefined || live === undefined) return undefined
  if (session.end === undefined) live.session = session
  return session.end
}

/** Its body is over: what waits of it is cancelled, what runs is asked to stop, and what cleans up may do so anywhere. */
export function closeSession(context: Context, endings: Endings, session: Session): void {
  session.end ??= cancelled(SESSION_OVER)
  for (const job of liveJobs(context.place)) {
    // The end of another one may have ended it.
    if (job.live?.session !== session) continue
    cancelTree(context, endings, job, SESSION_OVER)
    if (job.live !== undefined) job.live.session = undefined
  }
}

/** Those of a workflow that ends; its children end with it. */
export function closeSessions({ steps }: StoredJob): void {
  for (const { session } of steps.values()) if (session !== undefined) session.end ??= cancelled(SESSION_OVER)
}

/** The worker of sessions is gone: what waits for it fails. What it held is left to whoever takes that back. */
export function loseSessions(context: Context, endings: Endings, { id, name }: StoredWorker, why: string): void {
  const lost = { to: 'failed', error: sessionLost(name, why) } as const
  for (const { steps } of liveJobs(context.place)) {
    for (const { session } of steps.values()) if (session?.worker === id) session.end ??= lost
  }
  for (const job of liveJobs(context.place)) {
    if (job.live?.session?.worker === id && job.live.state !== 'running') endings.end(job, lost)
  }
}

/** Jobs of its sessions that the worker can never take. */
export function failUnfit(context: Context, endings: Endings, id: WorkerId): void {
  const worker = context.place.workers.get(id)
  if (worker === undefined) return
  const isFor = laneMatcher(worker)
  for (const job of liveJobs(context.place)) {
    if (job.live?.session?.worker !== id || job.live.state !== 'ready' || isFor(job.lane)) continue
    endings.end(job, { to: 'failed', error: sessionUnfit(job.job.task) })
  }
}
