import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { test } from 'node:test'
import { task } from '@headrace/engine'
import { defineApp } from './app.ts'
import { healthTask } from './operation/health-task.ts'
import { HttpProblem } from './problem/http-problem.ts'
import { createServer } from './server.ts'
import { TASKS } from './testing/tasks.ts'
import { openTestServer } from './testing/test-server.ts'

/** Everything that is answered without a key. Whoever adds to this list says why here. */
const PUBLIC = [
  'GET /', // what this is, and where the rest is
  'GET /conformance', // constants
  'GET /api', // the description that tells clients how to authenticate
  'GET /healthz', // for load balancers; tells two words
  'POST /login', // gives a session for a key
  'POST /logout', // takes back the cookie's own session
  'GET /app', // a redirect
  'GET /app/*', // the dashboard's files, which hold no data; without a session, the login page
]

test('every route but those on a short list is refused without a key, before anything else is looked at', async () => {
  await using here = await openTestServer({ withWorker: false })
  const routes = here.server.routes()
  assert.deepEqual(
    routes
      .filter(({ scope }) => scope === 'public')
      .map(({ method, url }) => `${method} ${url}`)
      .sort(),
    [...PUBLIC].sort(),
  )
  for (const { method, url } of routes.filter(({ scope }) => scope !== 'public')) {
    const methods = method === 'GET' && !url.endsWith('/events') ? ['GET', 'HEAD'] : [method]
    for (const one of methods) {
      const response = await here.server.inject({ method: one as 'GET', url: url.replaceAll(/:\w+/g, 'x') })
      assert.equal(response.statusCode, 401, `${one} ${url}`)
    }
  }
})

test('a route of an app that does not say its scope keeps the server from starting', async () => {
  await using here = await openTestServer({ withWorker: false })
  const careless = defineApp({
    name: 'careless',
    tasks: [],
    routes(fastify) {
      fastify.get('/careless', async () => 'open to all')
    },
  })
  await assert.rejects(
    createServer({ engine: here.engine, apps: [careless], version: '0' }),
    /GET \/careless has no config\.scope/,
  )
})

test('an app whose tasks the engine does not know keeps the server from starting', async () => {
  await using here = await openTestServer({ withWorker: false })
  const app = defineApp({ name: 'lost', tasks: [task({ name: 'lost.task', run: () => 1 })] })
  await assert.rejects(createServer({ engine: here.engine, apps: [app], version: '0' }), /lost\.task/)
})

test('an app adds routes with its own error shapes, pages, and jobs that only their owner sees', async () => {
  const app = defineApp({
    name: 'documents',
    tasks: [],
    pages: [{ id: 'documents', title: 'Documents', path: '/app/documents' }],
    routes(fastify, { visibleJob, engine }) {
      fastify.setErrorHandler((error, _request, reply) =>
        reply.code((error as HttpProblem).status).send({ status: 'error', message: (error as Error).message }),
      )
      fastify.get('/status/:id', { config: { scope: 'read-own' } }, async (request) => {
        const job = await visibleJob(request, (request.params as { id: string }).id)
        return { state: job.state.toUpperCase(), by: request.caller.owner, of: engine.tasks.size }
      })
      fastify.get('/teapot', { config: { scope: 'public' } }, async () => {
        throw new HttpProblem({ status: 418, code: 'teapot', title: 'A teapot', detail: 'It is a teapot.' })
      })
    },
  })
  await using here = await openTestServer({ withWorker: false, apps: [app] })
  const id = await here.start('double', { input: 1 })
  assert.deepEqual((await here.send({ url: `/status/${id}` })).json(), {
    state: 'WAITING',
    by: 'ada',
    of: TASKS.length,
  })
  const bob = await here.authorize('bob')
  const others = await here.send({ url: `/status/${id}`, as: bob })
  assert.equal(others.statusCode, 404)
  assert.equal(others.json().status, 'error')
  assert.equal((await here.server.inject({ url: '/teapot' })).statusCode, 418)
  assert.deepEqual((await here.send({ url: '/pages' })).json(), { pages: app.pages })
  assert.equal((await here.send({ url: '/jobs/x' })).json().code, 'unknown_job', 'its handler is its own alone')
})

test('an unknown route is a 404 problem', async () => {
  await using here = await openTestServer({ withWorker: false })
  const response = await here.send({ url: '/nothing?token=secret' })
  assert.equal(response.statusCode, 404)
  assert.equal(response.headers['content-type'], 'application/problem+json')
  assert.deepEqual(
    { code: response.json().code, status: response.json().status, instance: response.json().instance },
    { code: 'route_unknown', status: 404, instance: '/nothing' },
  )
})

test('a body that is not JSON is answered with where it breaks off', async () => {
  await using here = await openTestServer({ withWorker: false })
  const send = (payload: string) =>
    here.send({
      method: 'POST',
      url: '/processes/double/execution',
      headers: { 'content-type': 'application/json' },
      payload,
    })
  const broken = await send('{\n  "inputs": {"input": 1,}\n}')
  assert.equal(broken.statusCode, 400)
  assert.equal(broken.json().code, 'body_not_json')
  assert.match(broken.json().detail, /line 2, column 25/)
  assert.match((await send('{"inputs"')).json().detail, /line 1, column 10/)
  const poisoned = await send('{"inputs": {"__proto__": {"admin": true}}}')
  assert.equal(poisoned.statusCode, 400)
  assert.match(poisoned.json().detail, /__proto__/)
})

test('another media type is answered 415', async () => {
  await using here = await openTestServer({ withWorker: false })
  for (const type of ['text/plain', 'application/xml', 'application/x-www-form-urlencoded']) {
    const response = await here.send({
      method: 'POST',
      url: '/processes/double/execution',
      headers: { 'content-type': type },
      payload: 'input=1',
    })
    assert.equal(response.statusCode, 415, type)
    assert.equal(response.json().code, 'media_type_unsupported')
  }
})

const MEGABYTE = 1_000_000

/** Sends a body of so many megabytes to its end, whatever is answered meanwhile; `node:http` would stop there. */
async function sendMegabytes(
  url: string,
  megabytes: number,
  headers: Readonly<Record<string, string>>,
): Promise<string> {
  const { hostname, port, pathname } = new URL(url)
  const socket = connect(Number(port), hostname)
  const lines = Object.entries({ host: hostname, ...headers }).map(([name, value]) => `${name}: ${value}`)
  const isChunked = headers['content-length'] === undefined
  const chunk = Buffer.alloc(MEGABYTE, 'a')
  const piece = isChunked ? Buffer.concat([Buffer.from('f4240\r\n'), chunk, Buffer.from('\r\n')]) : chunk
  const head = Buffer.from(`POST ${pathname} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`)
  // The second request shows that the connection still lives, and ends it.
  const next = `GET /conformance HTTP/1.1\r\nhost: ${hostname}\r\nconnection: close\r\n\r\n`
  const end = Buffer.from(`${isChunked ? '0\r\n\r\n' : ''}${next}`)
  const answer = socket.toArray()
  await pipeline(Readable.from([head, ...Array(megabytes).fill(piece), end]), socket, { end: false })
  return Buffer.concat(await answer).toString()
}

test('a body of 100 MB and more is refused with the limit, and is not held in memory', async () => {
  await using here = await openTestServer({ withWorker: false })
  const url = `${await here.server.listen({ port: 0 })}/processes/double/execution`
  const as = { ...(await here.authorize()), 'content-type': 'application/json' }
  const before = process.memoryUsage.rss()
  const announced = await sendMegabytes(url, 100, { ...as, 'content-length': String(100 * MEGABYTE) })
  const streamed = await sendMegabytes(url, 400, { ...as, 'transfer-encoding': 'chunked' })
  assert.ok(process.memoryUsage.rss() - before < 200 * MEGABYTE)
  for (const answer of [announced, streamed]) {
    assert.match(answer, /^HTTP\/1.1 413 /)
    assert.match(answer, /HTTP\/1.1 200 OK/)
    assert.match(
      answer,
      /"detail":"The body is larger than the 20000000 bytes taken here[^"]*".*"code":"body_too_large"/,
    )
  }
})

test('what nobody foresaw is a 500 that tells nothing but where to look', async () => {
  const app = defineApp({
    name: 'broken',
    tasks: [],
    routes(fastify) {
      fastify.get('/broken', { config: { scope: 'public' } }, async () => {
        throw new Error('the password is 1234')
      })
    },
  })
  await using here = await openTestServer({ withWorker: false, apps: [app] })
  const response = await here.server.inject({ url: '/broken' })
  assert.equal(response.statusCode, 500)
  assert.equal(response.json().code, 'internal')
  assert.match(response.json().detail, /under request [\w-]{36}/)
  assert.doesNotMatch(response.body, /password|server\.test/)
})

test('the landing page links to all that OGC wants, and conformance lists what is served', async () => {
  await using here = await openTestServer({ withWorker: false })
  const landing = (await here.server.inject({ url: '/' })).json()
  const hrefOf = (rel: string) => landing.links.find((link: { rel: string }) => link.rel === rel)?.href
  assert.equal(hrefOf('service-desc'), 'http://localhost:80/api')
  for (const [name, path] of [
    ['conformance', '/conformance'],
    ['processes', '/processes'],
    ['job-list', '/jobs'],
  ]) {
    assert.equal(hrefOf(`http://www.opengis.net/def/rel/ogc/1.0/${name}`), `http://localhost:80${path}`)
  }
  const { conformsTo } = (await here.server.inject({ url: '/conformance' })).json()
  assert.ok(conformsTo.includes('http://www.opengis.net/spec/ogcapi-processes-1/1.0/conf/core'))
  assert.ok(!conformsTo.some((uri: string) => uri.endsWith('/callback')))
})

test('the API description is OpenAPI 3.0, has every route, and every reference in it leads somewhere', async () => {
  await using here = await openTestServer({ withWorker: false })
  const response = await here.server.inject({ url: '/api' })
  assert.equal(response.headers['content-type'], 'application/vnd.oai.openapi+json;version=3.0')
  const api = response.json()
  for (const { method, url } of here.server.routes().filter((route) => !route.url.includes('*'))) {
    const operation = api.paths[url.replace(/:(\w+)/g, '{$1}')]?.[method.toLowerCase()]
    assert.ok(operation, `${method} ${url}`)
    assert.ok(operation.summary)
  }
  for (const [, name = ''] of response.body.matchAll(/"\$ref":"#\/components\/schemas\/(\w+)"/g)) {
    assert.ok(name in api.components.schemas, name)
  }
  assert.equal(api.paths['/jobs/{id}'].get.operationId, 'getStatus')
})

test('healthz runs a job through store and worker, and says when there is no worker here', async () => {
  await using alone = await openTestServer({ withWorker: false, tasks: [healthTask] })
  assert.deepEqual((await alone.server.inject({ url: '/healthz' })).json(), {
    status: 'ok',
    store: 'ok',
    worker: 'none',
  })
  await using here = await openTestServer({ tasks: [healthTask] })
  const admin = await here.authorize('root', ['admin'])
  for (let look = 0; look < 3; look++) {
    const health = await here.server.inject({ url: '/healthz' })
    assert.equal(health.statusCode, 200)
    assert.deepEqual(health.json(), { status: 'ok', store: 'ok', worker: 'ok' })
  }
  const { jobs } = (await here.send({ url: '/jobs?processID=headrace.health', as: admin })).json()
  assert.equal(jobs.length, 1, 'one look serves for a while')
  assert.deepEqual((await here.send({ url: '/jobs', as: admin })).json().jobs, [], 'it is in nobody’s way')
})

test('healthz is 503 when the store does not work', async () => {
  await using here = await openTestServer({ withWorker: false })
  here.engine.store.check = () => Promise.reject(Object.assign(new Error('disk'), { code: 'store_full' }))
  const health = await here.server.inject({ url: '/healthz' })
  assert.equal(health.statusCode, 503)
  assert.deepEqual(health.json(), { status: 'failing', store: 'store_full', worker: 'not looked at' })
})

test('queues, workers and metrics are for those who oversee the whole', async () => {
  await using here = await openTestServer()
  await here.start('endless', {})
  const auditor = await here.authorize('carol', ['read-all'])
  for (const url of ['/queues', '/workers', '/metrics']) {
    assert.equal((await here.send({ url })).statusCode, 403)
    assert.equal((await here.send({ url, as: auditor })).statusCode, 200)
  }
  const [worker] = (await here.send({ url: '/workers', as: auditor })).json().workers
  assert.equal(worker.pid, process.pid)
  assert.match(worker.startedAt, /Z$/)
  const metrics = await here.send({ url: '/metrics', as: auditor })
  assert.match(metrics.body, /^headrace_workers 1$/m)
  assert.match(metrics.body, /^headrace_jobs\{queue="default",state="(waiting|running)"\} 1$/m)
})

test('a store that is full or does not answer is told as such', async () => {
  await using here = await openTestServer({ withWorker: false })
  const { StoreFullError, StoreUnavailableError } = await import('@headrace/engine')
  const execution = { method: 'POST' as const, url: '/processes/double/execution', payload: { inputs: { input: 1 } } }
  here.engine.store.enqueue = () => Promise.reject(new StoreFullError('jobs.db'))
  assert.equal((await here.send(execution)).statusCode, 507)
  here.engine.store.enqueue = () => Promise.reject(new StoreUnavailableError('jobs.db', 5_000))
  const unavailable = await here.send(execution)
  assert.equal(unavailable.statusCode, 503)
  assert.equal(unavailable.headers['retry-after'], '5')
})

test('the login URL is known once the server listens', async () => {
  await using here = await openTestServer({ withWorker: false })
  await assert.rejects(here.server.loginUrl(), /call listen/)
  const url = await here.server.listen({ port: 0 })
  assert.match(await here.server.loginUrl(), new RegExp(`^${url}/\\?token=[\\w-]{43}$`))
})
