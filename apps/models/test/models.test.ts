import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { noteArtifactOwner } from '@headrace/engine'
import type { BatchAnswer, PredictAnswer } from '@headrace/wire'
import sharp from 'sharp'
import {
  convolutional,
  convolutionalManifest,
  LINE,
  lineManifest,
} from '../../../packages/inference/src/testing/example-models.ts'
import { writeOnnx } from '../../../packages/inference/src/testing/write-onnx.ts'
import { writeSafetensors } from '../../../packages/inference/src/testing/write-safetensors.ts'
import { Models, openMachine } from './open-models.ts'

const line = writeOnnx(LINE)
/** `y = x * [2, 3] + [10, 10]`, so that its answers tell it from version 1. */
const otherLine = writeOnnx({
  ...LINE,
  weights: (LINE.weights ?? []).map((one) => (one.name === 'b' ? { ...one, values: Float32Array.of(10, 10) } : one)),
})
const picture = () =>
  sharp({ create: { width: 30, height: 20, channels: 3, background: '#3070c0' } })
    .png()
    .toBuffer()
const dataOf = ({ predictions }: PredictAnswer) =>
  predictions.map(({ y }) => (y?.kind === 'tensor' ? y.data : undefined))
const ask = (x: readonly (readonly number[])[]) => ({ payload: { inputs: { x } } })

test('a model that is dropped in answers at once, and tells how it does', async () => {
  await using here = await Models.open()
  const added = await here.add(line, lineManifest)
  assert.equal(added.statusCode, 201, added.body)
  assert.equal(added.headers.location, '/models/line/versions/1')
  const answer = await here.send(
    'POST',
    '/models/line/predict',
    ask([
      [1, 2],
      [3, 4],
    ]),
  )
  assert.equal(answer.statusCode, 200, answer.body)
  const body = answer.json<PredictAnswer>()
  assert.deepEqual(dataOf(body), [
    [3, 7],
    [7, 13],
  ])
  assert.deepEqual([body.model, body.version, body.timing.batchRows], ['line', '1', 2])
  const model = (await here.send('GET', '/models/line')).json()
  assert.equal(model.defaultVersion, '1')
  const [version] = model.versions
  assert.deepEqual(
    [version.state, version.isDefault, version.addedBy, version.sizeBytes],
    ['loaded', true, 'ada', line.length],
  )
  assert.deepEqual([version.figures.requests, version.figures.rows, version.figures.batches], [1, 2, 1])
  assert.deepEqual(version.figures.batchSizes, { 2: 1 })
  assert.ok(version.figures.latencyMs.p99 >= 0)
  assert.deepEqual(
    (await here.send('GET', '/models')).json().models.map(({ name }: { name: string }) => name),
    ['line'],
  )
})

test('a picture is sent as the body, as a form, or within JSON, and the answers are the same', async () => {
  await using here = await Models.open()
  await here.add(convolutional(), convolutionalManifest())
  const image = await picture()
  const form = new FormData()
  form.append('image', new Blob([image as Uint8Array<ArrayBuffer>]), 'a.png')
  const answers = [
    await here.send('POST', '/models/shapes/predict?topK=2', {
      payload: image,
      headers: { 'content-type': 'image/png' },
    }),
    await here.sendForm('/models/shapes/predict?topK=2', form),
    await here.send('POST', '/models/shapes/predict', {
      payload: { images: [{ base64: image.toString('base64') }], topK: 2 },
    }),
  ].map((answer) => answer.json<PredictAnswer>().predictions)
  const [first] = answers
  const scores = first?.[0]?.scores
  assert.ok(scores?.kind === 'classification' && scores.classes.length === 2)
  for (const other of answers) assert.deepEqual(other, first)
})

test('a model is asked by a job, as a process too, and its result is what it would have answered at once', async () => {
  await using here = await Models.open()
  await here.add(convolutional(), convolutionalManifest())
  await here.machine.startWorker()
  const image = await picture()
  const headers = { 'content-type': 'image/png' }
  const atOnce = (await here.send('POST', '/models/shapes/predict', { payload: image, headers })).json<PredictAnswer>()
  const accepted = await here.send('POST', '/models/shapes/jobs', { payload: image, headers })
  assert.equal(accepted.statusCode, 202, accepted.body)
  const { jobID } = accepted.json()
  assert.equal(accepted.headers.location, `/jobs/${jobID}`)
  const result = (await here.engine.result(jobID)) as unknown as PredictAnswer
  assert.deepEqual(result.predictions, atOnce.predictions)
  const asProcess = await here.send('POST', '/processes/models.predict/execution', {
    payload: { inputs: { model: 'shapes', images: [{ base64: image.toString('base64') }] } },
  })
  assert.equal(asProcess.statusCode, 200, asProcess.body)
  assert.deepEqual(asProcess.json().predictions, atOnce.predictions)
})

test('versions stand side by side, and the default is switched at once', async () => {
  await using here = await Models.open()
  await here.add(line, lineManifest)
  await here.add(otherLine, { ...lineManifest, version: '2' })
  const first = async (path: string) => dataOf((await here.send('POST', path, ask([[0, 0]]))).json())[0]
  assert.deepEqual(await first('/models/line/predict'), [10, 10], 'the newest is the default until one is chosen')
  assert.deepEqual(await first('/models/line/versions/1/predict'), [1, 1])
  const chosen = await here.send('PUT', '/models/line/default', { payload: { version: '1' } })
  assert.equal(chosen.json().defaultVersion, '1')
  assert.deepEqual(await first('/models/line/predict'), [1, 1])
  assert.deepEqual(await first('/models/line/versions/2/predict'), [10, 10])
  assert.equal((await here.send('DELETE', '/models/line/versions/1')).statusCode, 204)
  assert.deepEqual(await first('/models/line/predict'), [10, 10], 'the default went with its version')
  assert.equal((await here.send('POST', '/models/line/versions/1/predict', ask([[0, 0]]))).statusCode, 404)
  assert.equal((await here.send('DELETE', '/models/line')).statusCode, 204)
  assert.deepEqual((await here.send('GET', '/models')).json(), { models: [] })
})

test('a version never changes: the same again is no change, another file is refused', async () => {
  await using here = await Models.open()
  assert.equal((await here.add(line, lineManifest)).statusCode, 201)
  assert.equal((await here.add(line, lineManifest)).statusCode, 200)
  const refused = await here.add(otherLine, lineManifest)
  assert.deepEqual([refused.statusCode, refused.json().code], [409, 'model_exists'])
  const otherManifest = await here.add(line, { ...lineManifest, title: 'Another' })
  assert.equal(otherManifest.statusCode, 409)
})

test('what cannot be taken is answered with why and what to do, and nothing of it is kept', async () => {
  await using here = await Models.open({ sizeBytesMax: 100_000 })
  const cases: readonly (readonly [Uint8Array, unknown, number, string])[] = [
    [line, { ...lineManifest, version: '' }, 400, 'manifest_invalid'],
    [line, 'no manifest', 400, 'manifest_invalid'],
    [Buffer.from('PK\x03\x04, as torch.save writes it'), lineManifest, 415, 'model_format_unsupported'],
    [Buffer.from('\x80\x04a pickle', 'latin1'), lineManifest, 415, 'model_format_unsupported'],
    [line.subarray(0, 80), lineManifest, 422, 'model_damaged'],
    [writeOnnx({ ...LINE, opset: 99 }), lineManifest, 422, 'model_opset_unsupported'],
    [
      line,
      { ...lineManifest, inputs: [{ name: 'x', dtype: 'int32', shape: ['batch', 2] }] },
      422,
      'model_signature_mismatch',
    ],
    [Buffer.alloc(100_001), lineManifest, 413, 'model_too_large'],
  ]
  for (const [file, manifest, status, code] of cases) {
    const answer = await here.add(file, manifest)
    assert.deepEqual([answer.statusCode, answer.json().code], [status, code], answer.body)
    assert.ok(answer.json().detail.length > 40)
  }
  const form = new FormData()
  form.append('manifest', JSON.stringify(lineManifest))
  const fileless = await here.sendForm('/models', form)
  assert.deepEqual([fileless.statusCode, fileless.json().code], [400, 'model_upload_invalid'])
  assert.deepEqual((await here.send('GET', '/models')).json(), { models: [] })
  assert.deepEqual(await readdir(join(here.dir, 'cache/incoming')), [])
  const kept: string[] = []
  for await (const { id } of here.artifacts.list()) kept.push(id)
  assert.deepEqual(kept, [])
})

test('a file that was uploaded before is deployed by its artifact’s id', async () => {
  await using here = await Models.open()
  const { id } = await here.artifacts.put(line)
  await noteArtifactOwner(here.store.settings, id, 'ada') // as an upload does
  const added = await here.send('POST', '/models', { payload: { manifest: lineManifest, artifact: id } })
  assert.equal(added.statusCode, 201, added.body)
  const nothing = `sha256:${createHash('sha256').update('nothing').digest('hex')}`
  for (const artifact of [nothing, '../../etc/passwd']) {
    const refused = await here.send('POST', '/models', { payload: { manifest: lineManifest, artifact } })
    const expected = artifact === nothing ? [404, 'artifact_unknown'] : [400, 'model_upload_invalid']
    assert.deepEqual([refused.statusCode, refused.json().code], expected)
  }
})

/** `y = x * [5, 7] + [2, 3]` */
const trainedAnew = writeSafetensors([
  { name: 'w', shape: [2], values: Float32Array.of(5, 7) },
  { name: 'b', shape: [2], values: Float32Array.of(2, 3) },
])
const manifestWithWeights = { ...lineManifest, weights: { file: 'line.safetensors' } }

test('weights as safetensors beside a graph answer, here and in a process that fetches the model', async () => {
  await using here = await Models.open()
  await using other = await openMachine({ store: here.store, artifacts: here.artifacts }, join(here.dir, 'elsewhere'))
  const added = await here.add(line, manifestWithWeights, { weights: trainedAnew })
  assert.equal(added.statusCode, 201, added.body)
  assert.equal((await here.add(line, manifestWithWeights, { weights: trainedAnew })).statusCode, 200)
  for (const { server } of [here.machine, other]) {
    const answer = await here.send('POST', '/models/line/predict', { ...ask([[1, 10]]), server })
    assert.deepEqual(dataOf(answer.json()), [[7, 73]])
  }
  const weights = await here.artifacts.put(trainedAnew)
  const graph = await here.artifacts.put(line)
  for (const { id } of [weights, graph]) await noteArtifactOwner(here.store.settings, id, 'ada')
  const again = await here.send('POST', '/models', {
    payload: { manifest: manifestWithWeights, artifact: graph.id, weights: weights.id },
  })
  assert.equal(again.statusCode, 200, again.body)
})

test('weights that do not fit, did not come or are named by nobody are refused, and nothing is kept', async () => {
  await using here = await Models.open()
  const others = writeSafetensors([{ name: 'other', shape: [1], values: Float32Array.of(1) }])
  const cases: readonly (readonly [object, Uint8Array | undefined, number, string])[] = [
    [manifestWithWeights, others, 422, 'weights_mismatch'],
    [manifestWithWeights, trainedAnew.subarray(0, -1), 422, 'weights_damaged'],
    [manifestWithWeights, Buffer.from('\x80\x04a pickle', 'latin1'), 422, 'weights_damaged'],
    [manifestWithWeights, undefined, 400, 'model_upload_invalid'],
    [lineManifest, trainedAnew, 400, 'model_upload_invalid'],
    [{ ...lineManifest, weights: { file: '../line.safetensors' } }, trainedAnew, 400, 'manifest_invalid'],
  ]
  for (const [manifest, weights, status, code] of cases) {
    const answer = await here.add(line, manifest, weights ? { weights } : {})
    assert.deepEqual([answer.statusCode, answer.json().code], [status, code], answer.body)
  }
  assert.deepEqual((await here.send('GET', '/models')).json(), { models: [] })
  assert.deepEqual(await readdir(join(here.dir, 'cache/incoming')), [])
  for await (const { id } of here.artifacts.list()) assert.fail(`${id} was kept`)
})

test('what is asked wrongly is 400 with what the model takes; an unknown model is 404', async () => {
  await using here = await Models.open()
  await here.add(line, lineManifest)
  const bodies = [
    {},
    { inputs: { x: [[1]] } },
    { inputs: { x: [[1, 2]] }, rows: [[1]] },
    { inputs: { x: [[1, 2]] }, deadlineMs: -1 },
    { rows: [[1, 2]] },
  ]
  for (const payload of bodies) {
    const answer = await here.send('POST', '/models/line/predict', { payload })
    assert.deepEqual([answer.statusCode, answer.json().code], [400, 'model_input_invalid'], answer.body)
  }
  for (const path of ['/models/none/predict', '/models/line/versions/9/predict', '/models/none/jobs']) {
    const answer = await here.send('POST', path, ask([[1, 2]]))
    assert.deepEqual([answer.statusCode, answer.json().code], [404, 'model_unknown'])
  }
})

test('an overloaded model answers 503 with Retry-After, what is too late too, and jobs wait instead', async () => {
  await using here = await Models.open()
  await here.add(line, {
    ...lineManifest,
    limits: { maxBatch: 2, maxDelayMs: 10_000, queueMax: 1, deadlineMs: 60_000 },
  })
  const waiting = here.send('POST', '/models/line/predict', ask([[1, 2]]))
  // It waits its delay for company; until then the queue is full.
  const isFull = async (): Promise<boolean> =>
    (await here.send('GET', '/models/line')).json().versions[0].figures.queuedRowsMost === 1
  while (!(await isFull())) await setImmediate()
  const refused = await here.send('POST', '/models/line/predict', ask([[3, 4]]))
  assert.deepEqual([refused.statusCode, refused.json().code], [503, 'model_overloaded'])
  assert.match(String(refused.headers['retry-after']), /^[1-9]\d*$/)
  await here.machine.startWorker()
  const { jobID } = (await here.send('POST', '/models/line/jobs', ask([[5, 6]]))).json()
  assert.deepEqual(dataOf((await here.engine.result(jobID)) as unknown as PredictAnswer), [[11, 19]])
  assert.deepEqual(dataOf((await waiting).json()), [[3, 7]])
  const late = await here.send('POST', '/models/line/predict', { payload: { inputs: { x: [[1, 2]] }, deadlineMs: 1 } })
  // It does not wait for company beyond its deadline, and may be answered within it.
  if (late.statusCode !== 200)
    assert.deepEqual([late.statusCode, late.json().code, late.headers['retry-after']], [503, 'model_too_late', '1'])
})

test('models are there after a restart, with the chosen default', async () => {
  const before = await Models.open()
  await before.add(line, lineManifest)
  await before.add(otherLine, { ...lineManifest, version: '2' })
  await before.send('PUT', '/models/line/default', { payload: { version: '1' } })
  await before.close()
  await using here = await Models.open({ dir: before.dir })
  const model = (await here.send('GET', '/models/line')).json()
  assert.deepEqual(
    model.versions.map(({ version, state, isDefault }: Record<string, unknown>) => [version, state, isDefault]),
    [
      ['2', 'resting', false],
      ['1', 'resting', true],
    ],
  )
  assert.deepEqual(dataOf((await here.send('POST', '/models/line/predict', ask([[0, 0]]))).json()), [[1, 1]])
})

test('a worker elsewhere fetches the model by its hash, and a change made by one process reaches the others', async () => {
  await using here = await Models.open()
  await using other = await openMachine({ store: here.store, artifacts: here.artifacts }, join(here.dir, 'elsewhere'))
  await here.add(line, lineManifest)
  await other.startWorker()
  const { jobID } = (await here.send('POST', '/models/line/jobs', ask([[1, 2]]))).json()
  assert.deepEqual(dataOf((await here.engine.result(jobID)) as unknown as PredictAnswer), [[3, 7]])
  assert.equal((await readdir(join(here.dir, 'elsewhere/files'))).length, 1)
  await here.add(otherLine, { ...lineManifest, version: '2' })
  const there = async () =>
    (await here.send('POST', '/models/line/predict', { ...ask([[0, 0]]), server: other.server })).json<PredictAnswer>()
  // It knows within a second.
  while ((await there()).version !== '2') await setImmediate()
})

test('a batch answers for each item in order, in full batches, and says in its place what is wrong with one', async () => {
  await using here = await Models.open()
  const columns = [{ name: 'a' }, { name: 'b' }]
  await here.add(line, {
    ...lineManifest,
    inputs: [{ ...lineManifest.inputs[0], table: { columns } }],
    limits: { maxBatch: 16, maxDelayMs: 20 },
  })
  await here.machine.startWorker()
  const rows: unknown[] = Array.from({ length: 1_000 }, (_, n) => ({ a: n, b: 0 }))
  rows[500] = { a: 'x', b: 0 }
  const { id } = await here.engine.submit('models.predict-batch', { model: 'line', rows })
  const result = (await here.engine.result(id)) as unknown as BatchAnswer
  assert.deepEqual([result.count, result.failed, result.version], [1_000, 1, '1'])
  for (const [n, prediction] of result.predictions.entries()) {
    if (n === 500) assert.deepEqual((prediction as { error: { code: string } }).error.code, 'model_input_invalid')
    else
      assert.deepEqual((prediction as PredictAnswer['predictions'][number]).y, {
        kind: 'tensor',
        shape: [2],
        data: [2 * n + 1, 1],
      })
  }
  const { figures } = (await here.send('GET', '/models/line')).json().versions[0]
  assert.ok(figures.batches < 200, `${figures.batches} runs for 999 rows`)
  const children = (await here.store.tree(id, 100)).length - 1
  assert.equal(children, Math.ceil(1_000 / (16 * 8)))
})

test('no route answers without a key, and none that changes something without the scope for it', async () => {
  await using here = await Models.open()
  await here.add(line, lineManifest)
  const own = here.machine.server.routes().filter(({ url }) => url.startsWith('/models'))
  assert.equal(own.length, 11)
  for (const { method, url } of own) {
    const path = url.replace(':name', 'line').replace(':version', '1')
    const bare = await here.machine.server.inject({ method: method as 'GET', url: path })
    assert.equal(bare.statusCode, 401, `${method} ${path}`)
  }
  assert.equal((await here.add(line, lineManifest, { scopes: ['submit', 'read-own'] })).statusCode, 403)
  assert.equal((await here.send('DELETE', '/models/line', { scopes: ['submit', 'read-own'] })).statusCode, 403)
  assert.equal(
    (await here.send('PUT', '/models/line/default', { scopes: ['submit'], payload: { version: '1' } })).statusCode,
    403,
  )
  assert.equal(
    (await here.send('POST', '/models/line/predict', { ...ask([[1, 2]]), scopes: ['read-own'] })).statusCode,
    403,
  )
  assert.equal((await here.send('GET', '/models', { scopes: ['submit'] })).statusCode, 403)
})
