// Predictors store differences, which compress better. TIFF 6.0 section 14 (2, horizontal) and Adobe's TIFF Technical Note 3
// (3, floating point: the bytes of a row by significance, highest first, then differences of bytes).

/** How the values of a block lie in its bytes. */
export type BlockLayout = {
  readonly rows: number
  readonly valuesPerRow: number
  /** Values between one value and the one it was predicted from: the bands of an interleaved block, else 1. */
  readonly samples: number
  readonly bytesPerValue: number
  /** 1 none, 2 horizontal, 3 floating point. */
  readonly predictor: number
  readonly isLittleEndian: boolean
}

/** The values' bytes, little-endian, with the differences added up; the given bytes may be changed in place. */
export function undoPredictor(bytes: Uint8Array, layout: BlockLayout): Uint8Array {
  if (layout.predictor === 3) return undoFloatPredictor(bytes, layout)
  if (!layout.isLittleEndian) swapBytes(bytes, layout.bytesPerValue)
  if (layout.predictor === 2) addUp(bytes, layout)
  return bytes
}

/** Little-endian values with predictor 2 or 3 applied, in place for 2; what `undoPredictor` undoes. */
export function applyPredictor(bytes: Uint8Array, layout: BlockLayout): Uint8Array {
  if (layout.predictor === 2) takeDifferences(bytes, layout)
  return layout.predictor === 3 ? applyFloatPredictor(bytes, layout) : bytes
}

function addUp(bytes: Uint8Array, layout: BlockLayout): void {
  const values = unsignedView(bytes, layout.bytesPerValue)
  for (let row = 0; row < layout.rows; row++) {
    const start = row * layout.valuesPerRow
    for (let i = start + layout.samples; i < start + layout.valuesPerRow; i++) {
      values[i] = (values[i] as number) + (values[i - layout.samples] as number) // wraps round, as it must
    }
  }
}

function takeDifferences(bytes: Uint8Array, layout: BlockLayout): void {
  const values = unsignedView(bytes, layout.bytesPerValue)
  for (let row = 0; row < layout.rows; row++) {
    const start = row * layout.valuesPerRow
    for (let i = start + layout.valuesPerRow - 1; i >= start + layout.samples; i--) {
      values[i] = (values[i] as number) - (values[i - layout.samples] as number)
    }
  }
}

function unsignedView(bytes: Uint8Array, bytesPerValue: number): Uint8Array | Uint16Array | Uint32Array {
  if (bytesPerValue === 1) return bytes
  if (bytes.byteOffset % bytesPerValue !== 0) throw new RangeError('The bytes of a block are not aligned.')
  const count = Math.floor(bytes.length / bytesPerValue)
  if (bytesPerValue === 2) return new Uint16Array(bytes.buffer, bytes.byteOffset, count)
  if (bytesPerValue === 4) return new Uint32Array(bytes.buffer, bytes.byteOffset, count)
  throw new RangeError(`Predictor 2 is not defined for values of ${bytesPerValue} bytes here.`)
}

function undoFloatPredictor(bytes: Uint8Array, layout: BlockLayout): Uint8Array {
  const { valuesPerRow, bytesPerValue } = layout
  const rowBytes = valuesPerRow * bytesPerValue
  const result = new Uint8Array(bytes.length)
  for (let row = 0; row < layout.rows; row++) {
    const start = row * rowBytes
    for (let i = start + layout.samples; i < start + rowBytes; i++) {
      bytes[i] = (bytes[i] as number) + (bytes[i - layout.samples] as number)
    }
    for (let value = 0; value < valuesPerRow; value++) {
      for (let byte = 0; byte < bytesPerValue; byte++) {
        // Plane 0 holds the highest bytes, which come last in a little-endian value.
        result[start + value * bytesPerValue + (bytesPerValue - 1 - byte)] = bytes[
          start + byte * valuesPerRow + value
        ] as number
      }
    }
  }
  return result
}

function applyFloatPredictor(bytes: Uint8Array, layout: BlockLayout): Uint8Array {
  const { valuesPerRow, bytesPerValue } = layout
  const rowBytes = valuesPerRow * bytesPerValue
  const result = new Uint8Array(bytes.length)
  for (let row = 0; row < layout.rows; row++) {
    const start = row * rowBytes
    for (let value = 0; value < valuesPerRow; value++) {
      for (let byte = 0; byte < bytesPerValue; byte++) {
        result[start + byte * valuesPerRow + value] = bytes[
          start + value * bytesPerValue + (bytesPerValue - 1 - byte)
        ] as number
      }
    }
    for (let i = start + rowBytes - 1; i >= start + layout.samples; i--) {
      result[i] = (result[i] as number) - (result[i - layout.samples] as number)
    }
  }
  return result
}

function swapBytes(bytes: Uint8Array, bytesPerValue: number): void {
  if (bytesPerValue === 1) return
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  if (bytesPerValue === 2) buffer.swap16()
  else if (bytesPerValue === 4) buffer.swap32()
  else buffer.swap64()
}
