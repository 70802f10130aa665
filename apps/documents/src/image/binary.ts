import type { Box } from '@headrace/wire'
import type { Raster } from './raster.ts'

/** Which pixels of a picture are ink: 1 where they are, rows from the top. */
export type Binary = { readonly data: Uint8Array; readonly width: number; readonly height: number }

/** Grey values are counted in about so many rows, all over the picture. */
const ROWS_COUNTED = 400

/** Ink by the threshold that parts the two kinds of pixels best, darker than paper. */
export function toBinary(grey: Raster): Binary {
  const { data, widthPx: width, heightPx: height } = grey
  const threshold = inkThreshold(grey)
  const ink = new Uint8Array(width * height)
  for (let at = 0; at < ink.length; at++) ink[at] = (data[at] as number) <= threshold ? 1 : 0 // within the picture
  return { data: ink, width, height }
}

/** The grey value up to which a pixel is ink, by Otsu's method; -1 where all pixels are alike. */
export function inkThreshold({ data, widthPx, heightPx }: Raster): number {
  const histogram = new Uint32Array(256)
  const every = Math.max(1, Math.floor(heightPx / ROWS_COUNTED))
  for (let row = 0; row < heightPx; row += every) {
    for (let at = row * widthPx; at < (row + 1) * widthPx; at++) {
      const value = data[at] as number // within the picture
      histogram[value] = (histogram[value] as number) + 1
    }
  }
  return otsuOf(histogram)
}

function otsuOf(histogram: Uint32Array): number {
  let [total, count] = [0, 0]
  for (let value = 0; value < 256; value++) {
    count += histogram[value] ?? 0
    total += value * (histogram[value] ?? 0)
  }
  let [best, bestAt, dark, darkSum] = [0, -1, 0, 0]
  for (let value = 0; value < 255; value++) {
    dark += histogram[value] ?? 0
    darkSum += value * (histogram[value] ?? 0)
    const light = count - dark
    if (dark === 0 || light === 0) continue
    const between = dark * light * (darkSum / dark - (total - darkSum) / light) ** 2
    if (between > best) [best, bestAt] = [between, value]
  }
  return bestAt
}

/** Of a page's rows: specks are alike all over it. */
const SPECK_ROWS_EVERY = 4

/** The share of ink that stands alone, without ink to its four sides: the specks of a bad copy. From every fourth row. */
export function speckShare(grey: Raster): number {
  const { data, widthPx: width, heightPx: height } = grey
  const threshold = inkThreshold(grey)
  const isPaper = (at: number) => (data[at] as number) > threshold
  let [ink, alone] = [0, 0]
  for (let row = 1; row < height - 1; row += SPECK_ROWS_EVERY) {
    for (let at = row * width + 1; at < (row + 1) * width - 1; at++) {
      if (isPaper(at)) continue
      ink++
      if (isPaper(at - 1) && isPaper(at + 1) && isPaper(at - width) && isPaper(at + width)) alone++
    }
  }
  return ink === 0 ? 0 : alone / ink
}

/** Of a picture: makes of a box the rows of ink that cross its middle without a gap; of one without ink there, itself. */
export function inkIn(grey: Raster): (box: Box) => Box {
  const { data, widthPx } = grey
  let threshold: number | undefined
  return (box) => {
    threshold ??= inkThreshold(grey)
    const [left, top, right, bottom] = box
    const hasInk = (row: number) =>
      data.subarray(row * widthPx + left, row * widthPx + right).some((value) => value <= (threshold as number)) // set above
    let [from, to] = [(top + bottom) >> 1, (top + bottom) >> 1]
    if (!hasInk(from)) return box
    while (from > top && hasInk(from - 1)) from--
    while (to < bottom && hasInk(to)) to++
    return [left, from, right, to]
  }
}
