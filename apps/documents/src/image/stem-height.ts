import { inkThreshold } from './binary.ts'
import type { Raster } from './raster.ts'

/** A page is looked at in so many parts, so that a footnote counts beside the text above it. */
const [BANDS, STRIPS] = [16, 4]
/** Every so many columns of pixels are enough. */
const COLUMNS_EVERY = 8
/** So much of the page is left out as too small to be letters: marks, dots, the pattern of a picture. */
const LEFT_OUT_SHARE = 0.025
/** One pixel is a speck, and what is longer than this is a drawing. */
const [RUN_MIN_PX, RUN_MAX_PX] = [2, 255]
/** Of the strokes that one crosses from top to bottom, weighted by the square of their length, so many are below a stem. */
const STEM_SHARE = 0.65

/**
 * How tall the stems of the smallest letters on an upright page are, in pixels: about half of the letters' size, as a
 * typographer says it. Undefined where there is nothing to measure.
 */
export function stemHeight(grey: Raster): number | undefined {
  const parts = runsOfParts(grey)
    .map(({ weight, weightOfLength }) => ({ weight, stem: stemOf(weightOfLength, weight) }))
    .sort((a, b) => a.stem - b.stem)
  const leftOut = LEFT_OUT_SHARE * parts.reduce((sum, { weight }) => sum + weight, 0)
  let seen = 0
  for (const { weight, stem } of parts) {
    seen += weight
    if (weight > 0 && seen > leftOut) return stem
  }
  return undefined
}

/** The strokes that are crossed, by their length in pixels. */
type Runs = { readonly weightOfLength: Float64Array; weight: number }

function runsOfParts(grey: Raster): readonly Runs[] {
  const { data, widthPx, heightPx } = grey
  const threshold = inkThreshold(grey)
  const parts = Array.from(
    { length: BANDS * STRIPS },
    (): Runs => ({ weightOfLength: new Float64Array(RUN_MAX_PX + 1), weight: 0 }),
  )
  const runs = new Uint16Array(Math.ceil(widthPx / COLUMNS_EVERY))
  for (let y = 0; y < heightPx; y++) {
    const band = Math.floor((y * BANDS) / heightPx) * STRIPS
    for (let column = 0; column < runs.length; column++) {
      const x = column * COLUMNS_EVERY
      const run = runs[column] as number // of all columns there is one
      if ((data[y * widthPx + x] as number) <= threshold) runs[column] = Math.min(run + 1, RUN_MAX_PX + 1)
      else if (run > 0) {
        runs[column] = 0
        const part = parts[band + Math.floor((x * STRIPS) / widthPx)]
        if (part && run >= RUN_MIN_PX && run <= RUN_MAX_PX) add(part, run)
      }
    }
  }
  return parts
}

function add(part: Runs, run: number): void {
  part.weightOfLength[run] = (part.weightOfLength[run] ?? 0) + run ** 2
  part.weight += run ** 2
}

function stemOf(weightOfLength: Float64Array, weight: number): number {
  let [length, shorter] = [0, weightOfLength[0] ?? 0]
  while (shorter < STEM_SHARE * weight) shorter += weightOfLength[++length] ?? 0
  return length
}
