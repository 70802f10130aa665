import assert from 'node:assert/strict'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { getLayer, listLayers, removeLayer } from '@headrace/geo'
import { defaultLayerNames, ensureSampleLayers, type LandSurvey } from '../src/index.ts'
import { Watershed } from './open-watershed.ts'

const LAND = '/api/analyze/land/2019_2016/'
/** Holds the whole of a raster of 4 × 4 cells of 100 m, and some ground around it. */
const area = {
  type: 'Polygon',
  coordinates: [
    [
      [-75.71, 39.815],
      [-75.69, 39.815],
      [-75.69, 39.825],
      [-75.71, 39.825],
      [-75.71, 39.815],
    ],
  ],
}
const grid = (value: number) => Array.from({ length: 4 }, () => Array<number>(4).fill(value))

const logsOf = async (here: Watershed, id: string) => {
  const events = await here.store.events({ after: 0, limit: 100, kinds: ['log'] })
  return events.filter(({ jobId }) => jobId === id).map(({ data }) => data.message)
}

test('the layer of the product year goes before what stands in for it, which bears its own title', async () => {
  await using here = await Watershed.open()
  await here.addSmall('nlcd', grid(11), { title: 'Land cover of some year' })
  const standIn = await here.analyze(LAND, area)
  assert.equal(standIn.result.survey.name, 'land_2019_2016')
  assert.equal(standIn.result.survey.displayName, 'Land cover of some year')
  assert.equal(standIn.result.survey.categories[0].coverage, 1)
  assert.deepEqual(await logsOf(here, standIn.job_uuid), [
    'There is no layer nlcd-2016; nlcd (Land cover of some year) stands in for it.',
    'The area reaches beyond nlcd; only what lies on it is counted.',
  ])
  await here.addSmall('nlcd-2016', grid(41))
  const { survey } = (await here.analyze(LAND, area)).result
  assert.deepEqual([survey.displayName, survey.categories[7].coverage], ['Land Use/Cover 2016 (NLCD19)', 1])
})

test('a layer that the caller names is counted, under its own title', async () => {
  await using here = await Watershed.open()
  await here.addSmall('nlcd-2019', grid(11))
  await here.addSmall('planned', grid(82))
  const { id } = await here.engine.submit('watershed.analyze-land', { area, layer: 'planned' })
  const { survey } = (await here.engine.result(id)) as LandSurvey
  assert.deepEqual([survey.displayName, survey.categories[13]?.coverage], ['Land Use/Cover (planned)', 1])
})

test('a named layer of quite other classes is refused before anything is stored', async () => {
  await using here = await Watershed.open()
  await here.addSmall('zoning', grid(3), { classes: [{ value: 3, name: 'Industrial', color: '#777777' }] })
  await assert.rejects(here.engine.submit('watershed.analyze-land', { area, layer: 'zoning' }), {
    code: 'input_invalid',
    message: /layer: The layer zoning holds no land cover .*: its classes are 3\./,
  })
  assert.deepEqual((await here.store.jobs({}, { limit: 1 })).jobs, [])
})

test('which layers serve which analysis can be chosen', async () => {
  const land = { ...defaultLayerNames.land, '2019_2016': ['my-land'] }
  await using here = await Watershed.open({ layerNames: { land, soil: ['my-soil'] } })
  await here.addSmall('my-land', grid(11))
  await here.addSmall('my-soil', grid(4))
  assert.equal((await here.analyze(LAND, area)).result.survey.displayName, 'Land Use/Cover 2016 (NLCD19)')
  const { survey } = (await here.analyze('/api/analyze/soil/', area)).result
  assert.deepEqual([survey.displayName, survey.categories[3].coverage], ['Soil', 1])
})

test('an active river area on another grid is left out, and the log says why', async () => {
  await using here = await Watershed.open()
  await here.addSmall('nlcd-2016', grid(11))
  await here.addSmall('ara', grid(1), { cellM: 77 })
  const { result, job_uuid: id } = await here.analyze(LAND, area)
  assert.equal(result.survey.categories[0].active_river_area, null)
  assert.match(String((await logsOf(here, id))[0]), /^Left out: The layers nlcd-2016 and ara are not on one grid/)
  await here.addSmall('ara', grid(1))
  const along = await here.analyze(LAND, area)
  assert.equal(along.result.survey.categories[0].active_river_area, 16 * 10_000)
})

test('cells of no class of the NLCD are told of in the log', async () => {
  await using here = await Watershed.open()
  await here.addSmall('nlcd-2016', [...grid(11).slice(1), [0, 1, 11, 250]], { nodata: 250 })
  const { result, job_uuid: id } = await here.analyze(LAND, area)
  assert.equal(result.survey.categories[0].coverage, 13 / 16)
  assert.match((await logsOf(here, id)).join(), /3 of 16 cells of nlcd-2016 hold no class of the NLCD/)
})

test('an area too small for the centre of a cell has a survey of zeros, and the log says why', async () => {
  await using here = await Watershed.open()
  const layer = await here.addSmall('nlcd-2016', grid(11), { cellM: 1000 })
  const [west, south, east, north] = layer.bboxLonLat
  const [x, y] = [west + 0.4 * (east - west), south + 0.3 * (north - south)]
  const ring = [
    [x, y],
    [x + 1e-5, y],
    [x + 1e-5, y + 1e-5],
    [x, y],
  ]
  const { status, result, job_uuid: id } = await here.analyze(LAND, { type: 'Polygon', coordinates: [ring] })
  assert.equal(status, 'complete')
  assert.ok((result as LandSurvey).survey.categories.every((one) => one.area === 0 && one.coverage === 0))
  assert.match((await logsOf(here, id)).join(), /No cell of nlcd-2016 has its centre in the area/)
})

test('a layer that is replaced while a job runs fails it at once, rather than mixing two', async () => {
  await using here = await Watershed.open()
  const { sha256 } = await here.addSmall('nlcd-2016', grid(11))
  await here.addSmall('nlcd-2016', grid(12))
  const tiles = [{ row: 0, col: 0, rows: 4, cols: 4, cells: 16 }]
  const input = { area: { ...area, type: 'MultiPolygon', coordinates: [area.coordinates] }, tiles }
  const layers = [{ name: 'nlcd-2016', sha256 }]
  const { id } = await here.engine.submit('watershed.count-tile', { ...input, layers })
  assert.equal(await here.engine.wait(id), 'failed')
  const outcome = await here.engine.outcome(id)
  assert.equal(outcome?.error?.code, 'layer_replaced')
  assert.equal((await here.engine.job(id))?.attempt, 1)
})

test('the sample is added to an empty catalogue once, is analysed as synthetic, and has an area that says so', async () => {
  await using here = await Watershed.open()
  assert.equal((await here.send({ url: '/api/watershed/sample-area' })).statusCode, 404)
  const told: number[] = []
  assert.equal(await ensureSampleLayers(here.catalogue, { onProgress: (fraction) => told.push(fraction) }), true)
  assert.deepEqual([told[0], told.at(-1)], [0, 1])
  assert.deepEqual(
    told.toSorted((a, b) => a - b),
    told,
  )

  const sampleArea = (await here.send({ url: '/api/watershed/sample-area' })).json()
  assert.equal(sampleArea.properties.synthetic, true)
  const land = (await here.analyze(LAND, sampleArea)).result.survey
  const soil = (await here.analyze('/api/analyze/soil/', sampleArea)).result.survey
  assert.match(land.displayName, /synthetic/)
  assert.match(soil.displayName, /synthetic/)
  const cells = land.categories.reduce((sum: number, one: { area: number }) => sum + one.area / 900, 0)
  assert.equal(cells, sampleArea.properties.cells)

  assert.equal(await ensureSampleLayers(here.catalogue), false)
  for (const { name } of await listLayers(here.catalogue)) await removeLayer(here.catalogue, name)
  assert.equal(await ensureSampleLayers(here.catalogue), false, 'what was removed is not brought back')
})

test('the sample stands in for nothing once a real layer is loaded', async () => {
  await using here = await Watershed.open({ withWorker: false })
  await ensureSampleLayers(here.catalogue)
  await here.addSmall('nlcd-2019', grid(11))
  const sampleArea = (await here.send({ url: '/api/watershed/sample-area' })).json()
  const response = await here.send({ url: LAND, payload: { area_of_interest: sampleArea } })
  assert.equal(response.statusCode, 400)
  assert.match(response.json()[0], /^No layer is loaded for land cover 2019_2016\. Add one: .*--name nlcd-2016/)
})

test('a sample that was broken off is made whole at the next start, and none is added beside other layers', async () => {
  await using here = await Watershed.open({ withWorker: false })
  await ensureSampleLayers(here.catalogue)
  await rm(join(here.dir, 'sample', 'added.txt'))
  await removeLayer(here.catalogue, 'sample-soil')
  assert.equal(await ensureSampleLayers(here.catalogue), true)
  assert.equal((await getLayer(here.catalogue, 'sample-soil')).name, 'sample-soil')

  await using other = await Watershed.open({ withWorker: false })
  await other.addSmall('nlcd', grid(11))
  assert.equal(await ensureSampleLayers(other.catalogue), false)
})
