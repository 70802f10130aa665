import assert from 'node:assert/strict'
import { test } from 'node:test'
import { graticuleOf, latText, lonText } from './graticule.ts'

test('lines stand at round degrees inside the box', () => {
  const lines = graticuleOf([-75.34, 39.92, -75.08, 40.11], 4)
  assert.equal(lines.stepDegrees, 0.1)
  assert.deepEqual(lines.lons, [-75.3, -75.2, -75.1])
  assert.deepEqual(lines.lats, [40, 40.1])
})

test('the whole world is ruled every 45 degrees at most', () => {
  assert.deepEqual(graticuleOf([-180, -90, 180, 90], 8).lats, [-90, -45, 0, 45, 90])
})

test('labels name the side, with the digits that the step needs', () => {
  assert.equal(lonText(-75.2, 0.1), '75.2° W')
  assert.equal(lonText(190, 10), '170° W')
  assert.equal(latText(40, 10), '40° N')
  assert.equal(latText(-0.05, 0.05), '0.05° S')
  assert.equal(latText(0, 1), '0°')
})
