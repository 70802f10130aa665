/** How one cell is stored. Cells in memory and in our files are little-endian, as every platform of Node is. */
export type CellType = 'uint8' | 'int8' | 'uint16' | 'int16' | 'uint32' | 'int32' | 'float32' | 'float64'

/** Row-major cells of one band. */
export type Cells =
  | Uint8Array
  | Int8Array
  | Uint16Array
  | Int16Array
  | Uint32Array
  | Int32Array
  | Float32Array
  | Float64Array

const cellTypes = {
  uint8: { array: Uint8Array, bits: 8, sampleFormat: 1, min: 0, max: 0xff },
  int8: { array: Int8Array, bits: 8, sampleFormat: 2, min: -0x80, max: 0x7f },
  uint16: { array: Uint16Array, bits: 16, sampleFormat: 1, min: 0, max: 0xffff },
  int16: { array: Int16Array, bits: 16, sampleFormat: 2, min: -0x8000, max: 0x7fff },
  uint32: { array: Uint32Array, bits: 32, sampleFormat: 1, min: 0, max: 0xffffffff },
  int32: { array: Int32Array, bits: 32, sampleFormat: 2, min: -0x80000000, max: 0x7fffffff },
  float32: { array: Float32Array, bits: 32, sampleFormat: 3, min: -Infinity, max: Infinity },
  float64: { array: Float64Array, bits: 64, sampleFormat: 3, min: -Infinity, max: Infinity },
} as const

/** TIFF's own words for a cell type: BitsPerSample and SampleFormat (1 unsigned, 2 signed, 3 float). */
export function tiffFormatOf(type: CellType): { bits: number; sampleFormat: number } {
  return cellTypes[type]
}

/** The cell type for TIFF's BitsPerSample and SampleFormat; undefined where we have none. Fewer than 8 bits are unpacked. */
export function cellTypeOf(bits: number, sampleFormat: number): CellType | undefined {
  if ((bits === 1 || bits === 2 || bits === 4) && sampleFormat === 1) return 'uint8'
  for (const [type, format] of Object.entries(cellTypes)) {
    if (format.bits === bits && format.sampleFormat === sampleFormat) return type as CellType // a key of cellTypes
  }
  return undefined
}

export function bytesPerCell(type: CellType): number {
  return cellTypes[type].bits / 8
}

export function isFloat(type: CellType): boolean {
  return cellTypes[type].sampleFormat === 3
}

/** `count` zeroed cells. */
export function allocateCells(type: CellType, count: number): Cells {
  return new cellTypes[type].array(count)
}

/** The same bytes seen as cells; copies only where the bytes are not aligned. */
export function cellsOfBytes(type: CellType, bytes: Uint8Array): Cells {
  const size = bytesPerCell(type)
  const aligned = bytes.byteOffset % size === 0 ? bytes : bytes.slice()
  return new cellTypes[type].array(aligned.buffer as ArrayBuffer, aligned.byteOffset, Math.floor(aligned.length / size))
}

/** The same memory seen as bytes, without a copy. */
export function bytesOfCells(cells: Cells): Uint8Array {
  return new Uint8Array(cells.buffer, cells.byteOffset, cells.byteLength)
}

/**
 * The nodata value as a cell of this type holds it, or null where no cell can hold it.
 *
 * Writers that think in signed bytes leave -128 on an unsigned raster whose missing cells are byte 128 (as the NLCD sample
 * does), so a negative value within the signed range of the same width is read as the cell with those bits. GDAL ignores
 * such a tag.
 * @example nodataAsCell('uint8', -128) // 128
 * @example nodataAsCell('uint8', -9999) // null
 */
export function nodataAsCell(type: CellType, nodata: number): number | null {
  const { bits, sampleFormat, min, max } = cellTypes[type]
  if (sampleFormat === 3) return type === 'float32' ? Math.fround(nodata) : nodata
  if (!Number.isInteger(nodata)) return null
  if (nodata >= min && nodata <= max) return nodata
  const isSignedForm = sampleFormat === 1 && nodata < 0 && nodata >= -(2 ** (bits - 1))
  return isSignedForm ? nodata + 2 ** bits : null
}

/**
 * Sets every cell that means "missing" to exactly `nodata`, in place, so that later a plain comparison finds it. Only the
 * huge float markers need it: their tag is text that was often cut to seven digits (-3.402823e+38 for -3.4028235e+38), so
 * they are compared within `markerTolerance`, as GDAL compares them within a few units in the last place.
 */
export function normaliseNodata(cells: Cells, type: CellType, nodata: number | null): void {
  if (nodata === null || !isFloat(type) || Math.abs(nodata) < markerMin) return
  const tolerance = Math.abs(nodata) * markerTolerance
  for (let i = 0; i < cells.length; i++) {
    const value = cells[i] as number // i < length
    if (value !== nodata && Math.abs(value - nodata) <= tolerance) cells[i] = nodata
  }
}

const markerMin = 1e30
const markerTolerance = 5e-7

/** Whether a cell is missing: equal to nodata, or NaN, which means missing in every float raster. */
export function isMissing(value: number, nodata: number | null): boolean {
  return value === nodata || Number.isNaN(value)
}
