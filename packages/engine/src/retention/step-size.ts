/** Rows that one step looks at: at first, and at least and at most. */
export const STEP = 100
const STEP_MIN = 25
export const STEP_MAX = 1_000
/** Others wait for a step, so that one that takes longer is followed by a smaller one. */
const STEP_MS = 20

/** How many rows the next step looks at, when so many took so long. */
export function rowsAfter(rows: number, tookMs: number): number {
  return tookMs > STEP_MS ? Math.max(STEP_MIN, Math.floor(rows / 2)) : Math.min(STEP_MAX, rows * 2)
}
