import assert from 'node:assert/strict'
import { test } from 'node:test'
import { retryAfterMs } from './retry-after.ts'

test('seconds are read as they are', () => {
  assert.equal(retryAfterMs(new Headers({ 'retry-after': '120' })), 120_000)
})

test('a date counts from the date of the answer, not from the clock on this side', () => {
  const headers = { 'retry-after': 'Tue, 01 Jan 2030 00:00:30 GMT', date: 'Tue, 01 Jan 2030 00:00:10 GMT' }
  assert.equal(retryAfterMs(new Headers(headers)), 20_000)
})

test('a date that has passed means at once', () => {
  const headers = { 'retry-after': 'Tue, 01 Jan 2030 00:00:00 GMT', date: 'Tue, 01 Jan 2030 00:00:10 GMT' }
  assert.equal(retryAfterMs(new Headers(headers)), 0)
})

test('what cannot be read counts as absent', () => {
  for (const value of ['', 'soon', '-1', '1.5']) {
    assert.equal(retryAfterMs(new Headers({ 'retry-after': value })), undefined)
  }
  assert.equal(retryAfterMs(new Headers()), undefined)
})
