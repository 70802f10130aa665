// Areas on the WGS 84 ellipsoid by way of authalic latitude: the latitude on a sphere of equal area. Snyder, Map Projections:
// A Working Manual (USGS Professional Paper 1395, 1987), equations 3-11 to 3-13. The GRS 80 ellipsoid gives the same to 1e-9.

const semiMajorM = 6378137
const inverseFlattening = 298.257223563
const eccentricitySquared = (2 - 1 / inverseFlattening) / inverseFlattening
const eccentricity = Math.sqrt(eccentricitySquared)
const qAtPole = authalicQ(1)

/** Radius in metres of the sphere with the ellipsoid's surface: 6 371 007.181. */
export const authalicRadiusM = semiMajorM * Math.sqrt(qAtPole / 2)

/** Sine of the authalic latitude of a geodetic latitude in degrees. */
export function sineOfAuthalic(latDegrees: number): number {
  const q = authalicQ(Math.sin((latDegrees * Math.PI) / 180))
  return Math.max(-1, Math.min(1, q / qAtPole))
}

/** Square metres between two latitudes and over a span of longitude, both in degrees; exact to float rounding. */
export function zoneAreaM2(southDegrees: number, northDegrees: number, spanDegrees: number): number {
  const span = (spanDegrees * Math.PI) / 180
  return authalicRadiusM ** 2 * span * (sineOfAuthalic(northDegrees) - sineOfAuthalic(southDegrees))
}

/**
 * Signed square metres within a ring of [lon, lat] degrees whose edges are straight lines in longitude and latitude, as
 * RFC 7946 section 3.1.1 has them; positive when it runs anticlockwise. Each edge's part is the integral of the sphere's
 * area element on the authalic sphere, exact for an edge along a parallel or a meridian; for others the authalic latitude is
 * taken as straight between the edge's ends, which for a triangle is wrong by some 1e-5 of its area where its edges are 0.1 degree long,
 * and in proportion to their length.
 * @example ringAreaM2([[0, 0], [1, 0], [1, 1], [0, 1], [0, 0]]) // 12 308 463 894, the cell of one degree at the equator
 */
export function ringAreaM2(ring: readonly (readonly [number, number])[]): number {
  let area = 0
  for (let i = 1; i < ring.length; i++) {
    const from = ring[i - 1]
    const to = ring[i]
    if (from && to) area += edgeIntegral(from, to)
  }
  return area * authalicRadiusM ** 2
}

// ∫ sin β dλ along the edge, negated, so that anticlockwise is positive: mean sine times the longitude covered.
function edgeIntegral(from: readonly [number, number], to: readonly [number, number]): number {
  const span = ((to[0] - from[0]) * Math.PI) / 180
  if (span === 0) return 0
  const start = Math.asin(sineOfAuthalic(from[1]))
  const end = Math.asin(sineOfAuthalic(to[1]))
  const half = (end - start) / 2
  // (cos start − cos end) / (end − start) = sin(mean) · sin(half) / half, without cancellation where the two are close.
  const meanSine = Math.sin((start + end) / 2) * (Math.abs(half) < 1e-8 ? 1 : Math.sin(half) / half)
  return -span * meanSine
}

// Snyder 3-12.
function authalicQ(sine: number): number {
  const es = eccentricity * sine
  return (1 - eccentricitySquared) * (sine / (1 - es * es) - Math.log((1 - es) / (1 + es)) / (2 * eccentricity))
}
