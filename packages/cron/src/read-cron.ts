import type { Calendar } from '@headrace/engine'
import { Cron } from 'croner'

/**
 * The instants of a cron expression in a time zone.
 *
 * Five fields (minute, hour, day of month, month, day of week), or six with seconds first; `*`, lists, ranges, steps, names, `L`, `W`,
 * `#`, and `@daily` and its like. Day of month and day of week are joined by "or" when both are given, as in Vixie cron.
 *
 * At the change to summer time, a fixed time that does not exist (`30 2 * * *`) fires at the first instant after the gap; a
 * repeating one (`*`, steps) has no instant in the gap. At the change back, a fixed time that comes twice fires once, at its first
 * coming; a repeating one fires at both.
 * @throws when the expression or the zone cannot be understood; the message says what of it
 * @example readCron('30 2 * * *', 'Europe/Berlin').next(Date.parse('2026-03-28T12:00:00Z')) // 2026-03-29T01:00:00Z
 */
export function readCron(expression: string, timeZone: string): Calendar {
  requireZone(timeZone)
  const cron = new Cron(expression, {
    timezone: timeZone,
    mode: '5-or-6-parts',
    fixedTimeRule: 'no-wildcard',
    paused: true,
  })
  return { next: (after) => cron.nextRun(new Date(after))?.getTime() }
}

// croner finds out only when it counts.
function requireZone(timeZone: string): void {
  try {
    new Intl.DateTimeFormat('en', { timeZone })
  } catch (cause) {
    throw new Error(`there is no time zone ${timeZone}; give an IANA name such as Europe/Berlin`, { cause })
  }
}
