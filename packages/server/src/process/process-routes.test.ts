import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openTestServer } from '../testing/test-server.ts'

test('public tasks and workflows are listed as processes, page by page', async () => {
  await using here = await openTestServer({ withWorker: false })
  type Page = { processes: { id: string }[]; links: { rel: string; href: string }[] }
  const page = async (url: string) => (await here.send({ url })).json() as Page
  const idsOf = ({ processes }: Page) => processes.map(({ id }) => id)
  const nextOf = ({ links }: Page) => links.find(({ rel }) => rel === 'next')?.href.replace('http://localhost:80', '')
  const all = await page('/processes?limit=100')
  assert.deepEqual(idsOf(all).slice(0, 4), ['echo', 'double', 'divide', 'endless'])
  assert.equal(nextOf(all), undefined)
  const first = await page('/processes?limit=4')
  const second = await page(nextOf(first) ?? '')
  assert.deepEqual([...idsOf(first), ...idsOf(second)], idsOf(all).slice(0, 8))
  for (const limit of ['0', '10001', 'x']) {
    assert.equal((await here.send({ url: `/processes?limit=${limit}` })).statusCode, 400)
  }
})

test('an object schema is described as its properties, any other as one input and one output', async () => {
  await using here = await openTestServer({ withWorker: false })
  const divide = (await here.send({ url: '/processes/divide' })).json()
  assert.equal(divide.title, 'Division')
  assert.equal(divide.version, '1.0.0')
  assert.deepEqual(divide.jobControlOptions, ['sync-execute', 'async-execute', 'dismiss'])
  assert.deepEqual(Object.keys(divide.inputs), ['dividend', 'divisor'])
  assert.equal(divide.inputs.dividend.schema.type, 'integer')
  assert.equal(divide.inputs.dividend.minOccurs, 1)
  assert.deepEqual(Object.keys(divide.outputs), ['quotient', 'remainder'])
  const double = (await here.send({ url: '/processes/double' })).json()
  assert.deepEqual(double.inputs, { input: { schema: { type: 'number' }, minOccurs: 1, maxOccurs: 1 } })
  assert.deepEqual(double.outputs, { result: { schema: { type: 'number' } } })
})

test('the echo process offers what OGC’s test suite needs, its outputs named as its inputs', async () => {
  await using here = await openTestServer({ withWorker: false })
  const { inputs, outputs } = (await here.send({ url: '/processes/echo' })).json()
  assert.deepEqual(Object.keys(inputs), Object.keys(outputs))
  assert.equal(inputs.message.schema.type, 'string')
  assert.equal(inputs.numbers.schema.items.type, 'integer')
  assert.ok(inputs.box.schema.properties.bbox)
  assert.equal(inputs.image.schema.contentEncoding, 'base64')
  assert.equal(inputs.anything.schema.type, 'object')
  assert.equal(inputs.pause.schema.type, 'integer')
})

test('an unknown process is OGC’s no-such-process, as plain JSON for who accepts nothing else', async () => {
  await using here = await openTestServer({ withWorker: false })
  const response = await here.send({ url: '/processes/nothing', headers: { accept: 'application/json' } })
  assert.equal(response.statusCode, 404)
  assert.equal(response.headers['content-type'], 'application/json')
  assert.match(response.json().type, /no-such-process$/)
  const browser = await here.send({ url: '/processes/nothing' })
  assert.equal(browser.headers['content-type'], 'application/problem+json')
})

test('every page is also plain HTML that shows all of it', async () => {
  await using here = await openTestServer({ withWorker: false })
  const html = await here.send({ url: '/processes/divide', headers: { accept: 'text/html' } })
  assert.match(String(html.headers['content-type']), /^text\/html/)
  assert.match(html.body, /<a href="http:&#47;&#47;|<a href="http:\/\//)
  assert.match(html.body, /remainder/)
})
