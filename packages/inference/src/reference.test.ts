import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import sharp from 'sharp'
import { DeployedModel } from './deployment/deployed-model.ts'
import { parseManifest } from './manifest/manifest.ts'
import { convolutional, convolutionalManifest, seeded } from './testing/example-models.ts'
import { exportModels, findReference, referenceAnswers, retrainModel } from './testing/reference.ts'
import { joinModelWeights } from './weights/join-in-thread.ts'

const found = findReference()
const skip = 'missing' in found ? found.missing : false
/** Of each value: two releases of one runtime may add floats in another order. */
const TOLERANCE = 1e-5

const CNN = {
  name: 'cnn',
  version: '1',
  inputs: [{ name: 'image', dtype: 'float32', shape: ['batch', 3, 32, 32] }],
  outputs: [{ name: 'scores', kind: 'tensor' }],
}

async function withFolder(use: (dir: string) => Promise<void>): Promise<void> {
  const dir = await mkdtemp(join(tmpdir(), 'headrace-reference-'))
  try {
    await use(dir)
  } finally {
    await rm(dir, { recursive: true, force: true })
  }
}

/** All rows at once in Python, each in a request of its own here, so that they run in batches as they come. */
async function compare(
  path: string,
  manifest: object,
  { rows, output, referencePath = path }: { rows: number; output: string; referencePath?: string },
): Promise<void> {
  const parsed = parseManifest(manifest)
  await using model = await DeployedModel.load(path, parsed)
  const [input] = parsed.inputs
  const shape = input?.shape.slice(1) as number[] // sound: the manifests below have numbers there
  const size = shape.reduce((a, b) => a * b, 1)
  const data = Array.from(seeded(rows * size, 99), (value) => value * 4)
  const name = input?.name ?? ''
  const [reference = {}] = referenceAnswers([
    { path: referencePath, inputs: { [name]: { shape: [rows, ...shape], data } } },
  ])
  const answers = await Promise.all(
    Array.from({ length: rows }, (_, row) =>
      model.ask({ inputs: { [name]: { shape: [1, ...shape], data: data.slice(row * size, (row + 1) * size) } } }),
    ),
  )
  const values = answers.flatMap(({ predictions: [prediction] }) => {
    const tensor = prediction?.[output]
    return tensor?.kind === 'tensor' ? tensor.data.map(Number) : []
  })
  assert.equal(values.length, reference[output]?.length)
  const worst = Math.max(...values.map((value, at) => Math.abs(value - (reference[output]?.[at] ?? Number.NaN))))
  assert.ok(worst <= TOLERANCE, `${path}: the worst value is off by ${worst}`)
  assert.ok(model.figures().batches < rows, 'the rows ran in batches')
}

test('models that Python exported answer as ONNX Runtime in Python does, whatever the batches', { skip }, () =>
  withFolder(async (dir) => {
    await exportModels(dir)
    const limits = { maxBatch: 8, maxDelayMs: 20 }
    await compare(join(dir, 'cnn.onnx'), { ...CNN, limits }, { rows: 37, output: 'scores' })
    await compare(
      join(dir, 'mlp.onnx'),
      {
        name: 'mlp',
        version: '1',
        inputs: [{ name: 'row', dtype: 'float32', shape: ['batch', 6] }],
        outputs: [{ name: 'probabilities', kind: 'tensor' }],
        limits,
      },
      { rows: 100, output: 'probabilities' },
    )
  }),
)

test(
  'a graph with weights that Python’s safetensors wrote answers as ONNX Runtime in Python does with the same weights',
  { skip },
  () =>
    withFolder(async (dir) => {
      await exportModels(dir)
      await retrainModel(dir)
      const manifest = { ...CNN, weights: { file: 'cnn.safetensors' }, limits: { maxBatch: 8, maxDelayMs: 20 } }
      for (const graph of ['cnn', 'cnn-bare']) {
        const path = join(dir, `${graph}-joined.onnx`)
        await joinModelWeights({
          graphPath: join(dir, `${graph}.onnx`),
          weightsPath: join(dir, 'cnn.safetensors'),
          targetPath: path,
          manifest: parseManifest(manifest),
          sizeBytesMax: 1_000_000,
        })
        await compare(path, manifest, { rows: 20, output: 'scores', referencePath: join(dir, 'cnn-retrained.onnx') })
      }
    }),
)

test(
  'a picture’s classes and scores are those of the same pixels, normalised by hand and run in Python',
  { skip },
  () =>
    withFolder(async (dir) => {
      const path = join(dir, 'shapes.onnx')
      await writeFile(path, convolutional())
      await using model = await DeployedModel.load(path, parseManifest(convolutionalManifest()))
      const pixels = Buffer.from(seeded(16 * 16 * 3, 5).map((value) => (value + 0.5) * 255))
      const image = await sharp(pixels, { raw: { width: 16, height: 16, channels: 3 } })
        .png()
        .toBuffer()
      const [mean, std] = [
        [0.485, 0.456, 0.406],
        [0.229, 0.224, 0.225],
      ]
      const data = Array.from({ length: 3 * 256 }, (_, at) => {
        const channel = Math.floor(at / 256)
        return ((pixels[(at % 256) * 3 + channel] ?? 0) / 255 - (mean[channel] ?? 0)) / (std[channel] ?? 1)
      })
      const [reference] = referenceAnswers([{ path, inputs: { image: { shape: [1, 3, 16, 16], data } } }])
      const powers = (reference?.scores ?? []).map(Math.exp)
      const sum = powers.reduce((a, b) => a + b, 0)
      const expected = powers.map((power) => power / sum)
      const scores = (await model.ask({ images: [image] })).predictions[0]?.scores
      assert.ok(scores?.kind === 'classification' && scores.classes.length === 4)
      for (const { index, score } of scores.classes)
        assert.ok(Math.abs((score ?? 0) - (expected[index] ?? 0)) <= TOLERANCE)
      assert.deepEqual(
        scores.classes.map(({ index }) => index),
        [0, 1, 2, 3].sort((a, b) => (expected[b] ?? 0) - (expected[a] ?? 0)),
      )
    }),
)
