import { promisify } from 'node:util'
import { inflate, inflateSync, zstdDecompress } from 'node:zlib'
import { RasterDamagedError } from '../errors.ts'
import { allocateCells, bytesPerCell, type Cells, cellsOfBytes } from '../raster/cell-type.ts'
import { decodeLzw } from './lzw.ts'
import { undoPredictor } from './predictor.ts'
import { tag } from './tag.ts'
import type { TiffImage } from './tiff-image.ts'

const inflateAsync = promisify(inflate)
const zstdAsync = promisify(zstdDecompress)

/** Which block: its row and column among the blocks, and its band from 0. */
export type BlockAddress = { readonly blockRow: number; readonly blockCol: number; readonly band: number }

/**
 * One block's cells of one band, `blockRows` × `blockCols` of them, row by row; a last strip has the rows that are left.
 * A block that the file leaves out (offset or length 0, GDAL's SPARSE_OK) is undefined.
 * @throws {RasterDamagedError} when the block does not decode to its size
 */
export async function readBlock(image: TiffImage, address: BlockAddress): Promise<Cells | undefined> {
  const place = placeOf(image, address)
  if (!place) return undefined
  const packed = await image.file.read(place.offset, place.length, place.what)
  try {
    return finishBlock(image, address, await unpack(image, packed, address))
  } catch (cause) {
    throw decodeError(image, place.what, cause)
  }
}

/** As `readBlock`, at once; only for deflate and no compression, which our own layers have. */
export function readBlockSync(image: TiffImage, address: BlockAddress): Cells | undefined {
  const place = placeOf(image, address)
  if (!place) return undefined
  const packed = image.file.readSync(place.offset, place.length, place.what)
  try {
    const size = packedSize(image, address)
    const bytes =
      image.compression === 1
        ? packed
        : inflateSync(packed, { maxOutputLength: size + slackBytes, chunkSize: size + 64 })
    return finishBlock(image, address, bytes)
  } catch (cause) {
    throw decodeError(image, place.what, cause)
  }
}

function decodeError(image: TiffImage, what: string, cause: unknown): RasterDamagedError {
  if (cause instanceof RasterDamagedError) return cause
  return new RasterDamagedError(image.file.path, `${what} does not decompress`, { cause })
}

function placeOf(image: TiffImage, { blockRow, blockCol, band }: BlockAddress) {
  const plane = image.isInterleaved ? 0 : band
  const index = (plane * image.blocksDown + blockRow) * image.blocksAcross + blockCol
  const offset = image.offsets[index] ?? 0
  const length = image.byteCounts[index] ?? 0
  if (offset === 0 || length === 0) return undefined
  return { offset, length, what: `${image.isTiled ? 'tile' : 'strip'} ${index}` }
}

/** Rows that a block holds: all of a tile, and what is left of the image for a last strip. */
export function rowsOfBlock(image: TiffImage, blockRow: number): number {
  return image.isTiled ? image.blockRows : Math.min(image.blockRows, image.rows - blockRow * image.blockRows)
}

// Some writers pad a block; what follows the cells is dropped, within reason.
const slackBytes = 64 * 1024

const samplesOf = (image: TiffImage): number => (image.isInterleaved ? image.bands : 1)

function bytesPerRow(image: TiffImage): number {
  return Math.ceil((image.blockCols * samplesOf(image) * image.bitsPerSample) / 8)
}

const packedSize = (image: TiffImage, address: BlockAddress): number =>
  bytesPerRow(image) * rowsOfBlock(image, address.blockRow)

async function unpack(image: TiffImage, packed: Buffer, address: BlockAddress): Promise<Uint8Array> {
  const size = packedSize(image, address)
  const limit = { maxOutputLength: size + slackBytes }
  switch (image.compression) {
    case 1:
      return packed
    case 8:
    case 32946:
      return await inflateAsync(packed, limit)
    case 50000:
      return await zstdAsync(packed, limit)
    case 5:
      return decodeLzw(packed, size)
    default:
      return await unpackByGeotiffJs(image, packed)
  }
}

// PackBits, JPEG and LERC, by geotiff.js, which is loaded only for them. The predictor is left to us (1 is none).
async function unpackByGeotiffJs(image: TiffImage, packed: Buffer): Promise<Uint8Array> {
  const { getDecoder } = await import('geotiff')
  const { file, directory } = image
  const decoder = await getDecoder(image.compression, {
    tileWidth: image.blockCols,
    tileHeight: image.blockRows,
    predictor: 1,
    bitsPerSample: image.bitsPerSample,
    planarConfiguration: image.isInterleaved ? 1 : 2,
    samplesPerPixel: samplesOf(image),
    ...(directory.has(tag.jpegTables) && { JPEGTables: file.bytes(directory, tag.jpegTables) }),
    ...(directory.has(tag.lercParameters) && { LercParameters: file.numbers(directory, tag.lercParameters) }),
  })
  const own = packed.buffer.slice(packed.byteOffset, packed.byteOffset + packed.byteLength)
  return new Uint8Array(await decoder.decode(own))
}

function finishBlock(image: TiffImage, address: BlockAddress, bytes: Uint8Array): Cells {
  const size = packedSize(image, address)
  if (bytes.length < size) {
    throw new RasterDamagedError(image.file.path, `a block holds ${bytes.length} bytes where ${size} belong`)
  }
  const rows = rowsOfBlock(image, address.blockRow)
  if (image.bitsPerSample < 8) return unpackBits(image, bytes, rows, address.band)
  const isAligned = bytes.byteOffset % bytesPerCell(image.cellType) === 0
  const exact = isAligned ? bytes.subarray(0, size) : bytes.slice(0, size)
  const decoded = undoPredictor(exact, {
    rows,
    valuesPerRow: image.blockCols * samplesOf(image),
    samples: samplesOf(image),
    bytesPerValue: bytesPerCell(image.cellType),
    predictor: image.predictor,
    isLittleEndian: image.file.isLittleEndian,
  })
  return pickBand(image, cellsOfBytes(image.cellType, decoded), address.band)
}

function pickBand(image: TiffImage, cells: Cells, band: number): Cells {
  if (!image.isInterleaved) return cells
  const picked = allocateCells(image.cellType, cells.length / image.bands)
  for (let i = 0; i < picked.length; i++) picked[i] = cells[i * image.bands + band] as number // within, by construction
  return picked
}

// TIFF 6.0: samples of 1, 2 or 4 bits, the first in the highest bits; each row starts on a byte.
function unpackBits(image: TiffImage, bytes: Uint8Array, rows: number, band: number): Cells {
  const { bitsPerSample: bits, blockCols } = image
  const cells = new Uint8Array(rows * blockCols)
  const rowBytes = bytesPerRow(image)
  const samples = samplesOf(image)
  for (let row = 0; row < rows; row++) {
    for (let col = 0; col < blockCols; col++) {
      const bitAt = (col * samples + (samples > 1 ? band : 0)) * bits
      const byte = bytes[row * rowBytes + (bitAt >> 3)] as number // within, since the size was checked
      cells[row * blockCols + col] = (byte >> (8 - bits - (bitAt & 7))) & ((1 << bits) - 1)
    }
  }
  return cells
}
