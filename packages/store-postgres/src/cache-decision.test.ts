import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Asking, type CacheEntry, decideKey, type Ended } from './cache-decision.ts'

const NOW = 1_000
const asks = (seq: number, mode: Asking['mode'] = 'use', above?: number): Asking => ({
  seq,
  mode,
  isBelow: (leader) => leader === above,
})
const ends = (seq: number, result: string | null, mode: Ended['mode'] = 'use'): Ended => ({
  seq,
  result,
  mode,
  ttlMs: 100,
})
const pending = (seq: number): CacheEntry => ({ seq, state: 'pending', expiresAt: null, result: null })
const done = (seq: number, expiresAt: number): CacheEntry => ({ seq, state: 'done', expiresAt, result: '7' })

test('the first that asks leads, and the others wait for it', () => {
  const { entry, ...rest } = decideKey(undefined, [], [asks(1), asks(2)], NOW)
  assert.deepEqual(entry, pending(1))
  assert.deepEqual(rest, { answered: [], going: [1], leaving: [] })
})

test('a leader that succeeded answers those who wait, and its result stands for its time', () => {
  const { entry, answered } = decideKey(pending(1), [ends(1, '7')], [asks(2), asks(3)], NOW)
  assert.deepEqual(entry, done(1, NOW + 100))
  assert.deepEqual(
    answered.map(({ seq, from }) => [seq, from]),
    [
      [2, 1],
      [3, 1],
    ],
  )
})

test('a leader that failed leaves its place to the first that waits', () => {
  const { entry, going, answered } = decideKey(pending(1), [ends(1, null)], [asks(2), asks(3)], NOW)
  assert.deepEqual([entry, going, answered], [pending(2), [2], []])
})

test('a result whose time is over, or whose job is gone, is made anew', () => {
  for (const old of [done(1, NOW), { ...done(1, NOW + 1), result: null }])
    assert.deepEqual(decideKey(old, [], [asks(2)], NOW).entry, pending(2))
  assert.deepEqual(decideKey(done(1, NOW + 1), [], [asks(2)], NOW).answered, [{ seq: 2, from: 1, result: '7' }])
})

test('what ended while somebody else led changes nothing, unless it was a renewal', () => {
  const late = decideKey(pending(2), [ends(1, '7')], [asks(3)], NOW)
  assert.deepEqual([late.entry, late.answered], [pending(2), []])
  const renewed = decideKey(pending(2), [ends(1, '7', 'refresh')], [asks(3)], NOW)
  assert.deepEqual([renewed.entry, renewed.answered.length], [done(1, NOW + 100), 1])
})

test('what was purged while it was made goes to those who wait, and is not kept', () => {
  const { entry, answered } = decideKey(undefined, [ends(1, '7')], [asks(2)], NOW)
  assert.deepEqual([entry, answered], [undefined, [{ seq: 2, from: 1, result: '7' }]])
})

test('a leader that comes back goes on, a renewal does not wait, and one below the leader makes its own', () => {
  const { entry, going, leaving } = decideKey(pending(1), [], [asks(1), asks(2, 'refresh'), asks(3, 'use', 1)], NOW)
  assert.deepEqual([entry, going, leaving], [pending(1), [1, 2], [3]])
})
