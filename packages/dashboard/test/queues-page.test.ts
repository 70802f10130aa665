import assert from 'node:assert/strict'
import { testPage } from './pages.ts'

testPage('a queue is paused once that was confirmed, and resumed the same way', {}, async ({ page, fake }) => {
  await page.goto('/app/queues')
  await page.getByRole('button', { name: 'Pause tiles' }).click()
  const dialog = page.getByRole('dialog', { name: 'Pause the queue tiles?' })
  await dialog.getByText('None of its 4,210 waiting jobs is begun').waitFor()
  await dialog.getByRole('button', { name: 'Leave it open' }).click()
  assert.deepEqual(
    fake.requests.filter((request) => request.startsWith('PATCH')),
    [],
  )
  await page.getByRole('button', { name: 'Pause tiles' }).click()
  await page.getByRole('button', { name: 'Pause the queue' }).click()
  await page.getByRole('button', { name: 'Resume tiles' }).click()
  await page.getByRole('button', { name: 'Resume the queue' }).click()
  await page.getByRole('button', { name: 'Pause tiles' }).waitFor()
  assert.equal(fake.queues.find(({ queue }) => queue === 'tiles')?.paused, false)
})

testPage(
  'a queue gets a rate and its owners weights, and a slip of the pen is said in the form',
  {},
  async (opened) => {
    const { page, fake } = opened
    await page.goto('/app/queues')
    await page.getByRole('button', { name: 'Settings of watershed' }).click()
    const dialog = page.getByRole('dialog')
    await dialog.getByLabel('At most so many jobs').fill('30')
    await dialog.getByLabel('per', { exact: true }).selectOption('minute')
    await dialog.getByLabel('Weights of owners').fill('ada two')
    await dialog.getByRole('button', { name: 'Store' }).click()
    await dialog.getByRole('alert').getByText('"ada two" is no weight').waitFor()
    await dialog.getByLabel('Weights of owners').fill('ada = 2')
    await dialog.getByRole('checkbox').check()
    await dialog.getByRole('button', { name: 'Store' }).click()
    await dialog.waitFor({ state: 'hidden' })
    await page
      .getByRole('row', { name: /watershed/ })
      .getByText('30 per minute, owners take turns by weight')
      .waitFor()
    assert.deepEqual(fake.queues[0]?.rate, { count: 30, perMs: 60_000 })
  },
)
