import type { Raster } from './raster.ts'

/** Which pixels of a picture are ink: 1 where they are, rows from the top. */
export type Binary = { readonly data: Uint8Array; readonly width: number; readonly height: number }

/** Ink by the threshold that parts the two kinds of pixels best (Otsu's), darker than paper. */
export function toBinary({ data, widthPx: width, heightPx: height }: Raster & { readonly channels: 1 | 3 }): Binary {
  const threshold = otsuThreshold(data)
  const ink = new Uint8Array(width * height)
  for (let index = 0; index < ink.length; index++) ink[index] = (data[index] ?? 255) <= threshold ? 1 : 0
  return { data: ink, width, height }
}

/** @returns the grey value up to which a pixel is ink; -1 where all pixels are alike */
export function otsuThreshold(grey: Uint8Array): number {
  return otsuOf(histogramOf(grey, [0], grey.length))
}

function otsuOf(histogram: Float64Array): number {
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
export function speckShare({ data, widthPx: width, heightPx: height }: Raster): number {
  const rows = everyRow(SPECK_ROWS_EVERY, height)
  const threshold = otsuOf(histogramOf(data, rows, width))
  const isInk = (at: number) => (data[at] ?? 255) <= threshold
  let [ink, alone] = [0, 0]
  for (const row of rows) {
    for (let at = row * width + 1; at < (row + 1) * width - 1; at++) {
      if (!isInk(at)) continue
      ink++
      if (!isInk(at - 1) && !isInk(at + 1) && !isInk(at - width) && !isInk(at + width)) alone++
    }
  }
  return ink === 0 ? 0 : alone / ink
}

/** The grey value up to which a pixel is ink, as `otsuThreshold` says it, from every eighth row. */
export function inkThreshold({ data, widthPx, heightPx }: Raster): number {
  return otsuOf(histogramOf(data, everyRow(8, heightPx), widthPx))
}

function everyRow(step: number, height: number): number[] {
  const rows: number[] = []
  for (let row = 1; row < height - 1; row += step) rows.push(row)
  return rows
}

function histogramOf(grey: Uint8Array, rows: readonly number[], width: number): Float64Array {
  const histogram = new Float64Array(256)
  for (const row of rows) {
    for (let at = row * width; at < (row + 1) * width; at++) {
      const value = grey[at] ?? 255
      histogram[value] = (histogram[value] ?? 0) + 1
    }
  }
  return histogram
}
