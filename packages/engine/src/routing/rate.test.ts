import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fairRank } from './fair.ts'
import { nextTokenAt, refilled, wholeTokens } from './rate.ts'

test('a bucket fills by its rate, up to its count, and says when the next token comes', () => {
  const rate = { count: 2, perMs: 1_000 }
  const empty = { tokens: 0, at: 100 }
  assert.equal(wholeTokens(refilled(rate, empty, 599)), 0)
  assert.equal(wholeTokens(refilled(rate, empty, 600)), 1)
  assert.equal(wholeTokens(refilled(rate, empty, 9_999)), 2)
  assert.equal(nextTokenAt(rate, empty), 600)
  assert.equal(nextTokenAt(rate, { tokens: 1, at: 100 }), 100)
})

test('at the instant that a bucket names it holds a token, however odd its rate', () => {
  for (const rate of [
    { count: 3, perMs: 1_000 },
    { count: 7, perMs: 60_000 },
    { count: 1, perMs: 86_400_000 },
  ]) {
    let bucket = { tokens: 0, at: 1_893_456_000_000 }
    for (let turn = 0; turn < 50; turn++) {
      const at = nextTokenAt(rate, bucket)
      bucket = refilled(rate, bucket, at)
      assert.equal(wholeTokens(bucket), 1)
      bucket = { ...bucket, tokens: bucket.tokens - 1 }
    }
  }
})

test('a clock that was set back takes no token away', () => {
  const bucket = refilled({ count: 1, perMs: 10 }, { tokens: 0.5, at: 100 }, 50)
  assert.deepEqual(bucket, { tokens: 0.5, at: 100 })
})

test('an owner of twice the weight gets two jobs for one, and a newcomer begins where the queue is', () => {
  let heavy = { vtime: 0, weight: 2 }
  let light = { vtime: 0, weight: 1 }
  const line: [number, string][] = []
  for (let index = 0; index < 4; index++) {
    const one = fairRank(0, heavy)
    heavy = { ...heavy, vtime: one.shareVtime }
    line.push([one.rank, 'heavy'])
    const other = fairRank(0, light)
    light = { ...light, vtime: other.shareVtime }
    line.push([other.rank, 'light'])
  }
  const order = line.sort(([a], [b]) => a - b).map(([, owner]) => owner)
  assert.deepEqual(order.slice(0, 6), ['heavy', 'light', 'heavy', 'light', 'heavy', 'heavy'])
  assert.equal(fairRank(25_000, { vtime: 0, weight: 1 }).rank, 25_000)
})
