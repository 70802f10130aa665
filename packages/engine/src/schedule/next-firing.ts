import { CATCH_UP_WINDOW_MS, type Calendar, type ScheduleOptions } from './schedule.ts'

/** An instant that is late by less than this was not missed: its sweep came a little later. */
const LATE_MS_MAX = 60_000
/** So many instants are fired in one step; the next sweep goes on with the rest. */
const INSTANTS_AT_ONCE = 100
/** A schedule that fires each second for months is not counted out one by one. */
const SKIPPED_COUNT_MAX = 10_000

export type NextFiring = {
  readonly instants: readonly number[]
  readonly skipped: number
  readonly nextAt: number | undefined
}

/** What is due of a schedule whose next instant has come, and what comes after it. */
export function nextFiring(
  { catchUp = 'one', catchUpWindowMs = CATCH_UP_WINDOW_MS }: ScheduleOptions,
  calendar: Calendar,
  { nextAt, now }: { readonly nextAt: number; readonly now: number },
): NextFiring {
  if (catchUp === 'all') return eachFrom(calendar, nextAt, now, now - catchUpWindowMs)
  const { last, count } = latest(calendar, nextAt, now)
  const after = calendar.next(now)
  const isMissed = catchUp === 'none' && last < now - LATE_MS_MAX
  return { instants: isMissed ? [] : [last], skipped: isMissed ? count : count - 1, nextAt: after }
}

function eachFrom(calendar: Calendar, nextAt: number, now: number, since: number): NextFiring {
  const instants: number[] = []
  let skipped = 0
  let at: number | undefined = nextAt
  while (at !== undefined && at <= now && instants.length < INSTANTS_AT_ONCE) {
    if (at >= since) {
      instants.push(at)
      at = calendar.next(at)
      continue
    }
    skipped++
    at = skipped < SKIPPED_COUNT_MAX ? calendar.next(at) : calendar.next(since - 1)
  }
  return { instants, skipped, nextAt: at }
}

/** The latest instant that has come, and how many have. */
function latest(calendar: Calendar, nextAt: number, now: number): { readonly last: number; readonly count: number } {
  let last = nextAt
  for (let count = 1; ; count++) {
    const next = calendar.next(last)
    if (next === undefined || next > now) return { last, count }
    // Past counting: only the latest one is of interest, and it lies close before now.
    last = count < SKIPPED_COUNT_MAX ? next : latestBefore(calendar, next, now)
  }
}

function latestBefore(calendar: Calendar, from: number, now: number): number {
  let [low, high] = [from, now]
  // The latest instant is the last point at which the one that comes next is not after now.
  while (low < high) {
    const middle = low + Math.ceil((high - low) / 2)
    const next = calendar.next(middle - 1)
    if (next !== undefined && next <= now) low = next
    else high = middle - 1
  }
  return low
}

/** The instants from `from` up to `to`, which is not among them; undefined when they are more than `max`. */
export function instantsBetween(
  calendar: Calendar,
  { from, to, max }: { readonly from: number; readonly to: number; readonly max: number },
): readonly number[] | undefined {
  const instants: number[] = []
  for (let at = calendar.next(from - 1); at !== undefined && at < to; at = calendar.next(at)) {
    if (instants.length === max) return undefined
    instants.push(at)
  }
  return instants
}

/** The next few instants. */
export function upcoming(calendar: Calendar, after: number, count: number): readonly number[] {
  const instants: number[] = []
  for (let at = calendar.next(after); at !== undefined && instants.length < count; at = calendar.next(at)) {
    instants.push(at)
  }
  return instants
}
