import {
  type Amounts,
  type Claimed,
  type Commit,
  chooseFitting,
  fairRank,
  nextTokenAt,
  type Room,
  refilled,
  wholeTokens,
} from '@headrace/engine'
import { type ClaimedRow, claimCall, type KnownWorker, toClaimed } from './claim.ts'
import { tryAgain } from './connection/errors.ts'
import { statements } from './connection/named.ts'
import { call, type Session } from './connection/session.ts'
import { type Context, inTransaction, type Work } from './context.ts'
import type { Lane } from './lanes.ts'
import { type HeadRow, placeable, placeSessions } from './place-sessions.ts'
import { putQueue, type QueueRow, type QueueSettings, toSettings } from './queue-settings.ts'
import { failUnfit } from './sessions.ts'
import { FIRST_TURN } from './states.ts'

/** What a claim asks of one queue. */
export type Asked = { readonly queue: string; readonly slots: number; readonly lanes: readonly Lane[] }

export async function claimFromSetQueues(
  session: Session,
  context: Context,
  who: { readonly batch: Commit; readonly worker: KnownWorker },
  asked: readonly Asked[],
): Promise<readonly Claimed[]> {
  const claimed: Claimed[] = []
  let { free } = who.batch
  for (const one of asked) {
    const { jobs, room } = await tryAgain(() => claimFromSetQueue(session, context, who, one, free))
    claimed.push(...jobs)
    free = room
  }
  return claimed
}

/**
 * Claims from a queue that is paused, rated or fair, or whose jobs need resources, in a transaction of its own, under a lock
 * of the queue's settings: whoever holds jobs never waits for it.
 * @param free what is left of what the worker offers @returns what is left behind it, too
 */
async function claimFromSetQueue(
  session: Session,
  context: Context,
  { batch, worker }: { readonly batch: Commit; readonly worker: KnownWorker },
  asked: Asked,
  free: Amounts | undefined,
): Promise<{ readonly jobs: readonly Claimed[]; readonly room: Amounts | undefined }> {
  const room = free && { free }
  // A queue that gives out nothing now is looked at by every commit, and need not be locked for that.
  const [seen] = await session.run<QueueRow>(statements.queueByName, [asked.queue])
  if (seen !== undefined && slotsAllowed(toSettings(seen), asked.slots, context.clock.now()) === 0) {
    hintAtToken(context, toSettings(seen))
    return { jobs: [], room: free }
  }
  let isPlain = false
  const jobs = await inTransaction(session, context, async (work) => {
    const row = await work.tx.row<QueueRow>('lockQueue', asked.queue)
    const settings = row && toSettings(row)
    isPlain = settings !== undefined && !settings.paused && !settings.fair && settings.rate === undefined
    const slots = settings === undefined ? asked.slots : slotsAllowed(settings, asked.slots, work.now)
    if (settings !== undefined && slots === 0) {
      hintAtToken(work, settings)
      return []
    }
    if (work.routing.hasSessions(asked.queue)) await failUnfit(work, worker.number, asked)
    if (settings?.fair) await giveTurns(work, settings)
    const claimed = await take(work, worker, { ...asked, slots }, room)
    if (settings !== undefined) settle(work, settings, claimed)
    if (claimed.length > 0) work.hints.events()
    return worker.newOf(claimed, true).map((one) => toClaimed(one, batch, work.lanes))
  })
  // It has no settings any more.
  if (isPlain && context.routing.isSet(asked.queue)) await context.routing.load(session)
  return { jobs, room: room?.free }
}

/** Takes the most urgent jobs; where there is not room for each, those that fit. */
async function take(
  work: Work,
  worker: KnownWorker,
  { queue, slots, lanes }: Asked,
  room: Room | undefined,
): Promise<readonly ClaimedRow[]> {
  const { tx, now, routing } = work
  const needsNothing = room === undefined || lanes.every(({ amounts }) => amounts === undefined)
  if (needsNothing && !routing.hasSessions(queue)) {
    const [rows = []] = await tx.all([claimCall(worker, lanes, { slots, now, version: undefined, isMarked: false })])
    // The statement's own columns.
    return rows as unknown as readonly ClaimedRow[]
  }
  const byId = new Map(lanes.map((lane) => [lane.id, lane]))
  const rows = await headsOf(work, worker, [...byId.keys()], { queue, slots })
  const heads = rows.flatMap(({ lane, ...head }) => {
    const own = byId.get(lane)
    return own === undefined ? [] : [{ ...head, lane: own }]
  })
  const dueAts = new Map(heads.map(({ seq, due_at: dueAt }) => [seq, dueAt]))
  const line = { queue, starving: worker.starving, now, dueAt: (seq: number) => dueAts.get(seq) ?? 0 }
  const chosen = room === undefined ? heads.slice(0, slots) : chooseFitting(heads, slots, room, line)
  if (chosen.length === 0) return []
  const claimed = await tx.rows<ClaimedRow>(
    'claimChosen',
    worker.number,
    now,
    chosen.map(({ seq }) => seq),
  )
  const sessions = new Map(chosen.map(({ seq, session }) => [seq, session]))
  placeSessions(
    work,
    worker.number,
    claimed.flatMap(({ seq }) => sessions.get(seq) ?? []),
  )
  return claimed
}

/** The most urgent jobs that the worker may take. */
async function headsOf(
  work: Work,
  { number }: KnownWorker,
  lanes: readonly number[],
  { queue, slots }: Pick<Asked, 'queue' | 'slots'>,
): Promise<readonly HeadRow[]> {
  const { tx, routing } = work
  if (!routing.hasSessions(queue)) return tx.rows<HeadRow>('readyHeads', lanes, slots)
  const [free = [], pinned = []] = await tx.all([
    call(statements.readyHeads, lanes, slots),
    call(statements.pinnedHeads, number, lanes, slots),
  ])
  // The statements' own columns.
  const mine = await placeable(work, number, free as unknown as readonly HeadRow[])
  const heads = [...mine, ...(pinned as unknown as readonly HeadRow[])]
  return heads.sort((a, b) => a.urgency - b.urgency || a.rank - b.rank || a.seq - b.seq)
}

/** How many of so many slots the settings let be filled now. */
function slotsAllowed({ paused, rate, bucket }: QueueSettings, slots: number, now: number): number {
  if (paused) return 0
  return rate === undefined ? slots : Math.min(slots, wholeTokens(refilled(rate, bucket, now)))
}

function hintAtToken({ hints }: Context, { paused, rate, bucket }: QueueSettings): void {
  if (!paused && rate !== undefined) hints.dueAt(nextTokenAt(rate, bucket))
}

/** These jobs were claimed: the queue pays for them, and moves on. */
function settle(work: Work, settings: QueueSettings, claimed: readonly ClaimedRow[]): void {
  if (claimed.length === 0) return
  const { rate, bucket } = settings
  const full = rate === undefined ? bucket : refilled(rate, bucket, work.now)
  const after = rate === undefined ? bucket : { ...full, tokens: full.tokens - claimed.length }
  if (rate !== undefined && wholeTokens(after) === 0) work.hints.dueAt(nextTokenAt(rate, after))
  const turns = settings.fair ? claimed.map(({ rank }) => rank - FIRST_TURN) : []
  putQueue(work, { ...settings, bucket: after, vtime: Math.max(settings.vtime, ...turns) })
}

/** Those who have become ready since the last claim take their places, in the order in which they came. */
async function giveTurns({ tx, lanes }: Work, { name, vtime }: QueueSettings): Promise<void> {
  type Row = { readonly seq: number; readonly owner: string | null }
  const ids = lanes.ofQueue(name).map(({ id }) => id)
  const [free = [], pinned = []] = await tx.all([
    call(statements.jobsWithoutTurn, ids),
    call(statements.pinnedWithoutTurn, ids),
  ])
  // The statements' own columns.
  const jobs = [...free, ...pinned] as unknown as readonly Row[]
  if (jobs.length === 0) return
  const owners = [...new Set(jobs.map(({ owner }) => owner ?? ''))]
  type Share = { readonly owner: string; readonly weight: number; readonly vtime: number }
  const shares = new Map((await tx.rows<Share>('sharesOf', name, owners)).map((share) => [share.owner, share]))
  const ranked = jobs.map(({ seq, owner }) => {
    const share = shares.get(owner ?? '') ?? { owner: owner ?? '', weight: 1, vtime: 0 }
    const { rank, shareVtime } = fairRank(vtime, share)
    shares.set(share.owner, { ...share, vtime: shareVtime })
    return { seq, rank: FIRST_TURN + rank }
  })
  ranked.sort((a, b) => a.seq - b.seq)
  tx.later(
    'setRanks',
    ranked.map(({ seq }) => seq),
    ranked.map(({ rank }) => rank),
  )
  tx.later(
    'payShares',
    name,
    owners,
    owners.map((owner) => shares.get(owner)?.vtime ?? 0),
  )
}
