import type { Clock, Timer } from './clock.ts'

/**
 * Calls `fn` once the clock has reached an instant, however far away that is. A system's timer may fire early, or be cut
 * short at 24 days, so the clock is looked at again each time.
 * @example setAlarm(clock, clock.now() + 30 * 86_400_000, () => console.log('a month later'))
 */
export function setAlarm(clock: Clock, at: number, fn: () => void): Timer {
  const arm = () => clock.setTimeout(look, Math.max(0, at - clock.now()))
  const look = () => {
    if (at > clock.now()) timer = arm()
    else fn()
  }
  let timer = arm()
  return { cancel: () => timer.cancel() }
}
