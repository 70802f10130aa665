import { writeFile } from 'node:fs/promises'

/** A raster of bytes, and where it lies in EPSG:5070. */
export type ByteRaster = {
  readonly rows: number
  readonly cols: number
  /** Row by row from the north west. */
  readonly cells: Uint8Array
  readonly left: number
  readonly top: number
  readonly cellWidth: number
  readonly cellHeight: number
  readonly nodata?: number
}

const [SHORT, LONG, DOUBLE, ASCII] = [3, 4, 12, 2] as const
const BYTES_OF_TYPE = { [SHORT]: 2, [LONG]: 4, [DOUBLE]: 8, [ASCII]: 1 }
type Tag = readonly [
  id: number,
  type: typeof SHORT | typeof LONG | typeof DOUBLE | typeof ASCII,
  values: readonly number[],
]

/** Writes an uncompressed GeoTIFF of one strip (TIFF 6.0, GeoTIFF 1.1), with nothing of `@headrace/geo`. */
export async function writeTiff(path: string, raster: ByteRaster): Promise<string> {
  const { rows, cols, left, top, cellWidth, cellHeight, nodata } = raster
  const tags: Tag[] = [
    [256, LONG, [cols]],
    [257, LONG, [rows]],
    [258, SHORT, [8]], // bits per sample
    [259, SHORT, [1]], // no compression
    [262, SHORT, [1]], // black is zero
    [273, LONG, [8]], // the strip follows the header
    [277, SHORT, [1]], // samples per pixel
    [278, LONG, [rows]], // rows per strip
    [279, LONG, [rows * cols]],
    [33550, DOUBLE, [cellWidth, cellHeight, 0]],
    [33922, DOUBLE, [0, 0, 0, left, top, 0]],
    [34735, SHORT, [1, 1, 0, 3, 1024, 0, 1, 1, 1025, 0, 1, 1, 3072, 0, 1, 5070]], // projected, pixel is area, EPSG:5070
    ...(nodata === undefined ? [] : [[42113, ASCII, [...Buffer.from(`${nodata}\0`)]] as const]),
  ]
  const header = Buffer.from('II*\0\0\0\0\0', 'latin1')
  const padding = Buffer.alloc(raster.cells.length % 2)
  const directoryAt = header.length + raster.cells.length + padding.length
  header.writeUInt32LE(directoryAt, 4)
  await writeFile(path, Buffer.concat([header, raster.cells, padding, directory(tags, directoryAt)]))
  return path
}

/** An image file directory, with the values that do not fit in it behind it. */
function directory(tags: readonly Tag[], at: number): Buffer {
  const entries = Buffer.alloc(2 + 12 * tags.length + 4)
  const behind: Buffer[] = []
  let behindAt = at + entries.length
  entries.writeUInt16LE(tags.length)
  for (const [index, [id, type, values]] of tags.entries()) {
    const bytes = bytesOf(type, values)
    const entry = 2 + 12 * index
    entries.writeUInt16LE(id, entry)
    entries.writeUInt16LE(type, entry + 2)
    entries.writeUInt32LE(values.length, entry + 4)
    if (bytes.length <= 4) bytes.copy(entries, entry + 8)
    else {
      entries.writeUInt32LE(behindAt, entry + 8)
      behind.push(bytes)
      behindAt += bytes.length
    }
  }
  return Buffer.concat([entries, ...behind])
}

function bytesOf(type: Tag[1], values: readonly number[]): Buffer {
  const size = BYTES_OF_TYPE[type]
  const bytes = Buffer.alloc(values.length * size + ((values.length * size) % 2))
  for (const [index, value] of values.entries()) {
    if (type === DOUBLE) bytes.writeDoubleLE(value, index * size)
    else bytes.writeUIntLE(value, index * size, size)
  }
  return bytes
}
