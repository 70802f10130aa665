import { type Commit, cancelled, type RecordedError, SESSION_OVER, sessionLost, sessionUnfit } from '@headrace/engine'
import type { KnownWorker } from './claim.ts'
import { cancelTree, type EndedAs, type Ending, type Endings } from './ending.ts'
import type { Context } from './prepared.ts'

/** A session, as far as what is added to it depends on it. */
export type SessionRow = {
  readonly id: number
  readonly worker: number | null
  readonly state: 'open' | 'lost' | 'closed'
  readonly error: string | null
}

export function openSession({ sql }: Context, seq: number, step: number): void {
  sql.run('insertSession', seq, step)
  sql.run('markHasSessions', seq)
}

export function findSession({ sql }: Context, seq: number, step: number): SessionRow | undefined {
  return sql.get<SessionRow>('sessionOfStep', seq, step)
}

/** A new job belongs to a session. @returns how it ends when that is over or lost */
export function joinSession(
  { sql }: Context,
  seq: number,
  { id, worker, state, error }: SessionRow,
): EndedAs | undefined {
  if (state === 'closed') return cancelled(SESSION_OVER)
  if (error !== null) return { to: 'failed', error: JSON.parse(error) as RecordedError }
  sql.run('joinSession', id, worker, seq)
  return undefined
}

/** Its body is over: what waits of it is cancelled, what runs is asked to stop, and what cleans up may do so anywhere. */
export function closeSession(context: Context, endings: Endings, seq: number, step: number): void {
  const { sql } = context
  const session = findSession(context, seq, step)
  if (session === undefined) return
  sql.run('endSession', 'closed', null, session.id)
  for (const job of sql.all<Ending>('liveOfSession', session.id)) cancelTree(context, endings, job.seq, SESSION_OVER)
  sql.run('leaveSession', session.id)
}

/**
 * The worker of sessions is gone: what waits for it fails. What it held is left to whoever takes that back.
 * @returns with what it fails
 */
export function loseSessions(
  { sql }: Context,
  endings: Endings,
  worker: number,
  { name, why }: { readonly name: string; readonly why: string },
): RecordedError {
  const error = sessionLost(name, why)
  const text = JSON.stringify(error)
  for (const { id } of sql.all<{ id: number }>('sessionsOfWorker', worker)) {
    sql.run('endSession', 'lost', text, id)
    for (const job of sql.all<Ending & { readonly state: string }>('liveOfSession', id)) {
      if (job.state !== 'running') endings.end({ ...job, worker: null, started_at: null }, { to: 'failed', error })
    }
  }
  return error
}

/** So many of its jobs in line are looked at; those behind them have their turn when these are gone. */
const UNFIT_MAX = 100

/** Jobs of its sessions that the worker can never take. */
export function failUnfit({ sql, lanes }: Context, endings: Endings, { claim }: Commit, worker: KnownWorker): void {
  lanes.refresh()
  for (const { queue } of claim) {
    const own = new Set(worker.lanesOf(queue, lanes.ofQueue(queue)).map(({ id }) => id))
    const heads = sql.all<{ seq: number; lane: number }>('pinnedHeads', worker.number, queue, UNFIT_MAX)
    for (const { seq, lane } of heads) {
      const job = own.has(lane) ? undefined : sql.get<Ending>('liveBySeq', seq)
      if (job === undefined) continue
      const error = sessionUnfit(lanes.get(lane).task)
      endings.end({ ...job, worker: null, started_at: null }, { to: 'failed', error })
    }
  }
}
