// TIFF 6.0 section 13: codes of 9 to 12 bits, the first bit highest, 256 clears the table, 257 ends. The width grows one code
// early, which is TIFF's own habit.

const clearCode = 256
const endCode = 257
const codesMax = 4096

/**
 * Decodes TIFF's LZW to at most `sizeMax` bytes; what a damaged stream would add beyond that is dropped.
 * @returns what was decoded, which is shorter than `sizeMax` where the stream ends early
 * @throws {RangeError} for a code that the table does not hold
 */
export function decodeLzw(packed: Uint8Array, sizeMax: number): Uint8Array {
  const output = new Uint8Array(sizeMax)
  // Each code past 257 stands for a string that was written to the output before: where it starts, and how long it is.
  const startOf = new Int32Array(codesMax)
  const lengthOf = new Int32Array(codesMax)
  let [written, bits, bitCount, at, width, next] = [0, 0, 0, 0, 9, 258]
  let [previousStart, previousLength] = [0, 0]
  while (written < sizeMax) {
    while (bitCount < width) {
      if (at >= packed.length) return output.subarray(0, written)
      bits = ((bits << 8) | (packed[at++] as number)) & 0xffffff // never more than 11 + 8 bits are waiting
      bitCount += 8
    }
    bitCount -= width
    const code = (bits >>> bitCount) & ((1 << width) - 1)
    if (code === endCode) break
    if (code === clearCode) {
      width = 9
      next = 258
      previousLength = 0
      continue
    }
    if (code > next || (code === next && previousLength === 0))
      throw new RangeError(`LZW code ${code} is not in the table.`)
    const start = written
    if (code < 256) {
      output[written++] = code
    } else {
      const isNew = code === next // the string before with its own first byte appended
      const from = isNew ? previousStart : (startOf[code] as number)
      const length = isNew ? previousLength + 1 : (lengthOf[code] as number)
      for (let i = 0; i < length && written < sizeMax; i++) output[written++] = output[from + i] as number
    }
    if (previousLength > 0 && next < codesMax) {
      startOf[next] = previousStart
      lengthOf[next] = previousLength + 1 // its last byte is the first of the string just written, which follows it
      next++
      if (next + 1 >= 1 << width && width < 12) width++
    }
    previousStart = start
    previousLength = written - start
  }
  return output.subarray(0, written)
}
