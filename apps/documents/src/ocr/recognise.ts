import type { DocumentPage, DocumentTable, DocumentWord } from '@headrace/wire'
import { speckShare, toBinary } from '../image/binary.ts'
import { despeckled, type Raster, scaledTo, shrunkBy, timesTo, toGrey, turned } from '../image/raster.ts'
import { lieOf } from '../image/skew.ts'
import { fillTable } from '../table/find-tables.ts'
import { eraseRules, ruledGrids } from '../table/ruled-page.ts'

/** About, of the small copy on which a page's lie is measured. */
const LIE_LONG_SIDE_PX = 1_200
/** So much of a page's ink in single pixels is noise, not letters. */
const SPECKS_MAX = 0.04
/** Words of a page that is read upside down are guesses; below this mean confidence the other way is tried. */
const CONFIDENCE_SURE = 75
/** Tesseract is trained on letters as they are at this resolution; more only costs time. */
const OCR_DPI_MAX = 400
const REVERSE = { 0: 180, 90: 270, 270: 90 } as const

export type Recognised = Pick<DocumentPage, 'turnedDegrees' | 'straightenedDegrees'> & {
  readonly words: readonly DocumentWord[]
  readonly tables: readonly DocumentTable[]
  /** The page upright and straight, in its colours; boxes are in its pixels. */
  readonly raster: Raster
}

export type ReadWords = (grey: Raster) => Promise<DocumentWord[]>

/** Reads a picture of a page: turns it upright, straightens it, removes specks and the lines of tables, then its words. */
export async function recognise(picture: Raster, readWords: ReadWords): Promise<Recognised> {
  const raster = picture.dpi > OCR_DPI_MAX ? await scaledTo(picture, 300) : picture
  const grey = await toGrey(raster)
  const { turnDegrees, straightenDegrees } = lieOf(toBinary(shrunkBy(grey, timesTo(grey, LIE_LONG_SIDE_PX))))
  const isSpeckled = speckShare(grey) > SPECKS_MAX
  const readAt = (turnedDegrees: 0 | 90 | 180 | 270) =>
    readTurned({ raster, grey }, { turnedDegrees, straightenDegrees, isSpeckled, readWords })
  const read = await readAt(turnDegrees)
  if (meanConfidence(read.words) >= CONFIDENCE_SURE) return read
  const reversed = await readAt(REVERSE[turnDegrees])
  return score(reversed.words) > score(read.words) ? reversed : read
}

async function readTurned(
  picture: { readonly raster: Raster; readonly grey: Raster },
  how: { turnedDegrees: 0 | 90 | 180 | 270; straightenDegrees: number; isSpeckled: boolean; readWords: ReadWords },
): Promise<Recognised> {
  const { turnedDegrees, straightenDegrees, isSpeckled, readWords } = how
  const raster = await turned(await turned(picture.raster, turnedDegrees), straightenDegrees)
  const plain = raster === picture.raster ? picture.grey : await toGrey(raster)
  const grey = isSpeckled ? await despeckled(plain) : plain
  const { grids, near } = ruledGrids(grey)
  const words = await readWords(grids.length === 0 ? grey : eraseRules(grey, grids))
  const tables = grids.map((grid) => fillTable(grid, words, near))
  return { turnedDegrees, straightenedDegrees: straightenDegrees, words, tables, raster }
}

/** Weighted by length: a long word read for sure says more than a dash. 0 where there is no word. */
export function meanConfidence(words: readonly DocumentWord[]): number {
  const letters = words.reduce((sum, { text }) => sum + text.length, 0)
  return letters === 0 ? 0 : words.reduce((sum, { text, confidence }) => sum + text.length * confidence, 0) / letters
}

/** How much was read for sure: letters by how far their confidence is above a guess's. */
function score(words: readonly DocumentWord[]): number {
  return words.reduce((sum, { text, confidence }) => sum + text.length * Math.max(0, confidence - 40), 0)
}
