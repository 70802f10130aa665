import assert from 'node:assert/strict'
import { test } from 'node:test'
import { recordingTerminal } from '../testing/recording-terminal.ts'
import { liveLines } from './live-lines.ts'

test('on a terminal the lines are drawn in place of the ones before', () => {
  const terminal = recordingTerminal({ isLive: true })
  const lines = liveLines(terminal)
  lines.show(['one', 'two'])
  lines.show(['three'])
  assert.deepEqual(terminal.said, ['one\u001b[K\ntwo\u001b[K\n\u001b[J', '\u001b[2Athree\u001b[K\n\u001b[J'])
})

test('a line never wraps, for the next drawing would begin in the wrong place', () => {
  const terminal = recordingTerminal({ isLive: true, liveColumns: 10 })
  liveLines(terminal).show(['0123456789abc'])
  assert.deepEqual(terminal.said, ['012345678\u001b[K\n\u001b[J'])
})

test('colours take no room, and are not cut off', () => {
  const terminal = recordingTerminal({ isLive: true, liveColumns: 5 })
  liveLines(terminal).show(['ab\u001b[31mcdef\u001b[39m'])
  assert.deepEqual(terminal.said, ['ab\u001b[31mcd\u001b[39m\u001b[K\n\u001b[J'])
})

test('what is shown after the end is not', () => {
  for (const isLive of [true, false]) {
    const terminal = recordingTerminal({ isLive })
    const lines = liveLines(terminal)
    lines.end()
    lines.show(['late'])
    assert.deepEqual(terminal.said, [])
  }
})

test('elsewhere the first line is written when it has changed, every two seconds at most, and the last one in any case', () => {
  let now = 0
  const terminal = recordingTerminal()
  const lines = liveLines(terminal, () => now)
  for (const [at, line] of [
    [0, 'a'],
    [100, 'a'],
    [500, 'b'],
    [1_900, 'c'],
    [2_000, 'd'],
    [2_500, 'e'],
  ] as const) {
    now = at
    lines.show([line, 'detail'])
  }
  lines.end()
  assert.deepEqual(terminal.said, ['a', 'd', 'e'])
})
