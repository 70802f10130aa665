import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { test } from 'node:test'

const ROOT = join(import.meta.dirname, '..')
const readme = readFileSync(join(ROOT, 'README.md'), 'utf8')

test('the example in the README is under 20 lines and prints what it says', async () => {
  const [, example = ''] = readme.match(/```ts\n([\s\S]*?)```/) ?? []
  const code = example.split('\n').filter((line) => line.trim() !== '')
  assert.ok(code.length > 5 && code.length <= 20, `${code.length} lines`)
  const [, expected] = example.match(/console\.log\(.*\) \/\/ (.*)/) ?? []
  // Inside the project, so that the packages are found by name.
  const dir = mkdtempSync(join(ROOT, 'scripts', '.readme-'))
  try {
    writeFileSync(join(dir, 'example.ts'), example)
    assert.equal(await firstLineOf(join(dir, 'example.ts'), dir), expected)
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
})

test('every file that a page of the documentation links to is there', () => {
  for (const page of ['README.md', 'ARCHITECTURE.md', 'CHANGELOG.md', 'docs/performance.md']) {
    const text = readFileSync(join(ROOT, page), 'utf8')
    for (const [, target = ''] of text.matchAll(/\]\(([^)#]+)/g)) {
      if (/^https?:/.test(target)) continue
      assert.ok(existsSync(join(ROOT, page, '..', target)), `${page} links to ${target}, which is not there`)
    }
  }
})

/** Runs a module, and ends it once it has printed a line. */
async function firstLineOf(module: string, cwd: string): Promise<string | undefined> {
  const child = spawn(process.execPath, [module], { cwd, stdio: ['ignore', 'pipe', 'inherit'] })
  const exited = new Promise((resolve) => child.once('exit', resolve))
  let first: string | undefined
  for await (const line of createInterface({ input: child.stdout })) {
    first ??= line
    child.kill('SIGKILL')
  }
  await exited
  return first
}
