/** The stable codes of everything this package throws on purpose; `message` is for people, `code` is for programs. */
export type GeoErrorCode =
  | 'area_crosses_antimeridian'
  | 'area_crs_unsupported'
  | 'area_empty'
  | 'area_hole_misplaced'
  | 'area_not_2d'
  | 'area_not_finite'
  | 'area_not_geojson'
  | 'area_not_lon_lat'
  | 'area_outside_layers'
  | 'area_ring_open'
  | 'area_ring_too_short'
  | 'area_self_intersects'
  | 'area_too_complex'
  | 'area_too_large'
  | 'area_vertices_too_many'
  | 'classes_invalid'
  | 'counts_differ'
  | 'crs_unknown'
  | 'grid_mismatch'
  | 'layer_damaged'
  | 'layer_exists'
  | 'layer_name_invalid'
  | 'layer_not_found'
  | 'layers_missing'
  | 'raster_bands'
  | 'raster_cells_unsupported'
  | 'raster_compression_unsupported'
  | 'raster_crs_missing'
  | 'raster_damaged'
  | 'raster_grid_missing'
  | 'raster_masked'
  | 'raster_not_tiff'
  | 'raster_rotated'
  | 'raster_too_large'
  | 'raster_truncated'
  | 'raster_unreadable'
  | 'tile_address_invalid'
  | 'tile_ref_invalid'

/** Everything this package throws on purpose. `code` never changes; `message` says what happened, to what, and what to do. */
export abstract class GeoError extends Error {
  abstract readonly code: GeoErrorCode
}

// ---- areas of interest ------------------------------------------------------------------------------------------------

export class AreaNotGeoJsonError extends GeoError {
  override readonly name = 'AreaNotGeoJsonError'
  readonly code = 'area_not_geojson'
  constructor(what: string, options?: ErrorOptions) {
    super(`The area is not a GeoJSON Polygon, MultiPolygon or Feature of one: ${what}. Send one of the three.`, options)
  }
}

export class AreaNot2dError extends GeoError {
  override readonly name = 'AreaNot2dError'
  readonly code = 'area_not_2d'
  constructor(where: string, length: number) {
    super(`The position at ${where} has ${length} numbers. Send two, [longitude, latitude]; heights are not used.`)
  }
}

export class AreaNotFiniteError extends GeoError {
  override readonly name = 'AreaNotFiniteError'
  readonly code = 'area_not_finite'
  constructor(where: string, value: unknown) {
    super(`The coordinate at ${where} is ${shown(value)}, not a finite number. Send [longitude, latitude] in degrees.`)
  }
}

export class AreaNotLonLatError extends GeoError {
  override readonly name = 'AreaNotLonLatError'
  readonly code = 'area_not_lon_lat'
  constructor(where: string, lonLat: readonly [number, number]) {
    super(
      `The position at ${where} is [${lonLat.join(', ')}], which is not a longitude in -180..180 and a latitude in -90..90. ` +
        'Reproject the area to WGS 84 (EPSG:4326) and send degrees, longitude first.',
    )
  }
}

export class AreaCrsUnsupportedError extends GeoError {
  override readonly name = 'AreaCrsUnsupportedError'
  readonly code = 'area_crs_unsupported'
  constructor(crs: unknown) {
    super(
      `The area names the coordinate system ${shown(crs)}. GeoJSON is read as WGS 84 longitude and latitude only ` +
        '(RFC 7946): reproject it to EPSG:4326 and leave the crs member out.',
    )
  }
}

export class AreaRingOpenError extends GeoError {
  override readonly name = 'AreaRingOpenError'
  readonly code = 'area_ring_open'
  constructor(where: string, first: readonly number[], last: readonly number[]) {
    super(
      `The ring at ${where} starts at [${first.join(', ')}] and ends at [${last.join(', ')}]. ` +
        'Repeat its first position as its last.',
    )
  }
}

export class AreaRingTooShortError extends GeoError {
  override readonly name = 'AreaRingTooShortError'
  readonly code = 'area_ring_too_short'
  constructor(where: string, positions: number) {
    super(`The ring at ${where} has ${positions} positions. A ring needs at least 4, the last equal to the first.`)
  }
}

export class AreaSelfIntersectsError extends GeoError {
  override readonly name = 'AreaSelfIntersectsError'
  readonly code = 'area_self_intersects'
  readonly atLonLat: readonly [number, number]
  constructor(where: string, atLonLat: readonly [number, number]) {
    super(
      `The boundary of ${where} crosses itself at [${atLonLat.map((degrees) => degrees.toFixed(6)).join(', ')}]. ` +
        'Redraw it there, or repair it with ST_MakeValid, buffer(0) or a similar tool.',
    )
    this.atLonLat = atLonLat
  }
}

export class AreaHoleMisplacedError extends GeoError {
  override readonly name = 'AreaHoleMisplacedError'
  readonly code = 'area_hole_misplaced'
  constructor(where: string, how: 'outside its outer ring' | 'inside another hole') {
    super(`The hole at ${where} lies ${how}. Make it a polygon of its own in a MultiPolygon, or leave it out.`)
  }
}

export class AreaEmptyError extends GeoError {
  override readonly name = 'AreaEmptyError'
  readonly code = 'area_empty'
  constructor(where: string) {
    super(`${where} encloses no ground. Send a polygon with at least three corners that do not lie on one line.`)
  }
}

export class AreaCrossesAntimeridianError extends GeoError {
  override readonly name = 'AreaCrossesAntimeridianError'
  readonly code = 'area_crosses_antimeridian'
  constructor(where: string) {
    super(
      `The edge at ${where} spans more than 180 degrees of longitude. ` +
        'Cut the area at the antimeridian into a MultiPolygon, as RFC 7946 section 3.1.9 says.',
    )
  }
}

export class AreaVerticesTooManyError extends GeoError {
  override readonly name = 'AreaVerticesTooManyError'
  readonly code = 'area_vertices_too_many'
  constructor(vertices: number, verticesMax: number) {
    super(
      `The area has at least ${vertices} vertices; at most ${verticesMax} are taken. Simplify it and send it again.`,
    )
  }
}

export class AreaTooLargeError extends GeoError {
  override readonly name = 'AreaTooLargeError'
  readonly code = 'area_too_large'
  constructor(areaKm2: number, areaKm2Max: number) {
    super(
      `The area is ${areaKm2.toFixed(1)} km²; at most ${areaKm2Max} km² are taken. Send a smaller area, or several.`,
    )
  }
}

export class AreaTooComplexError extends GeoError {
  override readonly name = 'AreaTooComplexError'
  readonly code = 'area_too_complex'
  constructor(comparisonsMax: number) {
    super(
      `Checking the area for self-intersection would take more than ${comparisonsMax} comparisons. ` +
        'Its edges overlap one another unusually often: simplify it and send it again.',
    )
  }
}

export class AreaOutsideLayersError extends GeoError {
  override readonly name = 'AreaOutsideLayersError'
  readonly code = 'area_outside_layers'
  constructor(bboxLonLat: readonly number[], layers: readonly { name: string; bboxLonLat: readonly number[] }[]) {
    const extents = layers.map((layer) => `${layer.name} [${shownDegrees(layer.bboxLonLat)}]`).join(', ')
    super(
      `The area, [${shownDegrees(bboxLonLat)}] as west, south, east, north, lies outside ` +
        `${layers.length === 0 ? 'every layer, since none is loaded' : `every layer asked for: ${extents}`}. ` +
        'Draw it within a layer, or add a layer that covers it.',
    )
  }
}

// ---- rasters being added ----------------------------------------------------------------------------------------------

export class RasterUnreadableError extends GeoError {
  override readonly name = 'RasterUnreadableError'
  readonly code = 'raster_unreadable'
  constructor(path: string, options: { cause: unknown }) {
    super(
      `The raster ${path} could not be opened: ${causeOf(options.cause)}. Check the path and its permissions.`,
      options,
    )
  }
}

export class RasterNotTiffError extends GeoError {
  override readonly name = 'RasterNotTiffError'
  readonly code = 'raster_not_tiff'
  constructor(path: string, found: string) {
    super(`${path} is not a TIFF: ${found}. Convert it with "gdal_translate -of GTiff" and add the result.`)
  }
}

export class RasterTruncatedError extends GeoError {
  override readonly name = 'RasterTruncatedError'
  readonly code = 'raster_truncated'
  constructor(path: string, need: { what: string; endsAt: number; sizeBytes: number }) {
    super(
      `${path} is cut off: its ${need.what} ends at byte ${need.endsAt}, the file at byte ${need.sizeBytes}. ` +
        'Copy or download it again.',
    )
  }
}

export class RasterDamagedError extends GeoError {
  override readonly name = 'RasterDamagedError'
  readonly code = 'raster_damaged'
  constructor(path: string, what: string, options?: ErrorOptions) {
    super(`${path} is damaged: ${what}. Make it again, or rewrite it with gdal_translate.`, options)
  }
}

export class RasterCrsMissingError extends GeoError {
  override readonly name = 'RasterCrsMissingError'
  readonly code = 'raster_crs_missing'
  constructor(path: string) {
    super(
      `${path} does not say which coordinate system it is in. ` +
        'If you know it, pass it, for example --crs EPSG:5070, or a proj4 definition.',
    )
  }
}

export class RasterGridMissingError extends GeoError {
  override readonly name = 'RasterGridMissingError'
  readonly code = 'raster_grid_missing'
  constructor(path: string, what: string) {
    super(
      `${path} does not say where its cells lie: ${what}. ` +
        'Set it with "gdal_translate -a_ullr <left> <top> <right> <bottom>".',
    )
  }
}

export class RasterRotatedError extends GeoError {
  override readonly name = 'RasterRotatedError'
  readonly code = 'raster_rotated'
  constructor(path: string) {
    super(`${path} is not north-up: its grid is rotated, sheared or flipped. Warp it with gdalwarp and add the result.`)
  }
}

export class RasterBandsError extends GeoError {
  override readonly name = 'RasterBandsError'
  readonly code = 'raster_bands'
  constructor(path: string, bands: number, asked: number | undefined) {
    super(
      asked === undefined
        ? `${path} has ${bands} bands and a layer has one. Say which with band, from 1 to ${bands}.`
        : `${path} has ${bands} bands, so band ${asked} does not exist. Say one from 1 to ${bands}.`,
    )
  }
}

export class RasterMaskedError extends GeoError {
  override readonly name = 'RasterMaskedError'
  readonly code = 'raster_masked'
  constructor(path: string) {
    super(
      `${path} marks its missing cells by a mask instead of a nodata value, which would be lost. ` +
        'Rewrite it with "gdalwarp -dstnodata <value>" and add the result.',
    )
  }
}

export class RasterCellsUnsupportedError extends GeoError {
  override readonly name = 'RasterCellsUnsupportedError'
  readonly code = 'raster_cells_unsupported'
  constructor(path: string, cells: string) {
    super(
      `${path} has ${cells} cells. A layer takes 8, 16 and 32 bit integers and 32 and 64 bit floats: ` +
        'convert it with "gdal_translate -ot".',
    )
  }
}

export class RasterCompressionUnsupportedError extends GeoError {
  override readonly name = 'RasterCompressionUnsupportedError'
  readonly code = 'raster_compression_unsupported'
  constructor(path: string, compression: number) {
    super(
      `${path} is compressed by TIFF method ${compression}, which is not read here. ` +
        'Rewrite it with "gdal_translate -co COMPRESS=DEFLATE".',
    )
  }
}

export class RasterTooLargeError extends GeoError {
  override readonly name = 'RasterTooLargeError'
  readonly code = 'raster_too_large'
  constructor(path: string, what: string, found: number, max: number) {
    super(
      `${path} has ${found} ${what}; at most ${max} are taken. Cut it into parts, or check that it is what you meant.`,
    )
  }
}

export class CrsUnknownError extends GeoError {
  override readonly name = 'CrsUnknownError'
  readonly code = 'crs_unknown'
  constructor(crs: string, options?: ErrorOptions) {
    super(
      `The coordinate system ${crs} is not known here. Pass its proj4 definition instead ` +
        '("+proj=…", found on epsg.io or by "gdalsrsinfo -o proj4").',
      options,
    )
  }
}

// ---- layers -----------------------------------------------------------------------------------------------------------

export class LayerNameInvalidError extends GeoError {
  override readonly name = 'LayerNameInvalidError'
  readonly code = 'layer_name_invalid'
  constructor(layerName: unknown) {
    super(
      `${shown(layerName)} cannot name a layer. Use 1 to 63 lower-case letters, digits and hyphens, ` +
        'starting with a letter or digit, for example nlcd-2019.',
    )
  }
}

export class LayerExistsError extends GeoError {
  override readonly name = 'LayerExistsError'
  readonly code = 'layer_exists'
  constructor(layerName: string) {
    super(`There is a layer ${layerName} already. Choose another name, remove it first, or ask to replace it.`)
  }
}

export class LayerNotFoundError extends GeoError {
  override readonly name = 'LayerNotFoundError'
  readonly code = 'layer_not_found'
  constructor(layerName: string, known: readonly string[]) {
    super(
      `There is no layer ${layerName}. ` +
        (known.length === 0 ? 'None is loaded; add one.' : `Loaded are ${known.join(', ')}.`),
    )
  }
}

export class LayerDamagedError extends GeoError {
  override readonly name = 'LayerDamagedError'
  readonly code = 'layer_damaged'
  readonly layerName: string
  constructor(layerName: string, options: { cause: unknown }) {
    super(`The layer ${layerName} cannot be read: ${causeOf(options.cause)} Remove it and add it again.`, options)
    this.layerName = layerName
  }
}

export class ClassesInvalidError extends GeoError {
  override readonly name = 'ClassesInvalidError'
  readonly code = 'classes_invalid'
  constructor(what: string) {
    super(`The classes cannot be used: ${what}. Each needs an integer value, a name and a colour such as #466b9f.`)
  }
}

export class LayersMissingError extends GeoError {
  override readonly name = 'LayersMissingError'
  readonly code = 'layers_missing'
  constructor() {
    super('No layer was named. Name at least one layer to count.')
  }
}

export class GridMismatchError extends GeoError {
  override readonly name = 'GridMismatchError'
  readonly code = 'grid_mismatch'
  constructor(first: string, other: string, difference: string) {
    super(
      `The layers ${first} and ${other} are not on one grid: ${difference}. ` +
        `Warp ${other} onto the grid of ${first} (gdalwarp -tr -te -t_srs, -r near for classes) and add it again.`,
    )
  }
}

export class TileRefInvalidError extends GeoError {
  override readonly name = 'TileRefInvalidError'
  readonly code = 'tile_ref_invalid'
  constructor(tile: unknown, why: string) {
    super(`${shown(tile)} is not a tile of this layer: ${why}. Take tiles from tilesOfArea on the same layer.`)
  }
}

export class CountsDifferError extends GeoError {
  override readonly name = 'CountsDifferError'
  readonly code = 'counts_differ'
  constructor(what: string) {
    super(`These counts cannot be added up: ${what}. Merge counts of the same layers, area and rule only.`)
  }
}

export class TileAddressInvalidError extends GeoError {
  override readonly name = 'TileAddressInvalidError'
  readonly code = 'tile_address_invalid'
  constructor(address: { z: unknown; x: unknown; y: unknown }, zoomMax: number) {
    super(
      `There is no map tile ${shown(address.z)}/${shown(address.x)}/${shown(address.y)}. ` +
        `z is an integer from 0 to ${zoomMax}; x and y are integers from 0 to 2^z - 1.`,
    )
  }
}

function shown(value: unknown): string {
  const text = typeof value === 'string' ? JSON.stringify(value) : (JSON.stringify(value) ?? String(value))
  return text.length > 80 ? `${text.slice(0, 77)}...` : text
}

function shownDegrees(bbox: readonly number[]): string {
  return bbox.map((degrees) => degrees.toFixed(4)).join(', ')
}

function causeOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause)
}
