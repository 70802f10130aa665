import assert from 'node:assert/strict'
import type { Page } from 'playwright-core'
import { fakeHistory, fakeJob, idOf, inState, iso, T0 } from './fake-jobs.ts'
import { testPage } from './pages.ts'

const rows = (page: Page) => page.getByRole('grid').locator('.job-rows [role=row]')
const rowOf = (page: Page, number: number) => rows(page).filter({ hasText: idOf(number).slice(-12) })
const WAITING = inState(fakeJob(70, { tags: ['demo'] }), 'waiting')
const RUNNING = inState(fakeJob(71), 'running')

testPage('filters are in the URL, and survive a reload', { jobs: fakeHistory(60) }, async ({ page, fake }) => {
  await page.goto('/app/jobs')
  await page.getByText('failed', { exact: true }).first().click()
  await page.getByLabel('Process', { exact: true }).selectOption('tiles.render')
  await page.getByLabel('Queue', { exact: true }).selectOption('tiles')
  await page.getByLabel('Submitted').selectOption('7d')
  await page.getByLabel('Top level only').uncheck()
  await page.getByRole('textbox', { name: 'Tag' }).fill('demo')
  await page.getByRole('searchbox').fill('render')
  await page.waitForURL(/q=render/)
  const { search } = new URL(page.url())
  assert.equal(search, '?state=failed&process=tiles.render&queue=tiles&tag=demo&q=render&since=7d&children=shown')
  await page.reload()
  await page.getByText('No job matches').or(rows(page).first()).waitFor()
  assert.equal(await page.getByRole('radio', { name: 'failed' }).isChecked(), true)
  assert.equal(await page.getByLabel('Process', { exact: true }).inputValue(), 'tiles.render')
  assert.equal(await page.getByLabel('Submitted').inputValue(), '7d')
  assert.equal(await page.getByRole('textbox', { name: 'Tag' }).inputValue(), 'demo')
  assert.equal(await page.getByRole('searchbox').inputValue(), 'render')
  assert.equal(await page.getByLabel('Top level only').isChecked(), false)
  const asked = fake.requests.filter((request) => request.startsWith('GET /jobs?')).at(-1) ?? ''
  for (const part of [
    'state=failed',
    'processID=tiles.render',
    'queue=tiles',
    'tag=demo',
    'q=render',
    'rootsOnly=false',
  ]) {
    assert.ok(asked.includes(part), `${asked} should have ${part}`)
  }
})

testPage('the keyboard alone moves through the list and opens a job', { jobs: fakeHistory(40) }, async ({ page }) => {
  await page.goto('/app/jobs')
  await rowOf(page, 39).waitFor()
  await page.keyboard.press('j') // to the table
  await page.keyboard.press('j')
  await page.keyboard.press('ArrowDown')
  await page.keyboard.press('k')
  assert.equal(await page.locator('[role=row][data-current]').getAttribute('aria-rowindex'), '3')
  await page.keyboard.press('End')
  await rowOf(page, 0).waitFor()
  await page.keyboard.press('Home')
  await page.keyboard.press('Enter')
  await page.waitForURL(`**/app/jobs/${idOf(39)}`)
})

testPage('a slash searches, and Enter on a whole id opens that job', { jobs: fakeHistory(40) }, async ({ page }) => {
  await page.goto('/app/jobs')
  await rowOf(page, 39).waitFor()
  await page.keyboard.press('/')
  await page.keyboard.type(idOf(7))
  await page.keyboard.press('Enter')
  await page.waitForURL(`**/app/jobs/${idOf(7)}`)
})

testPage('a question mark shows the shortcuts, and Escape closes them', { jobs: [WAITING] }, async ({ page }) => {
  await page.goto('/app/jobs')
  await rowOf(page, 70).waitFor()
  await page.keyboard.press('?')
  await page.getByRole('heading', { name: 'Keyboard shortcuts' }).waitFor()
  await page.keyboard.press('Escape')
  await page.getByRole('dialog').waitFor({ state: 'hidden' })
})

testPage(
  'a job that is submitted, runs and ends is seen doing so, without a reload',
  { jobs: [WAITING] },
  async ({ page, fake }) => {
    await page.goto('/app/jobs')
    await page.getByText('Live').waitFor()
    const job = inState(fakeJob(90, { processID: 'documents.read' }), 'waiting')
    fake.jobs.push(job)
    fake.tell({ jobId: job.jobID, kind: 'queued', attempt: 0, at: iso(T0), data: {} })
    const row = rowOf(page, 90)
    await row.getByText('waiting').waitFor()
    fake.tell({ jobId: job.jobID, kind: 'started', attempt: 1, at: iso(T0 + 1), data: { worker: 'w' } })
    await row.getByText('running').waitFor()
    fake.tell({
      jobId: job.jobID,
      kind: 'progress',
      attempt: 1,
      at: iso(T0 + 1e8),
      data: { fraction: 0.5, message: 'page 3' },
    })
    await row.getByText('50%').waitFor()
    await row.getByText('page 3').waitFor()
    const error = { code: 'page_torn', message: 'Page 4 cannot be read.' }
    fake.tell({ jobId: job.jobID, kind: 'ended', attempt: 1, at: iso(T0 + 2e8), data: { state: 'failed', error } })
    await row.getByText('page_torn: Page 4 cannot be read.').waitFor()
  },
)

testPage('a job that no longer passes the filter leaves the list', { jobs: [RUNNING] }, async ({ page, fake }) => {
  await page.goto('/app/jobs?state=running')
  await rowOf(page, 71).waitFor()
  await page.getByText('Live').waitFor()
  const end = { state: 'succeeded' as const, status: 'successful' as const, finished: iso(T0 + 9e4) }
  fake.tell({ jobId: RUNNING.jobID, kind: 'ended', attempt: 1, at: iso(T0 + 9e4), data: { state: 'succeeded' } }, end)
  await page.getByText('No job matches').waitFor()
})

testPage(
  'a hundred thousand jobs are paged, and only the rows in view are in the document',
  { jobs: fakeHistory(100_000) },
  async ({ page, fake }) => {
    await page.goto('/app/jobs')
    await rowOf(page, 99_999).waitFor()
    await page.getByText('100 jobs so far').waitFor()
    const table = page.getByRole('grid')
    await table.focus()
    await page.keyboard.press('End')
    await page.getByText('200 jobs so far').waitFor()
    await page.keyboard.press('End')
    await page.getByText('300 jobs so far').waitFor()
    await page.keyboard.press('End')
    await rowOf(page, 99_700).waitFor()
    assert.ok((await rows(page).count()) < 60, 'virtual rows')
    const asked = fake.requests.filter((request) => request.startsWith('GET /jobs?'))
    assert.ok(
      asked.every((request) => request.includes('limit=100')),
      'pages of a hundred',
    )
  },
)

testPage(
  'selected jobs are cancelled together, once that is confirmed',
  { jobs: [WAITING, RUNNING] },
  async ({ page, fake }) => {
    await page.goto('/app/jobs')
    await page.getByRole('checkbox', { name: 'Select all loaded jobs' }).check()
    await page.getByRole('button', { name: 'Cancel 2' }).click()
    await page.getByRole('button', { name: 'Keep' }).click()
    assert.equal(
      fake.requests.some((request) => request.startsWith('DELETE')),
      false,
    )
    await page.getByRole('button', { name: 'Cancel 2' }).click()
    await page.getByRole('button', { name: 'Cancel 2 jobs' }).click()
    await page.getByRole('region', { name: 'Selected jobs' }).getByText('Cancelled 2 of 2.').waitFor()
    await rowOf(page, 70).getByText('cancelling').waitFor()
    assert.deepEqual(fake.requests.filter((request) => request.startsWith('DELETE')).sort(), [
      `DELETE /jobs/${idOf(70)}`,
      `DELETE /jobs/${idOf(71)}`,
    ])
  },
)

testPage(
  'an ended job is retried from the keyboard',
  { jobs: [inState(fakeJob(5), 'failed')] },
  async ({ page, fake }) => {
    await page.goto('/app/jobs')
    await rowOf(page, 5).waitFor()
    await page.keyboard.press('j')
    await page.keyboard.press('x')
    await page.getByRole('button', { name: 'Retry 1' }).press('Enter')
    await page.getByRole('region', { name: 'Selected jobs' }).getByText('Retried 1 of 1.').waitFor()
    assert.ok(fake.requests.includes(`POST /jobs/${idOf(5)}/retry`))
  },
)

testPage(
  'all failed jobs of a filter are retried at once, after a question that says how many',
  {
    jobs: [
      ...Array.from({ length: 203 }, (_, index) => inState(fakeJob(index, { tags: ['night'] }), 'failed')),
      inState(fakeJob(300), 'failed'),
    ],
  },
  async ({ page, fake }) => {
    await page.goto('/app/jobs?tag=night')
    await rowOf(page, 202).waitFor()
    assert.equal(await page.getByRole('button', { name: 'Retry all failed' }).count(), 0)
    await page.goto('/app/jobs?tag=night&state=failed')
    await page.getByRole('button', { name: 'Retry all failed' }).click()
    await page.getByRole('dialog').getByText('Retry all 203 failed jobs?').waitFor()
    await page.getByRole('button', { name: 'Retry all 203 failed jobs' }).click()
    await page.getByRole('region', { name: 'Failed jobs' }).getByText('Retried 203.').waitFor()
    assert.equal(fake.jobs.filter(({ retryOf }) => retryOf !== undefined).length, 203)
    await page.getByRole('button', { name: 'Retry all failed' }).click()
    await page.getByRole('region', { name: 'Failed jobs' }).getByText('were retried already').waitFor()
  },
)

testPage('an empty server says what to do first', {}, async ({ page }) => {
  await page.goto('/app/jobs')
  await page.getByRole('heading', { name: 'No jobs yet' }).waitFor()
  await page.getByRole('link', { name: 'Open the map' }).click()
  await page.getByRole('heading', { level: 1, name: 'Map' }).waitFor()
})

testPage(
  'a reader who has scrolled down keeps the rows where they are when new jobs come',
  { jobs: fakeHistory(90) },
  async ({ page, fake }) => {
    await page.goto('/app/jobs')
    await page.getByText('Live').waitFor()
    await page.getByRole('grid').evaluate((table) => {
      table.scrollTop = 400
    })
    await rowOf(page, 75).waitFor()
    const top = () => rowOf(page, 75).evaluate((row) => Math.round(row.getBoundingClientRect().top))
    const before = await top()
    const job = inState(fakeJob(95), 'waiting')
    fake.jobs.push(job)
    fake.tell({ jobId: job.jobID, kind: 'queued', attempt: 0, at: iso(T0), data: {} })
    await page.getByText('91 jobs').waitFor()
    assert.equal(await top(), before)
  },
)
