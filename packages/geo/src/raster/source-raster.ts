import { type Crs, parseCrs } from '../crs/crs.ts'
import { asPixelArea, crsOfGeoKeys, type GeoKeyTags, geoKeysOf, isPixelPoint, parseGeoKeys } from '../crs/geo-keys.ts'
import {
  RasterBandsError,
  RasterCrsMissingError,
  RasterGridMissingError,
  RasterMaskedError,
  RasterRotatedError,
} from '../errors.ts'
import type { Grid } from '../grid/grid.ts'
import { tag } from '../tiff/tag.ts'
import type { TiffDirectory, TiffFile } from '../tiff/tiff-file.ts'
import { readTiffImage, type TiffImage } from '../tiff/tiff-image.ts'
import { nodataAsCell } from './cell-type.ts'

/** A GeoTIFF that someone gives us: checked, and described in our words. */
export type SourceRaster = {
  readonly image: TiffImage
  /** From 0. */
  readonly band: number
  readonly grid: Grid
  readonly crs: Crs
  readonly geoKeys: GeoKeyTags
  readonly nodata: number | null
}

export type SourceRasterOptions = {
  /** Instead of what the file says: `EPSG:5070` or a proj4 definition. */
  readonly crs?: string | undefined
  /** Instead of what the file says; null for none. */
  readonly nodata?: number | null | undefined
  /** From 1, as GDAL counts; needed where the file has more than one. */
  readonly band?: number | undefined
}

/**
 * Describes the first image of an open TIFF.
 * @throws a `Raster…Error` for whatever keeps it from becoming a layer; see `addLayer`
 */
export function describeSourceRaster(file: TiffFile, options: SourceRasterOptions): SourceRaster {
  const directory = file.directories[0]
  if (!directory) throw new RangeError('TiffFile holds at least one directory.')
  const image = readTiffImage(file, directory)
  requireNoMask(file)
  const band = chooseBand(image, options.band)
  const tags = readGeoKeyTags(file, directory)
  const keys = parseGeoKeys(tags)
  const grid = readGrid(image, isPixelPoint(keys))
  const crs = options.crs === undefined ? crsOfGeoKeys(keys) : parseCrs(options.crs)
  if (!crs) throw new RasterCrsMissingError(file.path)
  const geoKeys = options.crs === undefined ? asPixelArea(tags) : geoKeysOf(crs)
  return { image, band, grid, crs, geoKeys, nodata: chooseNodata(image, options.nodata) }
}

// TIFF 6.0: bit 2 of NewSubfileType marks a transparency mask. GDAL writes one for a per-dataset mask.
function requireNoMask(file: TiffFile): void {
  for (const directory of file.directories) {
    const kind = file.numbers(directory, tag.newSubfileType)?.[0] ?? 0
    if ((kind & 4) !== 0) throw new RasterMaskedError(file.path)
  }
}

function chooseBand(image: TiffImage, asked: number | undefined): number {
  const band = asked ?? (image.bands === 1 ? 1 : undefined)
  if (band === undefined || !Number.isInteger(band) || band < 1 || band > image.bands) {
    throw new RasterBandsError(image.file.path, image.bands, asked)
  }
  return band - 1
}

function chooseNodata(image: TiffImage, asked: number | null | undefined): number | null {
  if (asked === null) return null
  if (asked !== undefined) return nodataAsCell(image.cellType, asked)
  const text = image.file.text(image.directory, tag.gdalNodata)?.trim()
  if (!text) return null
  const nodata = text.toLowerCase() === 'nan' ? Number.NaN : Number(text)
  if (Number.isNaN(nodata)) return null // NaN cells are missing in any float layer, without a marker
  return nodataAsCell(image.cellType, nodata)
}

function readGeoKeyTags(file: TiffFile, directory: TiffDirectory): GeoKeyTags {
  return {
    directory: file.numbers(directory, tag.geoKeyDirectory) ?? [],
    doubles: file.numbers(directory, tag.geoDoubleParams) ?? [],
    ascii: file.text(directory, tag.geoAsciiParams) ?? '',
  }
}

// GeoTIFF 1.1 section 7.1.1: either a scale and one tie point, or an affine transformation. A tie point of the
// "cell is a point" kind names a cell's centre, half a cell from its corner; GDAL shifts it so too.
function readGrid(image: TiffImage, isPoint: boolean): Grid {
  const { file, directory } = image
  const affine = readAffine(file, directory)
  const [a, b, left, d, e, top] = affine
  if (b !== 0 || d !== 0 || !(a > 0) || !(e < 0)) throw new RasterRotatedError(file.path)
  const shift = isPoint ? 0.5 : 0
  const grid = {
    rows: image.rows,
    cols: image.cols,
    left: left - shift * a,
    top: top - shift * e,
    cellWidth: a,
    cellHeight: -e,
  }
  if (![grid.left, grid.top, grid.cellWidth, grid.cellHeight].every(Number.isFinite)) {
    throw new RasterGridMissingError(file.path, 'its origin or cell size is not a finite number')
  }
  return grid
}

// x = a * col + b * row + left, y = d * col + e * row + top.
type Affine = [a: number, b: number, left: number, d: number, e: number, top: number]

function readAffine(file: TiffFile, directory: TiffDirectory): Affine {
  const matrix = file.numbers(directory, tag.modelTransformation)
  if (matrix && matrix.length >= 16) {
    const [a, b, , left, d, e, , top] = matrix as [number, number, number, number, number, number, number, number]
    return [a, b, left, d, e, top]
  }
  const scale = file.numbers(directory, tag.modelPixelScale)
  const tie = file.numbers(directory, tag.modelTiepoint)
  if (!scale || !tie || scale.length < 2 || tie.length < 6) {
    throw new RasterGridMissingError(file.path, 'it has neither a tie point with a cell size nor a transformation')
  }
  if (tie.length > 6) throw new RasterRotatedError(file.path) // several ground control points: a warp, not a grid
  const [scaleX, scaleY] = scale as [number, number]
  const [col, row, , x, y] = tie as [number, number, number, number, number]
  return [scaleX, 0, x - col * scaleX, 0, -scaleY, y + row * scaleY]
}
