import type { DocumentPage, DocumentTable, DocumentWord } from '@headrace/wire'
import { speckShare, toBinary } from '../image/binary.ts'
import { letterSize } from '../image/letter-size.ts'
import { despeckled, type Raster, resized, scaledTo, shrunkTo, toGrey, turned } from '../image/raster.ts'
import { type Scale, scaledBoxes } from '../image/scaled-boxes.ts'
import { lieOf } from '../image/skew.ts'
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
 * Tesseract scales each line to 36 pixels, and its network goes along it pixel by pixel: taller letters only cost time, and wider
 * ones, too. Smaller ones are read worse. A copy is read on which the stems of the smallest letters are so tall, and strokes
 * so far from one another, which is little more than in a narrow face; docs/decisions/0038 says what was measured.
 */
const [STEM_PX, PITCH_PX] = [18, 9.5]
const READING_SCALE_MIN = 0.5
/** Of the height's scale: letters are not narrowed further. */
const NARROWED_MIN = 0.8
/** A copy that is hardly smaller is not worth making. */
const READING_SCALE_MAX = 0.92
const AS_IT_IS: Scale = { x: 1, y: 1 }
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
  const { turnDegrees, straightenDegrees } = lieOf(toBinary(shrunkTo(grey, LIE_LONG_SIDE_PX).small))
  const isSpeckled = speckShare(grey) > SPECKS_MAX
  const turn = (turnedDegrees: 0 | 90 | 180 | 270) =>
    turnPage({ raster, grey }, { turnedDegrees, straightenDegrees, isSpeckled })
  const likely = await turn(turnDegrees)
  const read = await readTurned(likely, likely.readingScale, readWords)
  if (isSure(read)) return read
  const onItsHead = await turn(REVERSE[turnDegrees])
  const reversed = await readTurned(onItsHead, onItsHead.readingScale, readWords)
  const better = betterOf(reversed, read)
  if (isSure(better) || likely.readingScale.x === 1) return better
  return betterOf(await readTurned(better === read ? likely : onItsHead, AS_IT_IS, readWords), better)
}

type TurnedPage = Pick<Recognised, 'turnedDegrees' | 'straightenedDegrees' | 'raster'> & {
  /** Grey, without the lines of its tables. */
  readonly letters: Raster
  readonly grids: readonly Grid[]
  readonly near: number
  /** Of the copy on which its letters are large enough, and no larger. */
  readonly readingScale: Scale
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
  const readingScale = readingScaleOf(letters)
  return { turnedDegrees, straightenedDegrees: straightenDegrees, raster, letters, grids, near, readingScale }
}

function readingScaleOf(letters: Raster): Scale {
  const size = letterSize(letters)
  if (size === undefined) return AS_IT_IS
  const worthwhile = (scale: number) => (scale > READING_SCALE_MAX ? 1 : scale)
  const y = worthwhile(Math.max(READING_SCALE_MIN, STEM_PX / size.stemPx))
  const narrowed = worthwhile(Math.max(NARROWED_MIN, PITCH_PX / (size.pitchPx * y)))
  return { x: y * narrowed, y }
}

async function readTurned(page: TurnedPage, { x, y }: Scale, readWords: ReadWords): Promise<Recognised> {
  const { letters, grids, near, raster, turnedDegrees, straightenedDegrees } = page
  const copy = await resized(letters, { widthPx: letters.widthPx * x, heightPx: letters.heightPx * y })
  const back = { x: letters.widthPx / copy.widthPx, y: letters.heightPx / copy.heightPx }
  const words = scaledBoxes(await readWords(copy), back)
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
