import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openTestServer, type TestServer } from '../testing/test-server.ts'

async function artifactsOf(here: TestServer) {
  const id = await here.start('talkative', {})
  await here.engine.wait(id)
  const { artifacts } = (await here.send({ url: `/jobs/${id}/artifacts` })).json()
  const pathOf = (name: string) =>
    artifacts.find((one: { name: string }) => one.name === name).href.replace('http://localhost:80', '')
  return { id, artifacts, pathOf }
}

test('the files of a job are listed with size and type, and given to keep, whole or in part', async () => {
  await using here = await openTestServer()
  const { artifacts, pathOf } = await artifactsOf(here)
  assert.deepEqual(
    artifacts.map(({ name, sizeBytes, mediaType }: never) => ({ name, sizeBytes, mediaType })),
    [
      { name: 'digits.txt', sizeBytes: 10, mediaType: 'text/plain' },
      { name: 'a page "1".html', sizeBytes: 25, mediaType: 'text/html' },
    ],
  )
  const url = pathOf('digits.txt')
  const whole = await here.send({ url })
  assert.equal(whole.body, '0123456789')
  assert.equal(whole.headers['content-type'], 'text/plain')
  assert.equal(whole.headers['accept-ranges'], 'bytes')
  const part = await here.send({ url, headers: { range: 'bytes=2-4' } })
  assert.equal(part.statusCode, 206)
  assert.equal(part.body, '234')
  assert.equal(part.headers['content-range'], 'bytes 2-4/10')
  assert.equal((await here.send({ url, headers: { range: 'bytes=-3' } })).body, '789')
  const beyond = await here.send({ url, headers: { range: 'bytes=10-' } })
  assert.equal(beyond.statusCode, 416)
  assert.equal(beyond.headers['content-range'], 'bytes */10')
  const known = await here.send({ url, headers: { 'if-none-match': String(whole.headers.etag) } })
  assert.equal(known.statusCode, 304)
})

test('a page that a job made is never shown as one of ours', async () => {
  await using here = await openTestServer()
  const { pathOf } = await artifactsOf(here)
  const { headers } = await here.send({ url: pathOf('a page "1".html') })
  assert.equal(
    headers['content-disposition'],
    `attachment; filename="a_page__1_.html"; filename*=UTF-8''a%20page%20%221%22.html`,
  )
  assert.equal(headers['x-content-type-options'], 'nosniff')
  assert.match(String(headers['content-security-policy']), /sandbox/)
})

test('an unknown file is a 404 that names it, and no name leads to another place', async () => {
  await using here = await openTestServer()
  const { id } = await artifactsOf(here)
  for (const name of ['nothing', '..%2f..%2fjobs.db', '%2e%2e%2f']) {
    const response = await here.send({ url: `/jobs/${id}/artifacts/${name}` })
    assert.equal(response.statusCode, 404)
    assert.equal(response.json().code, 'artifact_unknown')
  }
})
