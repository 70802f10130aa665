import { type Crs, crsOfDefinition, parametersOf, parseCrs } from './crs.ts'

// GeoKeys say a TIFF's coordinate system: GeoTIFF 1.1 (OGC 19-008r4), sections 7.1 to 7.5 and annex B.

/** The three tags of a GeoTIFF that hold its keys: the directory of shorts, and the doubles and text that it points into. */
export type GeoKeyTags = {
  readonly directory: readonly number[]
  readonly doubles: readonly number[]
  readonly ascii: string
}

const key = {
  modelType: 1024,
  rasterType: 1025,
  citation: 1026,
  geographicType: 2048,
  ellipsoid: 2056,
  semiMajorAxis: 2057,
  semiMinorAxis: 2058,
  inverseFlattening: 2059,
  projectedType: 3072,
  projectionMethod: 3075,
  linearUnits: 3076,
  linearUnitSize: 3077,
  standardParallel1: 3078,
  standardParallel2: 3079,
  naturalOriginLon: 3080,
  naturalOriginLat: 3081,
  falseEasting: 3082,
  falseNorthing: 3083,
  falseOriginLon: 3084,
  falseOriginLat: 3085,
  falseOriginEasting: 3086,
  falseOriginNorthing: 3087,
  centerLon: 3088,
  centerLat: 3089,
  centerEasting: 3090,
  centerNorthing: 3091,
  scaleAtNaturalOrigin: 3092,
  straightVerticalPoleLon: 3095,
} as const

const userDefined = 32767

type GeoKeys = ReadonlyMap<number, number | string>

/** The keys by number. Entries that point beyond their tag are left out. */
export function parseGeoKeys(tags: GeoKeyTags): GeoKeys {
  const keys = new Map<number, number | string>()
  const count = tags.directory[3] ?? 0
  for (let entry = 1; entry <= count; entry++) {
    const [id, location, length, value] = tags.directory.slice(4 * entry, 4 * entry + 4)
    if (id === undefined || location === undefined || length === undefined || value === undefined) break
    if (location === 0) keys.set(id, value)
    else if (location === 34736 && tags.doubles[value] !== undefined) keys.set(id, tags.doubles[value])
    else if (location === 34737) keys.set(id, tags.ascii.slice(value, value + length).replace(/\|$/, ''))
  }
  return keys
}

/** Whether a cell's coordinates are those of its centre (RasterPixelIsPoint) instead of its top left corner. */
export function isPixelPoint(keys: GeoKeys): boolean {
  return keys.get(key.rasterType) === 2
}

/**
 * The coordinate system that the keys describe, by its EPSG code or, user-defined, by its parameters.
 * @returns undefined where they describe none
 * @throws {CrsUnknownError} where they name a code, or a projection, that is not known here
 */
export function crsOfGeoKeys(keys: GeoKeys): Crs | undefined {
  const projected = numberOf(keys, key.projectedType)
  if (projected !== undefined && projected !== userDefined && projected !== 0) return parseCrs(`EPSG:${projected}`)
  if (projected === userDefined || keys.has(key.projectionMethod)) return userDefinedCrs(keys)
  const geographic = numberOf(keys, key.geographicType)
  if (geographic === undefined || geographic === 0) return undefined
  if (geographic !== userDefined) return parseCrs(`EPSG:${geographic}`)
  return crsOfDefinition(`+proj=longlat ${ellipsoid(keys)} +no_defs`)
}

function userDefinedCrs(keys: GeoKeys): Crs | undefined {
  const projection = projectionOf(keys)
  if (projection === undefined) {
    const method = keys.get(key.projectionMethod)
    return method === undefined ? undefined : parseCrs(`user-defined (GeoTIFF projection method ${method})`)
  }
  return crsOfDefinition(`${projection} ${ellipsoid(keys)} ${linearUnits(keys)} +no_defs`)
}

// GeoTIFF 1.1 annex B.3: projection method codes.
function projectionOf(keys: GeoKeys): string | undefined {
  switch (keys.get(key.projectionMethod)) {
    case 1:
      return `+proj=tmerc ${origin(keys)} +k=${scale(keys)} ${falseOrigin(keys)}`
    case 7:
      return `+proj=merc +lon_0=${originLon(keys)} +k=${scale(keys)} ${falseOrigin(keys)}`
    case 8:
      return `+proj=lcc ${origin(keys)} ${parallels(keys)} ${falseOrigin(keys)}`
    case 9:
      return `+proj=lcc ${origin(keys)} +lat_1=${originLat(keys)} +k_0=${scale(keys)} ${falseOrigin(keys)}`
    case 10:
      return `+proj=laea ${origin(keys)} ${falseOrigin(keys)}`
    case 11:
      return `+proj=aea ${origin(keys)} ${parallels(keys)} ${falseOrigin(keys)}`
    case 15:
      return polarStereographic(keys)
    case 24:
      return `+proj=sinu +lon_0=${originLon(keys)} ${falseOrigin(keys)}`
    case 28:
      return `+proj=cea +lon_0=${originLon(keys)} +lat_ts=${numberOf(keys, key.standardParallel1) ?? 0} ${falseOrigin(keys)}`
    default:
      return undefined
  }
}

function polarStereographic(keys: GeoKeys): string {
  const latitude = originLat(keys)
  const lon = numberOf(keys, key.straightVerticalPoleLon) ?? originLon(keys)
  const trueScale = Math.abs(latitude) === 90 ? `+k=${scale(keys)}` : `+lat_ts=${latitude}`
  return `+proj=stere +lat_0=${latitude < 0 ? -90 : 90} ${trueScale} +lon_0=${lon} ${falseOrigin(keys)}`
}

const origin = (keys: GeoKeys): string => `+lat_0=${originLat(keys)} +lon_0=${originLon(keys)}`

const originLat = (keys: GeoKeys): number =>
  firstOf(keys, [key.naturalOriginLat, key.falseOriginLat, key.centerLat]) ?? 0

const originLon = (keys: GeoKeys): number =>
  firstOf(keys, [key.naturalOriginLon, key.falseOriginLon, key.centerLon]) ?? 0

const scale = (keys: GeoKeys): number => numberOf(keys, key.scaleAtNaturalOrigin) ?? 1

function parallels(keys: GeoKeys): string {
  return `+lat_1=${numberOf(keys, key.standardParallel1) ?? 0} +lat_2=${numberOf(keys, key.standardParallel2) ?? 0}`
}

function falseOrigin(keys: GeoKeys): string {
  const metres = unitSize(keys)
  const east = firstOf(keys, [key.falseEasting, key.falseOriginEasting, key.centerEasting]) ?? 0
  const north = firstOf(keys, [key.falseNorthing, key.falseOriginNorthing, key.centerNorthing]) ?? 0
  return `+x_0=${east * metres} +y_0=${north * metres}` // proj4 takes false origins in metres whatever the unit
}

function linearUnits(keys: GeoKeys): string {
  const metres = unitSize(keys)
  return metres === 1 ? '+units=m' : `+to_meter=${metres}`
}

// EPSG units of measure: 9001 metre, 9002 international foot, 9003 US survey foot.
function unitSize(keys: GeoKeys): number {
  const unit = numberOf(keys, key.linearUnits)
  if (unit === 9002) return 0.3048
  if (unit === 9003) return 1200 / 3937
  return unit === userDefined ? (numberOf(keys, key.linearUnitSize) ?? 1) : 1
}

function ellipsoid(keys: GeoKeys): string {
  const datum = datums.get(numberOf(keys, key.geographicType) ?? 0)
  if (datum !== undefined) return datum
  const a = numberOf(keys, key.semiMajorAxis)
  const inverseFlattening = numberOf(keys, key.inverseFlattening)
  const b = numberOf(keys, key.semiMinorAxis)
  if (a !== undefined && inverseFlattening) return `+a=${a} +rf=${inverseFlattening}`
  if (a !== undefined && b !== undefined) return `+a=${a} +b=${b}`
  if (a !== undefined) return `+R=${a}`
  return numberOf(keys, key.ellipsoid) === 7019 ? '+ellps=GRS80' : '+ellps=WGS84'
}

const datums = new Map([
  [4326, '+datum=WGS84'],
  [4269, '+datum=NAD83'],
  [4258, '+ellps=GRS80'],
])

function numberOf(keys: GeoKeys, id: number): number | undefined {
  const value = keys.get(id)
  return typeof value === 'number' ? value : undefined
}

function firstOf(keys: GeoKeys, ids: readonly number[]): number | undefined {
  for (const id of ids) {
    const value = numberOf(keys, id)
    if (value !== undefined) return value
  }
  return undefined
}

/**
 * The keys that describe a coordinate system in a file of ours. A registered code is written as such; any other Albers or
 * geographic system by its parameters; whatever is left as a citation of its proj4 definition, which GDAL cannot read but a
 * person can (the layer's manifest, not these keys, is what this package goes by).
 */
export function geoKeysOf(crs: Crs): GeoKeyTags {
  const code = /^EPSG:(\d+)$/.exec(crs.name)?.[1]
  const builder = new GeoKeyBuilder()
  builder.short(key.modelType, crs.kind === 'geographic' ? 2 : 1)
  builder.short(key.rasterType, 1)
  if (code !== undefined) {
    builder.short(crs.kind === 'geographic' ? key.geographicType : key.projectedType, Number(code))
    return builder.tags()
  }
  builder.text(key.citation, crs.proj4)
  const parameters = parametersOf(crs.proj4)
  writeGeographic(builder, parameters)
  if (crs.kind === 'projected') writeProjected(builder, parameters)
  return builder.tags()
}

function writeGeographic(builder: GeoKeyBuilder, parameters: Map<string, string>): void {
  const datum = parameters.get('datum')
  if (datum === 'NAD83' || datum === 'WGS84') builder.short(key.geographicType, datum === 'NAD83' ? 4269 : 4326)
  else builder.short(key.geographicType, parameters.get('ellps') === 'GRS80' ? 4258 : 4326)
}

function writeProjected(builder: GeoKeyBuilder, parameters: Map<string, string>): void {
  const figure = (name: string) => Number(parameters.get(name) ?? 0)
  builder.short(key.projectedType, userDefined)
  builder.short(3074, userDefined)
  if (parameters.get('proj') !== 'aea') return
  builder.short(key.projectionMethod, 11)
  builder.short(key.linearUnits, 9001)
  builder.double(key.standardParallel1, figure('lat_1'))
  builder.double(key.standardParallel2, figure('lat_2'))
  builder.double(key.naturalOriginLon, figure('lon_0'))
  builder.double(key.naturalOriginLat, figure('lat_0'))
  builder.double(key.falseEasting, figure('x_0'))
  builder.double(key.falseNorthing, figure('y_0'))
}

/** The same keys with the raster type set to "a cell is an area", which is how this package writes every origin. */
export function asPixelArea(tags: GeoKeyTags): GeoKeyTags {
  const directory = [...tags.directory]
  for (let entry = 1; entry <= (directory[3] ?? 0); entry++) {
    if (directory[4 * entry] === key.rasterType) directory[4 * entry + 3] = 1
  }
  return { ...tags, directory }
}

class GeoKeyBuilder {
  readonly #entries: number[][] = []
  readonly #doubles: number[] = []
  #ascii = ''

  short(id: number, value: number): void {
    this.#entries.push([id, 0, 1, value])
  }

  double(id: number, value: number): void {
    this.#entries.push([id, 34736, 1, this.#doubles.push(value) - 1])
  }

  text(id: number, value: string): void {
    this.#entries.push([id, 34737, value.length + 1, this.#ascii.length])
    this.#ascii += `${value}|`
  }

  /** GeoTIFF 1.1, 7.1.2: entries are sorted by key. */
  tags(): GeoKeyTags {
    const entries = this.#entries.toSorted((one, other) => (one[0] ?? 0) - (other[0] ?? 0))
    return { directory: [1, 1, 1, entries.length, ...entries.flat()], doubles: this.#doubles, ascii: this.#ascii }
  }
}
