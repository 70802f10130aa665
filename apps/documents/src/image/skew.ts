import type { Binary } from './binary.ts'

export type Lie = {
  /** Whether the lines of text run from top to bottom, so that the page lies on its side. */
  readonly isSideways: boolean
  /** By how much the page must be turned clockwise besides, for its lines to be level; between -15 and 15. */
  readonly straightenDegrees: number
}

const DEGREES_MAX = 15
/** Of the profile: room for a picture of up to 4,000 pixels a side, turned. */
const ROWS = 8_192
const ROWS_ABOVE = 2_048
const POINTS_MAX = 60_000
/** Below, there is too little ink to tell. */
const POINTS_MIN = 200
/** So much sharper must the lines be sideways for a page to be taken to lie on its side. */
const SIDEWAYS_LEAD = 1.25
/** Less than this is not seen, and turning costs sharpness. */
const DEGREES_MIN = 0.15

/**
 * How a page lies, from its ink: where lines of text are level, rows of much ink take turns with rows of none, and the sum
 * of the squared differences of neighbouring rows is greatest.
 */
export function lieOf(binary: Binary): Lie {
  const edges = edgePoints(binary, binary.width)
  if (edges.x.length < POINTS_MIN) return { isSideways: false, straightenDegrees: 0 }
  const sides = edgePoints(binary, 1)
  const level = bestAngle(edges)
  const sideways = bestAngle({ x: sides.y, y: sides.x })
  const isSideways = sideways.sharpness > level.sharpness * SIDEWAYS_LEAD
  // In the mirror of swapped axes an angle counts the other way round.
  const degrees = isSideways ? -sideways.degrees : level.degrees
  return { isSideways, straightenDegrees: Math.abs(degrees) < DEGREES_MIN ? 0 : round(degrees) }
}

type Points = { readonly x: Float32Array; readonly y: Float32Array }

/**
 * Where ink begins and ends, or an even sample of it: lines of text are sharpest at their edges.
 * @param step to the next pixel across the lines: the width for edges above and below, 1 for those at the sides
 */
function edgePoints({ data, width, height }: Binary, step: number): Points {
  const found: number[] = []
  for (let at = 0; at < width * (height - 1) - 1; at++) if (data[at] !== data[at + step]) found.push(at)
  const every = Math.max(1, Math.ceil(found.length / POINTS_MAX))
  const kept = found.filter((_, index) => index % every === 0)
  return { x: Float32Array.from(kept, (at) => at % width), y: Float32Array.from(kept, (at) => Math.floor(at / width)) }
}

function bestAngle(points: Points): { readonly degrees: number; readonly sharpness: number } {
  let best = { degrees: 0, sharpness: sharpnessAt(points, 0) }
  const search = (from: number, to: number, step: number) => {
    for (let degrees = from; degrees <= to + 1e-9; degrees += step) {
      const sharpness = sharpnessAt(points, degrees)
      if (sharpness > best.sharpness) best = { degrees, sharpness }
    }
  }
  search(-DEGREES_MAX, DEGREES_MAX, 0.5)
  search(best.degrees - 0.4, best.degrees + 0.4, 0.1)
  search(best.degrees - 0.08, best.degrees + 0.08, 0.02)
  return best
}

/** @param degrees by how much the points are turned clockwise first */
function sharpnessAt({ x, y }: Points, degrees: number): number {
  const radians = (degrees * Math.PI) / 180
  const [sine, cosine] = [Math.sin(radians), Math.cos(radians)]
  const counts = new Float64Array(ROWS)
  for (let index = 0; index < x.length; index++) {
    const row = Math.round((x[index] ?? 0) * sine + (y[index] ?? 0) * cosine) + ROWS_ABOVE
    counts[row] = (counts[row] ?? 0) + 1 // one beyond the picture's turned corners does not exist, and is not kept
  }
  let sum = 0
  for (let row = 1; row < counts.length; row++) sum += ((counts[row] ?? 0) - (counts[row - 1] ?? 0)) ** 2
  return sum
}

function round(degrees: number): number {
  return Math.round(degrees * 100) / 100
}
