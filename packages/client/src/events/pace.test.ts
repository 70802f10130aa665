import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ProblemError, UnreachableError } from '../errors.ts'
import { type Ended, reconnectAfterMs, wentWell } from './pace.ts'

const halfway = () => 0.5
const stream: Ended = { rung: 'stream', form: 'stream', livedMs: 100, brought: 0, againAfterMs: undefined }
const page: Ended = { rung: 'poll', form: 'page', livedMs: 100, brought: 0, againAfterMs: undefined }

test('streams that end at once without events are opened again ever more slowly', () => {
  assert.deepEqual(
    [0, 1, 2].map((failures) => reconnectAfterMs(stream, failures, halfway)),
    [250, 500, 1_000],
  )
  assert.equal(wentWell(stream), false)
})

test('a stream that brought events, or lived long, starts the back-off anew', () => {
  assert.ok(wentWell({ ...stream, brought: 1 }))
  assert.ok(wentWell({ ...stream, livedMs: 60_000 }))
})

test("the stream's own retry is where the back-off begins", () => {
  assert.equal(reconnectAfterMs({ ...stream, againAfterMs: 4_000 }, 0, halfway), 2_000)
})

test('a broken connection counts as a failure unless it brought something', () => {
  const error = new UnreachableError('http://mill', 'gone')
  assert.equal(wentWell({ ...stream, livedMs: 60_000, error }), false)
  assert.ok(wentWell({ ...stream, brought: 3, error }))
  assert.equal(reconnectAfterMs({ ...stream, error }, 2, halfway), 1_000)
})

test('a refusal with Retry-After is obeyed', () => {
  const problem = { type: 'urn:x', title: 'Busy', status: 503, code: 'busy' }
  const error = new ProblemError(problem, 9_000)
  assert.equal(reconnectAfterMs({ ...stream, error }, 0, halfway), 9_250)
})

test('pages follow each other at the pace of Retry-After, else every two seconds when polling', () => {
  assert.equal(reconnectAfterMs({ ...page, againAfterMs: 5_000 }, 0, halfway), 4_900)
  assert.equal(reconnectAfterMs(page, 0, halfway), 1_900)
})

test('a page with events is followed at once by the next; a long poll that was held, too', () => {
  assert.equal(reconnectAfterMs({ ...page, brought: 2 }, 0, halfway), 0)
  assert.equal(reconnectAfterMs({ ...page, rung: 'long-poll', livedMs: 25_000 }, 0, halfway), 0)
})
