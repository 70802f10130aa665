import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inkIn } from '../image/binary.ts'
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

test('a bar whose box is told too deep is measured by its ink, whatever stands above and below it', () => {
  const [widthPx, heightPx] = [8, 20]
  const data = Buffer.alloc(widthPx * heightPx, 255)
  const draw = (from: number, to: number) => {
    for (let row = from; row < to; row++) data[row * widthPx + 3] = 0
  }
  draw(0, 2)
  draw(6, 13)
  draw(17, 20)
  const inkOf = inkIn({ data, widthPx, heightPx, channels: 1, dpi: 300 })
  assert.deepEqual(inkOf([2, 1, 5, 19]), [2, 6, 5, 13])
  assert.deepEqual(inkOf([5, 1, 8, 19]), [5, 1, 8, 19])
  const rows = [rowOf(1, ['Whenever', 100, 133], 0), rowOf(1, ['|', 96, 146], 1), rowOf(1, ['find', 100, 133], 2)]
  const told = wordsOfTsv(rows.join('\n'))
  const measured = wordsOfTsv(rows.join('\n'), ([left, , right]) => [left, 100, right, 133])
  assert.deepEqual([told[1]?.text, measured[1]?.text], ['|', 'I'])
})
