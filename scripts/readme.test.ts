import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { existsSync, globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { test } from 'node:test'

const ROOT = join(import.meta.dirname, '..')
/** The pages whose marked examples are run. */
const PAGES = ['README.md', 'packages/testing/README.md', ...globSync('docs/*.md', { cwd: ROOT })]
const EXAMPLE = /<!-- A test runs this and reads what it prints\. -->\n```ts\n([\s\S]*?)```/g

for (const page of PAGES) {
  const examples = Array.from(readFileSync(join(ROOT, page), 'utf8').matchAll(EXAMPLE), ([, example = '']) => example)
  for (const [index, example] of examples.entries()) {
    const which = examples.length > 1 ? `example ${index + 1}` : 'the example'
    test(`${which} in ${page} prints what it says`, async () => {
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
  }
}

test('the example in the README is there, and is under 20 lines', () => {
  const [, example = ''] = new RegExp(EXAMPLE).exec(readFileSync(join(ROOT, 'README.md'), 'utf8')) ?? []
  const code = example.split('\n').filter((line) => line.trim() !== '')
  assert.ok(code.length > 5 && code.length <= 20, `${code.length} lines`)
})

test('every file that a page of the documentation links to is there', () => {
  for (const page of [...PAGES, 'ARCHITECTURE.md', 'CHANGELOG.md']) {
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
