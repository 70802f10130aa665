import assert from 'node:assert/strict'
import { test } from 'node:test'
import { duration, relative, tickLabel, tickStepMs } from './instant.ts'

test('a relative time is in its largest whole unit, and says which side of now it is on', () => {
  assert.equal(relative(1000, 1900), 'now')
  assert.equal(relative(0, 59_999), '59 s ago')
  assert.equal(relative(0, 60_000), '1 min ago')
  assert.equal(relative(7_200_000, 0), 'in 2 h')
  assert.equal(relative(0, 3 * 86_400_000), '3 d ago')
})

test('a duration shows two units at most', () => {
  assert.equal(duration(18), '18 ms')
  assert.equal(duration(4290), '4.2 s')
  assert.equal(duration(42_900), '42 s')
  assert.equal(duration(188_000), '3 min 08 s')
  assert.equal(duration(7_500_000), '2 h 05 min')
  assert.equal(duration(-5), '0 ms')
})

test('ticks step by amounts that people read', () => {
  assert.equal(tickStepMs(60_000, 6), 10_000)
  assert.equal(tickStepMs(55, 6), 10)
  assert.equal(tickStepMs(5 * 3_600_000, 6), 3_600_000)
})

test('tick labels are in the unit of the step', () => {
  assert.deepEqual([0, 500, 10_000, 300_000, 7_200_000, 90_000].map(tickLabel), [
    '0',
    '500 ms',
    '10 s',
    '5 min',
    '2 h',
    '1:30',
  ])
})
