import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Line, LineSplitter } from './line-splitter.ts'

test('lines end at \\n and at \\r\\n, and an empty line is a line', () => {
  assert.deepEqual(split(['one\ntwo\r\n\nthree\n']), whole('one', 'two', '', 'three'))
})

test('a last line without a newline is a line, and no last line is none', () => {
  assert.deepEqual(split(['one\ntwo']), whole('one', 'two'))
  assert.deepEqual(split(['one\n']), whole('one'))
  assert.deepEqual(split([]), [])
})

test('a carriage return inside a line stays, as a progress bar draws itself with it', () => {
  assert.deepEqual(split(['10 %\r20 %\r\n']), whole('10 %\r20 %'))
})

test('where the bytes are cut into chunks makes no difference', () => {
  const text = 'grün\r\nblau €\n\n😀 last'
  const bytes = Buffer.from(text)
  const expected = whole('grün', 'blau €', '', '😀 last')
  for (let size = 1; size <= bytes.byteLength; size++) {
    const chunks = Array.from({ length: Math.ceil(bytes.byteLength / size) }, (_, index) =>
      bytes.subarray(index * size, (index + 1) * size),
    )
    assert.deepEqual(split(chunks), expected, `chunks of ${size} bytes`)
  }
})

test('a line over the limit comes in pieces of at most the limit, and nothing is lost', () => {
  assert.deepEqual(split(['abcdefgh', 'ij\nk\n'], 4), [
    { text: 'abcd', isCut: true },
    { text: 'efgh', isCut: true },
    { text: 'ij', isCut: false },
    { text: 'k', isCut: false },
  ])
})

test('a line of exactly the limit is whole', () => {
  assert.deepEqual(split(['ab', 'cd\n'], 4), whole('abcd'))
})

test('a long line is cut between characters, never inside one', () => {
  const text = 'ä€😀'.repeat(50)
  for (const limit of [4, 5, 6, 7, 64]) {
    const lines = split([`${text}\n`], limit)
    assert.equal(lines.map((line) => line.text).join(''), text, `limit ${limit}`)
    for (const line of lines) assert.ok(Buffer.byteLength(line.text) <= limit)
  }
})

test('bytes that are no UTF-8 are cut at the limit and shown as replacement characters', () => {
  const lines = split([Buffer.alloc(9, 0x80), '\n'], 4)
  assert.deepEqual(
    lines.map(({ text }) => text.length),
    [4, 4, 1],
  )
  assert.equal(lines[0]?.text, '\ufffd'.repeat(4))
})

function split(chunks: readonly (string | Buffer)[], lineBytesMax = 1_000): Line[] {
  const splitter = new LineSplitter(lineBytesMax)
  return [...chunks.flatMap((chunk) => splitter.push(Buffer.from(chunk))), ...splitter.end()]
}

function whole(...texts: string[]): Line[] {
  return texts.map((text) => ({ text, isCut: false }))
}
