// Makes the picture of apps/models/README.md: node bin/node.cjs packages/dashboard/test/shoot-models.ts [FOLDER]
// The real server with a model that is trained here: a few hundred drawn shapes, and the last layer fitted to them.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { createClient } from '@headrace/client'
import sharp from 'sharp'
import { DeployedModel, parseManifest } from '../../inference/src/index.ts'
import { convolutionalManifest, convolutionalSpec, seeded } from '../../inference/src/testing/example-models.ts'
import { writeOnnx } from '../../inference/src/testing/write-onnx.ts'
import { writeSafetensors } from '../../inference/src/testing/write-safetensors.ts'
import { buildPages, launchBrowser } from './pages.ts'

const [WIDTH, SIDE, EACH] = [32, 64, 60]
const SHAPES = ['circle', 'square', 'star', 'wave'] as const
const PROGRAM = join(import.meta.dirname, '../../../apps/models/test/serve-models.ts')
const folder = process.argv[2] ?? join(import.meta.dirname, '../../../docs/images')
const random = seeded(20_000, 41).values()
const between = (low: number, high: number) => low + ((random.next().value ?? 0) + 0.5) * (high - low)

/** One shape of a random place, size and colour. */
function draw(shape: (typeof SHAPES)[number]): Promise<Buffer> {
  const [x, y, r] = [between(26, 38), between(26, 38), between(15, 22)]
  const colour = `hsl(${between(0, 360)} 60% ${between(20, 40)}%)`
  const point = (turn: number, far: number) =>
    `${x + far * Math.sin(turn * Math.PI)},${y - far * Math.cos(turn * Math.PI)}`
  const star = Array.from({ length: 10 }, (_, at) => point(at / 5, at % 2 === 0 ? r * 1.2 : r * 0.45)).join(' ')
  const wave = [-6, 2, 10].map((down) => `M${x - r},${y + down} q${r / 2},${-r} ${r},0 t${r},0`).join(' ')
  const drawn = {
    circle: `<circle cx="${x}" cy="${y}" r="${r}" fill="${colour}"/>`,
    square: `<rect x="${x - r}" y="${y - r}" width="${2 * r}" height="${2 * r}" fill="${colour}"/>`,
    star: `<polygon points="${star}" fill="${colour}"/>`,
    wave: `<path d="${wave}" stroke="${colour}" stroke-width="3" fill="none"/>`,
  }[shape]
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${SIDE}" height="${SIDE}"><rect width="100%" height="100%" fill="#f4f1ea"/>${drawn}</svg>`
  return sharp(Buffer.from(svg)).png().toBuffer()
}

type Sample = { readonly features: readonly number[]; readonly label: number }

/** What the layer before the last says of each picture. */
async function featuresOf(pictures: readonly Buffer[], dir: string): Promise<readonly (readonly number[])[]> {
  const spec = convolutionalSpec(WIDTH, SIDE)
  const path = join(dir, 'features.onnx')
  await writeFile(
    path,
    writeOnnx({
      ...spec,
      nodes: spec.nodes.slice(0, -1),
      weights: (spec.weights ?? []).slice(0, -2),
      outputs: [{ name: 'f', dims: ['batch', WIDTH] }],
    }),
  )
  const outputs = [{ name: 'f', kind: 'tensor' }]
  await using model = await DeployedModel.load(path, parseManifest({ ...convolutionalManifest(SIDE), outputs }))
  const { predictions } = await model.ask({ images: pictures })
  return predictions.map(({ f }) => (f?.kind === 'tensor' ? f.data.map(Number) : []))
}

/** Softmax regression by gradient descent on standardised features; the standardisation goes into the weights. */
function fit(samples: readonly Sample[]) {
  const mean = Array.from({ length: WIDTH }, (_, at) => average(samples.map(({ features }) => features[at] ?? 0)))
  const std = mean.map(
    (m, at) => Math.sqrt(average(samples.map(({ features }) => ((features[at] ?? 0) - m) ** 2))) || 1,
  )
  const inputs = samples.map(({ features }) => features.map((value, at) => (value - (mean[at] ?? 0)) / (std[at] ?? 1)))
  const weights = SHAPES.map(() => new Float64Array(WIDTH + 1))
  for (let round = 0; round < 3_000; round++) {
    const steps = SHAPES.map(() => new Float64Array(WIDTH + 1))
    for (const [at, input] of inputs.entries()) {
      const powers = weights.map((row) =>
        Math.exp(input.reduce((sum, value, n) => sum + value * (row[n] ?? 0), row[WIDTH] ?? 0)),
      )
      const whole = powers.reduce((a, b) => a + b, 0)
      for (const [shape, step] of steps.entries()) {
        const error = (powers[shape] ?? 0) / whole - (samples[at]?.label === shape ? 1 : 0)
        for (let n = 0; n <= WIDTH; n++) step[n] = (step[n] ?? 0) + error * (input[n] ?? 1)
      }
    }
    for (const [shape, row] of weights.entries())
      for (let n = 0; n <= WIDTH; n++) row[n] = (row[n] ?? 0) - (0.5 * (steps[shape]?.[n] ?? 0)) / samples.length
  }
  const scaled = weights.map((row) => std.map((one, n) => (row[n] ?? 0) / one))
  const bias = weights.map(
    (row, shape) => (row[WIDTH] ?? 0) - mean.reduce((sum, m, n) => sum + m * (scaled[shape]?.[n] ?? 0), 0),
  )
  return { w3: Float32Array.from(std.flatMap((_, n) => scaled.map((row) => row[n] ?? 0))), b3: Float32Array.from(bias) }
}

function average(values: readonly number[]): number {
  return values.reduce((a, b) => a + b, 0) / values.length
}

async function serve(dist: string) {
  const args = ['--disable-warning=ExperimentalWarning', PROGRAM, dist]
  const child = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] })
  const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string] // sound: a line is a text
  const [loginUrl = '', token = ''] = line.split(' ')
  const url = new URL(loginUrl).origin
  return {
    url,
    loginUrl,
    models: createClient({ baseUrl: url, token }).models,
    async [Symbol.asyncDispose]() {
      child.stdin.end()
      await once(child, 'exit')
    },
  }
}

const blobOf = (bytes: Buffer) => new Blob([bytes as Uint8Array<ArrayBuffer>])
const dist = await buildPages()
const dir = await mkdtemp(join(tmpdir(), 'headrace-shoot-'))
const browser = await launchBrowser()
{
  await using served = await serve(dist)
  const labels = Array.from({ length: SHAPES.length * EACH }, (_, at) => at % SHAPES.length)
  const pictures = await Promise.all(labels.map((label) => draw(SHAPES[label] ?? 'circle')))
  const features = await featuresOf(pictures, dir)
  const { w3, b3 } = fit(features.map((one, at) => ({ features: one, label: labels[at] ?? 0 })))
  const spec = convolutionalSpec(WIDTH, SIDE)
  const trained = (spec.weights ?? []).map(({ name, dims, values }) => ({
    name,
    shape: dims,
    values: name === 'w3' ? w3 : name === 'b3' ? b3 : values,
  }))
  const file = blobOf(writeOnnx(spec))
  const limits = { maxBatch: 16, deadlineMs: 2_000 }
  const { name: model, ...rest } = convolutionalManifest(SIDE)
  const manifest = { ...rest, name: model, title: 'Drawn shapes', limits }
  await served.models.add({ file, manifest })
  const second = { ...manifest, version: '2', weights: { file: 'shapes.safetensors' } }
  await served.models.add({ file, manifest: second, weights: blobOf(writeSafetensors(trained)) })
  let right = 0
  for (let round = 0; round < 10; round++) {
    const asked = Array.from({ length: 24 }, async (_, at) => {
      const shape = SHAPES[at % SHAPES.length] ?? 'circle'
      const { predictions } = await served.models.predict(model, { images: [blobOf(await draw(shape))] })
      const scores = predictions[0]?.scores
      if (scores?.kind === 'classification' && scores.classes[0]?.label === shape) right++
    })
    await Promise.all(asked)
  }
  console.log(`${right} of 240 new pictures were told rightly.`)
  const context = await browser.newContext({
    baseURL: served.url,
    viewport: { width: 1280, height: 860 },
    reducedMotion: 'reduce',
  })
  const page = await context.newPage()
  page.setDefaultTimeout(120_000)
  await page.goto(served.loginUrl)
  await page.goto('/app/models')
  await page
    .getByLabel('Picture')
    .setInputFiles({ name: 'star.png', mimeType: 'image/png', buffer: await draw('star') })
  await page.getByRole('rowheader', { name: 'star', exact: true }).waitFor()
  await page.screenshot({ path: join(folder, 'models.png') })
  await context.close()
}
await browser.close()
for (const path of [dist, dir]) await rm(path, { recursive: true })
