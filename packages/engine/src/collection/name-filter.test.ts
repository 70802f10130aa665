import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { NameFilter } from './name-filter.ts'

const name = (number: number) => `sha256:${createHash('sha256').update(String(number)).digest('hex')}`

test('a filter finds every name that was added, and takes hardly any other for one', () => {
  const filter = new NameFilter()
  const [added, others] = [100_000, 100_000]
  for (let number = 0; number < added; number++) filter.add(name(number))
  for (let number = 0; number < added; number++) assert.ok(filter.has(name(number)))
  const mistaken = Array.from({ length: others }, (_, index) => name(added + index)).filter((one) => filter.has(one))
  // Of four places in 2^27, with 400,000 taken: one in ten billion.
  assert.deepEqual(mistaken, [])
})
