import { type Commit, cancelled, type RecordedError, SESSION_OVER, sessionLost, sessionUnfit } from '@headrace/engine'
import { Changes, type Ending, type HeldRow } from './changes.ts'
import { statements } from './connection/named.ts'
import { call, type Session } from './connection/session.ts'
import { type Context, inTransaction, type Work } from './context.ts'
import type { Lane } from './lanes.ts'
import { STATE } from './states.ts'

/** A session, as far as what is added to it depends on it. */
type SessionRow = {
  readonly id: number
  readonly seq: number
  readonly step: number
  readonly worker: number | null
  readonly state: 'open' | 'lost' | 'closed'
  readonly error: string | null
}

/** A step of a workflow, by the workflow's number and its own. */
type Place = { readonly seq: number; readonly step: number }

/**
 * Claims from a queue with sessions take the long way, so whoever begins the first one on it says so before. In a transaction
 * of its own: it says nothing of any job.
 */
export async function meetSessionQueues(session: Session, context: Context, { advance }: Commit): Promise<void> {
  const begun = advance.flatMap(({ steps }) => steps.filter(({ kind }) => kind === 'session'))
  for (const queue of new Set(begun.map(({ name }) => name))) {
    if (context.routing.hasSessions(queue)) continue
    await inTransaction(session, context, async ({ tx }) => {
      if ((await tx.row('putSessionQueue', queue)) !== undefined) tx.later('bumpRouting')
    })
    await context.routing.load(session)
  }
}

/**
 * The sessions that the steps of one commit speak of. They are locked before groups and jobs, those that end alone: so none
 * ends while something is added to it, and nobody waits in a circle.
 */
export class SessionBook {
  readonly #rows = new Map<string, SessionRow>()

  private constructor(rows: readonly SessionRow[]) {
    this.#add(rows)
  }

  static async lock({ tx }: Work, { advance }: Commit): Promise<SessionBook> {
    const ending: Place[] = []
    const joined: Place[] = []
    for (const { lease, steps } of advance) {
      for (const { step, kind, session } of steps) {
        if (kind === 'session') ending.push({ seq: lease.row, step })
        if (session !== undefined) joined.push({ seq: lease.row, step: session })
      }
    }
    if (ending.length + joined.length === 0) return new SessionBook([])
    const [some = [], more = []] = await tx.all([
      call(statements.lockSessionsToEnd, ...columns(ending)),
      call(statements.lockSessionsToJoin, ...columns(joined)),
    ])
    // The statements' own columns.
    return new SessionBook([...some, ...more] as unknown as readonly SessionRow[])
  }

  #add(rows: readonly SessionRow[]): void {
    for (const row of rows) this.#rows.set(keyOf(row), row)
  }

  async open({ tx }: Work, places: readonly Place[]): Promise<void> {
    if (places.length === 0) return
    this.#add(await tx.rows<SessionRow>('insertSessions', ...columns(places)))
    tx.later('markHasSessions', [...new Set(places.map(({ seq }) => seq))])
  }

  find(place: Place): SessionRow | undefined {
    return this.#rows.get(keyOf(place))
  }

  /** Their bodies are over: what waits of them is cancelled, what runs is asked to stop, and what cleans up may do so anywhere. */
  async close({ tx }: Work, changes: Changes, places: readonly Place[]): Promise<void> {
    const rows = places.flatMap((place) => this.find(place) ?? []).filter(({ state }) => state !== 'closed')
    if (rows.length === 0) return
    const ids = rows.map(({ id }) => id)
    this.#add(rows.map((row) => ({ ...row, state: 'closed' })))
    tx.later('closeSessions', ids)
    const live = await tx.rows<{ readonly seq: number }>('liveOfSessions', ids)
    await changes.cancelTrees(
      live.map(({ seq }) => seq),
      SESSION_OVER,
    )
    tx.later('leaveSessions', ids)
  }
}

/** How a job ends that is added to a session which is over or lost. */
export function endOfJoining({
  state,
  error,
}: SessionRow): { readonly to: 'failed' | 'cancelled'; readonly error: RecordedError } | undefined {
  if (state === 'closed') return cancelled(SESSION_OVER)
  return error === null ? undefined : { to: 'failed', error: JSON.parse(error) as RecordedError }
}

/** With what the jobs of lost sessions fail, by the numbers of those. */
export type LostSessions = ReadonlyMap<number, RecordedError>

/**
 * The workers of sessions are gone: what waits for them fails. What they held is left to whoever takes that back.
 * @param why by the number of the worker @returns with what each of them fails
 */
export async function loseSessions(
  work: Work,
  changes: Changes,
  why: ReadonlyMap<number, string>,
): Promise<LostSessions> {
  const { tx } = work
  type Row = { readonly id: number; readonly worker: number; readonly name: string }
  const sessions = await tx.rows<Row>('lockSessionsOfWorkers', [...why.keys()])
  if (sessions.length === 0) return new Map()
  const errors = new Map(sessions.map(({ id, worker, name }) => [id, sessionLost(name, why.get(worker) ?? '')]))
  const ids = [...errors.keys()]
  tx.later(
    'loseSessions',
    ids,
    [...errors.values()].map((error) => JSON.stringify(error)),
  )
  const live = await tx.rows<{ readonly seq: number; readonly state: number }>('liveOfSessions', ids)
  const seqs = live.filter(({ state }) => state !== STATE.running).map(({ seq }) => seq)
  if (seqs.length === 0) return errors
  for (const job of await lockWaiting(work, changes, seqs)) {
    const error = lostOf(job, errors)
    if (error === undefined) continue
    changes.end({ ...job, worker: null, started_at: null, started_cursor: null }, { to: 'failed', error })
  }
  return errors
}

/** So many of its jobs in line are looked at; those behind them have their turn when these are gone. */
const UNFIT_MAX = 100

/** Jobs of its sessions in this queue that a worker can never take. */
export async function failUnfit(
  work: Work,
  worker: number,
  { queue, lanes }: { readonly queue: string; readonly lanes: readonly Lane[] },
): Promise<void> {
  const own = new Set(lanes.map(({ id }) => id))
  const others = work.lanes.ofQueue(queue).filter(({ id }) => !own.has(id))
  if (others.length === 0) return
  type Row = { readonly seq: number }
  const ids = others.map(({ id }) => id)
  const rows = await work.tx.rows<Row>('pinnedHeads', worker, ids, UNFIT_MAX)
  if (rows.length === 0) return
  const changes = new Changes(work)
  const tasks = new Map(others.map(({ id, task }) => [id, task]))
  for (const job of await lockWaiting(
    work,
    changes,
    rows.map(({ seq }) => seq),
  )) {
    const waiting = { ...job, worker: null, started_at: null, started_cursor: null }
    changes.end(waiting, { to: 'failed', error: sessionUnfit(tasks.get(job.lane) ?? 'its task') })
  }
  await changes.finish()
}

/** Of these jobs, those that wait, their groups locked before them. */
async function lockWaiting({ tx }: Work, changes: Changes, seqs: readonly number[]): Promise<readonly WaitingRow[]> {
  const [groups = [], jobs = []] = await tx.all([call(statements.lockGroups, seqs), call(statements.lockWaiting, seqs)])
  changes.knowGroups(groups)
  // The statement's own columns.
  return jobs as unknown as readonly WaitingRow[]
}

type WaitingRow = Ending & Pick<HeldRow, 'session' | 'lane'>

/** With what a job fails whose session is lost. */
export function lostOf({ session }: Pick<HeldRow, 'session'>, lost: LostSessions): RecordedError | undefined {
  return session === null ? undefined : lost.get(session)
}

function columns(places: readonly Place[]): [number[], number[]] {
  return [places.map(({ seq }) => seq), places.map(({ step }) => step)]
}

function keyOf({ seq, step }: Place): string {
  return `${seq}/${step}`
}
