import assert from 'node:assert/strict'
import { test } from 'node:test'
import { preferredType } from './accept.ts'
import { parsePrefer } from './prefer.ts'

const OFFERED = ['application/json', 'text/html'] as const

test('the media type that a client likes best is chosen, the first offered among equals', () => {
  assert.equal(preferredType(undefined, OFFERED), 'application/json')
  assert.equal(preferredType('*/*', OFFERED), 'application/json')
  assert.equal(preferredType('text/html,application/xhtml+xml,*/*;q=0.8', OFFERED), 'text/html')
  assert.equal(preferredType('text/html;q=0.5, application/json', OFFERED), 'application/json')
  assert.equal(preferredType('text/*', OFFERED), 'text/html')
  assert.equal(preferredType('image/png', OFFERED), undefined)
  assert.equal(preferredType('application/json;q=0, */*', OFFERED), 'text/html')
})

test('preferences are read as RFC 7240 writes them, and as clients do', () => {
  assert.deepEqual(parsePrefer(undefined), { respondAsync: false })
  assert.deepEqual(parsePrefer('respond-async'), { respondAsync: true })
  assert.deepEqual(parsePrefer('respond-async '), { respondAsync: true })
  assert.deepEqual(parsePrefer('Respond-Async, wait=10'), { respondAsync: true, waitSeconds: 10 })
  assert.deepEqual(parsePrefer(['wait = "5"', 'return=minimal']), { respondAsync: false, waitSeconds: 5 })
  assert.deepEqual(parsePrefer('wait=soon'), { respondAsync: false })
})
