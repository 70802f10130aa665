import proj4 from 'proj4'
import { CrsUnknownError } from '../errors.ts'
import { definitionOf, knownNames } from './definitions.ts'

/** A coordinate reference system, as plain JSON. */
export type Crs = {
  /** `EPSG:5070` and the like where the system is a registered one, else `custom`. */
  readonly name: string
  /** The full proj4 definition. It alone decides every computation. */
  readonly proj4: string
  readonly kind: 'geographic' | 'projected'
  /** True where every cell of one size covers the same ground. */
  readonly isEqualArea: boolean
  /** Metres per unit of x and y; 1 for metres, 0.3048006… for US survey feet. Degrees count as 1 and are not metres. */
  readonly metresPerUnit: number
}

/**
 * Reads a coordinate system from its code or its proj4 definition.
 * @param text `EPSG:5070`, `ESRI:102003`, `epsg:5070` or `+proj=aea +lat_1=29.5 …`
 * @throws {CrsUnknownError} for a code that is not registered here, or a definition that proj4 cannot read
 * @example parseCrs('EPSG:5070').isEqualArea // true
 */
export function parseCrs(text: string): Crs {
  const trimmed = text.trim()
  if (trimmed.startsWith('+')) return crsOfDefinition(trimmed)
  const name = trimmed.toUpperCase()
  const definition = definitionOf(name)
  if (definition === undefined) throw new CrsUnknownError(text)
  return describe(name, definition)
}

/** The coordinate system of a proj4 definition, named by its code where it equals a registered one. */
export function crsOfDefinition(definition: string): Crs {
  const own = describe('custom', definition)
  for (const name of knownNames()) {
    const registered = definitionOf(name)
    if (registered !== undefined && areSameDefinition(registered, definition)) return { ...own, name }
  }
  return own
}

/** Whether two systems give the same coordinates, whatever they are called and however their definitions are written. */
export function isSameCrs(one: Crs, other: Crs): boolean {
  return one.proj4 === other.proj4 || areSameDefinition(one.proj4, other.proj4)
}

/** Functions between WGS 84 lon/lat in degrees and x/y in the units of `crs`. A point beyond its domain gives non-finite numbers. */
export type Projector = {
  readonly forward: (lonLat: readonly [number, number]) => [number, number]
  readonly inverse: (xy: readonly [number, number]) => [number, number]
}

/**
 * The projector of a coordinate system. NAD 83 and WGS 84 are taken as one, as PROJ does without a grid shift; the
 * difference is about a metre in the continental US.
 * @example projector(parseCrs('EPSG:5070')).forward([-96, 23]) // [0, 0]
 */
export function projector(crs: Crs): Projector {
  const known = projectors.get(crs.proj4)
  if (known) return known
  const made = makeProjector(crs)
  projectors.set(crs.proj4, made)
  return made
}

const projectors = new Map<string, Projector>()

function makeProjector(crs: Crs): Projector {
  // Named where the definition leaves them out, since this library, unlike PROJ, does not take them for 0.
  const origin = ['lat_0', 'lon_0', 'x_0', 'y_0'].filter((name) => !parametersOf(crs.proj4).has(name))
  const definition = [crs.proj4, ...(crs.proj4.includes('+proj=utm') ? [] : origin.map((name) => `+${name}=0`))].join(
    ' ',
  )
  if (crs.kind === 'geographic' && !hasDatumShift(crs.proj4)) return { forward: copy, inverse: copy }
  const converter = proj4('EPSG:4326', definition)
  return {
    forward: (lonLat) => finite(() => converter.forward([lonLat[0], lonLat[1]])),
    inverse: (xy) => finite(() => converter.inverse([xy[0], xy[1]])),
  }
}

const copy = (position: readonly [number, number]): [number, number] => [position[0], position[1]]

// proj4 throws for a point that it cannot convert; a caller here converts many and looks at the numbers.
function finite(convert: () => number[]): [number, number] {
  try {
    const [x, y] = convert()
    return [x ?? Number.NaN, y ?? Number.NaN]
  } catch {
    return [Number.NaN, Number.NaN]
  }
}

// Ellipsoids and prime meridians that need no shift; +towgs84 with a figure other than 0 does.
function hasDatumShift(definition: string): boolean {
  const parameters = parametersOf(definition)
  const shift = parameters.get('towgs84')
  if (shift?.split(',').some((figure) => Number(figure) !== 0)) return true
  const datum = parameters.get('datum')
  if (datum !== undefined && !shiftlessDatums.has(datum.toUpperCase())) return true
  return parameters.has('pm') && Number(parameters.get('pm')) !== 0
}

const shiftlessDatums = new Set(['WGS84', 'NAD83'])

function describe(name: string, definition: string): Crs {
  const projection = parametersOf(definition).get('proj')
  if (projection === undefined) throw new CrsUnknownError(definition)
  try {
    proj4('EPSG:4326', definition)
  } catch (cause) {
    throw new CrsUnknownError(definition, { cause })
  }
  const kind = geographicProjections.has(projection) ? 'geographic' : 'projected'
  const isEqualArea = equalAreaProjections.has(projection)
  return {
    name,
    proj4: definition,
    kind,
    isEqualArea,
    metresPerUnit: kind === 'geographic' ? 1 : metresPerUnit(definition),
  }
}

const geographicProjections = new Set(['longlat', 'latlong', 'lonlat', 'latlon'])

// Snyder, Map Projections: A Working Manual (USGS Professional Paper 1395, 1987): Albers, Lambert azimuthal equal-area,
// cylindrical equal-area, sinusoidal, Mollweide; and Equal Earth (Šavrič, Patterson and Jenny 2018).
const equalAreaProjections = new Set(['aea', 'laea', 'cea', 'sinu', 'moll', 'eqearth', 'bonne'])

function metresPerUnit(definition: string): number {
  const parameters = parametersOf(definition)
  const toMetre = parameters.get('to_meter')
  if (toMetre !== undefined) return Number(toMetre)
  return unitsInMetres.get(parameters.get('units') ?? 'm') ?? 1
}

const unitsInMetres = new Map([
  ['m', 1],
  ['km', 1000],
  ['ft', 0.3048],
  ['us-ft', 1200 / 3937],
])

/** `+proj=aea +lat_1=29.5` as a map from `proj` to `aea` and so on; a flag such as `+no_defs` maps to an empty string. */
export function parametersOf(definition: string): Map<string, string> {
  const parameters = new Map<string, string>()
  for (const part of definition.split(/\s+/)) {
    if (!part.startsWith('+')) continue
    const equals = part.indexOf('=')
    if (equals < 0) parameters.set(part.slice(1), '')
    else parameters.set(part.slice(1, equals), part.slice(equals + 1))
  }
  return parameters
}

function areSameDefinition(one: string, other: string): boolean {
  const left = canonical(one)
  const right = canonical(other)
  if (left.size !== right.size) return false
  for (const [key, value] of left) {
    const counterpart = right.get(key)
    if (counterpart === undefined || !areSameValue(value, counterpart)) return false
  }
  return true
}

function areSameValue(one: string, other: string): boolean {
  if (one === other) return true
  return Math.abs(Number(one) - Number(other)) <= 1e-9 * Math.max(1, Math.abs(Number(one)))
}

// What decides the coordinates, with the ellipsoid as semi-major axis and inverse flattening (rounded, since files quote it
// to 9 or 12 digits), false origins of 0 left out, and the names and flags that change nothing dropped.
function canonical(definition: string): Map<string, string> {
  const parameters = parametersOf(definition)
  const result = new Map<string, string>()
  const [semiMajorM, inverseFlattening] = ellipsoidOf(parameters)
  result.set('a', semiMajorM.toFixed(3))
  result.set('rf', inverseFlattening.toFixed(6))
  for (const [key, value] of parameters) {
    if (namingParameters.has(key)) continue
    if (zeroByDefault.has(key) && Number(value) === 0) continue
    if (oneByDefault.has(key) && Number(value) === 1) continue
    result.set(key === 'k_0' ? 'k' : key, key === 'proj' && geographicProjections.has(value) ? 'longlat' : value)
  }
  if (metresPerUnit(definition) !== 1) result.set('unit', String(metresPerUnit(definition)))
  if (isZeroShift(result.get('towgs84'))) result.delete('towgs84')
  orderParallels(result)
  return result
}

const namingParameters = new Set([
  'title',
  'no_defs',
  'type',
  'wktext',
  'units',
  'to_meter',
  'datum',
  'ellps',
  'a',
  'b',
  'rf',
  'R',
])
const zeroByDefault = new Set(['x_0', 'y_0', 'lat_0', 'lon_0', 'lat_ts', 'pm'])
const oneByDefault = new Set(['k', 'k_0'])

function isZeroShift(shift: string | undefined): boolean {
  return shift?.split(',').every((figure) => Number(figure) === 0) ?? false
}

// Albers and Lambert conic give the same map with their two standard parallels swapped.
function orderParallels(parameters: Map<string, string>): void {
  const one = parameters.get('lat_1')
  const two = parameters.get('lat_2')
  if (one === undefined || two === undefined || Number(one) <= Number(two)) return
  parameters.set('lat_1', two)
  parameters.set('lat_2', one)
}

/** Semi-major axis in metres and inverse flattening (Infinity for a sphere) that a definition's parameters name. */
export function ellipsoidOf(parameters: Map<string, string>): [semiMajorM: number, inverseFlattening: number] {
  const radius = parameters.get('R')
  if (radius !== undefined) return [Number(radius), Number.POSITIVE_INFINITY]
  const a = parameters.get('a')
  if (a !== undefined && parameters.get('rf') !== undefined) return [Number(a), Number(parameters.get('rf'))]
  if (a !== undefined && parameters.get('b') !== undefined)
    return [Number(a), Number(a) / (Number(a) - Number(parameters.get('b')))]
  const byName =
    ellipsoids.get(parameters.get('ellps') ?? '') ??
    ellipsoids.get(datumEllipsoids.get(parameters.get('datum') ?? '') ?? '')
  return byName ?? [6378137, 298.257223563]
}

// EPSG dataset v11, ellipsoids 7030, 7019, 7008, 7004, 7022, 7001, 7024, 7043.
const ellipsoids = new Map<string, [number, number]>([
  ['WGS84', [6378137, 298.257223563]],
  ['GRS80', [6378137, 298.257222101]],
  ['clrk66', [6378206.4, 294.978698214]],
  ['bessel', [6377397.155, 299.1528128]],
  ['intl', [6378388, 297]],
  ['airy', [6377563.396, 299.3249646]],
  ['krass', [6378245, 298.3]],
  ['WGS72', [6378135, 298.26]],
])
const datumEllipsoids = new Map([
  ['WGS84', 'WGS84'],
  ['NAD83', 'GRS80'],
  ['NAD27', 'clrk66'],
])
