import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import type { Page } from 'playwright-core'
import { FAKE_ERROR, fakeFanOut, fakeJob, idOf, inState, iso, LAND_RESULT, SAMPLE_AREA, T0 } from './fake-jobs.ts'
import type { FakeServer } from './fake-server.ts'
import { testPage } from './pages.ts'

const JOB = idOf(50)
const RUNNING = inState(fakeJob(50), 'running')
const timelineRows = (page: Page) => page.getByRole('treegrid').locator('[role=row]')

function log(fake: FakeServer, message: string, level = 'info', jobId = JOB) {
  fake.tell({ jobId, kind: 'log', attempt: 1, at: iso(T0), data: { level, message } })
}

testPage('a running job is followed to its result', { jobs: [RUNNING] }, async ({ page, fake }) => {
  fake.results.set(JOB, LAND_RESULT)
  await page.goto(`/app/jobs/${JOB}`)
  await page.getByText('Live').waitFor()
  fake.tell({
    jobId: JOB,
    kind: 'progress',
    attempt: 1,
    at: iso(T0 + 1e6),
    data: { fraction: 0.75, message: 'counting' },
  })
  await page.getByText('counting').waitFor()
  await page.getByRole('progressbar').getByText('75%').or(page.getByText('75%')).first().waitFor()
  log(fake, 'the last row')
  await page.getByText('the last row').waitFor()
  fake.tell({ jobId: JOB, kind: 'metric', attempt: 1, at: iso(T0), data: { name: 'loss', step: 1, value: 0.5 } })
  await page.getByRole('img', { name: /loss by step: 1 points, last 0.5/ }).waitFor()
  const end = { state: 'succeeded' as const, status: 'successful' as const, finished: iso(T0 + 2e6) }
  fake.tell({ jobId: JOB, kind: 'ended', attempt: 1, at: iso(T0 + 2e6), data: { state: 'succeeded' } }, end)
  await page.getByRole('heading', { level: 1 }).getByText('succeeded').waitFor()
  await page.getByRole('rowheader', { name: /Developed, Low Intensity/ }).waitFor()
  const order = await page.locator('.survey-table tbody th').allTextContents()
  assert.match(order[0] ?? '', /Low Intensity 22/)
  assert.match(order[1] ?? '', /Medium Intensity 23/)
})

testPage(
  'cancelling is asked for, confirmed, and shown until the job has ended',
  { jobs: [RUNNING] },
  async ({ page, fake }) => {
    await page.goto(`/app/jobs/${JOB}`)
    await page.getByText('Live').waitFor()
    await page.getByRole('button', { name: 'Cancel', exact: true }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Cancel the job' }).click()
    await page.getByRole('heading', { level: 1 }).getByText('cancelling').waitFor()
    assert.equal(await page.getByRole('button', { name: 'Cancelling…' }).isDisabled(), true)
    const error = { code: 'job_cancelled', message: 'Cancelled by ada.' }
    const end = { state: 'cancelled' as const, status: 'dismissed' as const, finished: iso(T0 + 2e6), error }
    fake.tell({ jobId: JOB, kind: 'ended', attempt: 1, at: iso(T0 + 2e6), data: { state: 'cancelled', error } }, end)
    await page.getByRole('heading', { level: 1 }).getByText('cancelled').waitFor()
    await page.getByText('Cancelled by ada.').first().waitFor()
    await page.getByRole('button', { name: 'Retry' }).click()
    await page.getByText('Retry of').waitFor()
  },
)

testPage(
  'an answer to a cancel that comes after the end takes nothing back',
  { jobs: [RUNNING] },
  async ({ page, fake }) => {
    const { promise, resolve } = Promise.withResolvers<void>()
    fake.cancelAnswered = promise
    await page.goto(`/app/jobs/${JOB}`)
    await page.getByText('Live').waitFor()
    await page.getByRole('button', { name: 'Cancel', exact: true }).click()
    const answered = page.waitForResponse((response) => response.request().method() === 'DELETE')
    await page.getByRole('dialog').getByRole('button', { name: 'Cancel the job' }).click()
    await page.getByRole('heading', { level: 1 }).getByText('cancelling').waitFor()
    const error = { code: 'job_cancelled', message: 'Cancelled by ada.' }
    const end = { state: 'cancelled' as const, status: 'dismissed' as const, finished: iso(T0 + 2e6), error }
    fake.tell({ jobId: JOB, kind: 'ended', attempt: 1, at: iso(T0 + 2e6), data: { state: 'cancelled', error } }, end)
    await page.getByText('Cancelled by ada.').first().waitFor()
    resolve()
    await answered
    await page.getByRole('button', { name: 'Retry' }).click()
    await page.getByText('Retry of').waitFor()
  },
)

testPage(
  'a workflow that failed is tried again from the step that failed or from the start, with another input if wished',
  {
    jobs: [
      { ...RUNNING, kind: 'workflow', state: 'failed', status: 'failed', finished: iso(T0 + 2e6), error: FAKE_ERROR },
    ],
  },
  async ({ page, fake }) => {
    fake.inputs.set(JOB, { zoom: 3 })
    await page.goto(`/app/jobs/${JOB}`)
    await page.getByRole('button', { name: 'Retry' }).click()
    const dialog = page.getByRole('dialog')
    assert.equal(await dialog.getByRole('radio', { name: 'From the step that failed' }).isChecked(), true)
    await dialog.getByRole('button', { name: 'Change the input' }).click()
    const input = dialog.getByRole('textbox', { name: 'Input' })
    assert.deepEqual(JSON.parse(await input.inputValue()), { zoom: 3 })
    await input.fill('{ "zoom": ')
    await dialog.getByRole('button', { name: 'Start the retry' }).click()
    await dialog.getByText('This is not JSON').waitFor()
    await input.fill('{ "zoom": 4 }')
    await dialog.getByRole('radio', { name: 'From the start' }).check()
    await dialog.getByRole('button', { name: 'Start the retry' }).click()
    await page.getByText('Retry of').waitFor()
    assert.deepEqual(fake.retries, [{ from: 'start', input: { zoom: 4 } }])
  },
)

testPage(
  'a lost connection is said quietly, and what happened meanwhile is caught up on',
  { jobs: [RUNNING] },
  async ({ page, fake }) => {
    fake.expectedFaults.push('/events')
    await page.goto(`/app/jobs/${JOB}`)
    log(fake, 'before')
    await page.getByText('before').waitFor()
    fake.refuseStreams = true
    fake.dropStreams()
    await page.getByText('Reconnecting…').waitFor()
    log(fake, 'while it was away')
    log(fake, 'and once more')
    fake.refuseStreams = false
    await page.getByText('while it was away').waitFor()
    await page.getByText('Live', { exact: true }).waitFor()
    assert.deepEqual(await page.locator('.log-message').allTextContents(), [
      'before',
      'while it was away',
      'and once more',
    ])
  },
)

testPage(
  'a log is filtered, searched, paused, and downloaded whole',
  { jobs: [RUNNING, fakeJob(51, { parentId: JOB, rootId: JOB, step: 0 })] },
  async ({ page, fake }) => {
    for (let line = 1; line <= 3000; line++) log(fake, `tile ${line}`, line % 1000 === 0 ? 'error' : 'debug')
    log(fake, 'from the child', 'info', idOf(51))
    await page.goto(`/app/jobs/${JOB}`)
    await page.getByText('3,001 lines').waitFor()
    await page.getByText('from the child').waitFor()
    assert.ok((await page.locator('.log-line').count()) < 80, 'virtual lines')

    await page.getByLabel('Least level').selectOption('error')
    await page.getByText('3 of 3,001 lines').waitFor()
    log(fake, 'live and grave', 'error')
    log(fake, 'live and light', 'info')
    await page.getByText('4 of 3,003 lines').waitFor()
    await page.getByLabel('Least level').selectOption('debug')

    await page.getByLabel('Search the log').fill('TILE 2999')
    await page.locator('mark').getByText('tile 2999').waitFor()
    await page.getByLabel('Search the log').fill('')
    await page.getByLabel('This job only').check()
    await page.getByText('3,002 of 3,003 lines').waitFor()

    await page.getByText('live and light').waitFor()
    await page.locator('.log-lines').focus()
    await page.keyboard.press('PageUp')
    await page.getByRole('button', { name: 'Follow', exact: true }).click()
    await page.getByRole('button', { name: 'Following' }).waitFor()

    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('button', { name: 'Download all' }).click(),
    ])
    const text = await readFile(await download.path(), 'utf8')
    assert.equal(text.trimEnd().split('\n').length, 3003)
    assert.equal(download.suggestedFilename(), `${JOB}.log`)
  },
)

testPage(
  'five thousand children are one line, and a few dozen rows once unfolded',
  { jobs: fakeFanOut(6000, 5000) },
  async ({ page }) => {
    await page.goto(`/app/jobs/${idOf(6000)}`)
    await page.getByText('5,001 jobs').waitFor()
    assert.equal(await timelineRows(page).count(), 2)
    await page.getByText('× 5,000').waitFor()
    const grid = page.getByRole('treegrid')
    await grid.focus()
    await page.keyboard.press('ArrowDown')
    await page.keyboard.press('ArrowRight')
    await page.getByRole('link', { name: /tiles\.render #0/ }).waitFor()
    assert.equal(await grid.getAttribute('aria-rowcount'), '5002')
    await page.keyboard.press('End')
    await page.getByRole('link', { name: /#4999/ }).waitFor()
    assert.ok((await timelineRows(page).count()) < 60, 'virtual rows')
    await page.keyboard.press('Enter')
    await page.waitForURL(`**/app/jobs/${idOf(6000 + 5000)}`)
  },
)

testPage(
  'a child that appears later gets its line',
  { jobs: [{ ...RUNNING, kind: 'workflow' }] },
  async ({ page, fake }) => {
    await page.goto(`/app/jobs/${JOB}`)
    await page.getByText('Live').waitFor()
    const child = inState(fakeJob(52, { parentId: JOB, rootId: JOB, step: 0, processID: 'geo.count' }), 'waiting')
    fake.jobs.push(child)
    fake.tell({ jobId: child.jobID, kind: 'queued', attempt: 0, at: iso(T0), data: {} })
    await page.getByRole('treegrid').getByRole('link', { name: 'geo.count' }).waitFor()
  },
)

testPage(
  'a failure says what, where, and in which attempts; its stack is folded',
  {
    jobs: [
      fakeJob(51),
      {
        ...inState(fakeJob(50, { attempt: 2 }), 'failed'),
        error: { ...FAKE_ERROR, retryable: false, origin: { jobId: idOf(51), task: 'geo.count' } },
      },
    ],
  },
  async ({ page, fake }) => {
    const attempt = { worker: idOf(1), startedAt: iso(T0), endedAt: iso(T0 + 900) }
    const first = { ...FAKE_ERROR, code: 'too_slow', message: 'The first attempt was too slow.' }
    fake.attempts.set(JOB, [
      { ...attempt, attempt: 1, outcome: 'retried', error: first },
      { ...attempt, attempt: 2, outcome: 'failed', error: FAKE_ERROR },
    ])
    await page.goto(`/app/jobs/${JOB}`)
    const panel = page.getByRole('region', { name: 'Error' })
    await panel.getByText('tile_missing').waitFor()
    await panel.getByText('not retryable').waitFor()
    assert.equal(await panel.getByText('at readTile').isVisible(), false)
    await panel.getByText('Stack').click()
    await panel.getByText('at readTile').waitFor()
    await page.getByRole('region', { name: 'Attempts' }).getByText('The first attempt was too slow.').waitFor()
    await panel.getByRole('link', { name: 'geo.count' }).click()
    await page.waitForURL(`**/app/jobs/${idOf(51)}`)
  },
)

testPage(
  'an input with an area is drawn, unfolds as JSON, and can be copied',
  { jobs: [RUNNING], permissions: ['clipboard-read', 'clipboard-write'] },
  async ({ page, fake }) => {
    const input = { area: SAMPLE_AREA, layer: 'land-2019' }
    fake.inputs.set(JOB, input)
    await page.goto(`/app/jobs/${JOB}`)
    await page.getByRole('img', { name: 'The area of the input' }).waitFor()
    await page.getByRole('button', { name: /area/ }).click()
    await page.getByRole('button', { name: /geometry/ }).waitFor()
    await page.getByRole('button', { name: 'Copy input' }).click()
    await page.getByRole('button', { name: 'Copy input' }).getByText('Copied').waitFor()
    assert.deepEqual(JSON.parse(await page.evaluate(() => navigator.clipboard.readText())), input)
  },
)

testPage('a job that does not exist says so, and offers another try', {}, async ({ page, fake }) => {
  fake.expectedFaults.push(`/jobs/${JOB}`)
  await page.goto(`/app/jobs/${JOB}`)
  await page.getByText(`There is no job ${JOB}.`).waitFor()
  fake.jobs.push(RUNNING)
  await page.getByRole('button', { name: 'Try again' }).click()
  await page.getByRole('treegrid').waitFor()
})

testPage(
  'an ended job is run again with changes',
  { jobs: [fakeJob(50, { processID: 'watershed.analyze-land' })] },
  async ({ page, fake }) => {
    fake.inputs.set(JOB, { area: SAMPLE_AREA, layer: 'land-2011' })
    await page.goto(`/app/jobs/${JOB}`)
    await page.getByRole('link', { name: 'Run with changes' }).click()
    const inputs = page.getByRole('textbox', { name: 'Inputs, as JSON' })
    assert.match(await inputs.inputValue(), /land-2011/)
    await inputs.fill(JSON.stringify({ layer: 'land-2019' }))
    await page.getByRole('button', { name: 'Run', exact: true }).click()
    await page.waitForURL(/\/app\/jobs\//)
    assert.deepEqual(fake.inputs.get(page.url().split('/').at(-1) ?? ''), { layer: 'land-2019' })
  },
)

testPage('a reader whose session has ended is told, and sent to log in', {}, async ({ page, fake }) => {
  fake.expectedFaults.push('/jobs', '401')
  await page.route('**/jobs?*', (route) =>
    route.fulfill({
      status: 401,
      contentType: 'application/problem+json',
      body: JSON.stringify({ type: 'about:blank', title: 'Log in', status: 401, code: 'unauthenticated' }),
    }),
  )
  await page.goto('/app/jobs')
  await page.getByText('You are logged out.').waitFor()
  await page.getByRole('button', { name: 'Log in' }).waitFor()
})

testPage(
  'a workflow shows the signal that it waits for, and takes it from here',
  { jobs: [RUNNING] },
  async ({ page, fake }) => {
    const children = { total: 0, ended: 0, failed: 0 }
    fake.steps.set(JOB, [{ step: 1, kind: 'signal', name: 'review', recordedAt: iso(T0), children }])
    await page.goto(`/app/jobs/${JOB}`)
    const waits = page.getByRole('region', { name: 'Waits for' })
    await waits.getByText('review').waitFor()
    await waits.getByLabel('Value, as JSON').fill('{"ok"')
    await waits.getByRole('button', { name: 'Send' }).click()
    await waits.getByText('This is not JSON').waitFor()
    await waits.getByLabel('Value, as JSON').fill('true')
    await waits.getByRole('button', { name: 'Send' }).click()
    await waits.waitFor({ state: 'detached' })
  },
)
