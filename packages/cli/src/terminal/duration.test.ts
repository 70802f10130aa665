import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ageText, durationText, parseDuration } from './duration.ts'

test('a duration is told in its two largest units', () => {
  const told = [0, 999, 1_000, 9_949, 59_000, 60_000, 61_000, 3_600_000, 3_660_000, 172_800_000, 180_000_000]
  assert.deepEqual(told.map(durationText), [
    '0 ms',
    '999 ms',
    '1.0 s',
    '9.9 s',
    '59 s',
    '1 min',
    '1 min 1 s',
    '1 h',
    '1 h 1 min',
    '2 d',
    '2 d 2 h',
  ])
})

test('an age is told in one unit', () => {
  const now = Date.parse('2030-01-03T00:00:00Z')
  const ages = [
    '2030-01-02T23:59:59.900Z',
    '2030-01-02T23:59:18Z',
    '2030-01-02T23:58:00Z',
    '2030-01-02T00:00:00Z',
    '2030-01-01T00:00:00Z',
  ]
  assert.deepEqual(
    ages.map((at) => ageText(at, now)),
    ['now', '42 s ago', '2 min ago', '24 h ago', '2 d ago'],
  )
})

test('a duration is read with its unit, or as seconds', () => {
  const read = ['90s', '15m', '2h', '30d', '45', '300ms', '1.5h', ' 2 min ']
  assert.deepEqual(
    read.map(parseDuration),
    [90_000, 900_000, 7_200_000, 2_592_000_000, 45_000, 300, 5_400_000, 120_000],
  )
  assert.deepEqual(['', 'soon', '-1s', '5 weeks', '1e3'].map(parseDuration), Array(5).fill(undefined))
})
