import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readSample, skipWithoutSampleData } from '../testing/sample-data.ts'
import { repeatLine, seed, seededRandom } from '../testing/seeded-random.ts'
import { areaKm2, bboxOfArea } from './area.ts'
import { requireAreaOnLayers } from './area-on-layers.ts'
import { parseArea } from './parse-area.ts'

type Position = [number, number]

const square = (west: number, south: number, east: number, north: number): Position[] => [
  [west, south],
  [east, south],
  [east, north],
  [west, north],
  [west, south],
]
const polygon = (...rings: unknown[]) => ({ type: 'Polygon', coordinates: rings })
const small = square(-75.1, 40, -75, 40.1)

test('a polygon, a multipolygon, a feature and a collection of one are all taken, as objects or as text', () => {
  const expected = { type: 'MultiPolygon', coordinates: [[small]] }
  const feature = { type: 'Feature', properties: null, geometry: polygon(small) }
  for (const value of [polygon(small), expected, feature, { type: 'FeatureCollection', features: [feature] }]) {
    assert.deepEqual(parseArea(value), expected)
    assert.deepEqual(parseArea(JSON.stringify(value)), expected)
  }
})

test('what is taken shares nothing with what was sent', () => {
  const sent = polygon(structuredClone(small))
  const area = parseArea(sent)
  ;(sent.coordinates[0] as Position[])[1] = [0, 0]
  assert.deepEqual(area.coordinates[0]?.[0]?.[1], small[1])
})

const refusals: [what: string, value: unknown, code: string, message: RegExp][] = [
  ['nothing', undefined, 'area_not_geojson', /it is missing/],
  ['null', null, 'area_not_geojson', /it is null/],
  ['a number', 7, 'area_not_geojson', /it is a number/],
  ['an array', [small], 'area_not_geojson', /it is an array/],
  ['text that is not JSON', '{"type":', 'area_not_geojson', /text that is not JSON/],
  ['a point', { type: 'Point', coordinates: [0, 0] }, 'area_not_geojson', /its type is "Point"/],
  ['no type', { coordinates: [small] }, 'area_not_geojson', /its type is missing/],
  ['a feature without geometry', { type: 'Feature', geometry: null }, 'area_not_geojson', /its geometry is null/],
  [
    'a feature of a line',
    { type: 'Feature', geometry: { type: 'LineString', coordinates: small } },
    'area_not_geojson',
    /"LineString"/,
  ],
  ['two features', { type: 'FeatureCollection', features: [1, 2] }, 'area_not_geojson', /2 features/],
  ['coordinates that are no array', { type: 'Polygon', coordinates: 'x' }, 'area_not_geojson', /coordinates is "x"/],
  ['no rings', polygon(), 'area_not_geojson', /coordinates is empty/],
  [
    'rings nested too little',
    { type: 'Polygon', coordinates: small },
    'area_not_geojson',
    /coordinates\[0\]\[0\] is -75.1|position at coordinates\[0\]\[0\]/,
  ],
  ['rings nested too deep', polygon([[small]]), 'area_ring_too_short', /1 positions/],
  ['a position that is no array', polygon([1, 2, 3, 4]), 'area_not_geojson', /coordinates\[0\]\[0\] is 1/],
  ['heights', polygon(small.map(([lon, lat]) => [lon, lat, 12])), 'area_not_2d', /coordinates\[0\]\[0\] has 3 numbers/],
  ['text for a number', polygon([['-75', 40], ...small]), 'area_not_finite', /coordinates\[0\]\[0\]\[0\] is "-75"/],
  ['a number that is not finite', polygon([[Number.NaN, 40], ...small]), 'area_not_finite', /not a finite number/],
  [
    'metres',
    polygon(square(1709015, 2040195, 1719015, 2050195)),
    'area_not_lon_lat',
    /\[1709015, 2040195\].*EPSG:4326/,
  ],
  ['latitude first', polygon(square(40, -100, 41, -99)), 'area_not_lon_lat', /\[40, -100\]/],
  [
    'a named system',
    { ...polygon(small), crs: { type: 'name', properties: { name: 'EPSG:5070' } } },
    'area_crs_unsupported',
    /"EPSG:5070"/,
  ],
  ['an open ring', polygon(small.slice(0, 4)), 'area_ring_open', /starts at \[-75.1, 40\] and ends at \[-75.1, 40.1\]/],
  [
    'a ring of three positions',
    polygon([
      [0, 0],
      [1, 0],
      [0, 0],
    ]),
    'area_ring_too_short',
    /3 positions/,
  ],
  [
    'a ring on one line',
    polygon([
      [0, 0],
      [1, 1],
      [2, 2],
      [0, 0],
    ]),
    'area_empty',
    /encloses no ground/,
  ],
  ['an edge round the globe', polygon(square(-179, 0, 179, 1)), 'area_crosses_antimeridian', /more than 180 degrees/],
  [
    'a figure of eight',
    polygon([
      [0, 0],
      [1, 1],
      [1, 0],
      [0, 1.5],
      [0, 0],
    ]),
    'area_self_intersects',
    /\[0.600000, 0.600000\]/,
  ],
  [
    'a spike',
    polygon([
      [0, 0],
      [1, 0],
      [1, 1],
      [1, 2],
      [1, 1],
      [0, 1],
      [0, 0],
    ]),
    'area_self_intersects',
    /polygon 0/,
  ],
  [
    'a hole across the outer ring',
    polygon(square(0, 0, 1, 1), square(0.5, 0.5, 1.5, 0.75)),
    'area_self_intersects',
    /crosses itself/,
  ],
  ['a hole outside', polygon(square(0, 0, 1, 1), square(2, 2, 2.5, 2.5)), 'area_hole_misplaced', /ring 1 lies outside/],
  [
    'a hole in a hole',
    polygon(square(0, 0, 1, 1), square(0.1, 0.1, 0.9, 0.9), square(0.2, 0.2, 0.3, 0.3)),
    'area_hole_misplaced',
    /inside another hole/,
  ],
  ['a quarter of a continent', polygon(square(-100, 30, -90, 40)), 'area_too_large', /at most 75000 km²/],
]

for (const [what, value, code, message] of refusals) {
  test(`an area that is ${what} is refused as ${code}`, () => {
    assert.throws(() => parseArea(value), { code, message })
  })
}

test('the crs member that names WGS 84, which GDAL writes, is taken', () => {
  const crs = { type: 'name', properties: { name: 'urn:ogc:def:crs:OGC:1.3:CRS84' } }
  assert.equal(parseArea({ ...polygon(small), crs }).coordinates.length, 1)
})

test('too many vertices are refused before they are looked at, as text too', () => {
  const many = polygon(Array(2001).fill(['not', 'numbers']))
  assert.throws(() => parseArea(many, { verticesMax: 2000 }), { code: 'area_vertices_too_many', message: /2001.*2000/ })
  assert.throws(() => parseArea(' '.repeat(1e6), { verticesMax: 2000 }), { code: 'area_vertices_too_many' })
})

test('JSON nested a hundred thousand deep is refused and does not exhaust the stack', () => {
  const deep = `{"type":"Polygon","coordinates":${'['.repeat(100_000)}${']'.repeat(100_000)}}`
  assert.throws(() => parseArea(deep), { code: 'area_ring_too_short' })
})

test('parts that overlap, rings that touch at a point and repeated positions are taken', () => {
  parseArea({ type: 'MultiPolygon', coordinates: [[square(0, 0, 1, 1)], [square(0.5, 0.5, 1.5, 1.5)]] })
  parseArea(
    polygon(square(0, 0, 2, 2), [
      [0, 1],
      [1, 0.5],
      [1, 1.5],
      [0, 1],
    ]),
  )
  parseArea(
    polygon([
      [0, 0],
      [0, 0],
      [1, 0],
      [1, 1],
      [1, 1],
      [0, 1],
      [0, 0],
    ]),
  )
})

test('a coast of a hundred thousand vertices is checked within the budget of comparisons', () => {
  const ring = Array.from({ length: 99_999 }, (_, i): Position => {
    const angle = (i / 99_999) * 2 * Math.PI
    const radius =
      0.6 +
      [5, 40, 300, 2000].reduce((sum, bays, octave) => sum + Math.sin(bays * angle + octave) / (9 * 2 ** octave), 0)
    return [radius * Math.cos(angle), radius * Math.sin(angle)]
  })
  assert.equal(parseArea(polygon([...ring, ring[0]])).coordinates[0]?.[0]?.length, 100_000)
})

test('an area whose edges lie across one another by the thousand is refused before it takes long', () => {
  // Fifty thousand teeth of a comb, each long and aslant.
  const teeth = Array.from({ length: 99_990 }, (_, i): Position => {
    const [along, out] = [i / 99_990, i % 2 === 1 ? 1 : 0.01]
    return [along + 0.7 * out, out - 0.7 * along]
  })
  assert.throws(() => parseArea(polygon([...teeth, [1, -1.2], [0, -0.5], teeth[0]])), {
    code: 'area_too_complex',
    message: /simplify/,
  })
})

test('one crossing among thousands of edges is found, and where', () => {
  const ring = Array.from({ length: 5000 }, (_, i): Position => {
    const angle = (i / 5000) * 2 * Math.PI
    return [Math.cos(angle), Math.sin(angle)]
  })
  ;[ring[700], ring[701]] = [ring[701] as Position, ring[700] as Position]
  assert.throws(
    () => parseArea(polygon([...ring, ring[0]])),
    (error: Error & { atLonLat?: Position }) => {
      const [lon, lat] = error.atLonLat ?? [0, 0]
      return Math.hypot(lon - (ring[700]?.[0] ?? 0), lat - (ring[700]?.[1] ?? 0)) < 0.01
    },
  )
})

test('random stars are taken, and lose their place when two corners are swapped across', () => {
  const random = seededRandom(seed)
  for (let round = 0; round < 200; round++) {
    const corners = 5 + Math.floor(random() * 40)
    const ring = Array.from({ length: corners }, (_, i): Position => {
      const [angle, radius] = [((i + 0.8 * random()) / corners) * 2 * Math.PI, 0.2 + 0.8 * random()]
      return [radius * Math.cos(angle), radius * Math.sin(angle)]
    })
    const message = `round ${round}: ${repeatLine('area/parse-area.test.ts')}`
    assert.doesNotThrow(() => parseArea(polygon([...ring, ring[0]])), message)
  }
})

test('the bounds of an area are those of its outer rings', () => {
  assert.deepEqual(bboxOfArea(parseArea(polygon(small))), [-75.1, 40, -75, 40.1])
})

test('a hole takes its area off', () => {
  const whole = areaKm2(parseArea(polygon(square(0, 0, 1, 1))))
  const hole = areaKm2(parseArea(polygon(square(0.25, 0.25, 0.5, 0.5))))
  const rest = areaKm2(parseArea(polygon(square(0, 0, 1, 1), square(0.25, 0.25, 0.5, 0.5))))
  assert.ok(Math.abs(rest - (whole - hole)) < 1e-9)
})

test('an area beside a layer is refused by name, and one that meets every layer is taken', () => {
  const area = parseArea(polygon(small))
  const near = { name: 'near', bboxLonLat: [-76, 39, -74, 41] as const }
  const far = { name: 'far', bboxLonLat: [10, 39, 12, 41] as const }
  requireAreaOnLayers(area, [near])
  assert.throws(() => requireAreaOnLayers(area, [near, far]), {
    code: 'area_outside_layers',
    message: /far \[10\.0000/,
  })
  assert.throws(() => requireAreaOnLayers(area, []), { code: 'area_outside_layers', message: /none is loaded/ })
})

test('every watershed, municipality and perimeter of the sample data is taken', { skip: skipWithoutSampleData }, () => {
  const limits = { areaKm2Max: 1e7 }
  for (const { shape } of readSample<{ shape: string }[]>('schuylkill/Schuylkill_HUC08_HUC12s.geojson'))
    parseArea(shape, limits)
  for (const feature of readSample<{ features: unknown[] }>('sao-miguel/concelhos.geojson').features)
    parseArea(feature, limits)
  for (const file of [
    'schuylkill/Schuylkill_HUC08.geojson',
    'perimeters/drb_simple_perimeter.json',
    'perimeters/pa_simple_perimeter.json',
    'perimeters/conus_perimeter.json',
  ]) {
    parseArea(readSample(file), limits)
  }
})

test('a bow tie is refused for crossing itself, though its halves cancel out', () => {
  const bowTie = {
    type: 'Polygon',
    coordinates: [
      [
        [-75.6, 40.1],
        [-75.5, 40.2],
        [-75.5, 40.1],
        [-75.6, 40.2],
        [-75.6, 40.1],
      ],
    ],
  }
  assert.throws(() => parseArea(bowTie), { code: 'area_self_intersects', message: /-75\.55.*40\.15/ })
})
