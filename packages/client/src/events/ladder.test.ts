import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ManualClock } from '../testing/manual-clock.ts'
import { createLadder } from './ladder.ts'

test('two failures in a row lead one rung down, to the last rung at most', () => {
  const ladder = createLadder(new ManualClock())
  const rungs = [1, 2, 3, 4, 5, 6].map(() => {
    ladder.failed()
    return ladder.rung()
  })
  assert.deepEqual(rungs, ['stream', 'long-poll', 'long-poll', 'poll', 'poll', 'poll'])
})

test('a success in between starts the count anew', () => {
  const ladder = createLadder(new ManualClock())
  ladder.failed()
  ladder.worked()
  ladder.failed()
  assert.equal(ladder.rung(), 'stream')
})

test('a minute later the stream gets one more try, and one failure leads back down', () => {
  const clock = new ManualClock()
  const ladder = createLadder(clock)
  ladder.failed()
  ladder.failed()
  clock.advance(59_999)
  assert.equal(ladder.rung(), 'long-poll')
  clock.advance(1)
  assert.equal(ladder.rung(), 'stream')
  ladder.failed()
  assert.equal(ladder.rung(), 'long-poll')
})
