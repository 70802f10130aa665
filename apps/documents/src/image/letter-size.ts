import { inkThreshold } from './binary.ts'
import type { Raster } from './raster.ts'

/** In pixels. */
export type LetterSize = {
  /** How tall stems are: about half of the letters' size, as a typographer says it. */
  readonly stemPx: number
  /** From the left edge of one stroke to that of the next: small where letters are narrow. */
  readonly pitchPx: number
}

/** A page is looked at in so many parts, so that a footnote counts beside the text above it. */
const [BANDS, STRIPS] = [16, 4]
/** Every so many columns of pixels, and rows, are enough. */
const [COLUMNS_EVERY, ROWS_EVERY] = [8, 4]
/** So much of the page is left out as too small to be letters: marks, dots, the pattern of a picture. */
const LEFT_OUT_SHARE = 0.025
/** One pixel is a speck, and what is longer than this is a drawing. */
const [LENGTH_MIN_PX, LENGTH_MAX_PX] = [2, 255]
/** Of the strokes that one crosses from top to bottom, weighted by the square of their length, so many are below a stem. */
const STEM_SHARE = 0.65
/** Of the pitches, so many are below the one that is told. */
const PITCH_SHARE = 0.5

/** Of the smallest letters, and of the narrowest, on an upright page. Undefined where there is nothing to measure. */
export function letterSize(grey: Raster): LetterSize | undefined {
  const threshold = inkThreshold(grey)
  const stemPx = leastOf(stemsOf(grey, threshold), STEM_SHARE)
  const pitchPx = leastOf(pitchesOf(grey, threshold), PITCH_SHARE)
  return stemPx === undefined || pitchPx === undefined ? undefined : { stemPx, pitchPx }
}

/** The lengths of one part of a page, in whole pixels, each with its weight. */
class Lengths {
  readonly #weightOf = new Float64Array(LENGTH_MAX_PX + 1)
  weight = 0

  add(length: number, weight: number): void {
    if (length < LENGTH_MIN_PX || length > LENGTH_MAX_PX) return
    this.#weightOf[length] = (this.#weightOf[length] ?? 0) + weight
    this.weight += weight
  }

  /** The length that so much of the weight does not exceed. */
  at(share: number): number {
    let [length, shorter] = [0, 0]
    while (shorter < share * this.weight) shorter += this.#weightOf[++length] ?? 0
    return length
  }
}

/** The lengths of each part, from the top, and from the left within a band. */
class Parts {
  readonly #parts = Array.from({ length: BANDS * STRIPS }, () => new Lengths())
  readonly #grey: Raster

  constructor(grey: Raster) {
    this.#grey = grey
  }

  at(x: number, y: number): Lengths {
    const { widthPx, heightPx } = this.#grey
    const part = Math.floor((y * BANDS) / heightPx) * STRIPS + Math.floor((x * STRIPS) / widthPx)
    return this.#parts[part] as Lengths // of every pixel there is one
  }

  all(): readonly Lengths[] {
    return this.#parts
  }
}

/** Of strokes that are crossed from top to bottom. */
function stemsOf(grey: Raster, threshold: number): Parts {
  const { data, widthPx, heightPx } = grey
  const parts = new Parts(grey)
  const runs = new Uint16Array(Math.ceil(widthPx / COLUMNS_EVERY))
  for (let y = 0; y < heightPx; y++) {
    for (let column = 0; column < runs.length; column++) {
      const x = column * COLUMNS_EVERY
      const run = runs[column] as number // of all columns there is one
      if ((data[y * widthPx + x] as number) <= threshold) runs[column] = Math.min(run + 1, LENGTH_MAX_PX + 1)
      else if (run > 0) {
        runs[column] = 0
        parts.at(x, y).add(run, run ** 2)
      }
    }
  }
  return parts
}

/** From stroke to stroke along the lines. */
function pitchesOf(grey: Raster, threshold: number): Parts {
  const { data, widthPx, heightPx } = grey
  const parts = new Parts(grey)
  for (let y = 0; y < heightPx; y += ROWS_EVERY) {
    let [last, wasInk] = [Number.NEGATIVE_INFINITY, false]
    for (let x = 0; x < widthPx; x++) {
      const isInk = (data[y * widthPx + x] as number) <= threshold
      if (isInk && !wasInk) {
        parts.at(x, y).add(x - last, 1)
        last = x
      }
      wasInk = isInk
    }
  }
  return parts
}

/** The smallest of all parts, but for those that are left out. */
function leastOf(parts: Parts, share: number): number | undefined {
  const sizes = parts
    .all()
    .filter(({ weight }) => weight > 0)
    .map((lengths) => ({ weight: lengths.weight, size: lengths.at(share) }))
    .sort((a, b) => a.size - b.size)
  const leftOut = LEFT_OUT_SHARE * sizes.reduce((sum, { weight }) => sum + weight, 0)
  let seen = 0
  for (const { weight, size } of sizes) {
    seen += weight
    if (seen > leftOut) return size
  }
  return undefined
}
