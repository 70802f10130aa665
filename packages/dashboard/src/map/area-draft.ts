import type { Json } from '@headrace/wire'
import { type BboxLonLat, bboxOf, type Rings, ringsOf } from '../plan/geometry.ts'

/** The area that is being put together: a text, and what that text is so far. */
export type AreaDraft =
  | { readonly state: 'empty' }
  | { readonly state: 'wrong'; readonly why: string }
  | { readonly state: 'ready'; readonly area: Json; readonly rings: Rings }

/**
 * Reads GeoJSON as one types it. Judges only whether it can be drawn and sent; whether it is a valid area, and not too
 * large, is for the server to say.
 */
export function readArea(text: string): AreaDraft {
  if (text.trim() === '') return { state: 'empty' }
  let value: Json
  try {
    value = JSON.parse(text)
  } catch (error) {
    return { state: 'wrong', why: `This is not JSON yet: ${error instanceof Error ? error.message : String(error)}.` }
  }
  const rings = ringsOf(value)
  if (!rings) return { state: 'wrong', why: whyNoArea(value) }
  if (rings.flat().some(([lon, lat]) => Math.abs(lon) > 180 || Math.abs(lat) > 90)) {
    return {
      state: 'wrong',
      why: 'Coordinates are [longitude, latitude] in degrees; these lie outside of the Earth. Are they in metres, or in feet?',
    }
  }
  return { state: 'ready', area: areaOf(value), rings }
}

function whyNoArea(value: Json): string {
  const type =
    value !== null && typeof value === 'object' && !Array.isArray(value) ? (value as { type?: Json }).type : undefined
  if (typeof type === 'string' && !['Feature', 'FeatureCollection', 'Polygon', 'MultiPolygon'].includes(type)) {
    return `A ${type} has no area. A Polygon, a MultiPolygon, or a Feature of one is needed.`
  }
  return 'This is JSON, but no GeoJSON area: a Polygon, a MultiPolygon, or a Feature of one is needed.'
}

/** A collection stands for its first area; the processes take one. */
function areaOf(value: Json): Json {
  const features = (value as { features?: readonly Json[] }).features
  return Array.isArray(features) ? (features.find((feature) => ringsOf(feature)) ?? value) : value
}

/** Four texts as a box: numbers in order, west below east and south below north. */
export function readBox(texts: readonly [string, string, string, string]): BboxLonLat | { readonly wrong: string } {
  const numbers = texts.map((text) => (text.trim() === '' ? Number.NaN : Number(text)))
  if (numbers.some((number) => !Number.isFinite(number)))
    return { wrong: 'All four edges must be numbers, in degrees.' }
  const [west = 0, south = 0, east = 0, north = 0] = numbers
  if (Math.abs(west) > 180 || Math.abs(east) > 180) return { wrong: 'Longitudes run from -180 to 180.' }
  if (Math.abs(south) > 90 || Math.abs(north) > 90) return { wrong: 'Latitudes run from -90 to 90.' }
  if (west >= east) return { wrong: 'West must be less than east.' }
  if (south >= north) return { wrong: 'South must be less than north.' }
  return [west, south, east, north]
}

/** GeoJSON as a person reads it: coordinates to a tenth of a metre, one position a line. */
export function areaText(area: Json): string {
  return JSON.stringify(
    area,
    (_key, value) => (typeof value === 'number' ? Number(value.toFixed(6)) : value),
    1,
  ).replace(/\[\s+(-?[\d.]+),\s+(-?[\d.]+)\s+\]/g, '[$1, $2]')
}

export function bboxOfDraft(draft: AreaDraft): BboxLonLat | undefined {
  return draft.state === 'ready' ? bboxOf(draft.rings) : undefined
}
