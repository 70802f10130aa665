import assert from 'node:assert/strict'
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { DeployedModel } from '../deployment/deployed-model.ts'
import type { ModelErrorCode } from '../errors.ts'
import { parseManifest } from '../manifest/manifest.ts'
import { checkModel } from '../onnx/check-model.ts'
import { readOnnx } from '../onnx/read-onnx.ts'
import { LINE, lineManifest } from '../testing/example-models.ts'
import { type ModelSpec, writeOnnx } from '../testing/write-onnx.ts'
import { type SafetensorsSpec, withHeader, writeSafetensors } from '../testing/write-safetensors.ts'
import { joinModelWeights } from './join-in-thread.ts'
import { joinWeights } from './join-weights.ts'

let dir = ''
before(async () => {
  dir = await mkdtemp(join(tmpdir(), 'headrace-weights-'))
})
after(() => rm(dir, { recursive: true, force: true }))

/** `y = x * [5, 7] + [2, 3]`, of the graph that says `y = x * [2, 3] + [1, 1]`. */
const NEW: SafetensorsSpec = [
  { name: 'w', shape: [2], values: Float32Array.of(5, 7) },
  { name: 'b', shape: [2], values: Float32Array.of(2, 3) },
]
const FILE = { file: 'line.safetensors' }
const manifestWith = (weights: object = FILE) => parseManifest({ ...lineManifest, weights })
const line = (more: Partial<ModelSpec> = {}) => writeOnnx({ ...LINE, ...more })
let count = 0

async function joined(
  weights: Uint8Array,
  { graph = line(), manifest = manifestWith(), sizeBytesMax = 1_000_000 } = {},
): Promise<string> {
  const own = join(dir, String(count++))
  const options = { graphPath: `${own}.onnx`, weightsPath: `${own}.safetensors`, targetPath: `${own}.joined`, manifest }
  await writeFile(options.graphPath, graph)
  await writeFile(options.weightsPath, weights)
  joinWeights({ ...options, sizeBytesMax })
  return options.targetPath
}

async function answerOf(path: string, manifest = manifestWith()): Promise<unknown> {
  await using model = await DeployedModel.load(path, manifest)
  const { predictions } = await model.ask({ inputs: { x: [[1, 10]] } })
  const y = predictions[0]?.y
  return y?.kind === 'tensor' ? y.data : y
}

const refused = (
  weights: Uint8Array,
  [code, message]: readonly [ModelErrorCode, RegExp],
  options?: Parameters<typeof joined>[1],
) => assert.rejects(joined(weights, options), { name: 'ModelError', code, message })

test('weights that were trained anew take the place of the graph’s own', async () => {
  assert.deepEqual(await answerOf(await joined(writeSafetensors(NEW))), [7, 73])
})

test('a graph that was exported without its weights, or points to another file for them, gets them', async () => {
  const asInputs = line({ weights: [], inputs: [...LINE.inputs, { name: 'w', dims: [2] }, { name: 'b', dims: [2] }] })
  assert.deepEqual(await answerOf(await joined(writeSafetensors(NEW), { graph: asInputs })), [7, 73])
  const external = (LINE.weights ?? []).map((weight) => ({ ...weight, externalFile: '../line.bin' }))
  const path = await joined(writeSafetensors(NEW), { graph: line({ weights: external }) })
  assert.deepEqual(await answerOf(path), [7, 73])
  assert.deepEqual(readOnnx(path).externalFiles, [])
})

test('the graph stays as it is but for the weights that come anew', async () => {
  const [before, after] = [line(), await joined(writeSafetensors(NEW))]
  const path = join(dir, 'before.onnx')
  await writeFile(path, before)
  assert.deepEqual(readOnnx(after), readOnnx(path))
})

test('what the manifest keeps need not come, and what training never changes neither', async () => {
  const [w] = NEW as [SafetensorsSpec[number]]
  const manifest = manifestWith({ ...FILE, keep: ['b'] })
  assert.deepEqual(await answerOf(await joined(writeSafetensors([w]), { manifest }), manifest), [6, 71])
  const byPrefix = manifestWith({ ...FILE, keep: ['b*'] })
  assert.deepEqual(await answerOf(await joined(writeSafetensors([w]), { manifest: byPrefix }), byPrefix), [6, 71])
  const scalar = line({
    weights: [
      { name: 'w', dims: [2], values: Float32Array.of(2, 3) },
      { name: 'b', dims: [], values: Float32Array.of(1) },
    ],
  })
  assert.deepEqual(await answerOf(await joined(writeSafetensors([w]), { graph: scalar })), [6, 71])
})

test('names, types and shapes that do not fit the graph are refused with both', async () => {
  const [w, b] = NEW as [SafetensorsSpec[number], SafetensorsSpec[number]]
  await refused(writeSafetensors([w]), ['weights_mismatch', /lack "b".*weights\.keep/])
  await refused(writeSafetensors([w, b, { ...b, name: 'v' }]), ['weights_mismatch', /have "v".*it has "w", "b"/])
  await refused(writeSafetensors([w, b, { ...b, name: 'x' }]), ['weights_mismatch', /have "x"/])
  await refused(writeSafetensors([{ ...w, shape: [1, 2] }, b]), [
    'weights_mismatch',
    /"w" is float32 \[2\], and the file has F32 \[1, 2\]/,
  ])
  const half = withHeader('{"w":{"dtype":"F16","shape":[2],"data_offsets":[0,4]}}', Buffer.alloc(4))
  await refused(half, ['weights_mismatch', /"w" is float32 \[2\], and the file has F16/], {
    manifest: manifestWith({ ...FILE, keep: ['b'] }),
  })
  const external = (LINE.weights ?? []).map((weight) => ({ ...weight, externalFile: 'line.bin' }))
  const keep = manifestWith({ ...FILE, keep: ['*'] })
  await refused(writeSafetensors([w]), ['weights_mismatch', /lack "b"/], {
    graph: line({ weights: external }),
    manifest: keep,
  })
  await refused(writeSafetensors(NEW), ['model_too_large', /\d+ bytes together, more than the 100/], {
    sizeBytesMax: 100,
  })
  await refused(writeSafetensors(NEW), ['model_format_unsupported', /ZIP/], {
    graph: Buffer.from('PK\x03\x04 a model'),
  })
})

test('a file in which a byte belongs to no tensor, or to two, is refused, as is one that says what it is not', async () => {
  const entry = (from: number, to: number, more: object = {}) => ({
    dtype: 'F32',
    shape: [(to - from) / 4],
    data_offsets: [from, to],
    ...more,
  })
  const file = (header: unknown, bytes = 16) => withHeader(JSON.stringify(header), Buffer.alloc(bytes))
  const cases: readonly (readonly [Uint8Array, RegExp])[] = [
    [Buffer.alloc(0), /it has 0 bytes/],
    [Buffer.alloc(7), /it has 7 bytes/],
    [withHeader('{}', Buffer.alloc(0)), /no tensor/],
    [withHeader('{}', Buffer.alloc(0), 3n), /said to have 3 bytes, and only 2 follow/],
    [withHeader('{}', Buffer.alloc(0), 2n ** 63n), /said to have 9223372036854775808 bytes; at most/],
    [withHeader('[]', Buffer.alloc(0)), /no JSON object/],
    [withHeader('{"w":', Buffer.alloc(0)), /no JSON in UTF-8/],
    [withHeader(Buffer.from('{"\xff":1}', 'latin1'), Buffer.alloc(0)), /no JSON in UTF-8/],
    [file({ __metadata__: { epoch: 3 }, w: entry(0, 16) }), /__metadata__/],
    [file({ w: entry(0, 8), b: entry(4, 16) }), /"b" overlaps/],
    [file({ w: entry(0, 8), b: entry(0, 8), c: entry(8, 16) }), /overlaps/],
    [file({ w: entry(0, 4), b: entry(8, 16) }), /4 bytes before its tensor "b"/],
    [file({ w: entry(4, 16) }), /4 bytes before its tensor "w"/],
    [file({ w: entry(0, 8) }), /8 bytes at its end/],
    [file({ w: entry(0, 20) }), /cut off/],
    [file({ w: entry(0, 16, { shape: [5] }) }), /takes 20 bytes as F32 \[5\], and lies from 0 to 16/],
    [file({ w: entry(0, 16, { shape: [2 ** 52, 2 ** 52] }) }), /takes .* bytes/],
    [file({ w: entry(0, 16, { shape: [-4] }) }), /shape\.0/],
    [file({ w: entry(0, 16, { shape: [4.5] }) }), /shape\.0/],
    [file({ w: entry(0, 16, { data_offsets: [16, 0] }) }), /lies from 16 to 0/],
    [file({ w: entry(0, 16, { data_offsets: [0, 2 ** 60] }) }), /data_offsets/],
    [file({ w: entry(0, 16, { dtype: 'PICKLE' }) }), /dtype/],
    [file({ w: entry(0, 16, { code: 'import os' }) }), /code/],
    [file({ w: 'a text' }), /"w" is described wrongly/],
  ]
  for (const [bytes, message] of cases) await refused(bytes, ['weights_damaged', message])
})

test('weights that are cut off anywhere are refused, and with any one byte changed they pass or are refused with a code', async () => {
  const whole = writeSafetensors(NEW)
  for (let length = 0; length < whole.length; length++)
    await assert.rejects(joined(whole.subarray(0, length)), { code: 'weights_damaged' }, `cut at ${length}`)
  for (let at = 0; at < whole.length; at++)
    for (const value of [0x00, 0x22, 0x7f, 0xff]) {
      const changed = Buffer.from(whole)
      changed[at] = value
      await joined(changed).catch((error) =>
        assert.match(String(error.code), /^weights_/, `byte ${at} as ${value}: ${error.stack}`),
      )
    }
})

test('a graph that is cut off is refused with a code, and with any one byte changed it passes or is refused so', async () => {
  const [whole, weights] = [line(), writeSafetensors(NEW)]
  const check = async (graph: Buffer) => checkModel(readOnnx(await joined(weights, { graph })), manifestWith())
  for (let at = 0; at < whole.length; at++) {
    await assert.rejects(check(whole.subarray(0, at)), { name: 'ModelError' }, `cut at ${at}`)
    const changed = Buffer.from(whole)
    changed[at] = 0xff
    await check(changed).catch((error) => assert.equal(error.name, 'ModelError', error.stack))
  }
})

test('a thread joins them, and tells what is wrong by its code', async () => {
  const own = join(dir, 'thread')
  await writeFile(`${own}.onnx`, line())
  await writeFile(`${own}.safetensors`, writeSafetensors(NEW))
  await writeFile(`${own}.bad`, 'no weights')
  const options = { graphPath: `${own}.onnx`, manifest: manifestWith(), sizeBytesMax: 1_000_000 }
  await joinModelWeights({ ...options, weightsPath: `${own}.safetensors`, targetPath: `${own}.joined` })
  assert.deepEqual(await answerOf(`${own}.joined`), [7, 73])
  await assert.rejects(joinModelWeights({ ...options, weightsPath: `${own}.bad`, targetPath: `${own}.none` }), {
    code: 'weights_damaged',
  })
  assert.ok(!(await readdir(dir)).includes('thread.none'), 'nothing is written of what is refused')
})

test('a manifest names its weights by a plain file name', () => {
  for (const file of ['../line.safetensors', '/etc/line.safetensors', 'line.bin', 'line.pt', '.safetensors'])
    assert.throws(() => manifestWith({ file }), { code: 'manifest_invalid' }, file)
  assert.deepEqual(manifestWith().weights, { file: 'line.safetensors', keep: [] })
})
