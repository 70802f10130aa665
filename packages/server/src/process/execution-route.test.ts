import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openTestServer } from '../testing/test-server.ts'

const execution = (process: string, payload: object, headers: Record<string, string> = {}) => ({
  method: 'POST' as const,
  url: `/processes/${process}/execution`,
  headers,
  payload,
})

test('a process that ends soon answers with its one output as it is, and says where its job is', async () => {
  await using here = await openTestServer()
  const response = await here.send(execution('double', { inputs: { input: 21 } }))
  assert.equal(response.statusCode, 200)
  assert.match(String(response.headers['content-type']), /^application\/json/)
  assert.equal(response.body, '42')
  assert.match(String(response.headers.link), /^<http:\/\/localhost:80\/jobs\/[\w-]+>; rel="monitor"$/)
})

test('several outputs are one JSON object, and outputs can be chosen', async () => {
  await using here = await openTestServer()
  const inputs = { dividend: 17, divisor: 5 }
  assert.deepEqual((await here.send(execution('divide', { inputs }))).json(), { quotient: 3, remainder: 2 })
  const chosen = await here.send(execution('divide', { inputs, outputs: { remainder: {} }, response: 'document' }))
  assert.deepEqual(chosen.json(), { remainder: 2 })
  assert.equal((await here.send(execution('divide', { inputs, outputs: { remainder: {} } }))).body, '2')
})

test('several raw outputs are multipart/related, each part under its id, unless JSON is asked for', async () => {
  await using here = await openTestServer()
  const body = { inputs: { dividend: 17, divisor: 5 }, response: 'raw' }
  const response = await here.send(execution('divide', body, { accept: '*/*' }))
  assert.match(String(response.headers['content-type']), /^multipart\/related; boundary=/)
  assert.match(response.body, /Content-ID: <quotient>\r\n\r\n3\r\n/)
  assert.match(response.body, /Content-ID: <remainder>\r\n\r\n2\r\n/)
  const json = await here.send(execution('divide', body, { accept: 'application/json' }))
  assert.deepEqual(json.json(), { quotient: 3, remainder: 2 })
})

test('a base64 output whose media type is declared is sent raw as the bytes that it stands for', async () => {
  await using here = await openTestServer()
  const image = { value: 'SUkqAA==', mediaType: 'image/tiff', encoding: 'base64' }
  const body = { inputs: { message: 'm', image }, outputs: { image: {} }, response: 'raw' }
  const response = await here.send(execution('echo', body))
  assert.equal(response.headers['content-type'], 'image/tiff')
  assert.deepEqual([...response.rawPayload], [0x49, 0x49, 0x2a, 0x00])
})

test('respond-async is answered at once with 201, an absolute Location and the job', async () => {
  await using here = await openTestServer({ withWorker: false })
  const response = await here.send(execution('double', { inputs: { input: 1 } }, { prefer: 'respond-async ' }))
  assert.equal(response.statusCode, 201)
  const info = response.json()
  assert.equal(response.headers.location, `http://localhost:80/jobs/${info.jobID}`)
  assert.equal(response.headers['preference-applied'], 'respond-async')
  assert.equal(response.headers['retry-after'], '1')
  assert.deepEqual(
    { status: info.status, type: info.type, processID: info.processID, owner: info.owner, state: info.state },
    { status: 'accepted', type: 'process', processID: 'double', owner: 'ada', state: 'waiting' },
  )
})

test('a synchronous request that outlasts its limit goes on as an asynchronous one', async () => {
  await using here = await openTestServer({ syncWaitMs: 20 })
  const byLimit = await here.send(execution('endless', {}))
  assert.equal(byLimit.statusCode, 201)
  const byWish = await here.send(execution('endless', {}, { prefer: 'wait=0' }))
  assert.equal(byWish.statusCode, 201)
  assert.equal(byWish.headers['preference-applied'], 'wait=0')
})

test('respond-async with wait gives the results when they come within it', async () => {
  await using here = await openTestServer()
  const response = await here.send(execution('double', { inputs: { input: 4 } }, { prefer: 'respond-async, wait=10' }))
  assert.equal(response.statusCode, 200)
  assert.equal(response.body, '8')
})

test('what an asynchronous request said about its response holds for its results', async () => {
  await using here = await openTestServer()
  const inputs = { dividend: 17, divisor: 5 }
  const body = { inputs, outputs: { quotient: {} }, response: 'raw' }
  const created = await here.send(execution('divide', body, { prefer: 'respond-async' }))
  const { jobID } = created.json()
  await here.engine.wait(jobID)
  assert.equal((await here.send({ url: `/jobs/${jobID}/results` })).body, '3')
})

test('priority, tags, due time and deadline are the job’s', async () => {
  await using here = await openTestServer()
  const dueAt = new Date(Date.now() + 3_600_000).toISOString()
  const body = { inputs: { input: 1 }, priority: 7, tags: ['red', 'run 3'], dueAt, deadlineMs: 7_200_000 }
  const info = (await here.send(execution('double', body, { prefer: 'respond-async' }))).json()
  assert.equal(info.priority, 7)
  assert.deepEqual(info.tags, ['red', 'run 3'])
  assert.ok(Math.abs(Date.parse(info.dueAt) - Date.parse(dueAt)) < 1_000)
  assert.ok(info.deadlineAt > info.dueAt)
})

test('a process that fails answers with its error as a problem that is not worth repeating, without a stack', async () => {
  await using here = await openTestServer()
  const response = await here.send(execution('divide', { inputs: { dividend: 1, divisor: 0 } }))
  assert.equal(response.statusCode, 422)
  assert.match(response.json().detail, /^divide \(job [\w-]+\) failed: There is no quotient by 0\.$/)
  assert.doesNotMatch(response.body, /tasks\.ts/)
})

test('an unknown process, and a task that is not public, are OGC’s no-such-process', async () => {
  await using here = await openTestServer()
  for (const name of ['nothing', 'hidden']) {
    const response = await here.send(execution(name, {}))
    assert.equal(response.statusCode, 404)
    assert.equal(response.json().type, 'http://www.opengis.net/def/exceptions/ogcapi-processes-1/1.0/no-such-process')
    assert.equal(response.json().code, 'unknown_task')
  }
})

test('an input that the task refuses is answered with a pointer to each fault, and nothing is stored', async () => {
  await using here = await openTestServer()
  const response = await here.send(execution('divide', { inputs: { dividend: 'x' } }))
  assert.equal(response.statusCode, 400)
  assert.equal(response.json().code, 'input_invalid')
  const pointers = response.json().errors.map((error: { pointer: string }) => error.pointer)
  assert.deepEqual(pointers, ['/inputs/dividend', '/inputs/divisor'])
  const single = await here.send(execution('double', { inputs: { input: 'x' } }))
  assert.deepEqual(
    single.json().errors.map((error: { pointer: string }) => error.pointer),
    ['/inputs/input'],
  )
  assert.deepEqual((await here.send({ url: '/jobs' })).json().jobs, [])
})

test('a deadline or a due time that the engine refuses is the request’s fault, not the server’s', async () => {
  await using here = await openTestServer()
  for (const option of [{ deadlineMs: 9e15 }, { dueAt: '9000-01-01T00:00:00Z' }]) {
    const response = await here.send(execution('double', { inputs: { input: 1 }, ...option }))
    assert.equal(response.statusCode, 400, response.body)
    assert.equal(response.json().code, 'option_invalid')
  }
  assert.deepEqual((await here.send({ url: '/jobs' })).json().jobs, [])
})

test('unknown fields are refused by name, in the body and among the inputs and outputs', async () => {
  await using here = await openTestServer()
  const pointersOf = async (process: string, body: object) => {
    const response = await here.send(execution(process, body))
    assert.equal(response.statusCode, 400)
    return response.json().errors.map((error: { pointer: string }) => error.pointer)
  }
  assert.deepEqual(await pointersOf('double', { input: 1, mode: 'async' }), ['/input', '/mode'])
  assert.deepEqual(await pointersOf('divide', { inputs: { dividend: 1, divisor: 1, 'a/b': 2 } }), ['/inputs/a~1b'])
  assert.deepEqual(await pointersOf('double', { inputs: { input: 1 }, outputs: { other: {} } }), ['/outputs/other'])
  assert.deepEqual(
    await pointersOf('double', { inputs: { input: 1 }, outputs: { result: { transmissionMode: 'reference' } } }),
    ['/outputs/result/transmissionMode'],
  )
})

test('an input by reference is refused with a sentence, not fetched', async () => {
  await using here = await openTestServer()
  const inputs = { message: 'm', image: { href: 'http://169.254.169.254/latest', type: 'image/tiff' } }
  const response = await here.send(execution('echo', { inputs }))
  assert.equal(response.statusCode, 400)
  assert.equal(response.json().errors[0].pointer, '/inputs/image')
})

test('a repeated request with the same idempotency key gets the same job, and is told so', async () => {
  await using here = await openTestServer()
  const headers = { prefer: 'respond-async', 'idempotency-key': '"k-1"' }
  const first = await here.send(execution('double', { inputs: { input: 1 } }, headers))
  const second = await here.send(execution('double', { inputs: { input: 1 } }, headers))
  const bare = await here.send(execution('double', { inputs: { input: 1 } }, { ...headers, 'idempotency-key': 'k-1' }))
  assert.equal(first.headers['idempotency-replayed'], undefined)
  for (const repeated of [second, bare]) {
    assert.equal(repeated.statusCode, 201)
    assert.equal(repeated.headers['idempotency-replayed'], 'true')
    assert.equal(repeated.json().jobID, first.json().jobID)
  }
})

test('the same idempotency key with another body is refused, and belongs to its owner alone', async () => {
  await using here = await openTestServer()
  const headers = { prefer: 'respond-async', 'idempotency-key': 'k-2' }
  const first = await here.send(execution('double', { inputs: { input: 1 } }, headers))
  const other = await here.send(execution('double', { inputs: { input: 2 } }, headers))
  assert.equal(other.statusCode, 422)
  assert.equal(other.json().code, 'idempotency_conflict')
  const bob = await here.authorize('bob')
  const bobs = await here.send({ ...execution('double', { inputs: { input: 2 } }, headers), as: bob })
  assert.equal(bobs.statusCode, 201)
  assert.notEqual(bobs.json().jobID, first.json().jobID)
})

test('a malformed idempotency key is refused', async () => {
  await using here = await openTestServer()
  for (const key of ['', '""', 'ä', 'a'.repeat(256), '"open']) {
    const response = await here.send(execution('double', { inputs: { input: 1 } }, { 'idempotency-key': key }))
    assert.equal(response.statusCode, 400, key)
    assert.equal(response.json().code, 'idempotency_key_invalid')
  }
})

test('a process with a cache says whether it was a hit, and is made anew when the request says no-cache', async () => {
  await using here = await openTestServer()
  const inputs = { inputs: { input: 4 } }
  const first = await here.send(execution('square', inputs))
  assert.equal(first.headers['cache-status'], 'headrace; fwd=miss')
  const again = await here.send(execution('square', inputs))
  assert.deepEqual([again.body, again.headers['cache-status']], ['16', 'headrace; hit'])
  const later = await here.send(execution('square', inputs, { prefer: 'respond-async' }))
  const info = later.json()
  assert.deepEqual([info.status, info.cache.hit, info.attempt], ['successful', true, 0])
  assert.match(String(first.headers.link), new RegExp(info.cache.from))
  const fresh = await here.send(execution('square', inputs, { 'cache-control': 'no-cache' }))
  assert.equal(fresh.headers['cache-status'], 'headrace; fwd=miss')
  const alone = await here.send(execution('square', inputs, { 'cache-control': 'no-store' }))
  assert.equal(alone.headers['cache-status'], 'headrace; fwd=bypass')
  assert.equal((await here.send(execution('double', { inputs: { input: 4 } }))).headers['cache-status'], undefined)
})

test('stored results are forgotten by DELETE /cache, which needs the right to operate', async () => {
  await using here = await openTestServer()
  await here.send(execution('square', { inputs: { input: 4 } }))
  const purge = { method: 'DELETE' as const, url: '/cache?task=square' }
  assert.equal((await here.send(purge)).statusCode, 403)
  const as = await here.authorize('operator', ['operate'])
  assert.deepEqual((await here.send({ ...purge, as })).json(), { purged: 1 })
  assert.equal((await here.send({ ...purge, url: '/cache?taks=square', as })).statusCode, 400)
})
