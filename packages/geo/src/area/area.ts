import type { BboxLonLat } from '../catalogue/layer.ts'
import { ringAreaM2 } from '../grid/ellipsoid-area.ts'

/** A longitude and a latitude in degrees, WGS 84. */
export type LonLat = readonly [lon: number, lat: number]

/** A closed ring: its last position is its first. */
export type Ring = readonly LonLat[]

/** An outer ring, then its holes. Either direction will do: what an odd number of rings encloses is inside. */
export type PolygonRings = readonly Ring[]

/**
 * An area of interest that `parseArea` has checked: a GeoJSON MultiPolygon in longitude and latitude, plain JSON. Parts may
 * overlap; what several cover counts once.
 */
export type Area = { readonly type: 'MultiPolygon'; readonly coordinates: readonly PolygonRings[] }

/**
 * Square kilometres on the WGS 84 ellipsoid, holes taken off. Edges are straight in longitude and latitude (RFC 7946 section
 * 3.1.1); see `ringAreaM2` for the formula (Snyder 1987, authalic latitude) and its error. Overlapping parts are added up,
 * so it bounds the covered ground from above.
 * @example areaKm2(parseArea(oneDegreeCellAtTheEquator)) // 12 308.463…
 */
export function areaKm2(area: Area): number {
  let sumM2 = 0
  for (const polygon of area.coordinates) sumM2 += polygonAreaM2(polygon)
  return sumM2 / 1e6
}

/** Square metres of one polygon: its outer ring without its holes. */
export function polygonAreaM2(polygon: PolygonRings): number {
  const [outer, ...holes] = polygon.map((ring) => Math.abs(ringAreaM2(ring)))
  return Math.max(
    0,
    holes.reduce((rest, hole) => rest - hole, outer ?? 0),
  )
}

/** West, south, east and north edge of an area, in degrees. */
export function bboxOfArea(area: Area): BboxLonLat {
  let [west, south, east, north] = [180, 90, -180, -90]
  for (const polygon of area.coordinates) {
    for (const [lon, lat] of polygon[0] ?? []) {
      west = Math.min(west, lon)
      south = Math.min(south, lat)
      east = Math.max(east, lon)
      north = Math.max(north, lat)
    }
  }
  return [west, south, east, north]
}
