import assert from 'node:assert/strict'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { createKey, revokeKey } from '../auth/api-key.ts'
import { openTestServer, type TestServer } from '../testing/test-server.ts'

const dashboardDir = await mkdtemp(join(tmpdir(), 'headrace-dashboard-'))
await mkdir(join(dashboardDir, 'assets'))
await writeFile(join(dashboardDir, 'index.html'), '<!doctype html><title>the dashboard</title>')
await writeFile(join(dashboardDir, 'assets', 'main-abc123.js'), 'console.log(1)')
await writeFile(join(dashboardDir, 'favicon.svg'), '<svg xmlns="http://www.w3.org/2000/svg"/>')
after(() => rm(dashboardDir, { recursive: true }))

const HTML = { accept: 'text/html,application/xhtml+xml,*/*;q=0.8' }
const FORM = { 'content-type': 'application/x-www-form-urlencoded', 'sec-fetch-site': 'same-origin' }

function cookieOf(response: { headers: Record<string, unknown> }): string {
  const header = String(response.headers['set-cookie'])
  assert.match(header, /^headrace_session_80=[\w-]{43}; Path=\/; HttpOnly; SameSite=Strict; Max-Age=\d+/)
  return header.split(';')[0] ?? ''
}

async function openLogin(): Promise<{ here: TestServer; path: string }> {
  const here = await openTestServer({
    withWorker: false,
    dashboardDir,
    baseUrl: 'http://localhost:80',
  })
  const url = await here.server.loginUrl()
  return { here, path: url.replace('http://localhost:80', '') }
}

test('the login URL opens a session once; the second time it says that it was used', async () => {
  const { here, path } = await openLogin()
  await using _ = here
  await here.server.inject({ method: 'HEAD', url: path, headers: HTML })
  const first = await here.server.inject({ url: path, headers: HTML })
  assert.equal(first.statusCode, 303, 'a preview did not use it up')
  assert.equal(first.headers.location, '/')
  const cookie = cookieOf(first)
  const session = await here.server.inject({ url: '/session', headers: { cookie } })
  assert.deepEqual(session.json(), { owner: 'local', scopes: ['admin'], version: '0.1.0' })
  const second = await here.server.inject({ url: path, headers: HTML })
  assert.equal(second.statusCode, 410)
  assert.match(second.body, /used already/)
  assert.equal(second.headers['set-cookie'], undefined)
  const program = await here.server.inject({ url: path })
  assert.equal(program.json().code, 'login_token_used')
})

test('of two who come with the login URL at the same moment, one gets a session', async () => {
  const { here, path } = await openLogin()
  await using _ = here
  const both = await Promise.all([1, 2, 3].map(() => here.server.inject({ url: path, headers: HTML })))
  assert.deepEqual(both.map((response) => response.statusCode).sort(), [303, 410, 410])
})

test('a browser without a session gets a login page, with one the dashboard', async () => {
  const { here, path } = await openLogin()
  await using _ = here
  const anonymous = await here.server.inject({ url: '/app/jobs/1', headers: HTML })
  assert.equal(anonymous.statusCode, 401)
  assert.match(anonymous.body, /<form method="post" action="\/login">/)
  const cookie = cookieOf(await here.server.inject({ url: path, headers: HTML }))
  assert.equal((await here.server.inject({ url: '/', headers: { ...HTML, cookie } })).headers.location, '/app/')
  for (const url of ['/app/', '/app/jobs', '/app/jobs/1', '/app/map']) {
    const page = await here.server.inject({ url, headers: { ...HTML, cookie } })
    assert.match(page.body, /the dashboard/)
    assert.equal(page.headers['cache-control'], 'no-cache')
  }
})

test('the dashboard’s hashed files are kept for a year, and no path leads out of its folder', async () => {
  const { here } = await openLogin()
  await using _ = here
  const asset = await here.server.inject({ url: '/app/assets/main-abc123.js' })
  assert.equal(asset.statusCode, 200)
  assert.equal(asset.headers['cache-control'], 'public, max-age=31536000, immutable')
  assert.equal((await here.server.inject({ url: '/app/favicon.svg' })).statusCode, 200)
  assert.equal((await here.server.inject({ url: '/app/assets/gone.js' })).statusCode, 404)
  for (const url of ['/app/../package.json', '/app/..%2f..%2fetc%2fpasswd', '/app/%2e%2e/%2e%2e/etc/passwd']) {
    assert.notEqual((await here.server.inject({ url })).statusCode, 200, url)
  }
})

test('a key, or the login link, pasted into the login page opens a session that ends with the key', async () => {
  const { here, path } = await openLogin()
  await using _ = here
  const { id, key } = await createKey(here.engine.store, { owner: 'ada', scopes: ['read-own'], name: 'k' })
  const logIn = (text: string) =>
    here.server.inject({
      method: 'POST',
      url: '/login',
      headers: FORM,
      payload: new URLSearchParams({ key: text }).toString(),
    })
  const response = await logIn(key)
  assert.equal(response.statusCode, 303)
  assert.equal(response.headers.location, '/app/')
  const cookie = cookieOf(response)
  const session = () => here.server.inject({ url: '/session', headers: { cookie } })
  assert.equal((await session()).json().owner, 'ada')
  await revokeKey(here.engine.store, id)
  assert.equal((await session()).statusCode, 401)
  assert.equal((await logIn(`http://localhost:80${path}`)).statusCode, 303)
  const wrong = await logIn(key)
  assert.equal(wrong.statusCode, 401)
  assert.match(wrong.body, /role="alert">That key is wrong/)
})

test('a cookie changes nothing in the name of another site’s page, and reads as ever', async () => {
  const { here, path } = await openLogin()
  await using _ = here
  const cookie = cookieOf(await here.server.inject({ url: path, headers: HTML }))
  const post = (headers: Record<string, string>) =>
    here.server.inject({
      method: 'POST',
      url: '/processes/double/execution',
      headers: { cookie, prefer: 'respond-async', ...headers },
      payload: { inputs: { input: 1 } },
    })
  for (const headers of [
    {},
    { 'sec-fetch-site': 'cross-site' },
    { 'sec-fetch-site': 'same-site' },
    { 'sec-fetch-site': 'none' },
    { origin: 'http://evil.example' },
    { origin: 'null' },
    { origin: 'http://localhost:8081' },
  ]) {
    const response = await post(headers as Record<string, string>)
    assert.equal(response.statusCode, 403, JSON.stringify(headers))
    assert.equal(response.json().code, 'cross_site')
  }
  assert.equal((await post({ 'sec-fetch-site': 'same-origin' })).statusCode, 201)
  assert.equal((await post({ origin: 'http://localhost:80', host: 'localhost:80' })).statusCode, 201)
  assert.equal((await here.server.inject({ url: '/jobs', headers: { cookie } })).statusCode, 200)
})

test('logging out ends the session', async () => {
  const { here, path } = await openLogin()
  await using _ = here
  const cookie = cookieOf(await here.server.inject({ url: path, headers: HTML }))
  const out = await here.server.inject({
    method: 'POST',
    url: '/logout',
    headers: { cookie, 'sec-fetch-site': 'same-origin' },
  })
  assert.equal(out.statusCode, 204)
  assert.equal((await here.server.inject({ url: '/session', headers: { cookie } })).statusCode, 401)
})
