import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import runtime from 'onnxruntime-node'
import type { ModelErrorCode } from '../errors.ts'
import { parseManifest } from '../manifest/manifest.ts'
import { convolutional, LINE, lineManifest } from '../testing/example-models.ts'
import { type ModelSpec, writeOnnx } from '../testing/write-onnx.ts'
import { checkModel, OPSETS } from './check-model.ts'
import { readOnnx } from './read-onnx.ts'

let dir = ''
before(async () => {
  dir = await mkdtemp(join(tmpdir(), 'headrace-onnx-'))
})
after(() => rm(dir, { recursive: true, force: true }))

async function check(bytes: Uint8Array, manifest: object = lineManifest): Promise<void> {
  const path = join(dir, 'model.onnx')
  await writeFile(path, bytes)
  checkModel(readOnnx(path), parseManifest(manifest))
}

const refused = (bytes: Uint8Array, code: ModelErrorCode, message: RegExp, manifest?: object) =>
  assert.rejects(check(bytes, manifest), { name: 'ModelError', code, message })
const line = (more: Partial<ModelSpec> = {}) => writeOnnx({ ...LINE, ...more })

test('a model that is what its manifest says passes', async () => {
  await check(line())
})

test('inputs, outputs, operators and weights of a model are read without loading it', async () => {
  const path = join(dir, 'conv.onnx')
  await writeFile(path, convolutional())
  const model = readOnnx(path)
  assert.deepEqual(model.inputs, [{ name: 'image', elementType: 1, dims: ['batch', 3, 16, 16] }])
  assert.deepEqual(model.outputs, [{ name: 'scores', elementType: 1, dims: ['batch', 4] }])
  assert.deepEqual([...model.operators].sort(), [':Conv', ':Flatten', ':Gemm', ':GlobalAveragePool', ':Relu'])
  assert.deepEqual([...model.opsets], [['', 17]])
})

test('what is no ONNX is named for what it is, with the way to ONNX, and is never opened', async () => {
  const head = (bytes: readonly number[] | string) =>
    Buffer.concat([Buffer.from(bytes as string, 'latin1'), Buffer.alloc(64)])
  const safetensors = Buffer.concat([
    Buffer.from([40, 0, 0, 0, 0, 0, 0, 0]),
    Buffer.from('{"w":{"dtype":"F32","shape":[1]}}'),
  ])
  await refused(head('PK\x03\x04'), 'model_format_unsupported', /ZIP archive.*torch\.onnx\.export/)
  await refused(head([0x80, 4, 0x95, 0]), 'model_format_unsupported', /pickle.*never loaded here/)
  await refused(safetensors, 'model_format_unsupported', /safetensors.*weights only/)
  await refused(head('\x89HDF\r\n'), 'model_format_unsupported', /HDF5/)
  await refused(head('\0\0\0\0TFL3'), 'model_format_unsupported', /TensorFlow Lite/)
  await refused(head('\0\0\0\0ORTM'), 'model_format_unsupported', /ORT|ONNX Runtime model/)
  await refused(Buffer.alloc(0), 'model_damaged', /empty/)
  await refused(Buffer.from('<!doctype html><title>404</title>'), 'model_damaged', /no whole ONNX model/)
})

test('a model that is cut off anywhere is refused by its reader or by what is missing of it', async () => {
  const whole = line()
  for (let length = 0; length < whole.length; length++) {
    await assert.rejects(
      check(whole.subarray(0, length)),
      { name: 'ModelError' },
      `cut at ${length} of ${whole.length}`,
    )
  }
})

test('a model with any one byte changed passes, or is refused with a code', async () => {
  const whole = line()
  for (let at = 0; at < whole.length; at++) {
    for (const value of [0x00, 0x7f, 0xff]) {
      const changed = Buffer.from(whole)
      changed[at] = value
      await check(changed).catch((error) =>
        assert.equal(error.name, 'ModelError', `byte ${at} as ${value}: ${error.stack}`),
      )
    }
  }
})

test('weights in other files are refused, whatever the path, and no file is opened', async () => {
  for (const externalFile of ['weights.bin', '../../etc/passwd', '/etc/passwd']) {
    const weights = (LINE.weights ?? []).map((weight) => ({ ...weight, externalFile }))
    await refused(line({ weights }), 'model_external_data', /other files .*save_as_external_data=False/)
  }
})

test('an opset that is too old or too new is refused, and the range is the runtime’s own', async () => {
  const [oldest, newest] = OPSETS[''] ?? [0, 0]
  await refused(
    line({ opset: oldest - 1 }),
    'model_opset_unsupported',
    /version 6 of .*versions 7 to 26.*opset_version=17/,
  )
  await refused(line({ opset: newest + 1 }), 'model_opset_unsupported', /version 27 .*opset_version=26/)
  for (const [domain, [, most]] of Object.entries(OPSETS)) {
    const opened = (version: number) =>
      runtime.InferenceSession.create(line({ opsets: { [domain]: version } }), { logSeverityLevel: 4 })
    await (await opened(most)).release()
    await assert.rejects(opened(most + 1), domain)
  }
  await (await runtime.InferenceSession.create(line({ opset: oldest }))).release()
  await assert.rejects(runtime.InferenceSession.create(line({ opset: oldest - 1 }), { logSeverityLevel: 4 }))
})

test('operators that ONNX Runtime does not bring are refused', async () => {
  const nodes = LINE.nodes.map((node, at) => (at === 0 ? { ...node, domain: 'acme.ops' } : node))
  await refused(line({ nodes, opsets: { 'acme.ops': 1 } }), 'model_operator_unsupported', /acme\.ops:Mul/)
})

test('a manifest that says otherwise than the model is refused, with both', async () => {
  const withInput = (input: object) => ({ ...lineManifest, inputs: [{ ...lineManifest.inputs[0], ...input }] })
  const withOutput = (output: object) => ({ ...lineManifest, outputs: [output] })
  const code = 'model_signature_mismatch'
  await refused(
    line(),
    code,
    /an input "z" that the model lacks; it has "x" float32 \[batch, 2\]|input "x".*does not list/,
    withInput({ name: 'z' }),
  )
  await refused(line(), code, /"x" is float32 \[batch, 2\], and the manifest says int64/, withInput({ dtype: 'int64' }))
  await refused(line(), code, /says \[batch, 3\]/, withInput({ shape: ['batch', 3] }))
  await refused(line(), code, /says \[batch, 2, 1\]/, withInput({ shape: ['batch', 2, 1] }))
  await refused(line(), code, /output "z" that the model lacks; it has "y"/, withOutput({ name: 'z', kind: 'tensor' }))
  const labels = ['a', 'b', 'c']
  await refused(
    line(),
    code,
    /2 values in a row, and the manifest 3 labels/,
    withOutput({ name: 'y', kind: 'classification', labels }),
  )
  const fixed = line({ inputs: [{ name: 'x', dims: [1, 2] }] })
  await refused(fixed, code, /\[1, 2\], and the manifest says \[batch, 2\]/)
})

test('a manifest is refused with every place that is wrong', () => {
  const bad = { ...lineManifest, name: 'Line 1', limits: { maxBatch: 0 }, outputs: [], colour: 'red' }
  assert.throws(() => parseManifest(bad), {
    code: 'manifest_invalid',
    message: /name: a name is a-z.*outputs:.*limits\.maxBatch:.*colour/s,
  })
  const picture = (image: object, shape: unknown[]) => ({
    ...lineManifest,
    inputs: [{ name: 'x', dtype: 'float32', shape, image }],
  })
  assert.throws(() => parseManifest(picture({}, ['batch', 4, 8, 8])), /must be \["batch", 3, height, width\]/)
  assert.throws(() => parseManifest(picture({ std: [1, 0, 1] }, ['batch', 3, 8, 8])), /a std of 0/)
  assert.throws(() => parseManifest(picture({ resize: 7 }, ['batch', 3, 8, 8])), /less than the 8/)
  assert.throws(() => parseManifest('a text'), { code: 'manifest_invalid' })
})
