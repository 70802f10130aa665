import type { Clock } from '@headrace/engine'
import { DatabaseClock } from './database-clock.ts'

/** Simulated time does not come to rest, and so does not go on, before this is over. Real time takes its course. */
export function holdTime(clock: Clock, work: Promise<unknown>): void {
  if (clock instanceof DatabaseClock) return
  let isOver = false
  const end = () => {
    isOver = true
  }
  work.then(end, end)
  const wait = () => {
    if (!isOver) clock.defer(wait)
  }
  wait()
}
