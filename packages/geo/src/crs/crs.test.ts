import assert from 'node:assert/strict'
import { test } from 'node:test'
import { gdal, skipWithoutGdal } from '../testing/gdal.ts'
import { crsOfDefinition, isSameCrs, parseCrs, projector } from './crs.ts'
import { knownNames } from './definitions.ts'
import { crsOfGeoKeys, geoKeysOf, parseGeoKeys } from './geo-keys.ts'

// Published control points: IOGP Guidance Note 7-2 (2023), sections 3.2.1.1 and 3.4.1, and PROJ's own test of Albers (builtins.gie).
for (const [text, lonLat, xy, tolerance] of [
  ['EPSG:3857', [-100 - 20 / 60, 24 + 22 / 60 + 54.433 / 3600], [-11169055.58, 2800000.0], 0.01],
  ['EPSG:3035', [5, 50], [3962799.45, 2999718.85], 0.01],
  ['+proj=aea +ellps=GRS80 +towgs84=0,0,0 +lat_1=0 +lat_2=2', [2, 1], [222571.608757106, 110653.32674303], 0.001],
] as const) {
  test(`the published control point of ${text} is met`, () => {
    const [x, y] = projector(parseCrs(text)).forward(lonLat)
    assert.ok(Math.abs(x - xy[0]) < tolerance && Math.abs(y - xy[1]) < tolerance, `${x} ${y}`)
  })
}

test('the origin of EPSG:5070 is 96° west, 23° north', () => {
  const [x, y] = projector(parseCrs('EPSG:5070')).forward([-96, 23])
  assert.ok(Math.hypot(x, y) < 1e-6)
})

const controlLonLat = new Map<string, [number, number]>([
  ['EPSG:3338', [-150, 61]],
  ['ESRI:102007', [-157, 20]],
  ['EPSG:3035', [12, 48]],
  ['EPSG:3034', [12, 48]],
  ['EPSG:2154', [2, 47]],
  ['EPSG:3577', [134, -25]],
  ['EPSG:6931', [20, 70]],
  ['EPSG:3413', [-40, 75]],
  ['EPSG:6932', [20, -70]],
  ['EPSG:3031', [-40, -75]],
  ['ESRI:102022', [25, 5]],
  ['ESRI:102025', [100, 40]],
  ['ESRI:102028', [120, 5]],
])

function controlPointOf(name: string): [number, number] {
  const zone = /^EPSG:(326|327|269|258)(\d\d)$/.exec(name)
  if (zone) return [Number(zone[2]) * 6 - 184.5, zone[1] === '327' ? -35.25 : 41.25]
  return controlLonLat.get(name) ?? [-98.5, 41.25]
}

test('every registered system agrees with gdaltransform to 1 mm and 1e-6 degrees', { skip: skipWithoutGdal }, () => {
  for (const name of knownNames()) {
    if (name === 'ESRI:102033') continue // its datum shift has several published values, metres apart
    if (/^EPSG:(326|327|269|258)(?!10|18|31|32)\d\d$/.test(name)) continue // a few UTM zones stand for all
    const [lon, lat] = controlPointOf(name)
    const { forward, inverse } = projector(parseCrs(name))
    const found = forward([lon, lat])
    // PROJ picks datum shifts of a metre between NAD 83 or ETRS 89 and WGS 84 where it has grids; start from the same datum.
    const datum = /datum=NAD83/.test(parseCrs(name).proj4)
      ? 'EPSG:4269'
      : /GRS80/.test(parseCrs(name).proj4)
        ? 'EPSG:4258'
        : 'EPSG:4326'
    const line = gdal(
      'gdaltransform',
      ['-s_srs', `+proj=longlat ${datumOf(datum)}`, '-t_srs', parseCrs(name).proj4, '-output_xy'],
      `${lon} ${lat}\n`,
    )
    const [x, y] = line.trim().split(' ').map(Number) as [number, number]
    const tolerance = parseCrs(name).kind === 'geographic' ? 1e-6 : 1e-3
    assert.ok(
      Math.abs(found[0] - x) < tolerance && Math.abs(found[1] - y) < tolerance,
      `${name}: ${found} and ${x} ${y}`,
    )
    const back = inverse(found)
    assert.ok(Math.hypot(back[0] - lon, back[1] - lat) < 1e-6, `${name} back: ${back}`)
  }
})

const datumOf = (code: string): string =>
  code === 'EPSG:4269' ? '+datum=NAD83' : code === 'EPSG:4258' ? '+ellps=GRS80' : '+datum=WGS84'

test('the registered EPSG definitions are those of the EPSG dataset that GDAL brings', {
  skip: skipWithoutGdal,
}, () => {
  for (const name of [
    'EPSG:5070',
    'EPSG:6350',
    'EPSG:3338',
    'EPSG:3310',
    'EPSG:3005',
    'EPSG:3035',
    'EPSG:3577',
    'EPSG:6933',
    'EPSG:6931',
    'EPSG:2154',
    'EPSG:3034',
    'EPSG:3347',
    'EPSG:3978',
    'EPSG:3413',
    'EPSG:3031',
    'EPSG:26918',
    'EPSG:25832',
    'ESRI:102003',
    'ESRI:102007',
    'ESRI:102008',
    'ESRI:102001',
    'ESRI:54009',
    'ESRI:54034',
    'ESRI:102022',
    'ESRI:102025',
    'ESRI:102028',
  ]) {
    const published = gdal('gdalsrsinfo', ['-o', 'proj4', name]).trim()
    assert.ok(isSameCrs(parseCrs(name), crsOfDefinition(published)), `${name}: ${published}`)
  }
})

test('a definition that equals a registered one gets its name, however it is written', () => {
  const written =
    '+proj=aea +lon_0=-96 +lat_0=23 +lat_1=45.5 +lat_2=29.5 +x_0=0 +y_0=0 +a=6378137 +rf=298.257222101004 +units=m +no_defs'
  assert.equal(crsOfDefinition(written).name, 'EPSG:5070')
  assert.equal(isSameCrs(crsOfDefinition(written), parseCrs('EPSG:5070')), true)
  assert.equal(crsOfDefinition(written.replace('lat_0=23', 'lat_0=24')).name, 'custom')
})

test('a system says whether its cells are equal in area, and its unit', () => {
  assert.equal(parseCrs('epsg:5070').isEqualArea, true)
  assert.equal(parseCrs('EPSG:32618').isEqualArea, false)
  assert.equal(parseCrs('EPSG:4326').kind, 'geographic')
  assert.equal(parseCrs('+proj=lcc +lat_1=40 +lat_2=41 +lat_0=39.6 +lon_0=-77 +units=us-ft').metresPerUnit, 1200 / 3937)
})

test('a code or definition that is not known is an error that says what to pass', () => {
  assert.throws(() => parseCrs('EPSG:99999'), { code: 'crs_unknown', message: /EPSG:99999.*proj4 definition/s })
  assert.throws(() => parseCrs('+proj=nonsense'), { code: 'crs_unknown' })
  assert.throws(() => parseCrs('+lat_0=3'), { code: 'crs_unknown' })
})

test('geokeys written for a system are read back as the same', () => {
  for (const text of [
    'EPSG:5070',
    'EPSG:4326',
    'EPSG:32618',
    '+proj=aea +lat_0=34 +lon_0=-120 +lat_1=43 +lat_2=48 +x_0=600000 +y_0=0 +datum=NAD83 +units=m +no_defs',
  ]) {
    const crs = parseCrs(text)
    const read = crsOfGeoKeys(parseGeoKeys(geoKeysOf(crs)))
    assert.ok(read && isSameCrs(read, crs), `${text}: ${read?.proj4}`)
  }
})

test('geokeys that say nothing about the system give none', () => {
  assert.equal(crsOfGeoKeys(parseGeoKeys({ directory: [], doubles: [], ascii: '' })), undefined)
  assert.equal(
    crsOfGeoKeys(parseGeoKeys({ directory: [1, 1, 0, 1, 1025, 0, 1, 1], doubles: [], ascii: '' })),
    undefined,
  )
})

test('a point beyond the domain of a projection gives numbers that are not finite, and no error', () => {
  const [x, y] = projector(parseCrs('EPSG:3857')).forward([0, 90])
  assert.ok(!Number.isFinite(x) || !Number.isFinite(y) || Math.abs(y) > 1e8)
})
