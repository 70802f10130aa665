import {
  type Bucket,
  nextTokenAt,
  type QueueChange,
  type QueueCounts,
  type Rate,
  refilled,
  wholeTokens,
} from '@headrace/engine'
import { type QueueCountRow, type ShareWeightRow, toQueueCounts } from '@headrace/engine/rows'
import { statements } from './connection/named.ts'
import { call, type Session } from './connection/session.ts'
import type { Context, Work } from './context.ts'
import { type LaneRow, lanesAfter } from './lanes.ts'

export type QueueRow = {
  readonly name: string
  readonly paused: boolean
  readonly fair: boolean
  readonly vtime: number
  readonly rate_count: number | null
  readonly rate_per_ms: number | null
  readonly tokens: number | null
  readonly tokens_at: number | null
}

export type QueueSettings = {
  readonly name: string
  readonly paused: boolean
  readonly fair: boolean
  /** How far a fair queue is: the greatest turn that was claimed. */
  readonly vtime: number
  readonly rate: Rate | undefined
  readonly bucket: Bucket
}

export function toSettings(row: QueueRow): QueueSettings {
  const { name, paused, fair, vtime, rate_count: count, rate_per_ms: perMs } = row
  const rate = count === null || perMs === null ? undefined : { count, perMs }
  return { name, paused, fair, vtime, rate, bucket: { tokens: row.tokens ?? 0, at: row.tokens_at ?? 0 } }
}

export function putQueue({ tx }: Work, { name, paused, fair, vtime, rate, bucket }: QueueSettings): void {
  tx.later('putQueue', name, paused, fair, vtime, rate?.count, rate?.perMs, bucket.tokens, bucket.at)
}

/** Changes what a queue is set to. What is left out stays as it is. */
export async function configureQueue(work: Work, name: string, change: QueueChange): Promise<void> {
  const { tx, now, hints, lanes } = work
  tx.later('makeQueue', name)
  const row = await tx.row<QueueRow>('lockQueue', name)
  if (row === undefined) throw new Error(`queue ${name} was not made`)
  const before = toSettings(row)
  const fair = change.fair ?? before.fair
  const isTurned = fair !== before.fair
  const rate = change.rate === undefined ? before.rate : (change.rate ?? undefined)
  const bucket = change.rate === undefined ? before.bucket : { tokens: change.rate?.count ?? 0, at: now }
  putQueue(work, {
    name,
    paused: change.paused ?? before.paused,
    fair,
    vtime: isTurned ? 0 : before.vtime,
    rate,
    bucket,
  })
  const shares = Object.entries(change.shares ?? {})
  if (shares.length > 0) {
    const weights = shares.map(([, weight]) => weight)
    tx.later(
      'putShares',
      name,
      shares.map(([owner]) => owner),
      weights,
    )
  }
  if (isTurned) {
    tx.later('resetShares', name)
    const [rows = []] = await tx.all([lanesAfter(lanes)])
    lanes.add(rows as readonly LaneRow[])
    const ids = lanes.ofQueue(name).map(({ id }) => id)
    if (!fair) tx.later('forgetTurns', ids)
    if (!fair) tx.later('forgetPinnedTurns', ids)
  }
  tx.later('bumpRouting')
  hints.queue(name)
}

/** What waits and runs in each queue, and how those with settings are set. */
export async function readQueues(session: Session): Promise<QueueCounts[]> {
  const [counts = [], rows = [], weights = []] = await session.pipeline([
    call(statements.queueCounts),
    call(statements.queueSettings),
    call(statements.shareWeights),
  ])
  // The statements' own columns.
  const settings = new Map((rows as unknown as readonly QueueRow[]).map((row) => [row.name, toSettings(row)]))
  return toQueueCounts(
    counts as unknown as readonly QueueCountRow[],
    settings,
    weights as unknown as readonly ShareWeightRow[],
  )
}

/** Wakes those who wait for a token that has come. @returns when the next one comes for a job that waits for it */
export async function wakeRated(
  session: Session,
  { lanes, hints, clock }: Context,
  rows: readonly QueueRow[],
): Promise<number | undefined> {
  const now = clock.now()
  let nextAt = Number.POSITIVE_INFINITY
  for (const { name, paused, rate, bucket } of rows.map(toSettings)) {
    if (paused || rate === undefined) continue
    lanes.add(await session.run<LaneRow>(statements.lanesAfter, [lanes.newest]))
    const ids = lanes.ofQueue(name).map(({ id }) => id)
    const [ready = [], pinned = []] = await session.pipeline([
      call(statements.readyLanes, ids),
      call(statements.pinnedOfLanes, ids),
    ])
    if (ready.length + pinned.length === 0) continue
    if (wholeTokens(refilled(rate, bucket, now)) > 0) hints.queue(name)
    else nextAt = Math.min(nextAt, Math.max(now + 1, nextTokenAt(rate, bucket)))
  }
  return nextAt === Number.POSITIVE_INFINITY ? undefined : nextAt
}
