import assert from 'node:assert/strict'
import { test } from 'node:test'
import { afterRetryAfterMs, backoffMs } from './backoff.ts'

const nearlyOne = () => 1 - Number.EPSILON

test('the ceiling doubles from 500 ms with each failure, up to 30 s', () => {
  const ceilings = [0, 1, 2, 3, 4, 5, 6, 7, 100].map((failures) => Math.round(backoffMs(failures, nearlyOne)))
  assert.deepEqual(ceilings, [500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000])
})

test('the wait may be anything from nothing to the ceiling', () => {
  assert.equal(
    backoffMs(6, () => 0),
    0,
  )
  assert.equal(
    backoffMs(3, () => 0.5),
    2_000,
  )
})

test('Retry-After is never cut short', () => {
  assert.equal(
    afterRetryAfterMs(3_000, () => 0),
    3_000,
  )
  assert.ok(afterRetryAfterMs(3_000, nearlyOne) > 3_400)
})
