import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { DocumentPage } from '@headrace/wire'
import { findHits, indexOf } from './search-page.ts'

function pageOf(text: string, { hasWords = true } = {}): DocumentPage {
  const words = hasWords
    ? text.split(/\s+/).map((text, line) => ({ text, line, confidence: 90, box: [0, 0, 1, 1] as const }))
    : []
  return { number: 3, source: 'ocr', text, turnedDegrees: 0, straightenedDegrees: 0, words, tables: [], markdown: text }
}

test('a phrase is found over the ends of lines, without regard to case and accents', () => {
  const index = indexOf(pageOf('The Größe of the\nmill wheel, the MILL   wheel'))
  assert.deepEqual(findHits(index, ' grosse'), [])
  assert.deepEqual(findHits(index, 'große'), [{ page: 3, from: 1, to: 2 }])
  assert.deepEqual(findHits(index, 'groß'), [{ page: 3, from: 1, to: 2 }])
  assert.deepEqual(findHits(index, 'the  mill'), [
    { page: 3, from: 3, to: 5 },
    { page: 3, from: 6, to: 8 },
  ])
})

test('a part of a word is found, and an empty query finds nothing', () => {
  const index = indexOf(pageOf('Penstock and surge tank'))
  assert.deepEqual(findHits(index, 'stock and s'), [{ page: 3, from: 0, to: 3 }])
  assert.deepEqual(findHits(index, '  '), [])
})

test('a page without words is searched in its text, and hits are letters of it', () => {
  const text = 'Crème brûlée,\ncreme again'
  const index = indexOf(pageOf(text, { hasWords: false }))
  assert.deepEqual(
    findHits(index, 'CREME').map(({ from, to }) => text.slice(from, to)),
    ['Crème', 'creme'],
  )
})
