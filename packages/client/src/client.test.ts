import assert from 'node:assert/strict'
import { glob, readFile } from 'node:fs/promises'
import { test } from 'node:test'
import { createClient } from './client.ts'
import {
  answerJson,
  answerProblem,
  type ScriptedServer,
  startScriptedServer,
  statusOf,
} from './testing/scripted-server.ts'

function clientOf(server: ScriptedServer) {
  return createClient({ baseUrl: `${server.url}/`, token: 'hr_key', random: () => 0 })
}

test('submit posts the inputs with all that was asked, and gives the job', async () => {
  await using server = await startScriptedServer((_request, response) =>
    answerJson(response, statusOf('j7', 'waiting'), 201),
  )
  const job = await clientOf(server).submit(
    'geo.count/cover',
    { zoom: 3 },
    { idempotencyKey: 'k', priority: 5, tags: ['a'], dueAt: new Date(0), deadlineMs: 9_000 },
  )
  assert.equal(job.id, 'j7')
  const [request] = server.received
  assert.ok(request)
  assert.equal(request.path, '/processes/geo.count%2Fcover/execution')
  assert.equal(request.headers.prefer, 'respond-async')
  assert.equal(request.headers['idempotency-key'], 'k')
  assert.equal(request.headers.authorization, 'Bearer hr_key')
  assert.deepEqual(JSON.parse(request.body), {
    inputs: { zoom: 3 },
    priority: 5,
    tags: ['a'],
    dueAt: '1970-01-01T00:00:00.000Z',
    deadlineMs: 9_000,
  })
})

test('a submission whose answer is lost is repeated with the same key, so that it becomes one job', async () => {
  const jobs = new Map<string, string>()
  await using server = await startScriptedServer((request, response) => {
    const key = String(request.headers['idempotency-key'])
    if (!jobs.has(key)) jobs.set(key, `job${jobs.size + 1}`)
    if (server.received.length < 4) return void response.destroy() // stored, but nobody was told
    answerJson(response, statusOf(jobs.get(key) ?? '', 'waiting'), 201)
  })
  assert.equal((await clientOf(server).submit('double', { n: 2 })).id, 'job1')
  assert.equal(jobs.size, 1)
})

test('two submissions have two keys', async () => {
  await using server = await startScriptedServer((_request, response) =>
    answerJson(response, statusOf('j', 'waiting'), 201),
  )
  for (let n = 0; n < 2; n++) await clientOf(server).submit('double', { n: 2 })
  const keys = new Set(server.received.map((request) => request.headers['idempotency-key']))
  assert.equal(keys.size, 2)
})

test('a refused input carries the pointers', async () => {
  await using server = await startScriptedServer((_request, response) => answerProblem(response, 400, 'input_invalid'))
  await assert.rejects(clientOf(server).submit('double', {}), { status: 400, code: 'input_invalid' })
  assert.equal(server.received.length, 1)
})

test('a page of jobs leads to the next by its cursor alone, whatever host the server believes to have', async () => {
  await using server = await startScriptedServer((_request, response) => {
    const links = [{ rel: 'next', href: 'http://inside.example:9/jobs?limit=2&cursor=abc' }]
    answerJson(response, { jobs: [statusOf('j1', 'running')], links })
  })
  const client = clientOf(server)
  const page = await client.jobs({ state: 'running', process: 'double', tag: 't', search: 'x', limit: 2 })
  assert.equal(page.next, 'abc')
  await client.jobs({ cursor: page.next ?? '' })
  const [first, second] = server.received
  assert.equal(String(first?.query), 'state=running&processID=double&tag=t&q=x&limit=2')
  assert.equal(String(second?.query), 'cursor=abc')
})

test('the last page has no next', async () => {
  await using server = await startScriptedServer((_request, response) => answerJson(response, { jobs: [], links: [] }))
  assert.deepEqual(await clientOf(server).jobs(), { jobs: [], next: undefined })
})

test('lists come out of their envelopes', async () => {
  const bodies: Record<string, unknown> = {
    '/processes': { processes: [{ id: 'double' }], links: [] },
    '/queues': { queues: [{ queue: 'geo' }] },
    '/workers': { workers: [{ id: 'w1' }] },
    '/layers': { layers: [{ name: 'nlcd' }] },
    '/session': { owner: 'ada', scopes: [], version: '0.1.0' },
    '/processes/double': { id: 'double' },
  }
  await using server = await startScriptedServer((request, response) => answerJson(response, bodies[request.path]))
  const client = clientOf(server)
  assert.deepEqual(await client.processes(), [{ id: 'double' }])
  assert.deepEqual(await client.process('double'), { id: 'double' })
  assert.deepEqual(await client.queues(), [{ queue: 'geo' }])
  assert.deepEqual(await client.workers(), [{ id: 'w1' }])
  assert.deepEqual(await client.layers(), [{ name: 'nlcd' }])
  assert.equal((await client.session()).owner, 'ada')
})

test('the client runs in browsers: nothing in it imports from Node', async () => {
  const sources = await Array.fromAsync(glob('**/*.ts', { cwd: import.meta.dirname }))
  const shipped = sources.filter((path) => !path.endsWith('.test.ts') && !path.startsWith('testing'))
  assert.ok(shipped.length > 10)
  for (const path of shipped) {
    const imports = (await readFile(`${import.meta.dirname}/${path}`, 'utf8')).match(/from '[^']+'/g) ?? []
    const foreign = imports.filter((from) => !from.startsWith("from '.") && from !== "from '@headrace/wire'")
    assert.deepEqual(foreign, [], path)
  }
})
