import assert from 'node:assert/strict'
import { test } from 'node:test'
import { contentOf } from './payloads.ts'

test('a large payload is told from others by what it is, and not by the names that are written beside it', () => {
  assert.equal(contentOf('@sha256:0:300000 sha256:1 sha256:2'), '@sha256:0:300000')
  assert.equal(contentOf('@sha256:0:300000'), '@sha256:0:300000')
  assert.equal(contentOf('"two words"'), '"two words"')
})
