import {
  AreaCrossesAntimeridianError,
  AreaCrsUnsupportedError,
  AreaEmptyError,
  AreaNot2dError,
  AreaNotFiniteError,
  AreaNotGeoJsonError,
  AreaNotLonLatError,
  AreaRingOpenError,
  AreaRingTooShortError,
  AreaTooLargeError,
  AreaVerticesTooManyError,
} from '../errors.ts'
import { type Area, areaKm2, type LonLat, type PolygonRings, polygonAreaM2, type Ring } from './area.ts'
import { requireSimple } from './require-simple.ts'

/** What an area may be at most. */
export type AreaLimits = {
  /** Positions in all rings together. */
  readonly verticesMax: number
  readonly areaKm2Max: number
}

/** 100 000 vertices, and 75 000 km², the limit that Model My Watershed states. */
export const defaultAreaLimits: AreaLimits = { verticesMax: 100_000, areaKm2Max: 75_000 }

// A vertex of a polygon takes some 40 characters; a text ten times as long as the limit allows is not read at all.
const charactersPerVertexMax = 400

/**
 * Reads an area of interest from what someone sent: a GeoJSON Polygon, MultiPolygon, or a Feature (or a FeatureCollection of
 * one Feature) of either, as an object or as JSON text, in WGS 84 longitude and latitude.
 *
 * Rings must be closed, two-dimensional and must not cross themselves or one another within a polygon; touching at a point is
 * fine, and so is either direction. Parts of a MultiPolygon may overlap: what several cover counts once.
 *
 * @param value  unknown input; nothing of it is kept
 * @param limits what is refused as too much; `defaultAreaLimits` where left out
 * @returns a MultiPolygon, plain JSON
 * @throws {AreaNotGeoJsonError} not an object or JSON, or of another type, or nested otherwise than its type says
 * @throws {AreaCrsUnsupportedError} a `crs` member that is not WGS 84
 * @throws {AreaNot2dError | AreaNotFiniteError | AreaNotLonLatError} a position that is not a longitude and a latitude
 * @throws {AreaRingTooShortError | AreaRingOpenError | AreaEmptyError} a ring that encloses nothing
 * @throws {AreaSelfIntersectsError | AreaHoleMisplacedError} a boundary that crosses itself, or a hole outside its polygon
 * @throws {AreaCrossesAntimeridianError} an edge that spans more than half the globe
 * @throws {AreaVerticesTooManyError | AreaTooLargeError | AreaTooComplexError} more than the limits allow
 * @example parseArea({ type: 'Polygon', coordinates: [[[0, 0], [1, 0], [1, 1], [0, 0]]] }).type // 'MultiPolygon'
 */
export function parseArea(value: unknown, limits: Partial<AreaLimits> = {}): Area {
  const { verticesMax, areaKm2Max } = { ...defaultAreaLimits, ...limits }
  const geometry = geometryOf(typeof value === 'string' ? parseText(value, verticesMax) : value)
  const counter = { vertices: 0, verticesMax }
  const area: Area = { type: 'MultiPolygon', coordinates: parsePolygons(geometry, counter) }
  const size = areaKm2(area)
  if (size > areaKm2Max) throw new AreaTooLargeError(size, areaKm2Max)
  for (const [index, polygon] of area.coordinates.entries()) {
    requireSimple(polygon, `polygon ${index}`)
    // Only now, for the halves of a bow tie cancel out.
    if (!(polygonAreaM2(polygon) > 0)) throw new AreaEmptyError(`Polygon ${index}`)
  }
  return area
}

function parseText(text: string, verticesMax: number): unknown {
  if (text.length > charactersPerVertexMax * verticesMax) {
    throw new AreaVerticesTooManyError(Math.ceil(text.length / charactersPerVertexMax), verticesMax)
  }
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new AreaNotGeoJsonError(`it is text that is not JSON (${cause instanceof Error ? cause.message : cause})`, {
      cause,
    })
  }
}

type Geometry = { type: 'Polygon' | 'MultiPolygon'; coordinates: unknown }

function geometryOf(value: unknown): Geometry {
  const object = requireObject(value, 'it')
  requireWgs84(object.crs)
  switch (object.type) {
    case 'Polygon':
    case 'MultiPolygon':
      return { type: object.type, coordinates: object.coordinates }
    case 'Feature':
      return geometryOfFeature(object)
    case 'FeatureCollection': {
      const features = Array.isArray(object.features) ? object.features : []
      if (features.length !== 1)
        throw new AreaNotGeoJsonError(`it is a FeatureCollection of ${features.length} features, not of 1`)
      return geometryOfFeature(requireObject(features[0], 'its feature'))
    }
    default:
      throw new AreaNotGeoJsonError(`its type is ${shown(object.type)}`)
  }
}

function geometryOfFeature(feature: Record<string, unknown>): Geometry {
  const geometry = requireObject(feature.geometry, 'its geometry')
  requireWgs84(geometry.crs)
  const { type } = geometry
  if (type !== 'Polygon' && type !== 'MultiPolygon')
    throw new AreaNotGeoJsonError(`its geometry's type is ${shown(type)}`)
  return { type, coordinates: geometry.coordinates }
}

function requireObject(value: unknown, what: string): Record<string, unknown> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown> // checked
  const kind =
    value === null ? 'null' : Array.isArray(value) ? 'an array' : value === undefined ? 'missing' : `a ${typeof value}`
  throw new AreaNotGeoJsonError(`${what} is ${kind}`)
}

// The crs member of GeoJSON 2008, which GDAL and others still write. EPSG:4326 is taken for longitude first, as everyone does.
const wgs84Names = new Set([
  'urn:ogc:def:crs:OGC:1.3:CRS84',
  'urn:ogc:def:crs:OGC::CRS84',
  'EPSG:4326',
  'urn:ogc:def:crs:EPSG::4326',
])

function requireWgs84(crs: unknown): void {
  if (crs === undefined || crs === null) return
  const name = (crs as { properties?: { name?: unknown } }).properties?.name // any value may be asked for a property
  if (typeof name !== 'string' || !wgs84Names.has(name)) throw new AreaCrsUnsupportedError(name ?? crs)
}

type VertexCounter = { vertices: number; readonly verticesMax: number }

function parsePolygons({ type, coordinates }: Geometry, counter: VertexCounter): PolygonRings[] {
  if (type === 'Polygon') return [parsePolygon(coordinates, 'coordinates', counter)]
  const polygons = requireArray(coordinates, 'coordinates', 'an array of polygons')
  return polygons.map((polygon, index) => parsePolygon(polygon, `coordinates[${index}]`, counter))
}

function parsePolygon(value: unknown, where: string, counter: VertexCounter): PolygonRings {
  const rings = requireArray(value, where, 'an array of rings')
  const polygon = rings.map((ring, index) => parseRing(ring, `${where}[${index}]`, counter))
  if (polygon.some(isFlat)) throw new AreaEmptyError(`The polygon at ${where}`)
  return polygon
}

// All positions on one line, to float rounding: each one's distance from the line between the first position and the one
// that is farthest from it.
function isFlat(ring: Ring): boolean {
  const [start] = ring
  if (!start) return true
  const offsets = ring.map(([lon, lat]): LonLat => [lon - start[0], lat - start[1]])
  const [farX, farY] = offsets.reduce((far, offset) =>
    Math.hypot(offset[0], offset[1]) > Math.hypot(far[0], far[1]) ? offset : far,
  )
  return offsets.every(([x, y]) => Math.abs(x * farY - y * farX) <= 1e-12 * (farX ** 2 + farY ** 2))
}

function parseRing(value: unknown, where: string, counter: VertexCounter): Ring {
  const positions = requireArray(value, where, 'an array of positions')
  counter.vertices += positions.length
  if (counter.vertices > counter.verticesMax) throw new AreaVerticesTooManyError(counter.vertices, counter.verticesMax)
  if (!Array.isArray(positions[0]))
    throw new AreaNotGeoJsonError(`the position at ${where}[0] is ${shown(positions[0])}`)
  if (positions.length < 4) throw new AreaRingTooShortError(where, positions.length)
  const ring = positions.map((position, index) => parsePosition(position, `${where}[${index}]`))
  requireClosed(ring, where)
  requireNoWrap(ring, where)
  return ring
}

function parsePosition(value: unknown, where: string): LonLat {
  if (!Array.isArray(value)) throw new AreaNotGeoJsonError(`the position at ${where} is ${shown(value)}`)
  if (value.length !== 2) throw new AreaNot2dError(where, value.length)
  for (const [index, figure] of value.entries()) {
    if (typeof figure !== 'number' || !Number.isFinite(figure))
      throw new AreaNotFiniteError(`${where}[${index}]`, figure)
  }
  const [lon, lat] = value as [number, number] // checked just now
  if (Math.abs(lon) > 180 || Math.abs(lat) > 90) throw new AreaNotLonLatError(where, [lon, lat])
  return [lon, lat]
}

function requireClosed(ring: Ring, where: string): void {
  const [first, last] = [ring[0], ring.at(-1)]
  if (!first || !last) return
  if (first[0] !== last[0] || first[1] !== last[1]) throw new AreaRingOpenError(where, first, last)
}

function requireNoWrap(ring: Ring, where: string): void {
  for (let i = 1; i < ring.length; i++) {
    const [from, to] = [ring[i - 1], ring[i]]
    if (from && to && Math.abs(to[0] - from[0]) > 180) throw new AreaCrossesAntimeridianError(`${where}[${i - 1}]`)
  }
}

function requireArray(value: unknown, where: string, what: string): unknown[] {
  if (!Array.isArray(value)) throw new AreaNotGeoJsonError(`${where} is ${shown(value)} where ${what} belongs`)
  if (value.length === 0) throw new AreaNotGeoJsonError(`${where} is empty`)
  return value
}

function shown(value: unknown): string {
  const text = value === undefined ? 'missing' : (JSON.stringify(value) ?? String(value))
  return text.length > 60 ? `${text.slice(0, 57)}...` : text
}
