import { AreaHoleMisplacedError, AreaSelfIntersectsError, AreaTooComplexError } from '../errors.ts'
import type { LonLat, PolygonRings, Ring } from './area.ts'

/** Comparisons of edges spent on one polygon at most, some tenths of a second of work; real outlines of 100 000 vertices take a tenth of it. */
const comparisonsMax = 30_000_000

/**
 * Requires that a polygon's edges neither cross nor run over one another, and that each hole lies within the outer ring and
 * in no other hole. Rings may touch at points.
 *
 * Edges are sorted into strips by latitude, and within a strip by longitude, so that an edge is compared with its neighbours only.
 * @param where names the polygon in errors
 * @throws {AreaSelfIntersectsError} saying where
 * @throws {AreaHoleMisplacedError | AreaTooComplexError}
 */
export function requireSimple(polygon: PolygonRings, where: string): void {
  const edges = edgesOf(polygon)
  const budget = { left: comparisonsMax }
  for (const strip of stripsOf(edges)) compareEdges(edges, strip, { where, budget })
  requireHolesInPlace(polygon, { where, budget })
}

/** Edge i runs from (x0[i], y0[i]) to (x1[i], y1[i]). Edges of no length are left out. */
type Edges = {
  readonly count: number
  readonly x0: Float64Array
  readonly y0: Float64Array
  readonly x1: Float64Array
  readonly y1: Float64Array
}

function edgesOf(polygon: PolygonRings): Edges {
  const size = polygon.reduce((sum, ring) => sum + ring.length, 0)
  const [x0, y0, x1, y1] = [
    new Float64Array(size),
    new Float64Array(size),
    new Float64Array(size),
    new Float64Array(size),
  ]
  let count = 0
  for (const ring of polygon) {
    for (let i = 1; i < ring.length; i++) {
      const [from, to] = [ring[i - 1] as LonLat, ring[i] as LonLat] // within the ring
      if (from[0] === to[0] && from[1] === to[1]) continue
      x0[count] = from[0]
      y0[count] = from[1]
      x1[count] = to[0]
      y1[count++] = to[1]
    }
  }
  return { count, x0, y0, x1, y1 }
}

/** A band of latitudes and the edges that reach into it. */
type Strip = { readonly south: number; readonly north: number; readonly edges: Int32Array }

const edgesPerStrip = 64
const stripsMax = 256
// Edges that reach through many strips are sorted anew in each, so a polygon of long edges is cut into fewer.
const stripsPerEdgeMax = 32

function* stripsOf(edges: Edges): Generator<Strip> {
  const { count, y0, y1 } = edges
  let [south, north, sumOfHeights] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0]
  for (let i = 0; i < count; i++) {
    south = Math.min(south, y0[i] as number)
    north = Math.max(north, y0[i] as number)
    sumOfHeights += Math.abs((y1[i] as number) - (y0[i] as number))
  }
  const stripsByHeight = (stripsPerEdgeMax * (north - south) * count) / sumOfHeights
  const strips = Math.max(1, Math.floor(Math.min(stripsMax, count / edgesPerStrip, stripsByHeight)))
  const height = (north - south) / strips
  for (let strip = 0; strip < strips; strip++) {
    const bounds = { south: south + strip * height, north: strip === strips - 1 ? north : south + (strip + 1) * height }
    const found = new Int32Array(count)
    let length = 0
    for (let i = 0; i < count; i++) {
      const [low, high] =
        (y0[i] as number) < (y1[i] as number) ? [y0[i] as number, y1[i] as number] : [y1[i] as number, y0[i] as number]
      if (high >= bounds.south && low <= bounds.north) found[length++] = i
    }
    yield { ...bounds, edges: found.subarray(0, length) }
  }
}

type Check = { readonly where: string; readonly budget: { left: number } }

// Within a strip, sorted by west end: an edge is compared with those that start before it ends.
function compareEdges(edges: Edges, strip: Strip, check: Check): void {
  const spans = spansWithin(edges, strip)
  const order = Array.from(strip.edges.keys()).sort(
    (one, other) => (spans.west[one] as number) - (spans.west[other] as number),
  )
  for (let i = 0; i < order.length; i++) {
    const one = order[i] as number
    for (let j = i + 1; j < order.length; j++) {
      const other = order[j] as number
      if ((spans.west[other] as number) > (spans.east[one] as number)) break
      spend(check, 1)
      const at = crossing(edges, strip.edges[one] as number, strip.edges[other] as number)
      if (at) throw new AreaSelfIntersectsError(check.where, at)
    }
  }
}

// Longitudes that each edge covers within the strip, a little widened so that rounding hides no neighbour.
function spansWithin(edges: Edges, strip: Strip): { west: Float64Array; east: Float64Array } {
  const west = new Float64Array(strip.edges.length)
  const east = new Float64Array(strip.edges.length)
  for (const [index, edge] of strip.edges.entries()) {
    const one = longitudeAt(edges, edge, clampedStart(edges, edge, strip))
    const other = longitudeAt(edges, edge, clampedEnd(edges, edge, strip))
    const isLevel = edges.y0[edge] === edges.y1[edge]
    const from = isLevel ? (edges.x0[edge] as number) : one
    const to = isLevel ? (edges.x1[edge] as number) : other
    west[index] = Math.min(from, to) - 1e-9
    east[index] = Math.max(from, to) + 1e-9
  }
  return { west, east }
}

const clamp = (value: number, strip: Strip): number => Math.max(strip.south, Math.min(strip.north, value))
const clampedStart = (edges: Edges, edge: number, strip: Strip): number => clamp(edges.y0[edge] as number, strip)
const clampedEnd = (edges: Edges, edge: number, strip: Strip): number => clamp(edges.y1[edge] as number, strip)

function longitudeAt({ x0, y0, x1, y1 }: Edges, edge: number, lat: number): number {
  const [fromX, fromY, toX, toY] = [x0[edge] as number, y0[edge] as number, x1[edge] as number, y1[edge] as number]
  if (lat === fromY) return fromX
  if (lat === toY) return toX
  return fromX + ((lat - fromY) * (toX - fromX)) / (toY - fromY)
}

// Where two edges cross or run over one another; undefined where they are apart or only touch.
function crossing(edges: Edges, one: number, other: number): LonLat | undefined {
  if (areApartInLatitude(edges, one, other)) return undefined
  const [a, b] = [startOf(edges, one), endOf(edges, one)]
  const [c, d] = [startOf(edges, other), endOf(edges, other)]
  const [sideOfC, sideOfD] = [side(a, b, c), side(a, b, d)]
  if (sideOfC === 0 && sideOfD === 0) return overlapOnLine([a, b], [c, d])
  if (sideOfC * sideOfD >= 0) return undefined
  const [sideOfA, sideOfB] = [side(c, d, a), side(c, d, b)]
  if (sideOfA * sideOfB >= 0) return undefined
  const share = sideOfA / (sideOfA - sideOfB)
  return [a[0] + share * (b[0] - a[0]), a[1] + share * (b[1] - a[1])]
}

function areApartInLatitude({ y0, y1 }: Edges, one: number, other: number): boolean {
  const [a, b, c, d] = [y0[one] as number, y1[one] as number, y0[other] as number, y1[other] as number]
  return (a < c && a < d && b < c && b < d) || (a > c && a > d && b > c && b > d)
}

const startOf = ({ x0, y0 }: Edges, edge: number): LonLat => [x0[edge] as number, y0[edge] as number]
const endOf = ({ x1, y1 }: Edges, edge: number): LonLat => [x1[edge] as number, y1[edge] as number]

// Twice the area of the triangle, signed; positive where p lies to the left of the line from a to b. Below the rounding of
// its own terms (Shewchuk 1997, adaptive predicates, bound A) it counts as on the line, which makes a near touch a touch.
function side(a: LonLat, b: LonLat, p: LonLat): number {
  const left = (b[0] - a[0]) * (p[1] - a[1])
  const right = (b[1] - a[1]) * (p[0] - a[0])
  const twice = left - right
  return Math.abs(twice) <= 3.4e-16 * (Math.abs(left) + Math.abs(right)) ? 0 : twice
}

// Two edges on one line overlap where they share more than a point.
function overlapOnLine([a, b]: readonly [LonLat, LonLat], [c, d]: readonly [LonLat, LonLat]): LonLat | undefined {
  const axis = Math.abs(b[0] - a[0]) >= Math.abs(b[1] - a[1]) ? 0 : 1
  const start = Math.max(Math.min(a[axis], b[axis]), Math.min(c[axis], d[axis]))
  const end = Math.min(Math.max(a[axis], b[axis]), Math.max(c[axis], d[axis]))
  if (end <= start) return undefined
  return [a, b, c, d].find((point) => point[axis] === start)
}

function requireHolesInPlace(polygon: PolygonRings, check: Check): void {
  const [outer, ...holes] = polygon as [Ring, ...Ring[]] // a parsed polygon has its outer ring
  for (const [index, hole] of holes.entries()) {
    spend(check, outer.length / edgesPerComparison)
    if (liesWithin(hole, outer) === false) {
      throw new AreaHoleMisplacedError(`${check.where}, ring ${index + 1}`, 'outside its outer ring')
    }
  }
  const bounds = holes.map(boundsOf)
  const order = [...holes.keys()].sort((one, other) => (bounds[one] as Bounds).west - (bounds[other] as Bounds).west)
  for (let i = 0; i < order.length; i++) {
    for (let j = i + 1; j < order.length; j++) {
      const [one, other] = [order[i] as number, order[j] as number]
      if ((bounds[other] as Bounds).west > (bounds[one] as Bounds).east) break
      spend(check, 1)
      requireApart(holes, { one, other, isNear: doMeet(bounds[one] as Bounds, bounds[other] as Bounds) }, check)
    }
  }
}

// A step of a point in polygon test takes a fraction of a comparison of two edges.
const edgesPerComparison = 4

function spend({ budget }: Check, comparisons: number): void {
  budget.left -= comparisons
  if (budget.left < 0) throw new AreaTooComplexError(comparisonsMax)
}

type Bounds = { readonly west: number; readonly east: number; readonly south: number; readonly north: number }

function boundsOf(ring: Ring): Bounds {
  let [west, south, east, north] = [180, 90, -180, -90]
  for (const [lon, lat] of ring) {
    west = Math.min(west, lon)
    east = Math.max(east, lon)
    south = Math.min(south, lat)
    north = Math.max(north, lat)
  }
  return { west, east, south, north }
}

// Those compared overlap in longitude already.
const doMeet = (one: Bounds, other: Bounds): boolean => one.south <= other.north && other.south <= one.north

function requireApart(
  holes: readonly Ring[],
  pair: { one: number; other: number; isNear: boolean },
  check: Check,
): void {
  if (!pair.isNear) return
  const [one, other] = [holes[pair.one] as Ring, holes[pair.other] as Ring]
  spend(check, (one.length + other.length) / edgesPerComparison)
  const inner = liesWithin(one, other) ? pair.one : liesWithin(other, one) ? pair.other : undefined
  if (inner === undefined) return
  throw new AreaHoleMisplacedError(`${check.where}, ring ${inner + 1}`, 'inside another hole')
}

// The rings do not cross, so one position that is not on the other ring decides; undefined where every one is.
function liesWithin(ring: Ring, other: Ring): boolean | undefined {
  for (const position of ring) {
    const place = placeIn(position, other)
    if (place !== 'on') return place === 'in'
  }
  return undefined
}

function placeIn(point: LonLat, ring: Ring): 'in' | 'out' | 'on' {
  let isIn = false
  for (let i = 1; i < ring.length; i++) {
    const [from, to] = [ring[i - 1] as LonLat, ring[i] as LonLat]
    const where = side(from, to, point)
    if (where === 0 && isBetween(point, from, to)) return 'on'
    if (from[1] > point[1] === to[1] > point[1]) continue
    if (where > 0 === to[1] > from[1]) isIn = !isIn
  }
  return isIn ? 'in' : 'out'
}

function isBetween(point: LonLat, from: LonLat, to: LonLat): boolean {
  const isWithin = (axis: 0 | 1) =>
    point[axis] >= Math.min(from[axis], to[axis]) && point[axis] <= Math.max(from[axis], to[axis])
  return isWithin(0) && isWithin(1)
}
