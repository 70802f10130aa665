import { createHash, randomUUID } from 'node:crypto'
import { rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { type Crs, projector } from '../crs/crs.ts'
import { ClassesInvalidError, LayerExistsError } from '../errors.ts'
import { extentOf, type Grid } from '../grid/grid.ts'
import { bytesOfCells, type Cells, isFloat, isMissing } from '../raster/cell-type.ts'
import { blockSide, type CogShape } from '../raster/cog-shape.ts'
import { CogWriter } from '../raster/cog-writer.ts'
import { RowReader } from '../raster/read-rows.ts'
import { describeSourceRaster, type SourceRaster } from '../raster/source-raster.ts'
import { TiffFile } from '../tiff/tiff-file.ts'
import {
  type Catalogue,
  commitManifest,
  hasLayer,
  newFileName,
  removeLeftovers,
  requireLayerName,
  syncFolder,
} from './catalogue.ts'
import type { BboxLonLat, Layer, LayerClass, LayerKind } from './layer.ts'

/** Called as work goes on, with what is done (0 to 1) and what is being done. */
export type OnProgress = (fraction: number, message: string) => void

export type AddLayerOptions = {
  /** The GeoTIFF to add. It is copied; the original is not needed afterwards. */
  readonly path: string
  readonly name: string
  /** Shown to people; the name where left out. */
  readonly title?: string | undefined
  /** `EPSG:5070` or a proj4 definition, instead of what the file says. Needed where it says nothing. */
  readonly crs?: string | undefined
  /** The value of missing cells instead of what the file says; null where every value counts. */
  readonly nodata?: number | null | undefined
  /** From 1; needed where the file has more than one. */
  readonly band?: number | undefined
  /** `categorical` where left out and the cells are integers or classes are given, else `continuous`. */
  readonly kind?: LayerKind | undefined
  readonly classes?: readonly LayerClass[] | undefined
  /** Whether its ground is invented; false where left out. */
  readonly isSynthetic?: boolean | undefined
  /** Take the place of a layer of this name, if there is one. */
  readonly replace?: boolean | undefined
  readonly signal?: AbortSignal | undefined
  readonly onProgress?: OnProgress | undefined
  /** When it is added; the present where left out. */
  readonly addedAt?: Date | undefined
}

/**
 * Adds a raster to the catalogue: checks it, rewrites it as a Cloud Optimized GeoTIFF (256 × 256 blocks, deflate, overviews by
 * mode for classes and by mean for measures) and records its manifest. It reads and writes 256 rows at a time and never holds
 * the raster. The layer appears at once and whole, or not at all, whatever happens meanwhile.
 *
 * A nodata tag that no cell can hold is read as its writer meant it where that is certain (-128 on bytes is byte 128, as in
 * the NLCD sample) and otherwise dropped. A raster without a coordinate system needs `crs`; nothing is guessed.
 *
 * @returns the layer as recorded
 * @throws {LayerNameInvalidError | LayerExistsError | ClassesInvalidError} for what was asked
 * @throws {RasterUnreadableError | RasterNotTiffError | RasterTruncatedError | RasterDamagedError} for a file that is not whole
 * @throws {RasterCrsMissingError | CrsUnknownError | RasterGridMissingError | RasterRotatedError} for one without a usable place
 * @throws {RasterBandsError | RasterMaskedError | RasterCellsUnsupportedError | RasterCompressionUnsupportedError | RasterTooLargeError}
 *   for one of a kind that is not taken
 * @throws the signal's reason, when it is aborted
 * @example await addLayer(catalogue, { path: 'nlcd_2019.tif', name: 'nlcd-2019', classes: nlcdClasses })
 */
export async function addLayer(catalogue: Catalogue, options: AddLayerOptions): Promise<Layer> {
  requireLayerName(options.name)
  const classes = checkClasses(options.classes ?? [])
  if (!options.replace && (await hasLayer(catalogue, options.name))) throw new LayerExistsError(options.name)
  options.signal?.throwIfAborted()
  await removeLeftovers(catalogue, new Date())
  using file = new TiffFile(options.path)
  const source = describeSourceRaster(file, options)
  const kind = options.kind ?? defaultKind(source, classes)
  const partial = join(catalogue.folder, `.${options.name}.${randomUUID()}.partial`)
  try {
    const written = await rewrite(source, kind, {
      path: partial,
      signal: options.signal,
      onProgress: options.onProgress,
    })
    const layer = describeLayer(source, written, { ...options, kind, classes })
    await rename(partial, join(catalogue.folder, layer.file))
    await syncFolder(catalogue.folder)
    await commitManifest(catalogue, layer)
    options.onProgress?.(1, 'added')
    return layer
  } finally {
    await rm(partial, { force: true })
  }
}

function defaultKind(source: SourceRaster, classes: readonly LayerClass[]): LayerKind {
  return classes.length > 0 || !isFloat(source.image.cellType) ? 'categorical' : 'continuous'
}

function checkClasses(classes: readonly LayerClass[]): readonly LayerClass[] {
  const seen = new Set<number>()
  for (const { value, name, color } of classes) {
    if (!Number.isInteger(value)) throw new ClassesInvalidError(`the value ${value} is not an integer`)
    if (seen.has(value)) throw new ClassesInvalidError(`the value ${value} is listed twice`)
    if (typeof name !== 'string' || name === '') throw new ClassesInvalidError(`the class ${value} has no name`)
    if (!/^#[0-9a-f]{6}$/i.test(color)) throw new ClassesInvalidError(`the class ${value} has the colour ${color}`)
    seen.add(value)
  }
  return classes.map(({ value, name, color }) => ({ value, name, color }))
}

type Written = { sizeBytes: number; sha256: string; range: Layer['range'] }

async function rewrite(
  source: SourceRaster,
  kind: LayerKind,
  to: { path: string; signal: AbortSignal | undefined; onProgress: OnProgress | undefined },
): Promise<Written> {
  const { image, grid, nodata } = source
  const reader = new RowReader(image, source.band, nodata)
  const writer = new CogWriter(to.path, shapeOf(source, kind))
  const summary = new CellSummary(source)
  try {
    for (let row = 0; row < grid.rows; row += blockSide) {
      to.signal?.throwIfAborted()
      const cells = await reader.read(row, Math.min(blockSide, grid.rows - row), to.signal)
      summary.add(cells)
      await writer.writeRows(cells, to.signal)
      to.onProgress?.((0.95 * Math.min(row + blockSide, grid.rows)) / grid.rows, 'rewriting the raster')
    }
    const { sizeBytes } = await writer.finish(to.signal)
    return { sizeBytes, ...summary.result() }
  } finally {
    await writer.discard()
  }
}

function shapeOf(source: SourceRaster, kind: LayerKind): CogShape {
  const { grid, geoKeys, nodata, image } = source
  const isMeasure = kind === 'continuous'
  // Predictor 2 is not defined for 64 bit values, and 64 bit floats have predictor 3.
  return {
    grid,
    geoKeys,
    nodata,
    cellType: image.cellType,
    overviewRule: isMeasure ? 'mean' : 'mode',
    isPredicted: isMeasure,
  }
}

/** The digest and the range of cells that come in row by row. */
class CellSummary {
  readonly #hash = createHash('sha256')
  readonly #nodata: number | null
  #min = Number.POSITIVE_INFINITY
  #max = Number.NEGATIVE_INFINITY

  constructor({ crs, grid, nodata, image }: SourceRaster) {
    this.#nodata = nodata
    const head = { crs: crs.proj4, grid, cellType: image.cellType, nodata: nodata === null ? null : String(nodata) }
    this.#hash.update(`${JSON.stringify(head)}\n`)
  }

  add(cells: Cells): void {
    this.#hash.update(bytesOfCells(cells))
    for (let i = 0; i < cells.length; i++) {
      const value = cells[i] as number // i < length
      if (isMissing(value, this.#nodata) || !Number.isFinite(value)) continue
      if (value < this.#min) this.#min = value
      if (value > this.#max) this.#max = value
    }
  }

  result(): { sha256: string; range: Layer['range'] } {
    const range = this.#min <= this.#max ? { min: this.#min, max: this.#max } : null
    return { sha256: this.#hash.digest('hex'), range }
  }
}

function describeLayer(
  source: SourceRaster,
  written: Written,
  asked: AddLayerOptions & { kind: LayerKind; classes: readonly LayerClass[] },
): Layer {
  const { crs, grid, nodata, image } = source
  return {
    name: asked.name,
    title: asked.title ?? asked.name,
    kind: asked.kind,
    crs,
    grid,
    cellType: image.cellType,
    nodata,
    classes: asked.classes,
    range: written.range,
    sha256: written.sha256,
    bboxLonLat: bboxOfGrid(crs, grid),
    isSynthetic: asked.isSynthetic ?? false,
    addedAt: (asked.addedAt ?? new Date()).toISOString(),
    file: newFileName(asked.name),
    sizeBytes: written.sizeBytes,
  }
}

const edgeSteps = 20

/** The grid's bounds in degrees. A projected grid's edges bow between its corners, so points along them are looked at too. */
export function bboxOfGrid(crs: Crs, grid: Grid): BboxLonLat {
  const { inverse } = projector(crs)
  const [left, bottom, right, top] = extentOf(grid)
  const bounds: [number, number, number, number] = [180, 90, -180, -90]
  for (let i = 0; i <= edgeSteps; i++) {
    const x = left + ((right - left) * i) / edgeSteps
    const y = bottom + ((top - bottom) * i) / edgeSteps
    for (const xy of [
      [x, bottom],
      [x, top],
      [left, y],
      [right, y],
    ] as const)
      widen(bounds, inverse(xy))
  }
  return bounds
}

function widen(bounds: [number, number, number, number], [lon, lat]: readonly [number, number]): void {
  if (!Number.isFinite(lon) || !Number.isFinite(lat)) return // a corner beyond the projection's domain
  bounds[0] = Math.min(bounds[0], lon)
  bounds[1] = Math.min(bounds[1], lat)
  bounds[2] = Math.max(bounds[2], lon)
  bounds[3] = Math.max(bounds[3], lat)
}
