import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { WireLayer } from '@headrace/wire'
import { areaText, shareText, surveyOf } from './survey.ts'

const land = {
  survey: {
    name: 'land_2019',
    displayName: 'Land Use/Cover 2019 (NLCD19)',
    categories: [
      { area: 2500, active_river_area: 100, code: 'open_water', coverage: 0.25, nlcd: 11, type: 'Open Water' },
      {
        area: 7500,
        active_river_area: null,
        code: 'deciduous_forest',
        coverage: 0.75,
        nlcd: 41,
        type: 'Deciduous Forest',
      },
    ],
  },
}

test('a land survey becomes rows, the largest first, in the colours of NLCD', () => {
  const survey = surveyOf(land)
  assert.equal(survey?.title, 'Land Use/Cover 2019 (NLCD19)')
  assert.equal(survey.totalM2, 10_000)
  assert.deepEqual(
    survey.rows.map((row) => [row.code, row.type, row.areaM2, row.share, row.color, row.riverAreaM2]),
    [
      ['41', 'Deciduous Forest', 7500, 0.75, '#68ab5f', undefined],
      ['11', 'Open Water', 2500, 0.25, '#466b9f', 100],
    ],
  )
})

test('a layer that names a class gives its colour', () => {
  const layer = { classes: [{ value: 1, name: 'Open water', color: '#123456' }] } as unknown as WireLayer // only classes are read
  assert.equal(surveyOf(land, [layer])?.rows[1]?.color, '#123456')
})

test('a soil survey has letters for codes', () => {
  const soil = {
    survey: { name: 'soil', categories: [{ area: 900, code: 'ad', coverage: 1, type: 'A/D - High Infiltration' }] },
  }
  assert.deepEqual(
    surveyOf(soil)?.rows.map((row) => [row.code, row.share]),
    [['ad', 1]],
  )
})

test('anything else is not a survey', () => {
  for (const value of [null, 3, 'survey', [], {}, { survey: {} }, { survey: { categories: [{ type: 'x' }] } }]) {
    assert.equal(surveyOf(value), undefined)
  }
})

test('areas are in the unit that a person would use', () => {
  assert.equal(areaText(50), '50.0 m²')
  assert.equal(areaText(0), '0.00 ha')
  assert.equal(areaText(123_000), '12.3 ha')
  assert.equal(areaText(42_100_000), '4,210 ha')
  assert.equal(areaText(158_000_000), '158 km²')
})

test('a small share is not rounded to nothing', () => {
  assert.equal(shareText(0.0004), '<0.1 %')
  assert.equal(shareText(0), '0.0 %')
  assert.equal(shareText(0.1234), '12.3 %')
})
