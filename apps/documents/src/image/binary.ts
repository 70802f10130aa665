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
  const histogram = new Float64Array(256)
  for (const value of grey) histogram[value] = (histogram[value] ?? 0) + 1
  let total = 0
  for (let value = 0; value < 256; value++) total += value * (histogram[value] ?? 0)
  let [best, bestAt, dark, darkSum] = [0, -1, 0, 0]
  for (let value = 0; value < 255; value++) {
    dark += histogram[value] ?? 0
    darkSum += value * (histogram[value] ?? 0)
    const light = grey.length - dark
    if (dark === 0 || light === 0) continue
    const between = dark * light * (darkSum / dark - (total - darkSum) / light) ** 2
    if (between > best) [best, bestAt] = [between, value]
  }
  return bestAt
}

/** The share of ink that stands alone, without ink to its four sides: the specks of a bad copy. */
export function speckShare({ data, width, height }: Binary): number {
  let [ink, alone] = [0, 0]
  for (let row = 1; row < height - 1; row++) {
    for (let at = row * width + 1; at < (row + 1) * width - 1; at++) {
      if (data[at] === 0) continue
      ink++
      if (!data[at - 1] && !data[at + 1] && !data[at - width] && !data[at + width]) alone++
    }
  }
  return ink === 0 ? 0 : alone / ink
}
