import assert from 'node:assert/strict'
import { test } from 'node:test'
import { artifactNamesIn } from './artifact-names.ts'

const [A, B] = [`sha256:${'a'.repeat(64)}`, `sha256:${'b'.repeat(64)}`]

test('a text names every artifact whose id stands in it, however it stands there', () => {
  assert.deepEqual(artifactNamesIn(JSON.stringify({ page: A, note: `made of ${B}, and ${A}` })), [A, B, A])
  assert.deepEqual(artifactNamesIn(`@${A}:300000 ${B}`), [A, B])
  assert.deepEqual(artifactNamesIn(`https://example.org/files/${A}?download`), [A])
})

test('what is no id names none: a hash that is cut off, in capitals, or without its kind', () => {
  for (const text of ['sha256:', A.slice(0, -1), A.toUpperCase(), A.slice('sha256:'.length), '', null, undefined])
    assert.deepEqual(artifactNamesIn(text), [])
})
