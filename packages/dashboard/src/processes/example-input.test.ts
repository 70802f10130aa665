import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ProcessDescription } from '@headrace/wire'
import { exampleInputs, exampleOf, readInputs } from './example-input.ts'

test('an example has the required inputs only, each of its type', () => {
  const process = {
    inputs: {
      name: { schema: { type: 'string' }, minOccurs: 1, maxOccurs: 1 },
      zoom: { schema: { type: 'integer', minimum: 3 }, minOccurs: 1, maxOccurs: 1 },
      note: { schema: { type: 'string' }, minOccurs: 0, maxOccurs: 1 },
    },
  } as unknown as ProcessDescription // only inputs are read
  assert.deepEqual(exampleInputs(process), { name: '', zoom: 3 })
})

test('what the schema suggests goes before what its type suggests', () => {
  assert.equal(exampleOf({ type: 'string', default: 'a' }), 'a')
  assert.equal(exampleOf({ enum: ['red', 'green'] }), 'red')
  assert.deepEqual(exampleOf({ anyOf: [{ type: 'array' }, { type: 'null' }] }), [])
  assert.deepEqual(exampleOf({ type: 'object', properties: { a: { type: 'boolean' }, b: {} }, required: ['a'] }), {
    a: false,
  })
  assert.equal(exampleOf(true), null)
})

test('inputs that are no JSON object say so', () => {
  assert.deepEqual(readInputs('{"a": 1}'), { inputs: { a: 1 } })
  assert.match(Object.values(readInputs('[1]'))[0] as string, /one JSON object/)
  assert.match(Object.values(readInputs('{'))[0] as string, /not JSON yet/)
})
