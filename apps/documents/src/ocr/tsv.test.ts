import assert from 'node:assert/strict'
import { test } from 'node:test'
import { wordsOfTsv } from './tsv.ts'

const rowOf = (line: number, [text, top, bottom]: readonly [string, number, number], word: number) =>
  `5\t1\t1\t1\t${line}\t${word}\t${word * 50}\t${top}\t40\t${bottom - top}\t96.2\t${text}`

/** Words of one line, each with its top and its bottom. */
function read(...words: readonly (readonly [string, number, number])[]): string {
  return wordsOfTsv(words.map((word, index) => rowOf(1, word, index)).join('\n'))
    .map(({ text }) => text)
    .join(' ')
}

test('a bar that stands on the line as its neighbours do is an I, and one that reaches below them stays a bar', () => {
  assert.equal(read(['thought', 100, 140], ['|', 100, 133], ['would', 100, 133]), 'thought I would')
  assert.equal(read(['|', 100, 133], ['account', 105, 133]), 'I account')
  assert.equal(read(['Home', 100, 133], ['|', 100, 142], ['About', 100, 133]), 'Home | About')
  assert.equal(read(['12', 100, 133], ['|', 100, 133], ['7', 100, 133]), '12 | 7')
  assert.equal(read(['|', 100, 133]), '|')
})
