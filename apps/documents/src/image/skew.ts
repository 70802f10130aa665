import type { Binary } from './binary.ts'

export type Lie = {
  /**
   * Clockwise, for the lines of text to run from left to right: not 0 where the page lies on its side. Which of the two ways
   * is then up is a good guess, and no more; that a page stands on its head is not seen here.
   */
  readonly turnDegrees: 0 | 90 | 270
  /** By how much the page must be turned clockwise besides, for its lines to be level; between -15 and 15. */
  readonly straightenDegrees: number
}

const DEGREES_MAX = 15
/** Of the profile: room for a picture of up to 4,000 pixels a side, turned. */
const ROWS = 8_192
const ROWS_ABOVE = 2_048
const POINTS_MAX = 60_000
/** So many are enough to look at every angle; all of them then settle it. */
const POINTS_ROUGH = 12_000
/** Below, there is too little ink to tell. */
const POINTS_MIN = 200
/** So much sharper must the lines be sideways for a page to be taken to lie on its side. */
const SIDEWAYS_LEAD = 1.25
/** Less than this is not seen, and turning costs sharpness. */
const DEGREES_MIN = 0.15

/**
 * How a page lies, from its ink: where lines of text are level, rows of much ink take turns with rows of none, and the sum
 * of the squared differences of neighbouring rows is greatest. Letters stand on one line and reach up to two, so their feet
 * are more even than their tops.
 */
export function lieOf(binary: Binary): Lie {
  const edges = edgePoints(binary, binary.width)
  if (edges.x.length < POINTS_MIN) return { turnDegrees: 0, straightenDegrees: 0 }
  const sides = swapped(edgePoints(binary, 1))
  const level = roughAngle(edges)
  const sideways = roughAngle(sides)
  if (sideways.sharpness <= level.sharpness * SIDEWAYS_LEAD) {
    return { turnDegrees: 0, straightenDegrees: straightenBy(exactDegrees(edges, level)) }
  }
  const degrees = exactDegrees(sides, sideways)
  const standsOnHead = evennessAt(sides, degrees, 'tops') > evennessAt(sides, degrees, 'feet')
  // In the mirror of swapped axes an angle counts the other way round.
  return { turnDegrees: standsOnHead ? 270 : 90, straightenDegrees: straightenBy(-degrees) }
}

function straightenBy(degrees: number): number {
  return Math.abs(degrees) < DEGREES_MIN ? 0 : Math.round(degrees * 100) / 100
}

/** `isTop`: 1 where ink begins, 0 where it ends. `of`: of how many edges they are a sample. */
type Points = {
  readonly x: Float32Array
  readonly y: Float32Array
  readonly isTop: Uint8Array
  readonly of: number
}

/**
 * Where ink begins and ends, or an even sample of it: lines of text are sharpest at their edges.
 * @param step to the next pixel across the lines: the width for edges above and below, 1 for those at the sides
 */
function edgePoints({ data, width, height }: Binary, step: number): Points {
  const end = width * (height - 1) - 1
  let count = 0
  for (let at = 0; at < end; at++) if (data[at] !== data[at + step]) count++
  const every = Math.max(1, Math.ceil(count / POINTS_MAX))
  const kept = Math.ceil(count / every)
  // Typed from the start: lists of some hundred thousand numbers would keep the garbage collector busy.
  const points = { x: new Float32Array(kept), y: new Float32Array(kept), isTop: new Uint8Array(kept), of: count }
  let seen = 0
  for (let at = 0; at < end; at++) {
    if (data[at] === data[at + step] || seen++ % every !== 0) continue
    const index = (seen - 1) / every
    points.x[index] = at % width
    points.y[index] = Math.floor(at / width)
    points.isTop[index] = data[at + step] ?? 0
  }
  return points
}

function swapped({ x, y, ...rest }: Points): Points {
  return { x: y, y: x, ...rest }
}

/** To a tenth of a degree, from a sample. */
function roughAngle(points: Points): Angle {
  const sample = evenly(points, POINTS_ROUGH)
  const { degrees } = sharpest(sample, { degrees: 0, by: DEGREES_MAX, step: 0.5 })
  return sharpest(sample, { degrees, by: 0.4, step: 0.1 })
}

function exactDegrees(points: Points, { degrees }: Angle): number {
  return sharpest(points, { degrees, by: 0.12, step: 0.02 }).degrees
}

type Angle = { readonly degrees: number; readonly sharpness: number }

/** Of the angles around one; where others are no sharper, that one. */
function sharpest(
  points: Points,
  { degrees: middle, by, step }: { readonly degrees: number; readonly by: number; readonly step: number },
): Angle {
  let best = { degrees: middle, sharpness: sharpnessAt(points, middle) }
  for (let degrees = middle - by; degrees <= middle + by + 1e-9; degrees += step) {
    const sharpness = sharpnessAt(points, degrees)
    if (sharpness > best.sharpness) best = { degrees, sharpness }
  }
  return best
}

function sharpnessAt(points: Points, degrees: number): number {
  const counts = countsAt(points, degrees)
  let sum = 0
  for (let row = 1; row < counts.length; row++) sum += ((counts[row] as number) - (counts[row - 1] as number)) ** 2
  // As all edges would have it, of which these are a sample: a few that lie in one row are not sharper than many in some.
  return sum * (points.of / Math.max(1, points.x.length)) ** 2
}

/** Whether the letters' tops, or their feet, lie in few rows. */
function evennessAt(points: Points, degrees: number, of: 'tops' | 'feet'): number {
  const counts = countsAt(
    kept(points, (index) => (points.isTop[index] === 1) === (of === 'tops')),
    degrees,
  )
  return counts.reduce((sum, count) => sum + count ** 2, 0)
}

/** How many points lie in each row. @param degrees by how much the points are turned clockwise first */
function countsAt({ x, y }: Points, degrees: number): Int32Array {
  const radians = (degrees * Math.PI) / 180
  const [sine, cosine] = [Math.sin(radians), Math.cos(radians)]
  const counts = new Int32Array(ROWS)
  for (let index = 0; index < x.length; index++) {
    const row = ((x[index] as number) * sine + (y[index] as number) * cosine + ROWS_ABOVE + 0.5) | 0
    counts[row] = (counts[row] as number) + 1 // one beyond the picture's turned corners does not exist, and is not kept
  }
  return counts
}

/** At most so many of them, all over. */
function evenly(points: Points, most: number): Points {
  const every = Math.max(1, Math.ceil(points.x.length / most))
  return every === 1 ? points : kept(points, (index) => index % every === 0)
}

function kept({ x, y, isTop, of }: Points, keep: (index: number) => boolean): Points {
  const filter = (_: number, index: number) => keep(index)
  return { x: x.filter(filter), y: y.filter(filter), isTop: isTop.filter(filter), of }
}
