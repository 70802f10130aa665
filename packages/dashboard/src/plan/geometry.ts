import type { Json } from '@headrace/wire'

/** west, south, east, north in degrees. */
export type BboxLonLat = readonly [number, number, number, number]
export type LonLat = readonly [number, number]
/** All rings of a polygon or of several; the first of each polygon is its outer one. */
export type Rings = readonly (readonly LonLat[])[]

/**
 * The rings of a GeoJSON Polygon, MultiPolygon, Feature of one, or FeatureCollection of them.
 * @returns undefined for anything else; no judgement on validity, which is the server's
 */
export function ringsOf(value: Json | undefined): Rings | undefined {
  if (!isObject(value)) return undefined
  switch (value.type) {
    case 'Feature':
      return ringsOf(value.geometry)
    case 'FeatureCollection': {
      const features = value.features
      const rings = Array.isArray(features) ? features.flatMap((feature) => ringsOf(feature as Json) ?? []) : []
      return rings.length > 0 ? rings : undefined
    }
    case 'Polygon':
      return areRings(value.coordinates) ? value.coordinates : undefined
    case 'MultiPolygon': {
      const polygons = value.coordinates
      return Array.isArray(polygons) && polygons.length > 0 && polygons.every(areRings) ? polygons.flat() : undefined
    }
    default:
      return undefined
  }
}

/** The first area in a job's input: the value itself, or one of its fields. */
export function areaIn(value: Json | undefined): Json | undefined {
  if (ringsOf(value)) return value
  if (!isObject(value)) return undefined
  return Object.values(value).find((inner) => ringsOf(inner) !== undefined)
}

export function bboxOf(rings: Rings): BboxLonLat {
  let [west, south, east, north] = [180, 90, -180, -90]
  for (const [lon, lat] of rings.flat()) {
    west = Math.min(west, lon)
    east = Math.max(east, lon)
    south = Math.min(south, lat)
    north = Math.max(north, lat)
  }
  return [west, south, east, north]
}

export function unionOf(bboxes: readonly BboxLonLat[]): BboxLonLat | undefined {
  if (bboxes.length === 0) return undefined
  return bboxes.reduce((a, b) => [
    Math.min(a[0], b[0]),
    Math.min(a[1], b[1]),
    Math.max(a[2], b[2]),
    Math.max(a[3], b[3]),
  ])
}

export function rectangle(bbox: BboxLonLat): Json {
  const [west, south, east, north] = bbox
  return {
    type: 'Polygon',
    coordinates: [
      [
        [west, south],
        [east, south],
        [east, north],
        [west, north],
        [west, south],
      ],
    ],
  }
}

function isObject(value: Json | undefined): value is { readonly [key: string]: Json } {
  return value !== null && typeof value === 'object' && !Array.isArray(value)
}

function areRings(value: unknown): value is Rings {
  return (
    Array.isArray(value) &&
    value.length > 0 &&
    value.every((ring) => Array.isArray(ring) && ring.length >= 3 && ring.every(isPosition))
  )
}

function isPosition(value: unknown): value is LonLat {
  return Array.isArray(value) && typeof value[0] === 'number' && typeof value[1] === 'number'
}
