import assert from 'node:assert/strict'
import type { Page } from 'playwright-core'
import { fakeJob, idOf, inState, iso, SAMPLE_AREA, T0 } from './fake-jobs.ts'
import type { FakeServer } from './fake-server.ts'
import { testPage } from './pages.ts'

const isReady = (page: Page) => page.locator('.map-holder[data-ready]').waitFor()
const geojson = (page: Page) => page.getByRole('textbox', { name: 'GeoJSON' })

function finish(fake: FakeServer, jobId: string) {
  const end = { state: 'succeeded' as const, status: 'successful' as const, finished: iso(T0 + 9e6) }
  fake.tell({ jobId, kind: 'ended', attempt: 1, at: iso(T0 + 9e6), data: { state: 'succeeded' } }, end)
}

testPage(
  'the sample area is analysed: submitted, followed, and shown as a table; a reload goes on',
  {},
  async ({ page, fake }) => {
    await page.goto('/app/map')
    await isReady(page)
    await page.getByRole('button', { name: 'Sample area' }).click()
    await page.getByRole('button', { name: 'Analyse', exact: true }).click()
    await page.waitForURL(/job=/)
    const id = new URL(page.url()).searchParams.get('job') ?? ''
    assert.deepEqual(fake.inputs.get(id), { area: SAMPLE_AREA })
    const result = page.getByRole('region', { name: 'Result' })
    await result.getByText('waiting', { exact: true }).waitFor()
    fake.tell(
      { jobId: id, kind: 'started', attempt: 1, at: iso(T0), data: {} },
      { state: 'running', status: 'running', attempt: 1, started: iso(T0) },
    )
    await result.getByText('running', { exact: true }).waitFor()
    fake.tell(
      { jobId: id, kind: 'progress', attempt: 1, at: iso(T0), data: { fraction: 0.3 } },
      { progressFraction: 0.3, progressMessage: 'reading tiles' },
    )
    await result.getByText('reading tiles').waitFor()

    await page.reload()
    await result.getByText('reading tiles').waitFor()
    assert.match(await geojson(page).inputValue(), /Mill Creek/)
    finish(fake, id)
    await result.getByRole('rowheader', { name: /Deciduous Forest/ }).waitFor()
    const types = await result.locator('tbody th').allTextContents()
    assert.match(types[0] ?? '', /Low Intensity/)
    await result.getByRole('button', { name: 'Class' }).click()
    assert.match((await result.locator('tbody th').allTextContents())[0] ?? '', /Barren Land/)
    await result.getByRole('link', { name: 'watershed.analyze-land' }).click()
    await page.waitForURL(`**/app/jobs/${id}`)
  },
)

testPage('layers that come after the map was opened are looked at then', {}, async ({ page }) => {
  let letCome = () => {}
  const mayCome = new Promise<void>((resolve) => {
    letCome = resolve
  })
  await page.route('**/layers', async (route) => {
    await mayCome
    await route.continue()
  })
  await page.goto('/app/map')
  await isReady(page)
  const scale = page.locator('.maplibregl-ctrl-scale')
  await scale.getByText(/000\skm/).waitFor()
  letCome()
  await scale.getByText(/^\d{1,3}\sk?m$/).waitFor()
})

testPage(
  'a new analysis takes the place of the one before, and going back shows that again',
  {},
  async ({ page, fake }) => {
    let number = 100
    fake.onExecute = (process) => inState(fakeJob(number++, { processID: process }), 'running')
    await page.goto('/app/map')
    await isReady(page)
    await page.getByRole('button', { name: 'Sample area' }).click()
    const analyse = page.getByRole('button', { name: 'Analyse', exact: true })
    await analyse.click()
    await page.waitForURL(`**/app/map?job=${idOf(100)}`)
    await page.getByLabel('Analyse soil').check()
    await analyse.click()
    await page.waitForURL(`**/app/map?job=${idOf(101)}`)
    finish(fake, idOf(100))
    const result = page.getByRole('region', { name: 'Result' })
    await result.getByRole('link', { name: 'watershed.analyze-soil' }).waitFor()
    await page.goBack()
    await result.getByRole('link', { name: 'watershed.analyze-land' }).waitFor()
    await result.getByRole('rowheader', { name: /Deciduous Forest/ }).waitFor()
  },
)

testPage('what the server refuses stands by the field, with the place that it means', {}, async ({ page, fake }) => {
  fake.expectedFaults.push('/execution')
  fake.onExecute = () => ({
    problem: {
      type: 'about:blank',
      title: 'Invalid input',
      status: 400,
      code: 'input_invalid',
      errors: [{ pointer: '/inputs/area/coordinates/0', detail: 'The ring crosses itself near -75.2, 40.' }],
    },
  })
  await page.goto('/app/map')
  await isReady(page)
  await page.getByRole('button', { name: 'Sample area' }).click()
  await page.getByRole('button', { name: 'Analyse', exact: true }).click()
  await page.getByRole('alert').getByText('Invalid input.').waitFor()
  await page.getByRole('alert').getByText('/inputs/area/coordinates/0').waitFor()
  await page.getByRole('alert').getByText('crosses itself near').waitFor()
  assert.equal(await geojson(page).getAttribute('aria-invalid'), 'true')
  await geojson(page).fill('{"type":"Point","coordinates":[0,0]}')
  await page.getByText('A Point has no area.').waitFor()
  assert.equal(await page.getByRole('button', { name: 'Analyse', exact: true }).isDisabled(), true)
})

testPage('a polygon and a rectangle are drawn with the pointer', {}, async ({ page }) => {
  await page.goto('/app/map')
  await isReady(page)
  const box = await page.locator('.map-canvas canvas').boundingBox()
  assert.ok(box)
  const click = async (x: number, y: number) => {
    // A pointer comes from somewhere: terra-draw follows its way to the next corner.
    await page.mouse.move(box.x + x - 10, box.y + y - 10)
    await page.mouse.move(box.x + x, box.y + y)
    await page.mouse.down()
    await page.mouse.up()
  }
  await page.getByRole('button', { name: 'Draw polygon' }).click()
  for (const [x, y] of [
    [150, 200],
    [350, 220],
    [340, 420],
    [150, 200],
  ] as const)
    await click(x, y)
  await page.waitForFunction(() => document.querySelector('textarea')?.value.includes('"Polygon"'))
  const corners = async () => JSON.parse(await geojson(page).inputValue()).geometry.coordinates[0].length as number
  assert.equal(await corners(), 4)

  await page.getByRole('button', { name: 'Draw rectangle' }).click()
  await click(160, 240)
  await click(360, 400)
  await page.waitForFunction(
    () => JSON.parse(document.querySelector('textarea')?.value ?? '').geometry.coordinates[0].length === 5,
  )
})

testPage('an area can be given by its edges, with the keyboard alone', {}, async ({ page }) => {
  await page.goto('/app/map')
  await isReady(page)
  await page.getByText('Give a rectangle by its edges').press('Enter')
  await page.getByLabel('West').fill('-75.3')
  await page.getByLabel('South').fill('39.9')
  await page.getByLabel('East').fill('-75.4')
  await page.getByLabel('North').fill('40')
  await page.getByRole('button', { name: 'Use it' }).press('Enter')
  await page.getByText('West must be less than east.').waitFor()
  await page.getByLabel('East').fill('-75.2')
  await page.getByRole('button', { name: 'Use it' }).press('Enter')
  assert.match(await geojson(page).inputValue(), /\[-75\.3, 39\.9\]/)
  await page.getByRole('button', { name: 'Analyse', exact: true }).press('Enter')
  await page.waitForURL(/job=/)
})

testPage('layers come from our own server; they are switched, faded, and explained', {}, async ({ page, fake }) => {
  await page.goto('/app/map')
  await isReady(page)
  const layers = page.getByRole('region', { name: 'Layers' })
  const soilTile = page.waitForResponse(/\/layers\/soil\/tiles\//)
  await layers.getByLabel('Hydrologic soil groups', { exact: true }).check()
  await soilTile
  await layers.getByLabel('Opacity of Land cover 2019').fill('40')
  await layers.getByText('Legend').first().click()
  await layers.getByText('Deciduous Forest').waitFor()
  assert.ok(fake.requests.some((request) => /GET \/layers\/land-2019\/tiles\/\d+\/\d+\/\d+\.png/.test(request)))
})

testPage('without WebGL the page says so, and all but drawing works', {}, async ({ page, fake }) => {
  await page.addInitScript(() => {
    const real = HTMLCanvasElement.prototype.getContext
    // biome-ignore lint/suspicious/noExplicitAny: it takes the place of an overloaded method of the browser.
    HTMLCanvasElement.prototype.getContext = function (this: HTMLCanvasElement, kind: string, ...rest: any[]): any {
      return kind.startsWith('webgl') ? null : Reflect.apply(real, this, [kind, ...rest])
    }
  })
  await page.goto('/app/map')
  await page.getByText('This browser has no WebGL').waitFor()
  await geojson(page).fill(JSON.stringify(SAMPLE_AREA))
  await page.getByRole('img', { name: /The area/ }).waitFor()
  await page.getByRole('button', { name: 'Analyse', exact: true }).click()
  await page.waitForURL(/job=/)
  finish(fake, new URL(page.url()).searchParams.get('job') ?? '')
  await page.getByRole('rowheader', { name: /Deciduous Forest/ }).waitFor()
  assert.equal(
    fake.requests.some((request) => request.includes('map-canvas')),
    false,
  )
})
