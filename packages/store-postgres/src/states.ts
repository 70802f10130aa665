/** Numbers of `live.state`. */
export const STATE = { held: 1, blocked: 2, following: 3, scheduled: 4, parked: 5, ready: 6, running: 7 } as const

/** Bits of `live.cleanup`. */
export const HAS_ON_FAILURE = 1
export const COMPENSATES = 2
export const HAS_SESSIONS = 4

/** Turns in a fair queue are ranks from here on: below all instants, which are the ranks of jobs without a turn. */
export const FIRST_TURN = -4_503_599_627_370_496
