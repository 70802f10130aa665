import {
  type Bucket,
  fairRank,
  nextTokenAt,
  type QueueChange,
  type QueueCounts,
  type Rate,
  refilled,
  wholeTokens,
} from '@headrace/engine'
import { type QueueCountRow, type ShareWeightRow, toQueueCounts } from '@headrace/engine/rows'
import type { Context } from './prepared.ts'

type Row = {
  readonly name: string
  readonly paused: number
  readonly fair: number
  readonly vtime: number
  readonly rate_count: number | null
  readonly rate_per_ms: number | null
  readonly tokens: number | null
  readonly tokens_at: number | null
}

type QueueSettings = {
  readonly name: string
  paused: boolean
  fair: boolean
  /** How far a fair queue is: the greatest rank that was claimed. */
  vtime: number
  rate: Rate | undefined
  bucket: Bucket
}

/**
 * The settings of the queues that have any. They are few, so a transaction reads them once, when it first asks; an
 * ordinary queue costs nothing more.
 */
export class QueueBook {
  readonly #sql: Context['sql']
  #byName: Map<string, QueueSettings> | undefined

  constructor(sql: Context['sql']) {
    this.#sql = sql
  }

  get(name: string): QueueSettings | undefined {
    return this.#read().get(name)
  }

  all(): Iterable<QueueSettings> {
    return this.#read().values()
  }

  put(settings: QueueSettings): void {
    const { name, paused, fair, vtime, rate, bucket } = settings
    const [count, perMs] = [rate?.count ?? null, rate?.perMs ?? null]
    this.#sql.run('putQueue', name, paused ? 1 : 0, fair ? 1 : 0, vtime, count, perMs, bucket.tokens, bucket.at)
    this.#byName?.set(name, settings)
  }

  /** The transaction is over: others may change them now. */
  forget(): void {
    this.#byName = undefined
  }

  #read(): Map<string, QueueSettings> {
    this.#byName ??= new Map(this.#sql.all<Row>('queueSettings').map((row) => [row.name, toSettings(row)]))
    return this.#byName
  }
}

function toSettings(row: Row): QueueSettings {
  const { rate_count: count, rate_per_ms: perMs } = row
  return {
    name: row.name,
    paused: row.paused === 1,
    fair: row.fair === 1,
    vtime: row.vtime,
    rate: count === null || perMs === null ? undefined : { count, perMs },
    bucket: { tokens: row.tokens ?? 0, at: row.tokens_at ?? 0 },
  }
}

/** How many of so many slots a queue's settings let be filled now. */
export function slotsAllowed({ queues, clock }: Context, queue: string, slots: number): number {
  const settings = queues.get(queue)
  if (settings === undefined) return slots
  if (settings.paused) return 0
  if (settings.rate === undefined) return slots
  settings.bucket = refilled(settings.rate, settings.bucket, clock.now())
  return Math.min(slots, wholeTokens(settings.bucket))
}

/** These jobs of a queue were claimed: it pays for them, and moves on. */
export function settleClaim(
  { queues, hints }: Context,
  queue: string,
  claimed: readonly { readonly rank: number }[],
): void {
  const settings = queues.get(queue)
  if (settings === undefined || settings.paused || (settings.rate === undefined && !settings.fair)) return
  const { rate, bucket } = settings
  if (rate !== undefined) {
    settings.bucket = { ...bucket, tokens: bucket.tokens - claimed.length }
    if (wholeTokens(settings.bucket) === 0) hints.dueAt(nextTokenAt(rate, settings.bucket))
  }
  if (claimed.length === 0) return
  if (settings.fair) settings.vtime = Math.max(settings.vtime, ...claimed.map(({ rank }) => rank))
  queues.put(settings)
}

/** Wakes those who wait for a token that has come. @returns when the next one comes for a job that waits for it */
export function wakeRated(context: Context): number {
  const { queues, clock, hints } = context
  let nextAt = Number.POSITIVE_INFINITY
  for (const { name, paused, rate, bucket } of queues.all()) {
    if (paused || rate === undefined || !hasReady(context, name)) continue
    const now = clock.now()
    if (wholeTokens(refilled(rate, bucket, now)) > 0) hints.queue(name)
    else nextAt = Math.min(nextAt, Math.max(now + 1, nextTokenAt(rate, bucket)))
  }
  return nextAt
}

function hasReady({ sql, lanes }: Context, queue: string): boolean {
  lanes.refresh()
  return (
    lanes.ofQueue(queue).some(({ id }) => sql.get('readyHeads', id, 1) !== undefined) ||
    sql.get('pinnedOfQueue', queue) !== undefined
  )
}

/**
 * Gives a job that becomes ready its place in a fair queue.
 * @param isBack it was claimed before, and paid for: it goes to the front
 */
export function rankFairly({ sql, queues }: Context, seq: number, queue: string, isBack: boolean): void {
  const settings = queues.get(queue)
  if (settings?.fair !== true) return
  if (isBack) {
    sql.run('setRank', settings.vtime, seq)
    return
  }
  const owner = sql.get<{ owner: string | null }>('ownerOf', seq)?.owner ?? ''
  const share = sql.get<{ weight: number; vtime: number }>('shareOf', queue, owner) ?? { weight: 1, vtime: 0 }
  const { rank, shareVtime } = fairRank(settings.vtime, share)
  sql.run('setRank', rank, seq)
  sql.run('payShare', queue, owner, shareVtime)
}

/** Changes what a queue is set to. What is left out stays as it is. */
export function configureQueue(context: Context, name: string, change: QueueChange): void {
  const { queues, clock, hints, sql } = context
  const before = queues.get(name)
  const now = clock.now()
  const settings: QueueSettings = before ?? {
    name,
    paused: false,
    fair: false,
    vtime: 0,
    rate: undefined,
    bucket: { tokens: 0, at: now },
  }
  const wasFair = settings.fair
  settings.paused = change.paused ?? settings.paused
  settings.fair = change.fair ?? settings.fair
  if (change.rate !== undefined) {
    settings.rate = change.rate ?? undefined
    settings.bucket = { tokens: change.rate?.count ?? 0, at: now }
  }
  for (const [owner, weight] of Object.entries(change.shares ?? {})) sql.run('putShare', name, owner, weight)
  if (settings.fair !== wasFair) settings.vtime = 0
  queues.put(settings)
  if (settings.fair !== wasFair) reorder(context, settings)
  hints.queue(name)
}

/** Those who are in line already take their places by the new rule, in the order in which they came. */
function reorder(context: Context, { name, fair }: QueueSettings): void {
  const { sql, lanes } = context
  sql.run('resetShares', name)
  lanes.refresh()
  type Row = { readonly seq: number; readonly due_at: number }
  const free = lanes.ofQueue(name).flatMap(({ id }) => sql.all<Row>('readyOfLane', id))
  const waiting = [...free, ...sql.all<Row>('pinnedOfQueue', name)]
  waiting.sort((a, b) => a.due_at - b.due_at || a.seq - b.seq)
  for (const { seq, due_at: dueAt } of waiting) {
    if (fair) rankFairly(context, seq, name, false)
    else sql.run('setRank', dueAt, seq)
  }
}

/** What waits and runs in each queue, and how those with settings are set. */
export function readQueues({ sql }: Context): QueueCounts[] {
  const settings = new Map(sql.all<Row>('queueSettings').map((row) => [row.name, toSettings(row)]))
  return toQueueCounts(sql.all<QueueCountRow>('queueCounts'), settings, sql.all<ShareWeightRow>('weights'))
}
