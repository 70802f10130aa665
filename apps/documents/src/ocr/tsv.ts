import type { Box, DocumentWord } from '@headrace/wire'

const WORD_LEVEL = '5'

/**
 * Reads Tesseract's table of what it found: level, page, block, paragraph, line, word, left, top, width, height,
 * confidence, text.
 * @param inkOf the box of the ink at the middle of a box, which Tesseract may tell larger than it is
 * @example wordsOfTsv('5\t1\t1\t1\t1\t1\t10\t20\t30\t8\t96.2\tHello')
 */
export function wordsOfTsv(tsv: string, inkOf: (box: Box) => Box = (box) => box): DocumentWord[] {
  const words: DocumentWord[] = []
  let [line, lineKey] = [-1, '']
  for (const row of tsv.split('\n')) {
    const [level, page, block, paragraph, lineNumber, , left, top, width, height, confidence, text] = row.split('\t')
    if (level !== WORD_LEVEL || text === undefined || text.trim() === '') continue
    const key = [page, block, paragraph, lineNumber].join()
    if (key !== lineKey) [line, lineKey] = [line + 1, key]
    const [x, y] = [Number(left), Number(top)]
    words.push({
      text: text.trim(),
      box: [x, y, x + Number(width), y + Number(height)],
      confidence: Math.round(Number(confidence)),
      line,
    })
  }
  return words.map((word, index) =>
    word.text === '|' ? barOrLetter({ ...word, box: inkOf(word.box) }, words[index - 1], words[index + 1]) : word,
  )
}

/** Of a bar's height: so much below its neighbours' feet is a bar, which reaches as deep as a g. */
const BAR_DEPTH = 0.12

/**
 * Tesseract takes the I of a font without serifs for a bar, nearly every time it stands alone. The I stands on the line as
 * the words beside it do; a bar reaches below.
 */
function barOrLetter(word: DocumentWord, ...beside: readonly (DocumentWord | undefined)[]): DocumentWord {
  const neighbours = beside.filter((one) => one?.line === word.line && /^\p{L}/u.test(one.text))
  if (neighbours.length === 0) return word
  const [, top, , bottom] = word.box
  const feet = Math.min(...neighbours.map((one) => one?.box[3] ?? 0))
  return bottom <= feet + BAR_DEPTH * (bottom - top) ? { ...word, text: 'I' } : word
}
