import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { LogLine } from '@headrace/wire'
import { filterLines, partsAround, withLines } from './log-book.ts'

const line = (cursor: number, more: Partial<LogLine> = {}): LogLine => ({
  cursor,
  jobId: 'a',
  attempt: 1,
  at: '2030-01-01T00:00:00Z',
  level: 'info',
  message: `line ${cursor}`,
  ...more,
})

test('a full book drops its oldest lines, and says how many', () => {
  const book = withLines({ lines: [line(1), line(2)], dropped: 0 }, [line(3), line(4)], 3)
  assert.deepEqual(
    book.lines.map((one) => one.cursor),
    [2, 3, 4],
  )
  assert.equal(book.dropped, 1)
})

test('a filter keeps a level and what is graver, a text in any case, one job and one attempt', () => {
  const lines = [
    line(1, { level: 'debug' }),
    line(2, { level: 'warn', message: 'Tile Missing' }),
    line(3, { level: 'error', jobId: 'b' }),
    line(4, { attempt: 2 }),
  ]
  const cursors = (filter: object) =>
    filterLines(lines, { level: 'debug', text: '', ...filter }).map((one) => one.cursor)
  assert.deepEqual(cursors({}), [1, 2, 3, 4])
  assert.deepEqual(cursors({ level: 'warn' }), [2, 3])
  assert.deepEqual(cursors({ text: 'missing' }), [2])
  assert.deepEqual(cursors({ jobId: 'b' }), [3])
  assert.deepEqual(cursors({ attempt: 2 }), [4])
})

test('hits are cut out where they stand, as they are written', () => {
  assert.deepEqual(partsAround('Tile of tiles', 'tile'), ['', 'Tile', ' of ', 'tile', 's'])
  assert.deepEqual(partsAround('nothing here', 'tile'), ['nothing here'])
  assert.deepEqual(partsAround('as it is', ' '), ['as it is'])
})
