import assert from 'node:assert/strict'
import { test } from 'node:test'
import { areaKm2 } from '../area/area.ts'
import { parseArea } from '../area/parse-area.ts'
import type { Polygons } from '../select/selection.ts'
import { gdalReproject, skipWithoutGdal } from '../testing/gdal.ts'
import { readSample, skipWithoutSampleData } from '../testing/sample-data.ts'
import { authalicRadiusM, ringAreaM2, zoneAreaM2 } from './ellipsoid-area.ts'

test('the ellipsoid has its published surface and authalic radius', () => {
  // Moritz 2000, Geodetic Reference System 1980, gives 6 371 007.1810 m for GRS 80; WGS 84 differs in the tenth of a millimetre.
  assert.ok(Math.abs(authalicRadiusM - 6371007.181) < 1e-3)
  // NIMA TR8350.2: 5.1006562172e14 m².
  assert.ok(Math.abs(zoneAreaM2(-90, 90, 360) / 5.1006562172e14 - 1) < 1e-10)
})

test('a ring along parallels and meridians has the area of its zone', () => {
  const ring = [
    [5, 40],
    [8, 40],
    [8, 43],
    [5, 43],
    [5, 40],
  ] as const
  assert.ok(Math.abs(ringAreaM2(ring) / zoneAreaM2(40, 43, 3) - 1) < 1e-12)
  assert.ok(ringAreaM2(ring) > 0 && ringAreaM2(ring.toReversed()) < 0)
})

test('the areas of real watersheds are those of an equal-area map', {
  skip: skipWithoutSampleData || skipWithoutGdal,
}, () => {
  for (const file of ['schuylkill/huc12__55174.geojson', 'schuylkill/Schuylkill_HUC08.geojson']) {
    const geometry = readSample<{ type: string; coordinates: unknown }>(file)
    const expectedKm2 =
      gdalReproject(geometry, 'EPSG:5070').reduce((sum, polygon) => sum + planarArea(polygon), 0) / 1e6
    const found = areaKm2(parseArea(geometry))
    assert.ok(Math.abs(found / expectedKm2 - 1) < 1e-6, `${file}: ${found} and ${expectedKm2}`)
  }
})

test('the area of HUC-12 55174 is the 85.68 square kilometres that its file states', {
  skip: skipWithoutSampleData,
}, () => {
  assert.equal(areaKm2(parseArea(readSample('schuylkill/huc12__55174.geojson'))).toFixed(2), '85.68')
})

// The outer ring less the holes, by the shoelace formula.
function planarArea(polygon: Polygons[number]): number {
  const areas = polygon.map((ring) => {
    const twice = ring.reduce((sum, [x, y], i) => {
      const [beforeX, beforeY] = ring.at(i - 1) ?? [0, 0]
      return sum + beforeX * y - x * beforeY
    }, 0)
    return Math.abs(twice) / 2
  })
  return areas.slice(1).reduce((rest, hole) => rest - hole, areas[0] ?? 0)
}
