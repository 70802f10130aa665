import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseByteRange } from './byte-range.ts'

test('a range is read with its end left out, clamped to the size', () => {
  assert.deepEqual(parseByteRange('bytes=0-4', 10), { start: 0, end: 5 })
  assert.deepEqual(parseByteRange('bytes=4-', 10), { start: 4, end: 10 })
  assert.deepEqual(parseByteRange('bytes=-3', 10), { start: 7, end: 10 })
  assert.deepEqual(parseByteRange('bytes=-30', 10), { start: 0, end: 10 })
  assert.deepEqual(parseByteRange('bytes=5-500', 10), { start: 5, end: 10 })
})

test('a range beyond the end cannot be satisfied', () => {
  assert.equal(parseByteRange('bytes=10-', 10), 'unsatisfiable')
  assert.equal(parseByteRange('bytes=-0', 10), 'unsatisfiable')
  assert.equal(parseByteRange('bytes=0-', 0), 'unsatisfiable')
})

test('no range, several, another unit and a reversed one mean the whole', () => {
  for (const header of [undefined, 'bytes=0-1,3-4', 'lines=0-1', 'bytes=4-2', 'bytes=-', 'bytes=a-b']) {
    assert.equal(parseByteRange(header, 10), 'whole')
  }
})
