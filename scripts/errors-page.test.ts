import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'

const ROOT = join(import.meta.dirname, '..')

/** Where each closed union of codes stands, and its name. */
const UNIONS: readonly (readonly [string, string])[] = [
  ['packages/engine/src/errors.ts', 'ErrorCode'],
  ['packages/engine/src/executor/errors.ts', 'ExecutorErrorCode'],
  ['packages/artifacts/src/errors.ts', 'ArtifactErrorCode'],
  ['packages/geo/src/errors.ts', 'GeoErrorCode'],
  ['packages/inference/src/errors.ts', 'ModelErrorCode'],
  ['apps/documents/src/errors.ts', 'DocumentErrorCode'],
  ['apps/watershed/src/errors.ts', 'WatershedErrorCode'],
  ['packages/server/src/problem/http-problem.ts', 'ServerErrorCode'],
]

/** Where a room has classes with a code each, and no union of them. */
const CLASSES: readonly string[] = [
  'packages/client/src/errors.ts',
  'packages/cli/src/errors.ts',
  'packages/testing/src/errors.ts',
]

function codesOfClasses(path: string): string[] {
  const text = readFileSync(join(ROOT, path), 'utf8')
  return [...text.matchAll(/readonly code = '([a-z0-9_]+)'/g)].map((match) => match[1] ?? '')
}

function codesOf(path: string, union: string): string[] {
  const text = readFileSync(join(ROOT, path), 'utf8')
  const declaration = text.match(new RegExp(`export type ${union} =([^]*?)\\n\\n`))?.[1]
  assert.ok(declaration !== undefined, `${path} declares no ${union}`)
  return [...declaration.matchAll(/'([a-z0-9_]+)'/g)].map((match) => match[1] ?? '')
}

function codesOnPage(): string[] {
  const page = readFileSync(join(ROOT, 'docs/errors.md'), 'utf8')
  return [...page.matchAll(/^\| `([a-z0-9_]+)` \|/gm)].map((match) => match[1] ?? '')
}

test('docs/errors.md explains every code that is thrown, and no other', () => {
  const thrown = new Set([
    ...UNIONS.flatMap(([path, union]) => codesOf(path, union)),
    ...CLASSES.flatMap(codesOfClasses),
  ])
  const explained = codesOnPage()
  assert.ok(thrown.size > 50)
  assert.deepEqual([...explained].sort(), [...thrown].sort())
})

test('each row of docs/errors.md has a cause and a remedy', () => {
  const page = readFileSync(join(ROOT, 'docs/errors.md'), 'utf8')
  for (const row of page.matchAll(/^\| `[a-z0-9_]+` \|.*$/gm)) {
    const [, , cause, remedy] = row[0].split('|').map((cell) => cell.trim())
    assert.ok((cause ?? '').length > 4 && (remedy ?? '').length > 4, row[0])
  }
})
