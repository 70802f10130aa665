import assert from 'node:assert/strict'
import { test } from 'node:test'
import { rectangle } from '../plan/geometry.ts'
import { areaText, readArea, readBox } from './area-draft.ts'

const why = (text: string) => {
  const draft = readArea(text)
  return draft.state === 'wrong' ? draft.why : draft.state
}

test('an area is ready as soon as it can be drawn', () => {
  const draft = readArea(JSON.stringify(rectangle([-75, 40, -74, 41])))
  assert.equal(draft.state, 'ready')
  assert.equal(readArea('  ').state, 'empty')
})

test('a collection stands for its first area', () => {
  const feature = { type: 'Feature', geometry: rectangle([0, 0, 1, 1]), properties: null }
  const point = { type: 'Feature', geometry: { type: 'Point', coordinates: [0, 0] }, properties: null }
  const draft = readArea(JSON.stringify({ type: 'FeatureCollection', features: [point, feature] }))
  assert.deepEqual(draft.state === 'ready' && draft.area, feature)
})

test('what is wrong is said in words that help', () => {
  assert.match(why('{"type":'), /not JSON yet/)
  assert.match(why('{"type":"Point","coordinates":[0,0]}'), /A Point has no area/)
  assert.match(why('[1,2]'), /no GeoJSON area/)
  assert.match(why(JSON.stringify(rectangle([483_000, 4_420_000, 484_000, 4_421_000]))), /outside of the Earth/)
})

test('a box is west, south, east, north', () => {
  assert.deepEqual(readBox(['-75', '40', '-74', '41']), [-75, 40, -74, 41])
  assert.deepEqual(readBox(['-75', '', '-74', '41']), { wrong: 'All four edges must be numbers, in degrees.' })
  assert.deepEqual(readBox(['-74', '40', '-75', '41']), { wrong: 'West must be less than east.' })
  assert.deepEqual(readBox(['0', '0', '1', '91']), { wrong: 'Latitudes run from -90 to 90.' })
})

test('an area is written with a position a line, to a tenth of a metre', () => {
  const text = areaText({
    type: 'Polygon',
    coordinates: [
      [
        [-75.123456789, 40],
        [1, 2],
      ],
    ],
  })
  assert.match(text, /\n {3}\[-75\.123457, 40\],\n {3}\[1, 2\]\n/)
})
