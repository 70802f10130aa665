import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'

const ROOT = join(import.meta.dirname, '..')
const PAGE = readFileSync(join(ROOT, 'docs/promises.md'), 'utf8')

/** A promise with what proves it, as the page lists them. */
type Promised = { readonly number: number; readonly tests: readonly { readonly file: string; readonly name: string }[] }

function promises(): Promised[] {
  const parts = PAGE.split(/^(?=\d+\. )/m).slice(1)
  return parts.map((text) => ({
    number: Number.parseInt(text, 10),
    tests: [...text.matchAll(/^ +- `([^`]+)` › (.+)$/gm)].map(([, file = '', name = '']) => ({ file, name })),
  }))
}

test('each promise names tests that are there', () => {
  const all = promises()
  assert.ok(all.length > 15)
  assert.deepEqual(
    all.map(({ number }) => number),
    all.map((_, index) => index + 1),
  )
  for (const { number, tests } of all) {
    assert.ok(tests.length > 0, `promise ${number} names no test`)
    for (const { file, name } of tests) {
      const text = readFileSync(join(ROOT, file), 'utf8')
      assert.ok(text.includes(name), `promise ${number}: ${file} has no "${name}"`)
    }
  }
})
