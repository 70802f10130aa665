import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Page } from 'playwright-core'
import { convolutional, convolutionalManifest } from '../../inference/src/testing/example-models.ts'
import { buildServedPages, testServed } from './pages.ts'

const ROOT = join(import.meta.dirname, '../../..')

const RED_PIXEL = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
)

let built: Promise<void> | undefined

type Served = AsyncDisposable & { readonly url: string; readonly loginUrl: string; readonly process: ChildProcess }

/** `headrace serve` as a person starts it; ready when it has said where it is. */
async function serve(dataFolder: string, port = 0): Promise<Served> {
  built ??= buildServedPages()
  await built
  const program = [join(ROOT, 'packages/cli/src/main.ts'), 'serve', '--port', String(port), '--data', dataFolder]
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', ...program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  for await (const line of createInterface({ input: child.stdout })) {
    const loginUrl = line.match(/http:\S+\?token=\S+/)?.[0]
    if (!loginUrl) continue
    child.stdout.resume() // whatever else it says must not fill the pipe
    return { url: new URL(loginUrl).origin, loginUrl, process: child, [Symbol.asyncDispose]: () => stop(child) }
  }
  throw new Error(`headrace serve ended with ${child.exitCode} before it said where it listens.`)
}

async function stop(child: ChildProcess, signal: NodeJS.Signals = 'SIGTERM') {
  if (child.exitCode !== null || child.signalCode !== null) return
  child.kill(signal)
  await once(child, 'exit')
}

async function temporaryFolder(): Promise<AsyncDisposable & { readonly path: string }> {
  const path = await mkdtemp(join(tmpdir(), 'headrace-data-'))
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) }
}

async function analyseSample(page: Page): Promise<string> {
  await page.goto('/app/map')
  await page.locator('.map-holder[data-ready]').waitFor()
  await page.getByRole('button', { name: 'Sample area' }).click()
  await page.getByRole('button', { name: 'Analyse', exact: true }).click()
  await page.waitForURL(/job=/)
  await page.getByRole('rowheader', { name: /Evergreen Forest/ }).waitFor()
  return new URL(page.url()).searchParams.get('job') ?? ''
}

testServed('with the real server, an area becomes a survey on the map, a job, and a line in the list', async (open) => {
  await using folder = await temporaryFolder()
  await using served = await serve(folder.path)
  await using opened = await open(served.url)
  const { page } = opened
  await page.goto(served.loginUrl)
  const demo = page.getByRole('grid').getByRole('row').filter({ hasText: 'demo' })
  await demo.getByText('succeeded').waitFor()
  const id = await analyseSample(page)
  const shares = await page.locator('.survey-table td:nth-child(3)').allTextContents()
  const percent = shares.reduce((sum, text) => sum + Number.parseFloat(text.replace('<', '')), 0)
  assert.ok(Math.abs(percent - 100) < 1, `the shares are ${percent} % together`)

  await page.goto(`/app/jobs/${id}`)
  await page.getByRole('treegrid').getByText('survey').waitFor()
  await page.getByRole('img', { name: 'The area of the input' }).waitFor()
  await page.getByRole('rowheader', { name: /Evergreen Forest/ }).waitFor()
  await page.goto('/app/jobs?process=watershed.analyze-land&state=succeeded&queue=geo&tag=map&since=1h')
  await page.getByRole('grid').getByText(id.slice(-12)).waitFor()
  await page.getByRole('searchbox').fill(id.slice(0, 18))
  await page.waitForURL(/q=/)
  await page.getByRole('grid').getByText(id.slice(-12)).waitFor()
  await page.goto('/app/workers')
  await page.getByText(/^alive/).waitFor()
  await page.goto('/app/processes/watershed.analyze-soil')
  await page.getByRole('button', { name: 'Run' }).waitFor()
})

testServed('with the real server, a model is deployed by its two files, and says what a picture is', async (open) => {
  await using folder = await temporaryFolder()
  await using served = await serve(folder.path)
  await using opened = await open(served.url)
  const { page } = opened
  await page.goto(served.loginUrl)
  await page.goto('/app/models')
  await page.getByText('No model is deployed yet.').waitFor()
  const manifest = Buffer.from(JSON.stringify(convolutionalManifest()))
  await page.getByLabel('Model, manifest and weights').setInputFiles([
    { name: 'shapes.onnx', mimeType: 'application/octet-stream', buffer: convolutional() },
    { name: 'shapes.json', mimeType: 'application/json', buffer: manifest },
  ])
  await page.getByRole('button', { name: 'Deploy' }).click()
  const row = page.getByRole('row', { name: /shapes Shapes 1 default loaded/ })
  await row.waitFor()
  await page.getByLabel('Picture').setInputFiles({ name: 'red.png', mimeType: 'image/png', buffer: RED_PIXEL })
  for (const label of ['circle', 'square', 'star', 'wave'])
    await page.getByRole('rowheader', { name: label, exact: true }).waitFor()
  await row.getByRole('cell', { name: '1.0 of 8' }).waitFor()
})

testServed('with the real server, a refused area is explained by its field', async (open) => {
  await using folder = await temporaryFolder()
  await using served = await serve(folder.path)
  await using opened = await open(served.url)
  const { page, expectedFaults } = opened
  expectedFaults.push('/execution')
  await page.goto(served.loginUrl)
  await page.goto('/app/map')
  await page.locator('.map-holder[data-ready]').waitFor()
  const farAway = {
    type: 'Polygon',
    coordinates: [
      [
        [5, 40],
        [5.1, 40],
        [5.1, 40.1],
        [5, 40],
      ],
    ],
  }
  await page.getByRole('textbox', { name: 'GeoJSON' }).fill(JSON.stringify(farAway))
  await page.getByRole('button', { name: 'Analyse', exact: true }).click()
  await page.getByRole('alert').getByText('outside every layer').waitFor()
})

testServed(
  'when the real server is killed and started again, an open page says so and goes on by itself',
  async (open) => {
    await using folder = await temporaryFolder()
    const first = await serve(folder.path)
    await using opened = await open(first.url)
    const { page, expectedFaults } = opened
    // What was on its way when the server was killed, and what was asked for before it was back.
    expectedFaults.push('/events', '/jobs')
    expectedFaults.push('ERR_CONNECTION_REFUSED', 'ERR_CONNECTION_RESET', 'ERR_EMPTY_RESPONSE')
    await page.goto(first.loginUrl)
    await page.getByText('Live').waitFor()
    await stop(first.process, 'SIGKILL')
    await page.getByText('Reconnecting…').waitFor()
    await using _second = await serve(folder.path, Number(new URL(first.url).port))
    await page.getByText('Live').waitFor()
    const other = await page.context().newPage()
    const id = await analyseSample(other)
    await page.getByRole('grid').getByText(id.slice(-12)).waitFor()
  },
)
