import assert from 'node:assert/strict'
import { test } from 'node:test'
import { areaIn, bboxOf, rectangle, ringsOf, unionOf } from './geometry.ts'

const square = rectangle([-75, 40, -74, 41])

test('rings are found in a polygon, a feature of one, and a collection of those', () => {
  const feature = { type: 'Feature', geometry: square, properties: {} }
  for (const value of [square, feature, { type: 'FeatureCollection', features: [feature] }]) {
    assert.equal(ringsOf(value)?.length, 1)
  }
  assert.equal(
    ringsOf({
      type: 'MultiPolygon',
      coordinates: [
        [
          [
            [0, 0],
            [1, 0],
            [0, 1],
            [0, 0],
          ],
        ],
        [
          [
            [5, 5],
            [6, 5],
            [5, 6],
            [5, 5],
          ],
        ],
      ],
    })?.length,
    2,
  )
})

test('what is no area has no rings', () => {
  for (const value of [
    null,
    'Polygon',
    [],
    {},
    { type: 'Point', coordinates: [0, 0] },
    { type: 'Polygon', coordinates: [[['a', 'b']]] },
  ]) {
    assert.equal(ringsOf(value), undefined)
  }
})

test('the area of an input is found under whatever name it has', () => {
  assert.equal(areaIn({ layer: 'land', area: square }), square)
  assert.equal(areaIn({ layer: 'land' }), undefined)
})

test('bounding boxes are west, south, east, north', () => {
  assert.deepEqual(bboxOf(ringsOf(square) ?? []), [-75, 40, -74, 41])
  assert.deepEqual(
    unionOf([
      [0, 0, 1, 1],
      [-1, 0.5, 0.5, 2],
    ]),
    [-1, 0, 1, 2],
  )
  assert.equal(unionOf([]), undefined)
})
