import { type Claimed, type Commit, fairRank, nextTokenAt, refilled, wholeTokens } from '@headrace/engine'
import { type ClaimedRow, claimCall, type KnownWorker, toClaimed } from './claim.ts'
import { tryAgain } from './connection/errors.ts'
import type { Session } from './connection/session.ts'
import { type Context, inTransaction, type Work } from './context.ts'
import type { Lane } from './lanes.ts'
import { putQueue, type QueueRow, type QueueSettings, toSettings } from './queue-settings.ts'
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
  for (const one of asked) claimed.push(...(await tryAgain(() => claimFromSetQueue(session, context, who, one))))
  return claimed
}

/**
 * Claims from a queue that is paused, rated or fair, in a transaction of its own, under a lock of the queue: whoever holds
 * jobs never waits for it.
 */
async function claimFromSetQueue(
  session: Session,
  context: Context,
  { batch, worker }: { readonly batch: Commit; readonly worker: KnownWorker },
  asked: Asked,
): Promise<readonly Claimed[]> {
  let isPlain = true
  const jobs = await inTransaction(session, context, async (work) => {
    const row = await work.tx.row<QueueRow>('lockQueue', asked.queue)
    if (row === undefined) return []
    const settings = toSettings(row)
    isPlain = !settings.paused && !settings.fair && settings.rate === undefined
    const slots = slotsAllowed(settings, asked.slots, work.now)
    if (slots === 0) {
      hintAtToken(work, settings)
      return []
    }
    if (settings.fair) await giveTurns(work, settings)
    const call = claimCall(worker, asked.lanes, { slots, now: work.now, version: undefined, isMarked: false })
    const [rows = []] = await work.tx.all([call])
    // The statement's own columns.
    const claimed = rows as unknown as readonly ClaimedRow[]
    settle(work, settings, claimed)
    if (claimed.length > 0) work.hints.events()
    return claimed.map((one) => toClaimed(one, batch, work.lanes))
  })
  if (isPlain) await context.routing.load(session)
  return jobs
}

/** How many of so many slots the settings let be filled now. */
function slotsAllowed({ paused, rate, bucket }: QueueSettings, slots: number, now: number): number {
  if (paused) return 0
  return rate === undefined ? slots : Math.min(slots, wholeTokens(refilled(rate, bucket, now)))
}

function hintAtToken({ hints }: Work, { paused, rate, bucket }: QueueSettings): void {
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
  const jobs = await tx.rows<Row>(
    'jobsWithoutTurn',
    lanes.ofQueue(name).map(({ id }) => id),
  )
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
