/** How instants and durations read. Pure: `nowMs` is always given. */

const SECOND = 1000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

/** `3 s ago`, `12 min ago`, `in 4 h`; never finer than a second, so that a list does not flicker. */
export function relative(atMs: number, nowMs: number): string {
  const away = Math.abs(nowMs - atMs)
  if (away < SECOND) return 'now'
  const amount = coarse(away)
  return atMs > nowMs ? `in ${amount}` : `${amount} ago`
}

function coarse(ms: number): string {
  if (ms < MINUTE) return `${Math.floor(ms / SECOND)} s`
  if (ms < HOUR) return `${Math.floor(ms / MINUTE)} min`
  if (ms < DAY) return `${Math.floor(ms / HOUR)} h`
  return `${Math.floor(ms / DAY)} d`
}

/** `18 ms`, `4.2 s`, `3 min 08 s`, `2 h 05 min`, `3 d 4 h`: two places of what matters. */
export function duration(ms: number): string {
  if (ms < SECOND) return `${Math.max(0, Math.round(ms))} ms`
  if (ms < 10 * SECOND) return `${(Math.floor(ms / 100) / 10).toFixed(1)} s`
  if (ms < MINUTE) return `${Math.floor(ms / SECOND)} s`
  if (ms < HOUR) return `${Math.floor(ms / MINUTE)} min ${two((ms % MINUTE) / SECOND)} s`
  if (ms < DAY) return `${Math.floor(ms / HOUR)} h ${two((ms % HOUR) / MINUTE)} min`
  return `${Math.floor(ms / DAY)} d ${Math.floor((ms % DAY) / HOUR)} h`
}

function two(value: number): string {
  return String(Math.floor(value)).padStart(2, '0')
}

/** Local date and time with its zone, for a tooltip or a detail list. */
export function absolute(atMs: number): string {
  return new Date(atMs).toLocaleString(undefined, {
    year: 'numeric',
    month: 'short',
    day: 'numeric',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    timeZoneName: 'short',
  })
}

/** `14:03:07.250`, local. */
export function clockTime(atMs: number): string {
  const at = new Date(atMs)
  const part = (value: number, length = 2) => String(value).padStart(length, '0')
  return `${part(at.getHours())}:${part(at.getMinutes())}:${part(at.getSeconds())}.${part(at.getMilliseconds(), 3)}`
}

/** Steps for an axis of `spanMs` with about `count` ticks: 1, 2 or 5 of a unit that people read. */
export function tickStepMs(spanMs: number, count: number): number {
  const wanted = spanMs / count
  return TICK_STEPS_MS.find((step) => step >= wanted) ?? Math.ceil(wanted / DAY) * DAY
}

const TICK_STEPS_MS = [
  ...[1, 2, 5, 10, 20, 50, 100, 200, 500],
  ...[1, 2, 5, 10, 15, 30].map((n) => n * SECOND),
  ...[1, 2, 5, 10, 15, 30].map((n) => n * MINUTE),
  ...[1, 2, 3, 6, 12].map((n) => n * HOUR),
  ...[1, 2, 7].map((n) => n * DAY),
]

/** Tick labels need no second decimal: `0`, `500 ms`, `10 s`, `5 min`, `2 h`. */
export function tickLabel(ms: number): string {
  if (ms === 0) return '0'
  if (ms % DAY === 0) return `${ms / DAY} d`
  if (ms % HOUR === 0) return `${ms / HOUR} h`
  if (ms % MINUTE === 0) return `${ms / MINUTE} min`
  if (ms >= SECOND)
    return ms < MINUTE ? `${ms / SECOND} s` : `${Math.floor(ms / MINUTE)}:${two((ms % MINUTE) / SECOND)}`
  return `${ms} ms`
}
