import type { BboxLonLat } from './geometry.ts'

/** Lines of longitude and latitude over a box: their positions in degrees, a round number of degrees apart. */
export type Graticule = {
  readonly lons: readonly number[]
  readonly lats: readonly number[]
  readonly stepDegrees: number
}

const STEPS_DEGREES = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 45]

/** About `count` lines along the longer side of the box. */
export function graticuleOf(bbox: BboxLonLat, count: number): Graticule {
  const [west, south, east, north] = bbox
  const wanted = Math.max(east - west, north - south) / count
  const stepDegrees = STEPS_DEGREES.find((step) => step >= wanted) ?? 45
  return {
    lons: multiples(west, east, stepDegrees),
    lats: multiples(Math.max(-90, south), Math.min(90, north), stepDegrees),
    stepDegrees,
  }
}

function multiples(from: number, to: number, step: number): readonly number[] {
  const first = Math.ceil(from / step)
  const last = Math.floor(to / step)
  // Multiplied, not summed up, so that 0.1 + 0.2 stays 0.3; rounded, so that it prints so.
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, index) =>
    Number(((first + index) * step).toFixed(6)),
  )
}

/** `75.2° W`, `40° N`, `0°`. */
export function lonText(lon: number, stepDegrees: number): string {
  const wrapped = ((((lon + 180) % 360) + 360) % 360) - 180
  return degrees(wrapped, stepDegrees, wrapped < 0 ? 'W' : 'E')
}

export function latText(lat: number, stepDegrees: number): string {
  return degrees(lat, stepDegrees, lat < 0 ? 'S' : 'N')
}

function degrees(value: number, stepDegrees: number, side: string): string {
  const digits = Math.max(0, Math.ceil(-Math.log10(stepDegrees) - 1e-9))
  const shown = Math.abs(value).toFixed(digits)
  return Number(shown) === 0 ? '0°' : `${shown}° ${side}`
}
