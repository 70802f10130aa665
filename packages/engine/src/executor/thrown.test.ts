import assert from 'node:assert/strict'
import { test } from 'node:test'
import { toError, toPlain } from './thrown.ts'

test('an error keeps its name, message, stack, code, retryable and causes, and passes structured clone', () => {
  class LabelsMissingError extends Error {
    override readonly name = 'LabelsMissingError'
    readonly code = 'labels_missing'
    readonly retryable = false
  }
  const thrown = new LabelsMissingError('no labels', { cause: new TypeError('not a geometry', { cause: 'at byte 7' }) })
  const again = toError(structuredClone(toPlain(thrown)))
  const { name, message, stack, code, retryable, cause } = again as LabelsMissingError
  assert.ok(again instanceof Error)
  assert.deepEqual({ name, message, stack, code, retryable }, { ...thrown, message: 'no labels', stack: thrown.stack })
  assert.ok(cause instanceof Error && cause.cause instanceof Error)
  assert.equal(`${cause.name}: ${cause.message}, ${cause.cause.message}`, 'TypeError: not a geometry, at byte 7')
})

test('what is no error becomes one', () => {
  assert.equal(toError(toPlain('text')).message, 'text')
  assert.equal(toError(toPlain(undefined)).message, 'undefined')
  assert.equal(toError(toPlain({ status: 404 })).message, '{ status: 404 }')
  assert.equal(toError(toPlain(Object.create(null))).message, '[Object: null prototype] {}')
})

test('a ring of causes ends', () => {
  const error = new Error('round')
  error.cause = error
  assert.equal(toError(toPlain(error)).message, 'round')
})

test('fields of the wrong kind are left out', () => {
  assert.deepEqual(Object.keys(toPlain(Object.assign(new Error('x'), { code: {}, retryable: 'no' }))), [
    'name',
    'message',
    'stack',
  ])
})
