import type { JobId, JobLimit, NewJob } from '@headrace/engine'
import type { Changes } from './changes.ts'
import { statements } from './connection/named.ts'
import { call, type Session } from './connection/session.ts'
import { type Context, inTransaction, type Work } from './context.ts'
import { hintAtPromoted } from './promote.ts'

/** Limits are locked so many at once. */
const KEYS_AT_ONCE = 200

/** Counts what was noted of limits, and gives out their permits. Each transaction holds nothing else that others wait for. */
export async function serveLimits(session: Session, context: Context, keys: readonly string[]): Promise<void> {
  for (let first = 0; first < keys.length; first += KEYS_AT_ONCE) {
    const some = keys.slice(first, first + KEYS_AT_ONCE)
    await inTransaction(session, context, async (work) => {
      work.tx.later('waitShortly')
      await lockAndGive(work, some)
      work.tx.later('deleteLimits', some)
    })
  }
}

/** Locks limits, counts what was noted of them and gives out their permits. @param keys in their order @returns how many jobs of each live */
export async function lockAndGive(work: Work, keys: readonly string[]): Promise<Map<string, number>> {
  const { tx } = work
  const [, granted = [], counts = []] = await tx.all([
    call(statements.lockLimits, keys),
    call(statements.givePermits, keys),
    call(statements.limitsLive, keys),
  ])
  // The statements' own columns.
  hintAtPromoted(work, granted as readonly { readonly lane: number }[])
  return new Map((counts as readonly { key: string; live: number }[]).map(({ key, live }) => [key, live]))
}

/**
 * The limits that a transaction must know before it stores a job: those that refuse or replace. They are locked before
 * anything else, in the order of their keys, and until the transaction is over.
 */
export class LimitGate {
  readonly #work: Work
  readonly #live: Map<string, number>
  /** Those of a key that this transaction has let in itself, the oldest first. */
  readonly #own = new Map<string, JobId[]>()

  private constructor(work: Work, live: Map<string, number>) {
    this.#work = work
    this.#live = live
  }

  /** @param held jobs that the transaction locks besides */
  static async lock(work: Work, jobs: readonly NewJob[], held: readonly number[] = []): Promise<LimitGate> {
    const strict = jobs.flatMap(({ limit }) => (limit === undefined || limit.whenFull === 'wait' ? [] : [limit]))
    const keys = [...new Set(strict.map(({ key }) => key))].sort()
    if (keys.length === 0) return new LimitGate(work, new Map())
    const live = await lockAndGive(work, keys)
    await lockReplaced(work, strict, held)
    return new LimitGate(work, live)
  }

  /** The job in the way of a new one that will not wait; undefined where there is room. */
  async inTheWay({ key, max }: JobLimit): Promise<JobId | undefined> {
    if ((this.#live.get(key) ?? 0) < max) return undefined
    const oldest = await this.#work.tx.row<{ readonly id: JobId }>('oldestOfLimit', key)
    return oldest?.id ?? this.#own.get(key)?.[0]
  }

  /** Cancels the oldest stored jobs of a key, as many as stand in the way of one more. @returns what they are told */
  async makeRoom({ key, max }: JobLimit, by: JobId, changes: Changes): Promise<string> {
    const reason = `Job ${by} replaced it: its limit ${key} takes ${max}.`
    const others = await this.#work.tx.rows<{ readonly seq: number }>('stayingOfLimit', key)
    const own = this.#own.get(key)?.length ?? 0
    const room = others.slice(0, Math.max(0, others.length + own - max + 1)).map(({ seq }) => seq)
    await changes.cancelTrees(room, reason)
    return reason
  }

  /** Those that this transaction has let in itself, as far as they stand in the way of one more. */
  ownInTheWay({ key, max }: JobLimit): readonly JobId[] {
    const own = this.#own.get(key) ?? []
    return own.splice(0, Math.max(0, own.length - max + 1))
  }

  /** Reads again how many of a key live, after some of them may have ended. */
  async recount(key: string): Promise<void> {
    this.#work.notes.write(this.#work.tx)
    for (const [one, live] of await lockAndGive(this.#work, [key])) this.#live.set(one, live)
    // What it has let in is stored by now, and found like the others.
    this.#own.delete(key)
  }

  countIn(key: string, id: JobId): void {
    const live = this.#live.get(key)
    if (live === undefined) return
    this.#live.set(key, live + 1)
    this.#own.set(key, [...(this.#own.get(key) ?? []), id])
  }
}

/** Jobs of several limits may have to make room: all are locked at once, so that nobody waits in a circle for their trees. */
async function lockReplaced({ tx }: Work, limits: readonly JobLimit[], held: readonly number[]): Promise<void> {
  const byKey = Map.groupBy(
    limits.filter(({ whenFull }) => whenFull === 'replace'),
    ({ key }) => key,
  )
  const room: number[] = []
  for (const [key, newcomers] of byKey) {
    const max = Math.min(...newcomers.map((limit) => limit.max))
    const staying = await tx.rows<{ readonly seq: number }>('stayingOfLimit', key)
    room.push(...staying.slice(0, Math.max(0, staying.length + newcomers.length - max)).map(({ seq }) => seq))
  }
  if (room.length === 0) return
  const roots = [...room, ...held]
  await tx.all([call(statements.lockGroupsOfTrees, roots), call(statements.lockTrees, roots)])
}

/** Of these children, which are of a limit whose permit a workflow holds that they are attached to: they work under that one. */
export async function areUnderSameLimit(
  { tx }: Work,
  children: readonly { readonly parentSeq: number; readonly key: string }[],
): Promise<ReadonlySet<number>> {
  if (children.length === 0) return new Set()
  const rows = await tx.rows<{ readonly i: number }>(
    'limitsAbove',
    children.map(({ parentSeq }) => parentSeq),
    children.map(({ key }) => key),
  )
  return new Set(rows.map(({ i }) => i - 1))
}
