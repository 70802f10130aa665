import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { addLayer } from '@headrace/geo'
import type { LandSurvey, SoilSurvey } from '../src/index.ts'
import { DELAWARE_CELL_M2, delawareGrid, landPath, readAreas, skipWithoutDelaware, soilPath } from './delaware.ts'
import { gdalCounts, skipWithoutGdal } from './gdal.ts'
import { Watershed } from './open-watershed.ts'
import { writeTiff } from './write-tiff.ts'

const skip = skipWithoutDelaware || skipWithoutGdal
const all = (counts: Map<string, number>) => [...counts.values()].reduce((sum, cells) => sum + cells, 0)
const cellsOf = (areaM2: number) => areaM2 / DELAWARE_CELL_M2

test('land cover of the Delaware sample is counted as GDAL counts it, cell for cell, over HTTP', { skip }, async () => {
  await using here = await Watershed.open()
  await addLayer(here.catalogue, { path: landPath, name: 'nlcd-2019' })
  for (const area of readAreas()) {
    const answer = await here.analyze('/api/analyze/land/2019_2019/', area)
    assert.equal(answer.status, 'complete', answer.error)
    const { survey } = answer.result as LandSurvey
    const expected = gdalCounts([landPath], area.geometry)
    const total = all(expected)
    assert.ok(total > 30_000, `${area.properties.name} holds ${total} cells`)
    assert.equal(survey.categories.length, 16)
    for (const { nlcd, area: areaM2, coverage, active_river_area: riverArea } of survey.categories) {
      const cells = expected.get(String(nlcd)) ?? 0
      assert.equal(cellsOf(areaM2), cells, `${area.properties.name}, class ${nlcd}`)
      assert.equal(coverage, cells / total)
      assert.equal(riverArea, null)
    }
  }
})

test('soils of the Delaware sample are counted as GDAL counts them, with the cells without data in group C', {
  skip,
}, async () => {
  await using here = await Watershed.open()
  await addLayer(here.catalogue, { path: soilPath, name: 'soil' })
  for (const area of readAreas()) {
    const answer = await here.analyze('/api/analyze/soil/', area)
    assert.equal(answer.status, 'complete', answer.error)
    const { survey } = answer.result as SoilSurvey
    const expected = gdalCounts([soilPath], area.geometry)
    const of = (value: number) => expected.get(String(value)) ?? 0
    assert.ok(of(0) > 0, 'the sample has cells without data')
    assert.deepEqual(
      survey.categories.map(({ code, area }) => [code, cellsOf(area)]),
      [
        ['a', of(1)],
        ['b', of(2)],
        ['c', of(3) + of(0)],
        ['d', of(4)],
        ['ad', 0],
        ['bd', 0],
        ['cd', 0],
      ],
    )
    assert.deepEqual(
      survey.categories.map(({ area, coverage }) => coverage === cellsOf(area) / all(expected)),
      Array(7).fill(true),
    )
  }
})

test('the active river area is counted along, on rasters and areas that GDAL counts alike', { skip }, async () => {
  await using here = await Watershed.open()
  const cells = Uint8Array.from({ length: 1_000_000 }, (_, i) =>
    ((i % 1000) + Math.floor(i / 1000)) % 7 === 0 ? 1 : 0,
  )
  const araPath = await writeTiff(join(here.dir, 'ara.tif'), { ...delawareGrid, cells })
  await addLayer(here.catalogue, { path: landPath, name: 'nlcd' })
  await addLayer(here.catalogue, { path: araPath, name: 'ara' })
  const [area] = readAreas()
  const { result } = await here.analyze('/api/analyze/land/2019_2019/', area)
  const expected = gdalCounts([landPath, araPath], area?.geometry ?? {})
  for (const { nlcd, active_river_area: riverArea } of (result as LandSurvey).survey.categories) {
    assert.equal(cellsOf(riverArea ?? Number.NaN), expected.get(`${nlcd} 1`) ?? 0, `class ${nlcd}`)
  }
})

test('however an area is split into tiles and jobs, its survey is the same', {
  skip: skipWithoutDelaware,
}, async () => {
  const [area] = readAreas()
  const surveys = []
  for (const options of [{}, { tileSide: 256 }, { tileSide: 256, jobsMax: 3 }, { tileSide: 1024 }]) {
    await using here = await Watershed.open(options)
    await addLayer(here.catalogue, { path: landPath, name: 'nlcd-2019' })
    surveys.push((await here.analyze('/api/analyze/land/2019_2019/', area)).result)
    const { jobs } = await here.store.jobs({ tasks: ['watershed.count-tile'] }, { limit: 100 })
    surveys.push(jobs.length)
  }
  const [survey, ...rest] = surveys
  assert.deepEqual(rest, [4, survey, 8, survey, 3, survey, 1])
})

test('as a process, an analysis gives the same survey as under the routes of Model My Watershed', {
  skip: skipWithoutDelaware,
}, async () => {
  await using here = await Watershed.open()
  await addLayer(here.catalogue, { path: landPath, name: 'nlcd-2019' })
  const [, triangle] = readAreas()
  const { result } = await here.analyze('/api/analyze/land/2019_2019/', triangle)
  const started = await here.send({
    url: '/processes/watershed.analyze-land/execution',
    headers: { prefer: 'respond-async' },
    payload: { inputs: { area: JSON.stringify(triangle), productYear: '2019_2019' } },
  })
  assert.equal(started.statusCode, 201)
  const id = started.json().jobID
  await here.engine.wait(id)
  assert.deepEqual((await here.send({ url: `/jobs/${id}/results` })).json(), result)
  const { progress, progressMessage } = (await here.send({ url: `/jobs/${id}` })).json()
  assert.deepEqual([progress, progressMessage], [100, 'counted 1 of 1 tiles'])
})
