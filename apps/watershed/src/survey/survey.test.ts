import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { CellCounts } from '@headrace/geo'
import { cellsOfNoLandClass, landSurvey } from './land-survey.ts'
import { soilSurvey } from './soil-survey.ts'

const CELL_M2 = 900

/** Cells by the values of one or several layers: `[[11], 3]`. */
function countsOf(...cells: [values: (number | null)[], cells: number][]): CellCounts {
  const counts = cells.map(([values, cells]) => ({ values, cells, areaM2: cells * CELL_M2 }))
  const total = counts.reduce((sum, count) => sum + count.cells, 0)
  return { layers: [], rule: 'centre', counts, cells: total, areaM2: total * CELL_M2, isPartial: false }
}

const title = { name: 'land_2019_2019', displayName: 'Land Use/Cover 2019 (NLCD19)' }
const landOf = (counts: CellCounts) => landSurvey(counts, title).survey.categories
const soilOf = (counts: CellCounts) => soilSurvey(counts, { name: 'soil', displayName: 'Soil' }).survey.categories

test('land cover is listed in 16 classes in the order of the NLCD, those that do not occur with 0', () => {
  const categories = landOf(countsOf([[41], 3], [[11], 1]))
  assert.deepEqual(
    categories.map(({ nlcd }) => nlcd),
    [11, 12, 21, 22, 23, 24, 31, 41, 42, 43, 52, 71, 81, 82, 90, 95],
  )
  assert.deepEqual(categories[0], {
    area: 900,
    active_river_area: null,
    code: 'open_water',
    coverage: 0.25,
    nlcd: 11,
    type: 'Open Water',
  })
  assert.deepEqual([categories[7]?.area, categories[7]?.coverage], [2700, 0.75])
  assert.deepEqual([categories[1]?.area, categories[1]?.coverage], [0, 0])
})

test('cells of unknown classes and missing ones count among all, so that shares add up to less than 1', () => {
  const counts = countsOf([[81], 2], [[0], 1], [[99], 4], [[null], 1])
  const pasture = landOf(counts).find(({ nlcd }) => nlcd === 81)
  assert.deepEqual([pasture?.area, pasture?.coverage], [1800, 0.25])
  assert.equal(cellsOfNoLandClass(counts), 6)
})

test('the active river area is the ground of its cells, whatever their class, and null where the area has none', () => {
  const categories = landOf(countsOf([[11, 1], 2], [[11, 0], 3], [[41, null], 5], [[0, 1], 1]))
  assert.deepEqual(
    categories
      .filter(({ area }) => area > 0)
      .map(({ nlcd, area, active_river_area }) => [nlcd, area, active_river_area]),
    [
      [11, 4500, 1800],
      [41, 4500, 0],
    ],
  )
  assert.equal(categories[1]?.active_river_area, 0)
  const none = landOf(countsOf([[11, 0], 3], [[41, null], 5]))
  assert.ok(none.every(({ active_river_area }) => active_river_area === null))
  // One cell of no known class in the river area is enough, as upstream.
  assert.equal(landOf(countsOf([[0, 1], 1], [[11, 0], 3]))[0]?.active_river_area, 0)
})

test('soil is listed in seven groups, and cells without data are group C', () => {
  const categories = soilOf(countsOf([[1], 1], [[3], 2], [[null], 3], [[7], 2], [[9], 2]))
  assert.deepEqual(
    categories.map(({ code, area, coverage }) => [code, area / CELL_M2, coverage]),
    [
      ['a', 1, 0.1],
      ['b', 0, 0],
      ['c', 5, 0.5],
      ['d', 0, 0],
      ['ad', 0, 0],
      ['bd', 0, 0],
      ['cd', 2, 0.2],
    ],
  )
  assert.deepEqual(Object.keys(categories[0] ?? {}).sort(), ['area', 'code', 'coverage', 'type'])
})

test('an area without a cell has surveys of zeros', () => {
  assert.ok(landOf(countsOf()).every(({ area, coverage }) => area === 0 && coverage === 0))
  assert.ok(soilOf(countsOf()).every(({ area, coverage }) => area === 0 && coverage === 0))
})
