import assert from 'node:assert/strict'
import { axeFindings, testPage } from './pages.ts'

const PNG = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
)

testPage(
  'the models page tells how each version does, and another one is made the default',
  {},
  async ({ page, fake }) => {
    await page.goto('/app/models')
    const row = page.getByRole('row', { name: /aerial.* 2 / })
    await row.getByText('12,480').waitFor()
    const cells = await row.getByRole('cell').allInnerTexts()
    assert.deepEqual(cells.slice(3), ['12,480', '7.2 ms 21.9 ms', '6.8 of 8', '3', '79'])
    await page.getByRole('button', { name: 'Make version 2 the default of aerial' }).click()
    await row.getByText('default', { exact: true }).waitFor()
    assert.ok(fake.requests.includes('PUT /models/aerial/default'))
  },
)

testPage('a picture that is chosen is asked at once, and its classes come with bars', {}, async ({ page, fake }) => {
  await page.goto('/app/models')
  await page.getByLabel('Picture').setInputFiles({ name: 'roof.png', mimeType: 'image/png', buffer: PNG })
  await page.getByRole('rowheader', { name: 'roof', exact: true }).waitFor()
  await page.getByText('91.3 %').waitFor()
  assert.ok(fake.requests.includes('POST /models/aerial/versions/2/predict'))
  const bars = await page
    .locator('.model-bar')
    .evaluateAll((all) => all.map((bar) => bar.getBoundingClientRect().width))
  assert.ok((bars[0] ?? 0) > (bars[1] ?? 0) && (bars[1] ?? 0) > (bars[2] ?? 0), bars.join())
  assert.deepEqual(await axeFindings(page), [])
})

testPage('a model of rows is asked with JSON that begins as an example', {}, async ({ page, fake }) => {
  await page.goto('/app/models')
  await page.getByRole('combobox', { name: 'Version' }).selectOption('prices@2024.1')
  const inputs = page.getByLabel('Inputs, as JSON')
  assert.deepEqual(JSON.parse(await inputs.inputValue()), { rows: [{ area: 0, rooms: 0 }] })
  await inputs.fill('{"rows": [')
  await page.getByRole('button', { name: 'Ask' }).click()
  await page.getByRole('alert').getByText('This is not JSON').waitFor()
  await inputs.fill('{"rows": [[80, 3]]}')
  await page.getByRole('button', { name: 'Ask' }).click()
  await page.getByRole('rowheader', { name: 'roof', exact: true }).waitFor()
  assert.ok(fake.requests.includes('POST /models/prices/versions/2024.1/predict'))
})

testPage('a version is removed only after a question', {}, async ({ page, fake }) => {
  await page.goto('/app/models')
  await page.getByRole('button', { name: 'Remove version 1 of aerial' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Remove it' }).click()
  await page.getByRole('button', { name: 'Remove version 1 of aerial' }).waitFor({ state: 'detached' })
  assert.ok(fake.requests.includes('DELETE /models/aerial/versions/1'))
})

testPage('a model without its manifest is not sent, and the page says what is missing', {}, async ({ page, fake }) => {
  await page.goto('/app/models')
  await page.getByLabel('Model, manifest and weights').setInputFiles({ name: 'a.onnx', mimeType: '', buffer: PNG })
  await page.getByRole('button', { name: 'Deploy' }).click()
  await page.getByRole('alert').getByText('There is no manifest yet').waitFor()
  assert.ok(!fake.requests.some((request) => request.startsWith('POST /models')))
})

testPage('weights that are dropped with a model are told, and can be left out again', {}, async ({ page }) => {
  await page.goto('/app/models')
  const files = ['a.onnx', 'a.json', 'a.safetensors'].map((name) => ({ name, mimeType: '', buffer: PNG }))
  await page.getByLabel('Model, manifest and weights').setInputFiles(files)
  await page.getByText('a.onnx, 0.0 MB · a.json · a.safetensors, 0.0 MB').waitFor()
  assert.deepEqual(await axeFindings(page), [])
  await page.getByRole('button', { name: 'Without weights' }).click()
  await page.getByText('a.onnx, 0.0 MB · a.json', { exact: true }).waitFor()
})
