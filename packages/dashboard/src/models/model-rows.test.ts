import assert from 'node:assert/strict'
import { test } from 'node:test'
import { asksFor, exampleOf, msText, shareText } from './model-rows.ts'

test('an example is one row of zeros of the input’s shape, or one row of the table', () => {
  const x = { name: 'x', dtype: 'float32', shape: ['batch', 2] }
  assert.deepEqual(JSON.parse(exampleOf({ inputs: [x] })), { inputs: { x: [[0, 0]] } })
  const table = { columns: [{ name: 'age' }, { name: 'income' }] }
  assert.deepEqual(JSON.parse(exampleOf({ inputs: [{ ...x, table }] })), { rows: [{ age: 0, income: 0 }] })
  const large = { ...x, shape: ['batch', 3, 224, 224] }
  assert.deepEqual(JSON.parse(exampleOf({ inputs: [large] })), { inputs: { x: { shape: [1, 3, 224, 224], data: [] } } })
})

test('a model with a picture as its input is asked with a picture', () => {
  const image = { layout: 'nchw', color: 'rgb' } as const
  assert.equal(asksFor({ inputs: [{ name: 'x', dtype: 'float32', shape: ['batch', 3, 8, 8], image }] }), 'image')
  assert.equal(asksFor({ inputs: [{ name: 'x', dtype: 'float32', shape: ['batch', 3] }] }), 'json')
})

test('times and shares are short', () => {
  assert.deepEqual([msText(7.26), msText(1234.5), msText(undefined)], ['7.3 ms', '1,235 ms', ''])
  assert.deepEqual([shareText(0.98213), shareText(null)], ['98.2 %', 'none'])
})
