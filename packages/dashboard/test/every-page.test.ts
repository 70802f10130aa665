import assert from 'node:assert/strict'
import type { Page } from 'playwright-core'
import {
  FAKE_ERROR,
  fakeFanOut,
  fakeHistory,
  fakeJob,
  idOf,
  inState,
  iso,
  LAND_RESULT,
  SAMPLE_AREA,
} from './fake-jobs.ts'
import type { FakeServer } from './fake-server.ts'
import { axeFindings, testPage } from './pages.ts'

const LAND = idOf(5000)
const FAILED = idOf(5001)
const TRAINING = idOf(5002)
const JOBS = [
  ...fakeHistory(60),
  ...fakeFanOut(6000, 40),
  fakeJob(5000, { processID: 'watershed.analyze-land', kind: 'workflow', tags: ['demo'] }),
  {
    ...inState(fakeJob(5001, { attempt: 2 }), 'failed'),
    error: { ...FAKE_ERROR, origin: { jobId: LAND, task: 'geo.land-cover' } },
  },
  inState(fakeJob(5002, { processID: 'training.fit' }), 'running'),
  inState(fakeJob(5003, { processID: 'headrace.canvas', kind: 'workflow' }), 'running'),
  fakeJob(5004, {
    processID: 'geo.land',
    parentId: idOf(5003),
    rootId: idOf(5003),
    tags: ['canvas:/canvas/chain/0/group/0'],
  }),
]

/** Each page with what shows that all of it has been drawn. */
const PAGES: readonly {
  readonly name: string
  readonly path: string
  readonly shown: (page: Page) => Promise<void>
}[] = [
  {
    name: 'jobs',
    path: '/app/jobs',
    shown: (page) => page.getByRole('grid').getByText('training.fit').first().waitFor(),
  },
  { name: 'no jobs', path: '/app/jobs?tag=nowhere', shown: (page) => page.getByText('No job matches').waitFor() },
  {
    name: 'a job with a survey',
    path: `/app/jobs/${LAND}`,
    shown: (page) => page.getByText('Deciduous Forest').waitFor(),
  },
  { name: 'a failed job', path: `/app/jobs/${FAILED}`, shown: (page) => page.getByText('Thrown in').first().waitFor() },
  {
    name: 'a job with curves',
    path: `/app/jobs/${TRAINING}`,
    shown: (page) => page.locator('.uplot').first().waitFor(),
  },
  {
    name: 'a job with children',
    path: `/app/jobs/${idOf(6000)}`,
    shown: (page) => page.locator('.group-counts').waitFor(),
  },
  {
    name: 'a canvas',
    path: `/app/jobs/${idOf(5003)}`,
    shown: (page) => page.getByText('all at once, collects failures').waitFor(),
  },
  { name: 'map', path: '/app/map', shown: (page) => page.locator('.map-holder[data-ready]').waitFor() },
  {
    name: 'map with a result',
    path: `/app/map?job=${LAND}`,
    shown: (page) => page.getByRole('rowheader', { name: /Deciduous Forest/ }).waitFor(),
  },
  { name: 'processes', path: '/app/processes', shown: (page) => page.getByText('Render tiles').waitFor() },
  {
    name: 'a process',
    path: '/app/processes/watershed.analyze-land',
    shown: (page) => page.getByRole('button', { name: 'Run' }).waitFor(),
  },
  {
    name: 'models',
    path: '/app/models',
    shown: (page) => page.getByRole('table').getByText('resting').waitFor(),
  },
  {
    name: 'queues',
    path: '/app/queues',
    shown: (page) => page.getByRole('button', { name: 'Resume training' }).waitFor(),
  },
  {
    name: 'schedules',
    path: '/app/schedules',
    shown: (page) => page.getByRole('button', { name: 'Resume hourly-tiles' }).waitFor(),
  },
  { name: 'workers', path: '/app/workers', shown: (page) => page.getByText('mill-1').first().waitFor() },
  {
    name: 'no such page',
    path: '/app/nowhere',
    shown: (page) => page.getByText('There is nothing at this address').waitFor(),
  },
]

function prepare(fake: FakeServer) {
  fake.inputs.set(idOf(5003), {
    canvas: {
      chain: [
        { group: [{ call: 'geo.land' }, { call: 'geo.soil', id: 'soil' }], onFailure: 'collect', id: 'both' },
        { map: 'tiles.render', over: { $ref: 'both' } },
      ],
    },
    onFailure: { call: 'tell' },
  })
  fake.inputs.set(LAND, { area: SAMPLE_AREA, layer: 'land-2019' })
  fake.results.set(LAND, LAND_RESULT)
  fake.artifacts.set(LAND, [{ name: 'land.tif', id: 'a', sizeBytes: 2048, at: iso(0), href: '/artifacts/a' }])
  const attempt = { worker: idOf(1), startedAt: iso(0), endedAt: iso(900) }
  fake.attempts.set(FAILED, [
    { ...attempt, attempt: 1, outcome: 'retried', error: { ...FAKE_ERROR, message: 'The first time was worse.' } },
    { ...attempt, attempt: 2, outcome: 'failed', error: FAKE_ERROR },
  ])
  for (const step of [1, 2, 3]) {
    fake.tell({
      jobId: TRAINING,
      kind: 'metric',
      attempt: 1,
      at: iso(0),
      data: { name: 'loss', step, value: 1 / step },
    })
    fake.tell({
      jobId: TRAINING,
      kind: 'log',
      attempt: 1,
      at: iso(0),
      data: { level: 'warn', message: `epoch ${step}` },
    })
  }
}

for (const { name, path, shown } of PAGES) {
  for (const colorScheme of ['light', 'dark'] as const) {
    testPage(
      `the page "${name}" is quiet and accessible in ${colorScheme}`,
      { jobs: JOBS, colorScheme },
      async ({ page, fake }) => {
        prepare(fake)
        await page.goto(path)
        await shown(page)
        assert.deepEqual(await axeFindings(page), [])
      },
    )
  }

  testPage(
    `the page "${name}" fits a telephone`,
    { jobs: JOBS, viewport: { width: 380, height: 760 } },
    async ({ page, fake }) => {
      prepare(fake)
      await page.goto(path)
      await shown(page)
      const widthPx = await page.evaluate(() => document.documentElement.scrollWidth)
      assert.ok(widthPx <= 380, `it is ${widthPx} px wide`)
      assert.deepEqual(await axeFindings(page), [])
    },
  )
}

testPage(
  'a chosen theme is remembered, and the system has its way again when it is let',
  { colorScheme: 'light' },
  async ({ page }) => {
    const scheme = () => page.evaluate(() => getComputedStyle(document.documentElement).colorScheme)
    await page.goto('/app/jobs')
    await page.getByRole('radio', { name: 'Dark colours' }).check()
    await page.reload()
    await page.getByText('No jobs yet').waitFor()
    assert.equal(await scheme(), 'dark')
    await page.getByRole('radio', { name: 'Colours as the system has them' }).check()
    await page.reload()
    await page.getByText('No jobs yet').waitFor()
    assert.equal(await scheme(), 'light dark')
  },
)

testPage('the keyboard reaches every page, and the focus lands on its heading', {}, async ({ page }) => {
  await page.goto('/app/jobs')
  await page.getByText('No jobs yet').waitFor()
  const places = [
    ['o', 'Models'],
    ['p', 'Processes'],
    ['q', 'Queues'],
    ['s', 'Schedules'],
    ['w', 'Workers'],
    ['m', 'Map'],
    ['j', 'Jobs'],
  ] as const
  for (const [key, heading] of places) {
    await page.keyboard.press('g')
    await page.keyboard.press(key)
    await page.getByRole('heading', { level: 1, name: heading }).waitFor()
    assert.equal(await page.evaluate(() => document.activeElement?.tagName), 'H1')
  }
})

testPage('single keys can be switched off', {}, async ({ page }) => {
  await page.goto('/app/jobs')
  await page.getByText('No jobs yet').waitFor()
  await page.keyboard.press('?')
  await page.getByRole('checkbox', { name: /Single-key shortcuts/ }).uncheck()
  await page.keyboard.press('Escape')
  await page.getByRole('dialog').waitFor({ state: 'hidden' })
  await page.keyboard.press('?')
  assert.equal(await page.getByRole('dialog').count(), 0)
})

testPage('the first Tab leads past the navigation', {}, async ({ page }) => {
  await page.goto('/app/jobs')
  await page.getByText('No jobs yet').waitFor()
  await page.keyboard.press('Tab')
  await page.keyboard.press('Enter')
  assert.equal(await page.evaluate(() => document.activeElement?.id), 'main')
})
