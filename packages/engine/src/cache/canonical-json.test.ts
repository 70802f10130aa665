import assert from 'node:assert/strict'
import { test } from 'node:test'
import { canonicalJson } from './canonical-json.ts'

test('members come in the order of their names, at every depth, and white space goes', () => {
  const [one, other] = [
    '{"b": {"y": 1, "x": [2, {"d": 4, "c": 3}]}, "a": null}',
    '{"a":null,"b":{"x":[2,{"c":3,"d":4}],"y":1}}',
  ]
  assert.equal(canonicalJson(JSON.parse(one)), other)
  assert.equal(canonicalJson(JSON.parse(other)), other)
})

test('the example of RFC 8785 comes out as it stands there', () => {
  const value = {
    numbers: JSON.parse('[333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001]'),
    string: '\u20ac$\u000F\u000aA\'\u0042\u0022\u005c\\"/',
    literals: [null, true, false],
  }
  const expected =
    '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}'
  assert.equal(canonicalJson(value), expected)
})

test('names are ordered by their UTF-16 code units, as RFC 8785 has it', () => {
  const value = { '\u20ac': 1, '\r': 2, '\ufb33': 3, '1': 4, '\ud83d\ude00': 5, '\u0080': 6, '\u00f6': 7 }
  assert.deepEqual(Object.values(JSON.parse(canonicalJson(value).replaceAll('"1"', '"one"'))), [2, 4, 6, 7, 1, 5, 3])
})

test('the order of an array counts', () => {
  assert.notEqual(canonicalJson([1, 2]), canonicalJson([2, 1]))
})
