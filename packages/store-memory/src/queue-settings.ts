import { nextTokenAt, type QueueChange, type QueueCounts, refilled, wholeTokens } from '@headrace/engine'
import { rankFairly } from './admit.ts'
import { type Context, type Live, liveJobs, type MemoryPlace, type QueueSettings, type StoredJob } from './place.ts'

/** How many of so many slots a queue's settings let be filled now. */
export function slotsAllowed({ place, clock }: Context, queue: string, slots: number): number {
  const settings = place.queues.get(queue)
  if (settings?.paused === true) return 0
  if (settings?.rate === undefined) return slots
  return Math.min(slots, wholeTokens(refilled(settings.rate, settings.bucket, clock.now())))
}

/** These jobs of a queue were claimed: it pays for them, and moves on. */
export function settleClaim({ place, clock, hints }: Context, queue: string, claimed: readonly { live: Live }[]): void {
  const settings = place.queues.get(queue)
  if (settings === undefined || settings.paused) return
  const { rate } = settings
  const bucket = rate === undefined ? settings.bucket : refilled(rate, settings.bucket, clock.now())
  const left = { ...bucket, tokens: bucket.tokens - claimed.length }
  if (rate !== undefined && wholeTokens(left) === 0) hints.dueAt(nextTokenAt(rate, left))
  if (claimed.length === 0) return
  const vtime = settings.fair ? Math.max(settings.vtime, ...claimed.map(({ live }) => live.rank)) : settings.vtime
  place.queues.set(queue, { ...settings, vtime, ...(rate !== undefined && { bucket: left }) })
}

/** Wakes those who wait for a token that has come. @returns when the next one comes for a job that waits for it */
export function wakeRated({ place, clock, hints }: Context): number {
  const now = clock.now()
  let nextAt = Number.POSITIVE_INFINITY
  for (const [name, { paused, rate, bucket }] of place.queues) {
    if (paused || rate === undefined || readyOf(place, name).length === 0) continue
    if (wholeTokens(refilled(rate, bucket, now)) > 0) hints.queue(name)
    else nextAt = Math.min(nextAt, Math.max(now + 1, nextTokenAt(rate, bucket)))
  }
  return nextAt
}

/** Changes what a queue is set to. What is left out stays as it is. */
export function configureQueue(context: Context, name: string, change: QueueChange): void {
  const { place, clock, hints } = context
  const now = clock.now()
  const before = place.queues.get(name) ?? plainSettings(now)
  const fair = change.fair ?? before.fair
  const isTurned = fair !== before.fair
  const shares = new Map(before.shares)
  for (const [owner, weight] of Object.entries(change.shares ?? {}))
    shares.set(owner, { vtime: shares.get(owner)?.vtime ?? 0, weight })
  const rate = change.rate !== undefined && {
    rate: change.rate ?? undefined,
    bucket: { tokens: change.rate?.count ?? 0, at: now },
  }
  place.queues.set(name, {
    ...before,
    ...rate,
    ...{ fair, shares },
    ...(change.paused !== undefined && { paused: change.paused }),
    ...(isTurned && { vtime: 0 }),
  })
  if (isTurned) reorder(context, name)
  hints.queue(name)
}

function plainSettings(now: number): QueueSettings {
  const bucket = { tokens: 0, at: now }
  return { paused: false, fair: false, rate: undefined, bucket, vtime: 0, shares: new Map() }
}

/** Those who are in line already take their places by the new rule, in the order in which they came. */
function reorder(context: Context, queue: string): void {
  const { queues } = context.place
  const settings = queues.get(queue)
  if (settings === undefined) return
  const shares = [...settings.shares].map(([owner, share]) => [owner, { ...share, vtime: 0 }] as const)
  queues.set(queue, { ...settings, shares: new Map(shares) })
  const waiting = readyOf(context.place, queue).sort((a, b) => a.live.dueAt - b.live.dueAt || a.seq - b.seq)
  for (const job of waiting) {
    if (settings.fair) rankFairly(context, job, false)
    else job.live.rank = job.live.dueAt
  }
}

export function readyOf(place: MemoryPlace, queue: string): (StoredJob & { live: Live })[] {
  return liveJobs(place).filter(({ job, live }) => live.state === 'ready' && job.queue === queue)
}

/** What waits and runs in each queue, and how those with settings are set. */
export function readQueues(place: MemoryPlace): QueueCounts[] {
  const byQueue = Map.groupBy(liveJobs(place), ({ job }) => job.queue)
  const names = new Set([...byQueue.keys(), ...place.queues.keys()])
  return [...names].sort().map((queue) => {
    return { queue, ...countStates(byQueue.get(queue) ?? []), ...shownSettings(place.queues.get(queue)) }
  })
}

function countStates(jobs: readonly { live: Live }[]) {
  const inState = (...states: readonly Live['state'][]) => jobs.filter(({ live }) => states.includes(live.state))
  const dueAts = inState('ready').map(({ live }) => live.dueAt)
  return {
    waiting: dueAts.length,
    scheduled: inState('held', 'scheduled', 'parked', 'following').length,
    running: inState('running').length,
    blocked: inState('blocked').length,
    ...(dueAts.length > 0 && { oldestDueAt: Math.min(...dueAts) }),
  }
}

function shownSettings(settings: QueueSettings | undefined): Partial<QueueCounts> {
  if (settings === undefined) return {}
  const { paused, fair, rate } = settings
  const shares = [...settings.shares].filter(([, { weight }]) => weight !== 1)
  const weights = shares.map(([owner, { weight }]) => [owner, weight] as const)
  return {
    ...(paused && { paused }),
    ...(fair && { fair }),
    ...(rate && { rate }),
    ...(weights.length > 0 && { shares: Object.fromEntries(weights.sort()) }),
  }
}
