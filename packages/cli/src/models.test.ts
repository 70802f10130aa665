import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import type { ModelList, PredictAnswer } from '@headrace/wire'
import { LINE, lineManifest } from '../../inference/src/testing/example-models.ts'
import { writeOnnx } from '../../inference/src/testing/write-onnx.ts'
import { writeSafetensors } from '../../inference/src/testing/write-safetensors.ts'
import { makePlace, serve } from './testing/headrace.ts'

test('a model is deployed, listed, asked, switched and removed from the command', async () => {
  await using place = await makePlace()
  await writeFile(join(place.dir, 'line.onnx'), writeOnnx(LINE))
  await writeFile(join(place.dir, 'bad.onnx'), 'PK\x03\x04')
  await writeFile(join(place.dir, 'v1.json'), JSON.stringify(lineManifest))
  await writeFile(join(place.dir, 'v2.json'), JSON.stringify({ ...lineManifest, version: '2' }))
  await using _server = await serve(place)
  const json = async <T>(...args: readonly string[]): Promise<T> => {
    const ran = await place.run(['models', ...args, '--json'])
    assert.equal(ran.code, 0, ran.stderr)
    return JSON.parse(ran.stdout)
  }
  const added = await place.run(['models', 'add', 'line.onnx', '--manifest', 'v1.json'])
  assert.equal(added.stdout.trim(), 'Version 1 of line is deployed. It is the default version.', added.stderr)
  await json('add', 'line.onnx', '--manifest', 'v2.json')
  await json('default', 'line', '1')
  const { models } = await json<ModelList>('list')
  assert.deepEqual(
    models.map(({ name, defaultVersion, versions }) => [name, defaultVersion, versions.length]),
    [['line', '1', 2]],
  )
  const answer = await json<PredictAnswer>('predict', 'line', '--inputs', '{"x": [[1, 2]]}')
  assert.deepEqual([answer.version, answer.predictions], ['1', [{ y: { kind: 'tensor', shape: [2], data: [3, 7] } }]])
  const text = await place.run(['models', 'predict', 'line', '--model-version', '2', '--inputs', '{"x": [[1, 2]]}'])
  assert.equal(text.stdout.trim(), 'y  [2] 3 7')
  assert.match((await place.run(['models', 'list'])).stdout, /line +1 \(default\) +loaded/)
  await json('remove', 'line', '2')
  const manifest = { ...lineManifest, version: '3', weights: { file: 'line.safetensors' } }
  await writeFile(join(place.dir, 'v3.json'), JSON.stringify(manifest))
  await writeFile(join(place.dir, 'v4.json'), JSON.stringify({ ...manifest, version: '4' }))
  for (const [file, w] of [
    ['line.safetensors', 5],
    ['other.safetensors', 50],
  ] as const) {
    const weights = [
      { name: 'w', shape: [2], values: Float32Array.of(w, 7) },
      { name: 'b', shape: [2], values: Float32Array.of(2, 3) },
    ]
    await writeFile(join(place.dir, file), writeSafetensors(weights))
  }
  await json('add', 'line.onnx', '--manifest', 'v3.json')
  await json('add', 'line.onnx', '--manifest', 'v4.json', '--weights', 'other.safetensors')
  for (const [version, expected] of [
    ['3', 'y  [2] 7 17'],
    ['4', 'y  [2] 52 17'],
  ] as const) {
    const asked = ['predict', 'line', '--model-version', version, '--inputs', '{"x": [[1, 2]]}']
    assert.equal((await place.run(['models', ...asked])).stdout.trim(), expected)
  }
  const cases: readonly (readonly [number, RegExp, ...string[]])[] = [
    [2, /ZIP archive/, 'add', 'bad.onnx', '--manifest', 'v2.json'],
    [2, /cannot be read/, 'add', 'none.onnx', '--manifest', 'v1.json'],
    [
      2,
      /none\.safetensors cannot be read/,
      'add',
      'line.onnx',
      '--manifest',
      'v3.json',
      '--weights',
      'none.safetensors',
    ],
    [3, /no version "2"/, 'predict', 'line', '--model-version', '2', '--inputs', '{"x": [[1, 2]]}'],
    [2, /one of --image, --inputs and --rows/, 'predict', 'line'],
    [3, /no model "none"/, 'remove', 'none'],
  ]
  for (const [code, message, ...args] of cases) {
    const ran = await place.run(['models', ...args])
    assert.equal(ran.code, code, `${args.join(' ')}: ${ran.stderr}`)
    assert.match(ran.stderr, message)
  }
})
