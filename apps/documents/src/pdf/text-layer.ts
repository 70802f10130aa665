import type { DocumentWord } from '@headrace/wire'
import type { PDFPageProxy } from 'pdfjs-dist/legacy/build/pdf.mjs'

/** A piece of text as a PDF places it: `x` and `y` are the left end of its baseline, in the page's pixels from the top. */
type Piece = {
  readonly text: string
  readonly x: number
  readonly y: number
  readonly width: number
  readonly height: number
  readonly isUpright: boolean
  readonly box: DocumentWord['box']
}

/** Of a letter's height: below the baseline, and a gap that parts two words. */
const DESCENT = 0.22
const ASCENT = 0.95
const GAP_MIN = 0.18

/**
 * The words that a page itself says, in the order in which it says them.
 * @param scale pixels per point
 */
export async function textLayerOf(page: PDFPageProxy, scale: number): Promise<DocumentWord[]> {
  const { transform } = page.getViewport({ scale })
  const { items } = await page.getTextContent({ includeMarkedContent: false })
  const pieces = items.flatMap((item) => ('str' in item ? [placed(item, transform as unknown as Matrix, scale)] : []))
  return toWords(pieces)
}

/** Whether a text layer is worth its name: some are made of codes that no font explains. */
export function isReadable(words: readonly DocumentWord[]): boolean {
  const text = words.map((word) => word.text).join('')
  if (text.length === 0) return false
  const odd = [...text].filter((character) => /[\p{Co}\p{Cn}\p{Cc}\ufffd]/u.test(character)).length
  return odd / text.length < 0.1
}

type Matrix = readonly [number, number, number, number, number, number]
type Item = { readonly str: string; readonly transform: readonly number[]; readonly width: number }

function placed({ str, transform, width }: Item, viewport: Matrix, scale: number): Piece {
  const [a, b, c, d, e, f] = multiply(viewport, transform as unknown as Matrix) // sound: pdf.js gives six numbers
  const [height, along] = [Math.hypot(c, d), Math.hypot(a, b) || 1]
  const [alongX, alongY] = [a / along, b / along]
  const [upX, upY] = [c / (height || 1), d / (height || 1)]
  const corners = [0, width * scale].flatMap((forward) =>
    [-DESCENT * height, ASCENT * height].map((up) => [
      e + alongX * forward + upX * up,
      f + alongY * forward + upY * up,
    ]),
  )
  const [xs, ys] = [corners.map(([x]) => x ?? 0), corners.map(([, y]) => y ?? 0)]
  return {
    text: str,
    x: e,
    y: f,
    width: width * scale,
    height,
    isUpright: alongX > 0.98,
    box: [Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys)],
  }
}

function multiply([a, b, c, d, e, f]: Matrix, [g, h, i, j, k, l]: Matrix): Matrix {
  return [a * g + c * h, b * g + d * h, a * i + c * j, b * i + d * j, a * k + c * l + e, b * k + d * l + f]
}

function toWords(pieces: readonly Piece[]): DocumentWord[] {
  const words: DocumentWord[] = []
  let line = -1
  let last: Piece | undefined
  let isOpen = false // whether the next letters may belong to the last word
  for (const piece of pieces) {
    if (piece.text === '') continue
    if (last === undefined || !isSameLine(last, piece)) [line, isOpen] = [line + 1, false]
    else if (piece.x - (last.x + last.width) > GAP_MIN * piece.height) isOpen = false
    for (const { text, from, to } of partsOf(piece.text)) {
      if (text === '') isOpen = false
      else {
        const box = partOfBox(piece, from, to)
        const open = isOpen ? words.pop() : undefined
        words.push(
          open ? { ...open, text: open.text + text, box: around(open.box, box) } : { text, box, confidence: 100, line },
        )
        isOpen = true
      }
    }
    if (piece.text.trim() !== '') last = piece
  }
  return words.map((word) => ({ ...word, box: word.box.map(Math.round) as unknown as DocumentWord['box'] })) // four numbers stay four
}

function isSameLine(before: Piece, next: Piece): boolean {
  if (!before.isUpright || !next.isUpright)
    return before.isUpright === next.isUpright && Math.abs(before.x - next.x) < before.height / 2
  const isLevel = Math.abs(before.y - next.y) < 0.5 * Math.max(before.height, next.height, 1)
  return isLevel && next.x > before.x - before.height
}

/** Words and the spaces between them (as `''`), with the share of the piece's length where each begins and ends. */
function partsOf(text: string): { readonly text: string; readonly from: number; readonly to: number }[] {
  return [...text.matchAll(/\s+|\S+/g)].map(({ 0: part, index }) => ({
    text: part.trim(),
    from: index / text.length,
    to: (index + part.length) / text.length,
  }))
}

/** Letters of a piece are taken to be equally wide: a PDF says only how long the whole is. */
function partOfBox(
  { box: [left, top, right, bottom], isUpright }: Piece,
  from: number,
  to: number,
): DocumentWord['box'] {
  if (!isUpright) return [left, top + (bottom - top) * from, right, top + (bottom - top) * to]
  return [left + (right - left) * from, top, left + (right - left) * to, bottom]
}

function around([left, top, right, bottom]: DocumentWord['box'], other: DocumentWord['box']): DocumentWord['box'] {
  return [Math.min(left, other[0]), Math.min(top, other[1]), Math.max(right, other[2]), Math.max(bottom, other[3])]
}
