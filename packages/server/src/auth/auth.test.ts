import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import type { LightMyRequestResponse } from 'fastify'
import { openTestServer } from '../testing/test-server.ts'
import { createKey, listKeys, revokeKey } from './api-key.ts'

const NO_JOB = '01900000-0000-7000-8000-000000000000'

test('without a key, or with a wrong one, the answer is 401 and says how to authenticate', async () => {
  await using here = await openTestServer({ withWorker: false })
  const { key } = await createKey(here.engine.store, { owner: 'ada', scopes: ['read-own'], name: 'k' })
  const wrong: readonly (string | undefined)[] = [
    undefined,
    'Bearer',
    'Bearer x',
    `Bearer ${key.slice(0, -1)}`,
    `Basic ${key}`,
    `Bearer hr_${'0'.repeat(12)}_${'a'.repeat(43)}`,
  ]
  for (const authorization of wrong) {
    const headers: Record<string, string> = authorization === undefined ? {} : { authorization }
    const response = await here.server.inject({ url: '/jobs', headers })
    assert.equal(response.statusCode, 401, String(authorization))
    assert.match(String(response.headers['www-authenticate']), /^Bearer realm="headrace"/)
    assert.equal(response.headers['content-type'], 'application/problem+json')
    assert.equal(response.json().code, 'unauthenticated')
  }
})

test('a key is taken as Bearer, and as Token for clients of the source systems', async () => {
  await using here = await openTestServer({ withWorker: false })
  const { key } = await createKey(here.engine.store, { owner: 'ada', scopes: ['read-own'], name: 'k' })
  for (const authorization of [`Bearer ${key}`, `bearer ${key}`, `Token ${key}`]) {
    const session = await here.server.inject({ url: '/session', headers: { authorization } })
    assert.deepEqual(session.json(), { owner: 'ada', scopes: ['read-own'], version: '0.1.0' })
  }
})

test('a key without the scope is answered 403, and told which scope is missing', async () => {
  await using here = await openTestServer({ withWorker: false })
  const reader = await here.authorize('ada', ['read-own'])
  const execution = { method: 'POST' as const, url: '/processes/double/execution', payload: { inputs: { input: 1 } } }
  const refused = await here.send({ ...execution, as: reader })
  assert.equal(refused.statusCode, 403)
  assert.equal(refused.json().code, 'scope_missing')
  assert.match(refused.json().detail, /the scope submit/)
  const submitter = await here.authorize('ada', ['submit'])
  assert.equal((await here.send({ url: '/jobs', as: submitter })).statusCode, 403)
  assert.equal((await here.send({ url: '/metrics' })).statusCode, 403)
})

test('an expired or revoked key is refused', async () => {
  await using here = await openTestServer({ withWorker: false })
  const { store } = here.engine
  const options = { owner: 'ada', scopes: ['read-own'] as const, name: 'k' }
  const expired = await createKey(store, { ...options, expiresAt: '2020-01-01T00:00:00Z' })
  const revoked = await createKey(store, options)
  const jobsAs = (key: string) => here.server.inject({ url: '/jobs', headers: { authorization: `Bearer ${key}` } })
  assert.equal((await jobsAs(expired.key)).statusCode, 401)
  assert.equal((await jobsAs(revoked.key)).statusCode, 200)
  assert.equal(await revokeKey(store, revoked.id), true)
  assert.equal((await jobsAs(revoked.key)).statusCode, 401)
  assert.equal(await revokeKey(store, revoked.id), false)
})

test('keys are listed with their last use to the hour, and their secret is nowhere in the store', async () => {
  await using here = await openTestServer({ withWorker: false })
  const { store } = here.engine
  const { id, key } = await createKey(store, { owner: 'eve', scopes: ['read-own'], name: 'notebook' })
  const find = async () => (await listKeys(store)).find((one) => one.id === id)
  assert.equal((await find())?.lastUsedAt, undefined)
  await here.server.inject({ url: '/jobs', headers: { authorization: `Bearer ${key}` } })
  const found = await find()
  assert.equal(found?.name, 'notebook')
  assert.match(found?.lastUsedAt ?? '', /:00:00\.000Z$/)
  assert.ok(!('secretSha256' in (found ?? {})))
  const secret = key.slice('hr_'.length + id.length + 1)
  for (const file of ['jobs.db', 'jobs.db-wal']) {
    const bytes = await readFile(join(here.dir, file)).catch(() => Buffer.alloc(0))
    assert.ok(!bytes.includes(secret))
  }
})

test('another owner sees nothing of a job, whatever they ask of it', async () => {
  await using here = await openTestServer()
  const id = await here.start('talkative', {})
  await here.engine.wait(id)
  const bob = await here.authorize('bob', ['submit', 'read-own'])
  const routes = here.server.routes().filter(({ url }) => url.startsWith('/jobs/:id'))
  assert.ok(routes.length >= 13)
  for (const { method, url } of routes) {
    const path = url.replace(':id', id).replace(':name', 'digits.txt').replace(':output', 'result')
    const request = { method: method as 'GET', url: path }
    const mine = await here.send(request)
    assert.notEqual(mine.statusCode, 404, `ada, ${method} ${path}`)
    const others = await here.send({ ...request, as: bob })
    assert.equal(others.statusCode, 404, `bob, ${method} ${path}`)
    assert.equal(others.json().code, 'unknown_job')
    const none = await here.send({ ...request, url: path.replace(id, NO_JOB), as: bob })
    const withoutId = (response: LightMyRequestResponse, name: string) => response.body.replaceAll(name, '')
    assert.equal(withoutId(others, id), withoutId(none, NO_JOB), 'someone else’s job and no job are told alike')
  }
  assert.deepEqual((await here.send({ url: '/jobs?rootsOnly=false', as: bob })).json().jobs, [])
  assert.deepEqual((await here.send({ url: '/jobs?owner=ada', as: bob })).json().jobs, [])
})

test('read-all sees every owner’s jobs but changes none; operate changes them', async () => {
  await using here = await openTestServer()
  const id = await here.start('endless', {})
  const auditor = await here.authorize('carol', ['read-all', 'submit'])
  assert.equal((await here.send({ url: `/jobs/${id}`, as: auditor })).statusCode, 200)
  assert.equal((await here.send({ url: '/jobs?owner=ada', as: auditor })).json().jobs.length, 1)
  assert.equal((await here.send({ method: 'DELETE', url: `/jobs/${id}`, as: auditor })).statusCode, 403)
  const operator = await here.authorize('dan', ['operate'])
  assert.equal((await here.send({ method: 'DELETE', url: `/jobs/${id}`, as: operator })).statusCode, 200)
})

test('a host name that is not loopback’s is not answered on loopback', async () => {
  await using here = await openTestServer({ withWorker: false, baseUrl: 'https://jobs.example.org' })
  const statusFor = async (host: string) => (await here.send({ url: '/conformance', headers: { host } })).statusCode
  assert.equal(await statusFor('evil.example:8080'), 421)
  for (const host of ['localhost:8080', '127.0.0.1:8080', '[::1]:8080', 'jobs.example.org', 'a.localhost']) {
    assert.equal(await statusFor(host), 200, host)
  }
})

test('every answer, an error too, carries the security headers', async () => {
  await using here = await openTestServer({ withWorker: false })
  for (const url of ['/', '/jobs', '/nothing', '/app/']) {
    const { headers } = await here.server.inject({ url })
    assert.equal(headers['x-content-type-options'], 'nosniff')
    assert.equal(headers['x-frame-options'], 'DENY')
    assert.match(String(headers['content-security-policy']), /^default-src '(self|none)'.*frame-ancestors 'none'/)
  }
})
