import type { GeoKeyTags } from '../crs/geo-keys.ts'
import { fieldTypeBytes, tag } from '../tiff/tag.ts'
import { tiffFormatOf } from './cell-type.ts'
import { blockSide, type CogLevel, type CogShape, predictorOf } from './cog-shape.ts'

// A COG (GDAL's "Cloud Optimized GeoTIFF" page, OGC 21-026) starts with its header, GDAL's structural metadata, then every
// directory from the full resolution to the coarsest, each followed by its values; then the blocks, the coarsest level first.

/** Past this many bytes a file needs BigTIFF's 64 bit offsets; classic TIFF ends at 4 GiB. */
const classicBytesMax = 4_000_000_000

const short = 3
const long = 4
const double = 12
const ascii = 2
const long8 = 16

type Field = { id: number; type: number; values: readonly number[] | string }

/** The bytes that precede the blocks. Levels come finest first; their blocks are to follow coarsest first. */
export function layOutCog(shape: CogShape, levels: readonly CogLevel[]): Buffer {
  const dataBytes = levels.reduce((sum, level) => sum + sumOf(level.blockBytes), 0)
  const tableBytes = levels.reduce((sum, level) => sum + 16 * level.blockBytes.length, 0)
  const isBig = dataBytes + tableBytes + 64 * 1024 > classicBytesMax
  // Offsets depend on the head's length, which does not depend on them: lay out once with zeros to learn it.
  const headBytes = writeHead(shape, levels, { isBig, dataAt: 0 }).length
  return writeHead(shape, levels, { isBig, dataAt: headBytes })
}

function writeHead(
  shape: CogShape,
  levels: readonly CogLevel[],
  { isBig, dataAt }: { isBig: boolean; dataAt: number },
): Buffer {
  const header = Buffer.concat([headerOf(isBig), structuralMetadata])
  const padding = Buffer.alloc(-header.length & 15)
  const parts: Buffer[] = [header, padding]
  let position = header.length + padding.length
  header.writeUInt32LE(position, isBig ? 8 : 4)
  const starts = levelStarts(levels, dataAt)
  for (const [index, level] of levels.entries()) {
    const fields = fieldsOf(shape, level, { isOverview: index > 0, blocksAt: starts[index] ?? 0, isBig })
    const directory = writeDirectory(fields, { at: position, isBig, isLast: index === levels.length - 1 })
    parts.push(directory)
    position += directory.length
  }
  return Buffer.concat(parts)
}

function headerOf(isBig: boolean): Buffer {
  const header = Buffer.alloc(isBig ? 16 : 8)
  header.write('II', 'latin1')
  header.writeUInt16LE(isBig ? 43 : 42, 2)
  if (isBig) header.writeUInt16LE(8, 4)
  return header
}

// What GDAL's COG driver leaves for readers that fetch only the start of a file; the length counts what follows the first line.
const layoutLines = 'LAYOUT=IFDS_BEFORE_DATA\nBLOCK_ORDER=ROW_MAJOR\nKNOWN_INCOMPATIBLE_EDITION=NO\n '
const structuralMetadata = Buffer.from(
  `GDAL_STRUCTURAL_METADATA_SIZE=${String(layoutLines.length).padStart(6, '0')} bytes\n${layoutLines}`,
  'latin1',
)

function levelStarts(levels: readonly CogLevel[], dataAt: number): number[] {
  const starts: number[] = []
  let position = dataAt
  for (let index = levels.length - 1; index >= 0; index--) {
    starts[index] = position
    position += sumOf(levels[index]?.blockBytes ?? [])
  }
  return starts
}

function fieldsOf(
  shape: CogShape,
  level: CogLevel,
  place: { isOverview: boolean; blocksAt: number; isBig: boolean },
): Field[] {
  const { bits, sampleFormat } = tiffFormatOf(shape.cellType)
  const predictor = predictorOf(shape)
  const fields: Field[] = [
    { id: tag.newSubfileType, type: long, values: [place.isOverview ? 1 : 0] },
    { id: tag.imageWidth, type: long, values: [level.cols] },
    { id: tag.imageLength, type: long, values: [level.rows] },
    { id: tag.bitsPerSample, type: short, values: [bits] },
    { id: tag.compression, type: short, values: [8] },
    { id: tag.photometricInterpretation, type: short, values: [1] },
    { id: tag.samplesPerPixel, type: short, values: [1] },
    { id: tag.planarConfiguration, type: short, values: [1] },
    ...(predictor === 1 ? [] : [{ id: tag.predictor, type: short, values: [predictor] }]),
    { id: tag.tileWidth, type: short, values: [blockSide] },
    { id: tag.tileLength, type: short, values: [blockSide] },
    { id: tag.tileOffsets, type: place.isBig ? long8 : long, values: offsetsOf(level, place.blocksAt) },
    { id: tag.tileByteCounts, type: long, values: level.blockBytes },
    { id: tag.sampleFormat, type: short, values: [sampleFormat] },
    ...(place.isOverview ? [] : placeFields(shape)),
    ...(shape.nodata === null ? [] : [{ id: tag.gdalNodata, type: ascii, values: String(shape.nodata) }]),
  ]
  return fields
}

function placeFields({ grid, geoKeys }: CogShape): Field[] {
  return [
    { id: tag.modelPixelScale, type: double, values: [grid.cellWidth, grid.cellHeight, 0] },
    { id: tag.modelTiepoint, type: double, values: [0, 0, 0, grid.left, grid.top, 0] },
    ...geoKeyFields(geoKeys),
  ]
}

function geoKeyFields(keys: GeoKeyTags): Field[] {
  return [
    { id: tag.geoKeyDirectory, type: short, values: keys.directory },
    ...(keys.doubles.length === 0 ? [] : [{ id: tag.geoDoubleParams, type: double, values: keys.doubles }]),
    ...(keys.ascii === '' ? [] : [{ id: tag.geoAsciiParams, type: ascii, values: keys.ascii }]),
  ]
}

function offsetsOf(level: CogLevel, start: number): number[] {
  const offsets: number[] = []
  let position = start
  for (const bytes of level.blockBytes) {
    offsets.push(position)
    position += bytes
  }
  return offsets
}

function writeDirectory(
  fields: readonly Field[],
  { at, isBig, isLast }: { at: number; isBig: boolean; isLast: boolean },
): Buffer {
  const [countBytes, entryBytes, pointerBytes] = isBig ? [8, 20, 8] : [2, 12, 4]
  const entries = Buffer.alloc(countBytes + fields.length * entryBytes + pointerBytes)
  entries.writeUInt16LE(fields.length, 0)
  const values: Buffer[] = []
  let valuesAt = at + entries.length
  for (const [index, field] of fields.entries()) {
    const bytes = valueBytes(field)
    const entryAt = countBytes + index * entryBytes
    const count = typeof field.values === 'string' ? bytes.length : field.values.length
    entries.writeUInt16LE(field.id, entryAt)
    entries.writeUInt16LE(field.type, entryAt + 2)
    writePointer(entries, count, entryAt + 4, isBig)
    const valueAt = entryAt + (isBig ? 12 : 8)
    if (bytes.length <= pointerBytes) {
      bytes.copy(entries, valueAt)
      continue
    }
    writePointer(entries, valuesAt, valueAt, isBig)
    const padded = Buffer.concat([bytes, Buffer.alloc(-bytes.length & 7)])
    values.push(padded)
    valuesAt += padded.length
  }
  const end = valuesAt + (-valuesAt & 15)
  writePointer(entries, isLast ? 0 : end, entries.length - pointerBytes, isBig)
  return Buffer.concat([entries, ...values, Buffer.alloc(end - valuesAt)])
}

function writePointer(buffer: Buffer, value: number, at: number, isBig: boolean): void {
  if (isBig) buffer.writeBigUInt64LE(BigInt(value), at)
  else buffer.writeUInt32LE(value, at)
}

function valueBytes({ type, values }: Field): Buffer {
  if (typeof values === 'string') return Buffer.from(`${values}\0`, 'latin1')
  const size = fieldTypeBytes[type] ?? 1
  const bytes = Buffer.alloc(values.length * size)
  for (const [i, value] of values.entries()) {
    if (type === short) bytes.writeUInt16LE(value, i * size)
    else if (type === long) bytes.writeUInt32LE(value, i * size)
    else if (type === long8) bytes.writeBigUInt64LE(BigInt(value), i * size)
    else bytes.writeDoubleLE(value, i * size)
  }
  return bytes
}

function sumOf(figures: readonly number[]): number {
  let sum = 0
  for (const figure of figures) sum += figure
  return sum
}
