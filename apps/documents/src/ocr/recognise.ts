import type { DocumentPage, DocumentTable, DocumentWord } from '@headrace/wire'
import { speckShare, toBinary } from '../image/binary.ts'
import { despeckled, type Raster, scaledTo, shrunkBy, timesTo, toGrey, turned } from '../image/raster.ts'
import { scaledBoxes } from '../image/scaled-boxes.ts'
import { lieOf } from '../image/skew.ts'
import { stemHeight } from '../image/stem-height.ts'
import { fillTable, type Grid } from '../table/find-tables.ts'
import { eraseRules, ruledGrids } from '../table/ruled-page.ts'

/** About, of the small copy on which a page's lie is measured. */
const LIE_LONG_SIDE_PX = 1_200
/** So much of a page's ink in single pixels is noise, not letters. */
const SPECKS_MAX = 0.04
/** Words of a page that is read upside down are guesses; below this mean confidence the other way is tried. */
const CONFIDENCE_SURE = 75
/** More than this is never needed. */
const DPI_MAX = 400
/**
 * Tesseract scales each line to 36 pixels, so larger letters only cost time; smaller ones are read worse. Stems of so many
 * pixels stand in lines of some 33.
 */
const STEM_PX = 14.5
const READING_SCALE_MIN = 0.5
/** A copy that is hardly smaller is not worth making. */
const READING_SCALE_MAX = 0.92
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
  const raster = picture.dpi > DPI_MAX ? await scaledTo(picture, 300) : picture
  const grey = await toGrey(raster)
  const { turnDegrees, straightenDegrees } = lieOf(toBinary(shrunkBy(grey, timesTo(grey, LIE_LONG_SIDE_PX))))
  const isSpeckled = speckShare(grey) > SPECKS_MAX
  const turn = (turnedDegrees: 0 | 90 | 180 | 270) =>
    turnPage({ raster, grey }, { turnedDegrees, straightenDegrees, isSpeckled })
  const likely = await turn(turnDegrees)
  const read = await readTurned(likely, likely.readingScale, readWords)
  if (isSure(read)) return read
  const onItsHead = await turn(REVERSE[turnDegrees])
  const reversed = await readTurned(onItsHead, onItsHead.readingScale, readWords)
  const better = betterOf(reversed, read)
  if (isSure(better) || likely.readingScale === 1) return better
  return betterOf(await readTurned(better === read ? likely : onItsHead, 1, readWords), better)
}

type TurnedPage = Pick<Recognised, 'turnedDegrees' | 'straightenedDegrees' | 'raster'> & {
  /** Grey, without the lines of its tables. */
  readonly letters: Raster
  readonly grids: readonly Grid[]
  readonly near: number
  /** Of the copy on which its letters are large enough, and no larger; 1: the page itself. */
  readonly readingScale: number
}

async function turnPage(
  picture: { readonly raster: Raster; readonly grey: Raster },
  how: { turnedDegrees: 0 | 90 | 180 | 270; straightenDegrees: number; isSpeckled: boolean },
): Promise<TurnedPage> {
  const { turnedDegrees, straightenDegrees, isSpeckled } = how
  const raster = await turned(await turned(picture.raster, turnedDegrees), straightenDegrees)
  const plain = raster === picture.raster ? picture.grey : await toGrey(raster)
  const grey = isSpeckled ? await despeckled(plain) : plain
  const { grids, near } = ruledGrids(grey)
  const letters = grids.length === 0 ? grey : eraseRules(grey, grids)
  const scale = Math.max(READING_SCALE_MIN, STEM_PX / (stemHeight(letters) ?? STEM_PX))
  const readingScale = scale > READING_SCALE_MAX ? 1 : scale
  return { turnedDegrees, straightenedDegrees: straightenDegrees, raster, letters, grids, near, readingScale }
}

async function readTurned(page: TurnedPage, scale: number, readWords: ReadWords): Promise<Recognised> {
  const { letters, grids, near, raster, turnedDegrees, straightenedDegrees } = page
  const copy = await scaledTo(letters, letters.dpi * scale)
  const words = scaledBoxes(await readWords(copy), letters.widthPx / copy.widthPx)
  const tables = grids.map((grid) => fillTable(grid, words, near))
  return { turnedDegrees, straightenedDegrees, words, tables, raster }
}

function isSure({ words }: Recognised): boolean {
  return meanConfidence(words) >= CONFIDENCE_SURE
}

function betterOf(one: Recognised, other: Recognised): Recognised {
  return score(one.words) > score(other.words) ? one : other
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
