import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'

const ROOT = join(import.meta.dirname, '..')

/** Which rooms each room may import, by package name. What is not listed is a backward arrow. */
const ARROWS: Readonly<Record<string, readonly string[]>> = {
  'packages/engine': [],
  'packages/wire': [],
  'packages/geo': [],
  'packages/inference': [],
  'packages/artifacts': ['@headrace/engine'],
  'packages/store-sqlite': ['@headrace/engine'],
  'packages/store-postgres': ['@headrace/engine'],
  'packages/cron': ['@headrace/engine'],
  'packages/store-memory': ['@headrace/engine'],
  'packages/testing': ['@headrace/cron', '@headrace/engine', '@headrace/store-memory'],
  'packages/client': ['@headrace/wire'],
  'packages/dashboard': ['@headrace/client', '@headrace/wire'],
  'packages/server': ['@headrace/engine', '@headrace/wire'],
  'apps/documents': ['@headrace/server', '@headrace/engine', '@headrace/artifacts', '@headrace/wire'],
  'apps/layers': ['@headrace/server', '@headrace/engine', '@headrace/geo', '@headrace/wire'],
  'apps/models': [
    '@headrace/server',
    '@headrace/engine',
    '@headrace/inference',
    '@headrace/artifacts',
    '@headrace/wire',
  ],
  'apps/watershed': ['@headrace/server', '@headrace/engine', '@headrace/geo', '@headrace/artifacts', '@headrace/wire'],
  'packages/cli': [
    '@headrace/app-documents',
    '@headrace/app-layers',
    '@headrace/app-models',
    '@headrace/app-watershed',
    '@headrace/artifacts',
    '@headrace/client',
    '@headrace/cron',
    '@headrace/engine',
    '@headrace/geo',
    '@headrace/server',
    '@headrace/store-postgres',
    '@headrace/store-sqlite',
    '@headrace/wire',
  ],
  campaign: [
    '@headrace/app-documents',
    '@headrace/artifacts',
    '@headrace/engine',
    '@headrace/store-memory',
    '@headrace/store-postgres',
    '@headrace/store-sqlite',
  ],
  bench: [
    '@headrace/app-documents',
    '@headrace/app-models',
    '@headrace/artifacts',
    '@headrace/engine',
    '@headrace/inference',
    '@headrace/server',
    '@headrace/store-postgres',
    '@headrace/store-sqlite',
    '@headrace/wire',
  ],
}

/** No HTTP and no SQL in the engine; what it needs of the machine is for its executors. */
const ENGINE_MODULES = new Set([
  'node:assert',
  'node:assert/strict',
  'node:child_process',
  'node:crypto',
  'node:events',
  'node:fs',
  'node:fs/promises',
  'node:net',
  'node:os',
  'node:path',
  'node:stream',
  'node:string_decoder',
  'node:url',
  'node:util',
  'node:worker_threads',
])

type Source = { readonly path: string; readonly text: string; readonly imports: readonly string[] }

function sourcesOf(room: string): Source[] {
  const paths = globSync(`${room}/src/**/*.{ts,tsx}`, { cwd: ROOT })
  return paths.filter(isProduct).map((path) => {
    const text = readFileSync(join(ROOT, path), 'utf8')
    return {
      path,
      text,
      imports: [...text.matchAll(/(?:from|import)\s*\(?\s*'([^']+)'/g)].map((match) => match[1] ?? ''),
    }
  })
}

// Tests and what is written for tests may look at anything.
function isProduct(path: string): boolean {
  return !/\.test\.tsx?$|\/testing\/|\/conformance|\/example-/.test(path)
}

for (const [room, allowed] of Object.entries(ARROWS)) {
  test(`${room} imports no room but ${allowed.join(', ') || 'itself'}`, () => {
    for (const { path, imports } of sourcesOf(room)) {
      for (const name of imports.filter((name) => /^(@headrace\/|headrace$)/.test(name))) {
        const target = name.split('/').slice(0, 2).join('/')
        assert.ok(allowed.includes(target), `${path} imports ${name}: a backward arrow`)
        assert.doesNotMatch(name, /\/src\//, `${path} reaches into ${name} past its index.ts`)
      }
      for (const name of imports.filter((name) => name.startsWith('.'))) {
        const escapes =
          join('/', path, '..', name)
            .split('/')
            .slice(1, room.split('/').length + 1)
            .join('/') !== room
        assert.ok(!escapes, `${path} imports ${name}, which lies in another room`)
      }
    }
  })
}

test('every room is listed here', () => {
  const rooms = globSync(
    ['packages/*/package.json', 'apps/*/package.json', 'bench/package.json', 'campaign/package.json'],
    { cwd: ROOT },
  )
  assert.deepEqual(rooms.map((path) => path.replace('/package.json', '')).sort(), Object.keys(ARROWS).sort())
})

test('the engine imports no HTTP, no SQL and no library', () => {
  for (const { path, imports } of sourcesOf('packages/engine')) {
    for (const name of imports.filter((name) => !name.startsWith('.'))) {
      if (name === '@standard-schema/spec') continue // types only, erased
      assert.ok(ENGINE_MODULES.has(name), `${path} imports ${name}`)
    }
  }
})

test('the engine never reads the wall clock', () => {
  const clocks = /\bDate\.now\(|\bnew Date\(\)|\bperformance\.now\(|(?<![.\w])set(Timeout|Interval|Immediate)\((?!fn: )/
  for (const { path, text } of sourcesOf('packages/engine')) {
    const code = text.replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, '')
    assert.doesNotMatch(code, clocks, `${path} reads the clock or sets a timer by itself`)
  }
})
