import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openTestServer } from '../testing/test-server.ts'

// The forms in which OGC's executable test suite sends inputs to the echo process.
const FORMS: Readonly<Record<string, { readonly sent: object; readonly echoed: object }>> = {
  'a plain string': { sent: { message: 'teststring' }, echoed: { message: 'teststring' } },
  'an array': { sent: { message: 'm', numbers: [1, 2, 3] }, echoed: { message: 'm', numbers: [1, 2, 3] } },
  'a bounding box': {
    sent: { message: 'm', box: { bbox: [51.9, 7, 52, 7.1], crs: 'http://www.opengis.net/def/crs/OGC/1.3/CRS84' } },
    echoed: { message: 'm', box: { bbox: [51.9, 7, 52, 7.1], crs: 'http://www.opengis.net/def/crs/OGC/1.3/CRS84' } },
  },
  'a qualified binary value': {
    sent: { message: 'm', image: { value: 'SUkq', format: { mediaType: 'image/tiff', encoding: 'base64' } } },
    echoed: { message: 'm', image: 'SUkq' },
  },
  'an object that has a field named value': {
    sent: { message: 'm', anything: { value: 'teststring' } },
    echoed: { message: 'm', anything: { value: 'teststring' } },
  },
  'a qualified object': {
    sent: { message: 'm', anything: { value: { a: 1 }, mediaType: 'application/json' } },
    echoed: { message: 'm', anything: { a: 1 } },
  },
}

for (const [form, { sent, echoed }] of Object.entries(FORMS)) {
  test(`the echo process gives back ${form}`, async () => {
    await using here = await openTestServer()
    const response = await here.send({
      method: 'POST',
      url: '/processes/echo/execution',
      payload: { inputs: sent, response: 'document' },
    })
    assert.equal(response.statusCode, 200, response.body)
    assert.deepEqual(response.json(), echoed)
  })
}
