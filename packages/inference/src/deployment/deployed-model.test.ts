import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import sharp from 'sharp'
import { parseManifest } from '../manifest/manifest.ts'
import { Session } from '../session/session.ts'
import { convolutional, convolutionalManifest, dense, LINE, lineManifest } from '../testing/example-models.ts'
import { writeOnnx } from '../testing/write-onnx.ts'
import { DeployedModel } from './deployed-model.ts'
import { ModelPool } from './model-pool.ts'

let dir = ''
before(async () => {
  dir = await mkdtemp(join(tmpdir(), 'headrace-model-'))
})
after(() => rm(dir, { recursive: true, force: true }))

async function load(bytes: Uint8Array, manifest: object): Promise<DeployedModel> {
  const path = join(dir, `${Math.random()}.onnx`)
  await writeFile(path, bytes)
  return DeployedModel.load(path, parseManifest(manifest))
}

const loadLine = (more: object = {}) => load(writeOnnx(LINE), { ...lineManifest, ...more })
const dataOf = ({ predictions }: Awaited<ReturnType<DeployedModel['ask']>>) =>
  predictions.map(({ y }) => (y?.kind === 'tensor' ? y.data : undefined))

test('a model answers for each row, given as lists, as one row, and flat with a shape', async () => {
  await using model = await loadLine()
  const forms = [
    [
      [
        [1, 2],
        [3, 4],
      ],
      [
        [3, 7],
        [7, 13],
      ],
    ],
    [[1, 2], [[3, 7]]],
    [
      { shape: [2, 2], data: [1, 2, 3, 4] },
      [
        [3, 7],
        [7, 13],
      ],
    ],
  ] as const
  for (const [x, expected] of forms) assert.deepEqual(dataOf(await model.ask({ inputs: { x } })), expected)
})

test('requests that come together run together, and each gets its own answer', async () => {
  await using model = await loadLine({ limits: { maxBatch: 16, maxDelayMs: 10_000 } })
  const asked = Array.from({ length: 16 }, (_, n) => model.ask({ inputs: { x: [[n, n]] } }))
  const answers = await Promise.all(asked)
  assert.deepEqual(
    answers.map(dataOf),
    Array.from({ length: 16 }, (_, n) => [[2 * n + 1, 3 * n + 1]]),
  )
  assert.deepEqual(model.figures().batchSizes, { 16: 1 })
  assert.deepEqual(
    answers.map(({ timing }) => timing.batchRows),
    Array(16).fill(16),
  )
})

test('a question of more rows than a run takes is answered in several runs, in order', async () => {
  await using model = await loadLine({ limits: { maxBatch: 4, maxDelayMs: 0 } })
  const rows = Array.from({ length: 10 }, (_, n) => [n, 0])
  assert.deepEqual(
    dataOf(await model.ask({ inputs: { x: rows } })),
    rows.map(([n = 0]) => [2 * n + 1, 1]),
  )
  assert.deepEqual(model.figures().batchSizes, { 2: 1, 4: 2 })
})

test('what is asked wrongly is refused with what the model takes', async () => {
  await using model = await loadLine()
  const refused = (inputs: Record<string, unknown>, message: RegExp) =>
    assert.rejects(model.ask({ inputs }), { code: 'model_input_invalid', message })
  await refused({}, /input "x" is missing; the model takes "x" \(float32 \[batch, 2\]\)/)
  await refused({ x: [[1, 2]], z: 1 }, /no input "z"/)
  await refused({ x: [[1, 2], [3]] }, /ragged/)
  await refused({ x: [[1, 2, 3]] }, /shape \[1, 3\]; it must be \[batch, 2\]/)
  await refused({ x: [['a', 2]] }, /"a" as its value 0, which is no float32/)
  await refused({ x: [[null, 2]] }, /null as its value 0/)
  await refused({ x: [] }, /shape \[1, 0\]/)
  await refused({ x: { shape: [1, 3], data: [1, 2] } }, /2 numbers in "data", and the shape \[1, 3\] means 3/)
  await refused({ x: { shape: [1e9, 1e9], data: [] } }, /0 numbers/)
  await assert.rejects(model.ask({ rows: [{ a: 1 }] }), { code: 'model_input_invalid', message: /no rows of a table/ })
  await assert.rejects(model.ask({ images: [new Uint8Array(1)] }), {
    code: 'model_input_invalid',
    message: /no picture/,
  })
  assert.deepEqual(dataOf(await model.ask({ inputs: { x: [[1, 1]] } })), [[3, 4]], 'it still answers')
})

test('rows of a table are named, scaled and filled in as the manifest says', async () => {
  const columns = [
    { name: 'age', mean: 40, std: 10 },
    { name: 'income', std: 1_000, default: 2_000 },
  ]
  await using model = await loadLine({ inputs: [{ ...lineManifest.inputs[0], table: { columns } }] })
  // ((60 - 40) / 10) * 2 + 1, (3000 / 1000) * 3 + 1
  assert.deepEqual(dataOf(await model.ask({ rows: [{ age: 60, income: 3_000 }, { age: 40 }, [30, 0]] })), [
    [5, 10],
    [1, 7],
    [-1, 1],
  ])
  await assert.rejects(model.ask({ rows: [{ income: 1 }] }), /Row 1 has nothing as "age"/)
  await assert.rejects(
    model.ask({ rows: [{ age: 1 }, { age: 1, hight: 2 }] }),
    /Row 2 has a column "hight".*knows age, income/,
  )
})

test('a picture is turned upright, cropped and normalised: the same picture by two ways is the same answer', async () => {
  await using model = await load(convolutional(), convolutionalManifest())
  const pixels = Buffer.alloc(16 * 16 * 3, 0).map((_, at) => (at * 7) % 256)
  const raw = { raw: { width: 16, height: 16, channels: 3 } } as const
  const straight = await sharp(pixels, raw).png().toBuffer()
  // Turned by the camera, as EXIF orientation 6 says: shown upright by turning clockwise.
  const turned = await sharp(await sharp(pixels, raw).rotate(-90).png().toBuffer())
    .withMetadata({ orientation: 6 })
    .png()
    .toBuffer()
  const planes = Float32Array.from({ length: 3 * 256 }, (_, at) => {
    const [channel, pixel] = [Math.floor(at / 256), at % 256]
    const mean = [0.485, 0.456, 0.406][channel] as number
    const std = [0.229, 0.224, 0.225][channel] as number
    return ((pixels[pixel * 3 + channel] as number) / 255 - mean) / std
  })
  const byHand = await model.ask({ inputs: { image: { shape: [1, 3, 16, 16], data: Array.from(planes) } } })
  for (const image of [straight, turned])
    assert.deepEqual((await model.ask({ images: [image] })).predictions, byHand.predictions)
})

test('classes come best first, with the labels of the manifest, and as many as are asked for', async () => {
  await using model = await load(convolutional(), convolutionalManifest())
  const image = await sharp({ create: { width: 50, height: 30, channels: 3, background: '#d08030' } })
    .jpeg()
    .toBuffer()
  const { predictions } = await model.ask({ images: [image] }, { topK: 2 })
  const scores = predictions[0]?.scores
  assert.ok(scores?.kind === 'classification')
  assert.equal(scores.classes.length, 2)
  const [first, second] = scores.classes
  assert.ok((first?.score ?? 0) >= (second?.score ?? 1))
  assert.ok(['circle', 'square', 'star', 'wave'].includes(first?.label ?? ''))
})

test('what is no picture, or a broken one, is refused and the model goes on', async () => {
  await using model = await load(convolutional(), convolutionalManifest())
  const whole = await sharp({ create: { width: 64, height: 64, channels: 3, background: 'red' } })
    .png()
    .toBuffer()
  for (const image of [Buffer.alloc(0), Buffer.from('no picture'), whole.subarray(0, whole.length - 30)])
    await assert.rejects(model.ask({ images: [image] }), { code: 'model_image_invalid', message: /Send a PNG/ })
  await model.ask({ images: [whole] })
})

test('an image of fewer bits, with transparency or in grey is read as well', async () => {
  const manifest = convolutionalManifest()
  await using model = await load(convolutional(), manifest)
  const base = sharp({
    create: { width: 20, height: 20, channels: 4, background: { r: 9, g: 200, b: 30, alpha: 0.5 } },
  })
  for (const picture of [
    base.clone().png(),
    base.clone().webp(),
    base.clone().grayscale().png(),
    base.clone().toColourspace('rgb16').png(),
  ])
    assert.equal((await model.ask({ images: [await picture.toBuffer()] })).predictions.length, 1)
})

test('a request that waits beyond its deadline is told so, and the model goes on', async () => {
  await using model = await load(dense(4), {
    ...convolutionalManifest(),
    inputs: [{ name: 'row', dtype: 'float32', shape: ['batch', 4] }],
    outputs: [{ name: 'scores', kind: 'classification' }],
    limits: { maxDelayMs: 0 },
  })
  await assert.rejects(model.ask({ inputs: { row: [[1, 2, 3, 4]] } }, { deadlineMs: 0 }), { code: 'model_too_late' })
  assert.equal((await model.ask({ inputs: { row: [[1, 2, 3, 4]] } })).predictions.length, 1)
})

test('unloading answers what was taken on, and refuses what comes after', async () => {
  const model = await loadLine({ limits: { maxDelayMs: 20 } })
  const asked = model.ask({ inputs: { x: [[1, 1]] } })
  await new Promise((resolve) => setImmediate(resolve))
  const unloaded = model.unload()
  await assert.rejects(model.ask({ inputs: { x: [[1, 1]] } }), { code: 'model_unloaded', retryable: true })
  assert.deepEqual(dataOf(await asked), [[3, 4]])
  await unloaded
})

test('a model that fails in a run says so to who asked, and answers the next one', async () => {
  // A reshape to three columns: rows of two fail unless their number is a multiple of three.
  const bytes = writeOnnx({
    inputs: [{ name: 'x', dims: ['batch', 'n'] }],
    outputs: [{ name: 'y', dims: ['batch', 2] }],
    weights: [{ name: 'w', dims: [2], values: Float32Array.of(1, 1) }],
    nodes: [{ op: 'Add', inputs: ['x', 'w'], outputs: ['y'] }],
  })
  await using model = await load(bytes, {
    ...lineManifest,
    inputs: [{ name: 'x', dtype: 'float32', shape: ['batch', 'n'] }],
  })
  await assert.rejects(model.ask({ inputs: { x: [[1, 2, 3]] } }), {
    code: 'model_run_failed',
    message: /The model failed/,
  })
  assert.deepEqual(dataOf(await model.ask({ inputs: { x: [[1, 2]] } })), [[2, 3]])
})

test('a model whose output forgets the rows is refused when it is loaded', async () => {
  const bytes = writeOnnx({
    inputs: [{ name: 'x', dims: ['batch', 2] }],
    outputs: [{ name: 'y', dims: ['k', 2] }],
    nodes: [{ op: 'Concat', inputs: ['x', 'x'], outputs: ['y'], attributes: { axis: 0 } }],
  })
  await assert.rejects(load(bytes, lineManifest), {
    code: 'model_signature_mismatch',
    message: /rows cannot be told apart/,
  })
})

test('a pool loads a model once for all who ask, and the one that was not asked for longest makes room', async () => {
  const path = join(dir, 'line.onnx')
  await writeFile(path, writeOnnx(LINE))
  const pool = new ModelPool({ loadedMax: 2 })
  let holds = 0
  const get = (key: string) =>
    pool.get(key, parseManifest(lineManifest), async () => {
      holds++
      return { path, [Symbol.dispose]: () => undefined }
    })
  const [a, b] = await Promise.all([get('one'), get('one')])
  assert.equal(a, b)
  assert.equal(holds, 1)
  await get('two')
  await get('one')
  await get('three')
  assert.deepEqual(
    ['one', 'two', 'three'].map((key) => pool.loaded(key) !== undefined),
    [true, false, true],
  )
  await pool.close()
})

test('a pool forgets a model that could not be loaded', async () => {
  const pool = new ModelPool()
  const path = join(dir, 'broken.onnx')
  await writeFile(path, 'broken')
  const hold = async () => ({ path, [Symbol.dispose]: () => undefined })
  await assert.rejects(pool.get('one', parseManifest(lineManifest), hold), { code: 'model_damaged' })
  await writeFile(path, writeOnnx(LINE))
  await pool.get('one', parseManifest(lineManifest), hold)
  await pool.close()
})

test('a run that takes too long is given up, and its thread ends when the runtime comes back', async () => {
  const path = join(dir, 'slow.onnx')
  await writeFile(path, convolutional(64, 128))
  const manifest = parseManifest(convolutionalManifest(128))
  const session = await Session.open(path, manifest, 1)
  const rows = 16
  const image = { dtype: 'float32', dims: [rows, 3, 128, 128], data: new Float32Array(rows * 3 * 128 * 128) } as const
  await assert.rejects(session.run({ image }), { code: 'model_run_failed', retryable: true, message: /took more than/ })
  assert.ok(session.isGone)
  await session.close()
  await session.exited
})
