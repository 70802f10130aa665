import assert from 'node:assert/strict'
import { fakeJob, idOf } from './fake-jobs.ts'
import { testPage } from './pages.ts'

const WAITING = fakeJob(70, { state: 'waiting', status: 'accepted', attempt: 0, progress: 0 })

testPage('a worker shows its labels and what is free, and is drained once that was confirmed', {}, async (opened) => {
  const { page, fake } = opened
  await page.goto('/app/workers')
  const row = page.getByRole('row', { name: /serve/ })
  await row.getByText('region=eu').waitFor()
  await row.getByText('4,200').waitFor()
  await page.getByRole('button', { name: 'Drain serve' }).click()
  await page.getByRole('dialog').getByText('What it runs has 30 seconds to end').waitFor()
  await page.getByRole('button', { name: 'Drain the worker' }).click()
  await row.getByText('draining').waitFor()
  assert.equal(await page.getByRole('button', { name: 'Drain serve' }).isDisabled(), true)
  assert.equal(fake.drained.size, 1)
})

testPage('a stack is promoted, and one with live jobs says what retiring it does', {}, async ({ page, fake }) => {
  await page.goto('/app/workers')
  await page.getByRole('button', { name: 'Promote green' }).click()
  await page.getByRole('button', { name: 'Promote the deployment' }).click()
  await page.getByRole('row', { name: /green active/ }).waitFor()
  await page.getByRole('button', { name: 'Retire blue' }).click()
  await page.getByRole('dialog').getByText('Its 843 jobs that have not ended are cancelled.').waitFor()
  await page.getByRole('button', { name: 'Retire the deployment' }).click()
  await page.getByRole('row', { name: /blue retired/ }).waitFor()
  assert.equal(fake.deployments[1]?.waiting, 0)
})

testPage('a limit shows who holds it and who waits', { jobs: [WAITING, fakeJob(71)] }, async ({ page }) => {
  await page.goto('/app/workers')
  await page.getByRole('button', { name: 'Who holds training:model:12' }).click()
  const dialog = page.getByRole('dialog', { name: 'The limit training:model:12' })
  assert.match((await dialog.getByRole('link').first().getAttribute('href')) ?? '', new RegExp(`/jobs/${idOf(70)}$`))
})

testPage('a waiting job says why, and leads to where something can be done', { jobs: [WAITING] }, async (opened) => {
  const { page, fake } = opened
  await page.goto(`/app/jobs/${idOf(70)}`)
  await page.getByText('Its queue training is paused').waitFor()
  fake.reason = { code: 'soon', sentence: 'It is due, and a worker takes it in a moment.' }
  await page.getByText('a worker takes it in a moment').waitFor()
  assert.equal(await page.getByRole('link', { name: 'To the queues' }).count(), 0)
})
