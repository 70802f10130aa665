/** What a run of so many rows took. */
export type RunPoint = { readonly rows: number; readonly ms: number }

/** A batch that answers nine tenths as many rows a second as the best one is large enough: in a larger one all wait longer for little. */
const GOOD_SHARE = 0.9
/** To hand a run to the model's thread and to take its answer, in both threads together. */
const HAND_OVER_MS = 0.5
/** A run of this length makes nobody wait, and fewer runs leave the event loop more time for everything else. */
const BRIEF_RUN_MS = 10
/** How much of the newest run goes into the estimate of the next one. */
const NEWEST_SHARE = 0.2
/** A run that stalled says little of the next one: it counts as at most so many times what was expected of it. */
const STALL_MOST = 4
/** After so long without a run, or twice as long as it took, the newest ones are no measure any more. */
const KNOWN_FOR_MS = 1_000
/** A clock may not tell a short run from none. */
const RUN_MS_MIN = 0.001

/**
 * How long a run of so many rows takes: the curve of the warm-up says how runs of different sizes compare, and the newest runs
 * how fast the machine is now.
 */
export class RunTimes {
  /** Beyond it a run answers hardly more rows a second. */
  readonly bestRows: number
  readonly #curve: readonly RunPoint[]
  /** What the newest runs took, as a multiple of the curve. */
  #factor: number | undefined
  #knownUntil = Number.NEGATIVE_INFINITY

  /** @param curve by growing rows; empty where the model could not be tried, and each run counts alike */
  constructor(curve: readonly RunPoint[], maxBatch: number) {
    this.#curve = curve
    this.bestRows = bestRowsOf(curve, maxBatch)
  }

  ran(rows: number, { ms, endedAt }: { readonly ms: number; readonly endedAt: number }): void {
    const newest = ms / this.#curveMs(rows)
    const known = this.#factorAt(endedAt - ms)
    this.#factor = known === undefined ? newest : known + NEWEST_SHARE * (Math.min(newest, known * STALL_MOST) - known)
    this.#knownUntil = endedAt + Math.max(KNOWN_FOR_MS, 2 * ms)
  }

  /** Of one run of so many rows; 0 where nobody knows. */
  expectedMs(rows: number, now: number): number {
    return (this.#factorAt(now) ?? 0) * this.#curveMs(rows)
  }

  #factorAt(now: number): number | undefined {
    if (now < this.#knownUntil) return this.#factor
    return this.#curve.length === 0 ? undefined : 1
  }

  #curveMs(rows: number): number {
    const next = this.#curve.find((point) => point.rows >= rows)
    const before = this.#curve.findLast((point) => point.rows <= rows)
    if (next === undefined && before === undefined) return 1
    if (next === undefined || before === undefined) {
      const { rows: known, ms } = (next ?? before) as RunPoint // sound: one of them is there
      return Math.max(RUN_MS_MIN, next === undefined ? (ms * rows) / known : ms)
    }
    const share = next === before ? 0 : (rows - before.rows) / (next.rows - before.rows)
    return Math.max(RUN_MS_MIN, before.ms + share * (next.ms - before.ms))
  }
}

/** The smallest good one. Where even the largest that was tried is better than those before it, a larger one may be better still. */
function bestRowsOf(curve: readonly RunPoint[], maxBatch: number): number {
  const perMs = ({ rows, ms }: RunPoint) => rows / (ms + HAND_OVER_MS)
  const best = Math.max(...curve.map(perMs))
  const good = curve.find((point) => perMs(point) >= best * GOOD_SHARE)
  if (good === undefined || good === curve.at(-1)) return maxBatch
  const brief = curve.findLast(({ ms }) => ms <= BRIEF_RUN_MS)
  return Math.min(Math.max(good.rows, brief?.rows ?? 1), maxBatch)
}
