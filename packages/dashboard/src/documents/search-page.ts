import type { DocumentPage } from '@headrace/wire'

/** What is searched of a page, as small as can be: a document may have thousands. */
export type PageIndex = {
  readonly number: number
  readonly text: string
  /** Where each word begins in `text`; empty for a page without words, whose text is searched by itself. */
  readonly starts: Uint32Array
}

/** Words `from` up to and without `to`; of a page without words, letters of its text. */
export type Hit = { readonly page: number; readonly from: number; readonly to: number }

export function indexOf(page: DocumentPage): PageIndex {
  const { number, words } = page
  if (words.length === 0) return { number, text: foldLetters(page.text), starts: new Uint32Array() }
  const starts = new Uint32Array(words.length)
  let text = ''
  for (const [index, word] of words.entries()) {
    starts[index] = text.length
    text += `${fold(word.text)} `
  }
  return { number, text, starts }
}

/** Where a page has the query: without regard to case and accents, over the ends of lines. */
export function findHits({ number, text, starts }: PageIndex, query: string): Hit[] {
  const wanted = (starts.length === 0 ? foldLetters(query) : fold(query)).trim().replace(/\s+/g, ' ')
  if (wanted === '') return []
  const hits: Hit[] = []
  for (let at = text.indexOf(wanted); at >= 0; at = text.indexOf(wanted, at + wanted.length)) {
    const end = at + wanted.length
    if (starts.length === 0) hits.push({ page: number, from: at, to: end })
    else hits.push({ page: number, from: wordAt(starts, at), to: wordAt(starts, end - 1) + 1 })
  }
  return hits
}

function fold(text: string): string {
  return text.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase()
}

/** Letter by letter, so that places in it are places in the text itself. */
function foldLetters(text: string): string {
  return text
    .replace(/\s/g, ' ')
    .replace(/[^ -~]/g, (letter) => fold(letter)[0] ?? letter)
    .toLowerCase()
}

/** The last word that begins at or before a place. */
function wordAt(starts: Uint32Array, place: number): number {
  let [low, high] = [0, starts.length - 1]
  while (low < high) {
    const middle = (low + high + 1) >> 1
    if ((starts[middle] ?? 0) <= place) low = middle
    else high = middle - 1
  }
  return low
}
