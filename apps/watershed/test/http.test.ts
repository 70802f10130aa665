import assert from 'node:assert/strict'
import { truncate } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import type { JobId } from '@headrace/engine'
import { getLayer, projector } from '@headrace/geo'
import { Watershed } from './open-watershed.ts'

const LAND = '/api/analyze/land/2019_2019/'
const SOIL = '/api/analyze/soil/'
const JOB_DEPRECATED =
  'The `job` field will be deprecated in an upcoming release. Please switch to using `job_uuid` instead.'

type Position = [number, number]
const box = (west: number, south: number, east: number, north: number): Position[] => [
  [west, south],
  [east, south],
  [east, north],
  [west, north],
  [west, south],
]
const polygon = (...rings: unknown[]) => ({ type: 'Polygon', coordinates: rings })
/** Inside of what `openSmall` adds. */
const inside = polygon(box(-75.7, 39.8, -75.69, 39.805))

/** Land and soil of 100 × 100 cells of 100 m: all class 41, all group B. */
async function openSmall(options: Parameters<typeof Watershed.open>[0] = {}): Promise<Watershed> {
  const here = await Watershed.open(options)
  const rows = (value: number) => Array.from({ length: 100 }, () => Array<number>(100).fill(value))
  await here.addSmall('nlcd-2019', rows(41))
  await here.addSmall('soil', rows(2))
  return here
}

test('an analysis is started with the answer and the Location that clients of Model My Watershed expect', async () => {
  await using here = await openSmall({ withWorker: false })
  for (const url of [LAND, SOIL]) {
    const response = await here.send({ url, payload: { area_of_interest: inside } })
    assert.equal(response.statusCode, 200)
    const { job, ...rest } = response.json()
    assert.match(job, /^[0-9a-f-]{36}$/)
    assert.deepEqual(rest, { job_uuid: job, status: 'started', messages: [JOB_DEPRECATED] })
    assert.equal(response.headers.location, `/api/jobs/${job}/`)
    assert.equal((await here.store.job(job))?.owner, 'ada')
  }
})

test('a job is started while it waits and runs, and complete with its result', async () => {
  await using here = await openSmall({ withWorker: false })
  const id: JobId = (await here.send({ url: LAND, payload: { area_of_interest: inside } })).json().job
  const waiting = (await here.send({ url: `/api/jobs/${id}/` })).json()
  const { started, ...rest } = waiting
  assert.deepEqual(rest, { job_uuid: id, status: 'started', result: '', error: '', finished: null })
  assert.match(started, /^\d{4}-\d\d-\d\dT[\d:.]+Z$/)

  await here.startWorker()
  await here.engine.wait(id)
  const complete = (await here.send({ url: `/api/jobs/${id}/` })).json()
  assert.deepEqual([complete.job_uuid, complete.status, complete.error], [id, 'complete', ''])
  assert.equal(complete.started, started)
  assert.ok(Date.parse(complete.finished) >= Date.parse(started))
  const { name, displayName, categories } = complete.result.survey
  assert.deepEqual([name, displayName, categories.length], ['land_2019_2019', 'Land Use/Cover 2019 (NLCD19)', 16])
  const forest = categories.find((category: { nlcd: number }) => category.nlcd === 41)
  assert.deepEqual(forest, {
    area: forest.area,
    active_river_area: null,
    code: 'deciduous_forest',
    coverage: 1,
    nlcd: 41,
    type: 'Deciduous Forest',
  })
  assert.ok(forest.area > 0 && forest.area % 10_000 === 0, `${forest.area} m²`)
})

test('a soil survey has its own shape', async () => {
  await using here = await openSmall()
  const { survey } = (await here.analyze(SOIL, inside)).result
  assert.deepEqual([survey.name, survey.displayName, survey.categories.length], ['soil', 'Soil', 7])
  assert.deepEqual(Object.keys(survey.categories[1]).sort(), ['area', 'code', 'coverage', 'type'])
  assert.deepEqual([survey.categories[1].code, survey.categories[1].coverage], ['b', 1])
})

test('the routes answer with and without the slash at the end', async () => {
  await using here = await openSmall({ withWorker: false })
  for (const url of [LAND, SOIL]) {
    const response = await here.send({ url: url.slice(0, -1), payload: { area_of_interest: inside } })
    assert.equal(response.statusCode, 200)
    const { location } = response.headers
    for (const path of [String(location), String(location).slice(0, -1)]) {
      assert.equal((await here.send({ url: path })).statusCode, 200)
    }
  }
})

test('an area may come as a feature, as text, as a form, or alone in the body with a message about its age', async () => {
  await using here = await openSmall({ withWorker: false })
  const feature = { type: 'Feature', properties: {}, geometry: inside }
  for (const area of [inside, feature, JSON.stringify(feature)]) {
    const response = await here.send({ url: LAND, payload: { area_of_interest: area, wkaoi: 'huc12__55174' } })
    assert.equal(response.statusCode, 200, response.body)
    assert.deepEqual(response.json().messages, [JOB_DEPRECATED])
  }
  const form = await here.send({
    url: LAND,
    method: 'POST',
    payload: new URLSearchParams({ area_of_interest: JSON.stringify(feature) }).toString(),
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
  })
  assert.equal(form.statusCode, 200, form.body)
  for (const body of [inside, feature]) {
    const response = await here.send({ url: `${LAND}?wkaoi=huc8__1`, payload: body })
    assert.equal(response.statusCode, 200, response.body)
    const { messages } = response.json()
    assert.equal(messages.length, 2)
    assert.match(messages[0], /old style.*\{ area_of_interest, wkaoi, huc \}/)
    assert.equal(messages[1], JOB_DEPRECATED)
  }
  const again = await here.send({ url: LAND, payload: { area_of_interest: inside } })
  assert.deepEqual(again.json().messages, [JOB_DEPRECATED], 'messages do not pile up from call to call')
})

const bowtie = [
  [-75.7, 39.8],
  [-75.69, 39.805],
  [-75.69, 39.8],
  [-75.7, 39.806],
  [-75.7, 39.8],
]
const refusals: [what: string, area: unknown, message: RegExp][] = [
  ['that crosses itself', polygon(bowtie), /crosses itself at \[-75\.69/],
  ['of more than 75 000 km²', polygon(box(-77, 38, -73, 41)), /km²; at most 75000 km² are taken/],
  ['outside of the layer', polygon(box(-80, 40, -79.9, 40.1)), /lies outside .*(nlcd-2019|soil) \[-75/],
  ['in metres', polygon(box(1_709_015, 2_040_195, 1_719_015, 2_050_195)), /not a longitude in -180\.\.180/],
  ['with latitudes first', polygon(box(39.8, -175.7, 39.81, -175.69)), /latitude in -90\.\.90/],
  [
    'of another coordinate system',
    { ...inside, crs: { type: 'name', properties: { name: 'EPSG:5070' } } },
    /names the coordinate system "EPSG:5070"/,
  ],
  ['with heights', polygon(box(-75.7, 39.8, -75.69, 39.805).map((xy) => [...xy, 12])), /has 3 numbers/],
  ['whose ring is open', polygon(box(-75.7, 39.8, -75.69, 39.805).slice(0, 4)), /Repeat its first position/],
  ['that is a point', { type: 'Point', coordinates: [-75.7, 39.8] }, /its type is "Point"/],
  ['that is no JSON', '{"type":', /text that is not JSON/],
  ['that is a number', 7, /it is a number/],
  ['that is a list', [inside], /it is an array/],
]

for (const [what, area, message] of refusals) {
  test(`an area ${what} is a 400 with a list of one message, and nothing is stored`, async () => {
    await using here = await openSmall({ withWorker: false })
    for (const url of [LAND, SOIL]) {
      const response = await here.send({ url, payload: { area_of_interest: area } })
      assert.equal(response.statusCode, 400)
      const messages = response.json()
      assert.ok(Array.isArray(messages) && messages.length === 1, response.body)
      assert.match(messages[0], message)
    }
    for (const [url, inputs] of [
      ['/processes/watershed.analyze-land/execution', { area }],
      ['/processes/watershed.analyze-soil/execution', { area }],
    ] as const) {
      const response = await here.send({ url, payload: { inputs } })
      assert.equal(response.statusCode, 400)
      const { code, errors } = response.json()
      assert.equal(code, 'input_invalid')
      assert.deepEqual([errors.length, errors[0].pointer], [1, '/inputs/area'])
      assert.match(errors[0].detail, message)
    }
    assert.deepEqual((await here.store.jobs({}, { limit: 1 })).jobs, [])
  })
}

test('what has no area, or one by another name than its outline, says so', async () => {
  await using here = await openSmall({ withWorker: false })
  const missing = /^There is no area\. Send area_of_interest/
  const cases: [url: string, body: unknown, message: RegExp][] = [
    [LAND, {}, missing],
    [LAND, { area_of_interest: null }, missing],
    [LAND, { area_of_interest: '' }, missing],
    [LAND, { wkaoi: 'huc12__55174' }, /^Areas by wkaoi are not available here/],
    [LAND, { huc: '02040203' }, /^Areas by huc are not available here/],
    [LAND, { wkaoi: 'huc12__55174', huc: '02040203' }, /by wkaoi/],
    [`${SOIL}?huc=02040203`, {}, /by huc/],
  ]
  for (const [url, payload, message] of cases) {
    const response = await here.send({ url, payload })
    assert.equal(response.statusCode, 400, `${url} ${JSON.stringify(payload)}`)
    assert.match(response.json()[0], message)
  }
  const empty = await here.send({ url: LAND, method: 'POST' })
  assert.deepEqual([empty.statusCode, missing.test(empty.json()[0])], [400, true])
  assert.deepEqual((await here.store.jobs({}, { limit: 1 })).jobs, [])
})

test('a product year that does not exist is a 400 that lists those that do', async () => {
  await using here = await openSmall({ withWorker: false })
  for (const year of ['2019', '2019_1999', 'nlcd', '2019_2019x']) {
    const response = await here.send({ url: `/api/analyze/land/${year}/`, payload: { area_of_interest: inside } })
    assert.equal(response.statusCode, 400, year)
    assert.match(response.json()[0], /^Invalid product year ".*"\. Must be one of: 2019_2019, 2019_2016,/)
  }
})

test('an analysis without a layer is a 400 that says what to add', async () => {
  await using here = await openSmall({ withWorker: false })
  const response = await here.send({ url: '/api/analyze/land/2019_2006/', payload: { area_of_interest: inside } })
  assert.equal(response.statusCode, 400)
  assert.deepEqual(response.json(), [
    'No layer is loaded for land cover 2019_2006. Add one: headrace layers add <file.tif> --name nlcd-2006 ' +
      '(nlcd would serve, too). Loaded: nlcd-2019, soil.',
  ])
})

test('a process refuses an input that it does not know, and a layer that is not loaded', async () => {
  await using here = await openSmall({ withWorker: false })
  const url = '/processes/watershed.analyze-land/execution'
  const unknown = await here.send({ url, payload: { inputs: { area: inside, colour: 'red' } } })
  assert.deepEqual([unknown.statusCode, unknown.json().errors[0].pointer], [400, '/inputs/colour'])
  const layer = await here.send({ url, payload: { inputs: { area: inside, layer: 'nlcd-1992' } } })
  assert.deepEqual([layer.statusCode, layer.json().errors[0].pointer], [400, '/inputs/layer'])
  assert.match(layer.json().errors[0].detail, /headrace layers add <file\.tif> --name nlcd-1992/)
  const missing = await here.send({ url, payload: { inputs: {} } })
  assert.deepEqual([missing.statusCode, missing.json().errors[0].pointer], [400, '/inputs/area'])
  await assert.rejects(here.engine.submit('watershed.analyze-land', { area: inside, colour: 'red' }), {
    code: 'input_invalid',
  })
})

test('the processes describe their inputs and outputs', async () => {
  await using here = await openSmall({ withWorker: false })
  const { inputs, outputs } = (await here.send({ url: '/processes/watershed.analyze-land' })).json()
  assert.deepEqual(Object.keys(inputs), ['area', 'layer', 'productYear'])
  assert.deepEqual(
    Object.values(inputs).map((input) => (input as { minOccurs: number }).minOccurs),
    [1, 0, 0],
  )
  assert.match(inputs.area.description, /GeoJSON Polygon, MultiPolygon/)
  assert.deepEqual(inputs.productYear.schema.enum[0], '2019_2019')
  assert.deepEqual(Object.keys(outputs), ['survey'])
  const { processes } = (await here.send({ url: '/processes?limit=100' })).json()
  assert.deepEqual(
    processes.map(({ id }: { id: string }) => id),
    ['watershed.analyze-land', 'watershed.analyze-soil'],
  )
})

test('without a credential, or with a bad one, the answer is the 403 of Model My Watershed', async () => {
  await using here = await openSmall({ withWorker: false })
  const routes = here.server.routes().filter(({ url }) => /^\/api\/(analyze|jobs)/.test(url))
  assert.equal(routes.length, 6)
  for (const { method, url } of routes) {
    const request = { method: method as 'GET' | 'POST', url: url.replace(':product_year', '2019_2019') }
    const missing = await here.server.inject(request)
    assert.equal(missing.statusCode, 403, url)
    assert.deepEqual(missing.json(), { detail: 'Authentication credentials were not provided.' })
    for (const authorization of ['Token nonsense', `Bearer hr_0123456789ab_${'x'.repeat(43)}`, 'Basic YTpi']) {
      const bad = await here.server.inject({ ...request, headers: { authorization } })
      assert.deepEqual([bad.statusCode, bad.json()], [403, { detail: 'Invalid token.' }])
    }
  }
  const reader = await here.keyOf('eve', ['read-own'])
  const scope = await here.send({ url: LAND, payload: { area_of_interest: inside }, as: reader })
  assert.equal(scope.statusCode, 403)
  assert.match(scope.json().detail, /needs the scope submit/)
})

test('the sample area needs a key as well, and is a 401 there, for it is a route of our own', async () => {
  await using here = await openSmall({ withWorker: false })
  assert.equal((await here.server.inject({ url: '/api/watershed/sample-area' })).statusCode, 401)
})

test('another owner’s job does not exist', async () => {
  await using here = await openSmall({ withWorker: false })
  const { location } = (await here.send({ url: LAND, payload: { area_of_interest: inside } })).headers
  const bob = await here.keyOf('bob')
  const urls = [String(location), '/api/jobs/01a2063d-ad31-7234-a298-8a6f51a90f94/', '/api/jobs/1/', '/api/jobs/%27/']
  for (const url of urls) {
    const response = await here.send({ url, as: bob })
    assert.deepEqual([response.statusCode, response.json()], [404, { detail: 'Not found.' }], url)
  }
  const auditor = await here.keyOf('carol', ['read-all'])
  assert.equal((await here.send({ url: String(location), as: auditor })).statusCode, 200)
})

test('a job that is cancelled is failed there, with the reason', async () => {
  await using here = await openSmall({ withWorker: false })
  const id: JobId = (await here.send({ url: LAND, payload: { area_of_interest: inside } })).json().job
  await here.engine.cancel(id, 'Nobody waits for it.')
  const { status, result, error, finished } = (await here.send({ url: `/api/jobs/${id}/` })).json()
  assert.deepEqual([status, result, error], ['failed', '', 'Nobody waits for it.'])
  assert.ok(finished)
})

test('a job whose layer is damaged fails with what to do, without a stack', async () => {
  await using here = await openSmall({ withWorker: false })
  const id: JobId = (await here.send({ url: LAND, payload: { area_of_interest: inside } })).json().job
  const { file } = await getLayer(here.catalogue, 'nlcd-2019')
  await truncate(join(here.catalogue.folder, file), 50)
  await here.startWorker()
  await here.engine.wait(id)
  const { status, result, error, ...rest } = (await here.send({ url: `/api/jobs/${id}/` })).json()
  assert.deepEqual([status, result], ['failed', ''])
  assert.match(error, /^The layer nlcd-2019 cannot be read: .* Remove it and add it again\.$/)
  assert.deepEqual(Object.keys(rest).sort(), ['finished', 'job_uuid', 'started'])
})

test('what is no JSON, and what is of a type that is not taken, is answered with a detail', async () => {
  await using here = await openSmall({ withWorker: false })
  const send = (type: string, payload: string) =>
    here.send({ url: LAND, method: 'POST', payload, headers: { 'content-type': type } })
  const broken = await send('application/json', '{"area_of_interest":')
  assert.deepEqual([broken.statusCode, /not JSON/.test(broken.json().detail)], [400, true])
  const text = await send('text/plain', 'hello')
  assert.deepEqual([text.statusCode, typeof text.json().detail], [415, 'string'])
})

test('the areas of cells come from the grid itself, not from a rule of thumb by latitude', async () => {
  await using here = await Watershed.open()
  const layer = await here.addSmall('nlcd-2019', Array(10).fill(Array(10).fill(11)), { cellM: 30 })
  const { inverse } = projector(layer.crs)
  const corner = (x: number, y: number) => inverse([1_709_015 + x, 2_050_195 - y])
  const ring = [corner(-9, -9), corner(309, -9), corner(309, 309), corner(-9, 309), corner(-9, -9)]
  const { survey } = (await here.analyze(LAND, polygon(ring))).result
  assert.deepEqual([survey.categories[0].area, survey.categories[0].coverage], [100 * 900, 1])
})
