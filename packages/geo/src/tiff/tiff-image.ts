import {
  RasterCellsUnsupportedError,
  RasterCompressionUnsupportedError,
  RasterDamagedError,
  RasterTooLargeError,
  RasterTruncatedError,
} from '../errors.ts'
import { bytesPerCell, type CellType, cellTypeOf } from '../raster/cell-type.ts'
import { tag } from './tag.ts'
import type { TiffDirectory, TiffFile } from './tiff-file.ts'

/** One image of a TIFF file: its shape and where its blocks (tiles or strips) are. */
export type TiffImage = {
  readonly file: TiffFile
  readonly directory: TiffDirectory
  readonly rows: number
  readonly cols: number
  readonly cellType: CellType
  readonly bitsPerSample: number
  readonly bands: number
  /** Whether the bands of a cell stand together in one block, instead of each band having blocks of its own. */
  readonly isInterleaved: boolean
  readonly blockRows: number
  readonly blockCols: number
  readonly blocksDown: number
  readonly blocksAcross: number
  readonly isTiled: boolean
  readonly compression: number
  readonly predictor: number
  readonly offsets: readonly number[]
  readonly byteCounts: readonly number[]
}

/** Compression methods that are read: none, LZW, JPEG, deflate (two codes), PackBits, LERC and zstd. */
const compressions = new Set([1, 5, 7, 8, 32946, 32773, 34887, 50000])

const sideMax = 4_000_000
const cellsMax = 100e9
const blocksMax = 16_000_000
const blockBytesMax = 512 * 1024 * 1024

/**
 * Reads and checks an image's directory: every block lies within the file, and no figure is absurd.
 * @throws {RasterCellsUnsupportedError | RasterCompressionUnsupportedError} for what is not read here
 * @throws {RasterTooLargeError} for more than 4 million rows or columns, 100e9 cells, 16 million blocks or 512 MiB a block
 * @throws {RasterDamagedError | RasterTruncatedError} for a directory that contradicts itself or the file's size
 */
export function readTiffImage(file: TiffFile, directory: TiffDirectory): TiffImage {
  const one = (id: number): number | undefined => file.numbers(directory, id)?.[0]
  const [rows, cols] = [one(tag.imageLength) ?? 0, one(tag.imageWidth) ?? 0]
  requireSize(file.path, rows, cols)
  const bands = one(tag.samplesPerPixel) ?? 1
  const { cellType, bitsPerSample } = readCellType(file, directory)
  const compression = one(tag.compression) ?? 1
  if (!compressions.has(compression)) throw new RasterCompressionUnsupportedError(file.path, compression)
  const shape = readBlockShape(file, directory, rows, cols)
  const isInterleaved = bands > 1 && (one(tag.planarConfiguration) ?? 1) === 1
  const blocks = shape.blocksDown * shape.blocksAcross * (isInterleaved ? 1 : bands)
  requireBlocks(
    file.path,
    blocks,
    shape.blockRows * shape.blockCols * bytesPerCell(cellType) * (isInterleaved ? bands : 1),
  )
  const places = readBlockPlaces(file, directory, { isTiled: shape.isTiled, blocks })
  const predictor = one(tag.predictor) ?? 1
  return {
    file,
    directory,
    rows,
    cols,
    cellType,
    bitsPerSample,
    bands,
    isInterleaved,
    compression,
    predictor,
    ...shape,
    ...places,
  }
}

function requireSize(path: string, rows: number, cols: number): void {
  if (rows < 1 || cols < 1) throw new RasterDamagedError(path, `it claims ${rows} rows and ${cols} columns`)
  if (rows > sideMax) throw new RasterTooLargeError(path, 'rows', rows, sideMax)
  if (cols > sideMax) throw new RasterTooLargeError(path, 'columns', cols, sideMax)
  if (rows * cols > cellsMax) throw new RasterTooLargeError(path, 'cells', rows * cols, cellsMax)
}

function requireBlocks(path: string, blocks: number, blockBytes: number): void {
  if (blocks > blocksMax) throw new RasterTooLargeError(path, 'tiles or strips', blocks, blocksMax)
  if (blockBytes > blockBytesMax)
    throw new RasterTooLargeError(path, 'bytes in one tile or strip', blockBytes, blockBytesMax)
}

function readCellType(file: TiffFile, directory: TiffDirectory): { cellType: CellType; bitsPerSample: number } {
  const bits = file.numbers(directory, tag.bitsPerSample) ?? [1]
  const formats = file.numbers(directory, tag.sampleFormat) ?? [1]
  const bitsPerSample = bits[0] ?? 1
  const format = formats[0] ?? 1
  // SampleFormat 4 is "undefined", which libtiff reads as unsigned.
  const cellType = cellTypeOf(bitsPerSample, format === 4 ? 1 : format)
  const isUniform = bits.every((other) => other === bitsPerSample) && formats.every((other) => other === format)
  if (cellType === undefined || !isUniform) {
    const kinds = new Map([
      [1, 'unsigned'],
      [2, 'signed'],
      [3, 'float'],
      [5, 'complex'],
      [6, 'complex'],
    ])
    throw new RasterCellsUnsupportedError(file.path, `${bits.join('+')} bit ${kinds.get(format) ?? `format ${format}`}`)
  }
  return { cellType, bitsPerSample }
}

type BlockShape = Pick<TiffImage, 'blockRows' | 'blockCols' | 'blocksDown' | 'blocksAcross' | 'isTiled'>

function readBlockShape(file: TiffFile, directory: TiffDirectory, rows: number, cols: number): BlockShape {
  const isTiled = directory.has(tag.tileOffsets) || directory.has(tag.tileWidth)
  const one = (id: number): number | undefined => file.numbers(directory, id)?.[0]
  const blockCols = isTiled ? (one(tag.tileWidth) ?? 0) : cols
  const blockRows = isTiled ? (one(tag.tileLength) ?? 0) : Math.min(one(tag.rowsPerStrip) ?? rows, rows)
  if (blockRows < 1 || blockCols < 1) {
    throw new RasterDamagedError(file.path, `its tiles or strips are ${blockRows} rows by ${blockCols} columns`)
  }
  return {
    isTiled,
    blockRows,
    blockCols,
    blocksDown: Math.ceil(rows / blockRows),
    blocksAcross: Math.ceil(cols / blockCols),
  }
}

function readBlockPlaces(
  file: TiffFile,
  directory: TiffDirectory,
  expected: { isTiled: boolean; blocks: number },
): Pick<TiffImage, 'offsets' | 'byteCounts'> {
  const kind = expected.isTiled ? 'tile' : 'strip'
  const offsets = file.numbers(directory, expected.isTiled ? tag.tileOffsets : tag.stripOffsets) ?? []
  const byteCounts = file.numbers(directory, expected.isTiled ? tag.tileByteCounts : tag.stripByteCounts) ?? []
  if (offsets.length < expected.blocks || byteCounts.length < expected.blocks) {
    const found = Math.min(offsets.length, byteCounts.length)
    throw new RasterDamagedError(file.path, `it lists ${found} ${kind}s and its size needs ${expected.blocks}`)
  }
  for (let i = 0; i < expected.blocks; i++) {
    const endsAt = (offsets[i] ?? 0) + (byteCounts[i] ?? 0)
    if (endsAt > file.sizeBytes) {
      throw new RasterTruncatedError(file.path, { what: `${kind} ${i}`, endsAt, sizeBytes: file.sizeBytes })
    }
  }
  return { offsets, byteCounts }
}
