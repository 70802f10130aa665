import assert from 'node:assert/strict'
import { test } from 'node:test'
import { z } from 'zod'
import { jsonSchemaOf, propertiesOf } from './json-schema.ts'

test('a schema is described in OpenAPI 3.0’s dialect, as it is sent or as it is received', () => {
  const schema = z.object({ count: z.int().positive().default(1), name: z.string().nullable() })
  const input = jsonSchemaOf(schema, 'input')
  assert.deepEqual(input.required, ['name'])
  assert.deepEqual(propertiesOf(input)?.name, { nullable: true, type: 'string' })
  assert.deepEqual(jsonSchemaOf(schema, 'output').required, ['count', 'name'])
})

test('what JSON Schema cannot say is anything', () => {
  const schema = z.object({ at: z.date(), odd: z.custom<number>((value) => Number(value) % 2 === 1) })
  assert.deepEqual(propertiesOf(jsonSchemaOf(schema, 'input')), { at: {}, odd: {} })
  assert.deepEqual(jsonSchemaOf(undefined, 'input'), {})
})

test('a property that refers to a shared definition brings it along', () => {
  const Node = z.object({
    value: z.number(),
    get children() {
      return z.array(Node)
    },
  })
  const properties = propertiesOf(jsonSchemaOf(z.object({ tree: Node, name: z.string() }), 'input'))
  assert.ok('definitions' in (properties?.tree ?? {}))
  assert.deepEqual(properties?.name, { type: 'string' })
})

test('a schema of another library is described when it can describe itself, and is anything when it cannot', () => {
  const describing = { '~standard': { jsonSchema: { input: () => ({ type: 'integer' }), output: () => ({}) } } }
  assert.deepEqual(jsonSchemaOf(describing, 'input'), { type: 'integer' })
  assert.deepEqual(jsonSchemaOf({ '~standard': {} }, 'input'), {})
  const failing = {
    '~standard': {
      jsonSchema: {
        input() {
          throw new Error('not this one')
        },
      },
    },
  }
  assert.deepEqual(jsonSchemaOf(failing, 'input'), {})
})

test('only an object with named properties has inputs of its own', () => {
  for (const schema of [z.string(), z.array(z.string()), z.record(z.string(), z.number()), z.object({})]) {
    assert.equal(propertiesOf(jsonSchemaOf(schema, 'input')), undefined)
  }
})
