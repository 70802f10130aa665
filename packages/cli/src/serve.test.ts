import assert from 'node:assert/strict'
import { once } from 'node:events'
import { stat } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import { readLocalServer } from './connection/local-server.ts'
import { makePlace, serve } from './testing/headrace.ts'

test('serve makes the data folder and the sample, and leaves word for its owner only', async () => {
  await using place = await makePlace()
  await using server = await serve(place)
  const dataDir = join(place.dir, '.headrace')
  assert.equal((await stat(join(dataDir, 'local.json'))).mode & 0o777, 0o600)
  assert.equal((await stat(dataDir)).mode & 0o777, 0o700)
  assert.equal((await readLocalServer(dataDir))?.url, server.url)
  const layers = JSON.parse((await place.run(['layers', 'list', '--json'])).stdout).layers
  assert.deepEqual(
    layers.map((layer: { name: string }) => layer.name),
    ['sample-land', 'sample-soil'],
  )
})

test('the first start runs the demo job, and says where to see it; the next one does not', async () => {
  await using place = await makePlace()
  const first = place.start(['serve', '--port', '0'])
  const said = await first.wrote('/app/jobs/')
  const id = said.match(/app\/jobs\/([0-9a-f-]{36})/)?.[1] ?? ''
  const { code, stderr } = await place.run(['watch', id])
  assert.equal(code, 0, stderr)
  first.kill('SIGTERM')
  await first.ended
  const next = place.start(['serve', '--port', '0'])
  await next.wrote('Try it:')
  assert.equal(JSON.parse((await place.run(['jobs', '--json'])).stdout).jobs.length, 1)
  next.kill('SIGTERM')
  assert.doesNotMatch((await next.ended).stdout, /Demo job/)
})

test('a stopped server takes its address back; the next start keeps the key, the jobs and what was removed', async () => {
  await using place = await makePlace()
  await using server = await serve(place)
  const before = await readLocalServer(join(place.dir, '.headrace'))
  const { stdout: id } = await place.run(['submit', 'echo', 'message=kept'])
  await place.run(['watch', id.trim()])
  assert.equal(await server.stop(), 0)
  assert.match((await place.run(['jobs'])).stderr, /No server is known: none runs on /)
  await place.run(['layers', 'remove', 'sample-soil'])
  await using again = await serve(place)
  assert.equal((await readLocalServer(join(place.dir, '.headrace')))?.key, before?.key)
  assert.equal(JSON.parse((await place.run(['layers', 'list', '--json'])).stdout).layers.length, 1)
  const kept = await place.run(['result', id.trim(), '--url', again.url])
  assert.deepEqual(JSON.parse(kept.stdout), { message: 'kept' })
})

test('whoever watches a job goes on watching when the server is killed and started again', async () => {
  await using place = await makePlace()
  await using server = await serve(place)
  const { stdout: id } = await place.run(['submit', 'echo', 'message=survives', 'pause=6'])
  const watching = place.start(['watch', id.trim()])
  await watching.wrote('running')
  server.command.kill('SIGKILL')
  await server.command.ended
  await using again = await serve(place, '--port', new URL(server.url).port)
  const { code, stderr } = await watching.ended
  assert.match(stderr, /The connection is lost; the job goes on[\s\S]*succeeded/)
  assert.equal(code, 0)
  assert.equal(again.url, server.url)
})

test('the login link works once, in a browser that then has a session', async () => {
  await using place = await makePlace()
  await using server = await serve(place)
  const first = await fetch(server.loginUrl, { redirect: 'manual' })
  assert.equal(first.status, 303)
  const cookie = first.headers.getSetCookie()[0]?.split(';')[0] ?? ''
  const session = await fetch(`${server.url}/session`, { headers: { cookie } })
  assert.equal(((await session.json()) as { owner: string }).owner, 'local')
  assert.equal((await fetch(server.loginUrl, { redirect: 'manual' })).status, 410)
})

test('a busy port is named with the way out, and nothing is left behind', async () => {
  await using place = await makePlace()
  const other = createServer().listen(0, '127.0.0.1')
  await once(other, 'listening')
  const { port } = other.address() as AddressInfo // sound: it listens on TCP
  const { stderr, code } = await place.run(['serve', '--port', String(port)])
  other.close()
  assert.equal(code, 2)
  assert.match(
    stderr,
    new RegExp(`Port ${port} of 127\\.0\\.0\\.1 is taken by another program\\. .*--port ${port + 1}`),
  )
  assert.equal(await readLocalServer(join(place.dir, '.headrace')), undefined)
})

test('a second Ctrl-C ends a stop that waits for a running job', async () => {
  await using place = await makePlace()
  await using server = await serve(place)
  const { stdout } = await place.run(['submit', 'echo', 'message=long', 'pause=60'])
  const watching = place.start(['watch', stdout.trim()])
  await watching.wrote('running')
  watching.kill('SIGKILL')
  // Pressed again and again: the ones within half a second of the first are taken for its echo.
  const pressing = setInterval(() => server.command.kill('SIGINT'), 100)
  const { code } = await server.command.ended
  clearInterval(pressing)
  assert.equal(code, 130)
})

test('a worker of its own takes the jobs of a server without one', async () => {
  await using place = await makePlace()
  await using server = await serve(place, '--no-worker')
  const { stdout } = await place.run(['submit', 'echo', 'message=waits'])
  const id = stdout.trim()
  assert.match((await place.run(['workers'])).stdout, /No worker is there/)
  const worker = place.start(['worker', '--queues', 'default=2', '--name', 'side'])
  await worker.wrote('Worker side takes jobs of')
  assert.equal((await place.run(['watch', id])).code, 0)
  assert.match((await place.run(['workers'])).stdout, /^side .* default=2 /m)
  worker.kill('SIGTERM')
  assert.equal((await worker.ended).code, 0)
  assert.ok(server.url)
})

test('a worker in the wrong folder says so instead of waiting for ever', async () => {
  await using place = await makePlace()
  const { stderr, code } = await place.run(['worker'])
  assert.equal(code, 3)
  assert.match(stderr, /There is no data folder .*\.headrace/)
})
