import type { Clock } from '../clock/clock.ts'

/** How events are fetched, best first. Each asks for what follows the same cursor, so a change of rung loses nothing. */
export type Rung = 'stream' | 'long-poll' | 'poll'

const DOWN: Readonly<Record<Rung, Rung>> = { stream: 'long-poll', 'long-poll': 'poll', poll: 'poll' }
const FAILURES_UNTIL_DOWN = 2
const CLIMB_AFTER_MS = 60_000

/** Chooses the rung: two failures in a row lead one down, and a minute later the stream gets another chance. */
export interface Ladder {
  rung(): Rung
  worked(): void
  failed(): void
}

export function createLadder(clock: Clock): Ladder {
  let rung: Rung = 'stream'
  let failures = 0
  let climbAt = 0
  return {
    rung() {
      if (rung !== 'stream' && clock.now() >= climbAt) {
        rung = 'stream'
        failures = FAILURES_UNTIL_DOWN - 1 // one more failure is enough to come down again
      }
      return rung
    },
    worked() {
      failures = 0
    },
    failed() {
      failures++
      if (failures < FAILURES_UNTIL_DOWN) return
      failures = 0
      rung = DOWN[rung]
      climbAt = clock.now() + CLIMB_AFTER_MS
    },
  }
}
