import type { DocumentWord } from '@headrace/wire'

const WORD_LEVEL = '5'

/**
 * Reads Tesseract's table of what it found: level, page, block, paragraph, line, word, left, top, width, height,
 * confidence, text.
 * @example wordsOfTsv('5\t1\t1\t1\t1\t1\t10\t20\t30\t8\t96.2\tHello')
 */
export function wordsOfTsv(tsv: string): DocumentWord[] {
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
  return words
}
