// Runs every test of the project: node bin/node.cjs scripts/test.ts [part of a file's path ...]
// What is skipped is listed by name with its reason; where CI is set, a skipped test is a failure.
import { glob } from 'node:fs/promises'
import { run } from 'node:test'
import { spec } from 'node:test/reporters'

const PATTERNS = [
  'packages/*/src/**/*.test.ts',
  'packages/*/test/**/*.test.ts',
  'apps/*/{src,test}/**/*.test.ts',
  'scripts/*.test.ts',
  'bench/src/**/*.test.ts',
  'campaign/src/**/*.test.ts',
]
/** A hanging test ends with its name rather than with the whole run. */
const TIMEOUT_MS = 300_000

const wanted = process.argv.slice(2)
const files: string[] = []
for await (const file of glob(PATTERNS, { exclude: (name) => String(name).includes('node_modules') })) {
  if (wanted.length === 0 || wanted.some((part) => file.includes(part))) files.push(file)
}
if (files.length === 0) {
  console.error(`No test file has ${wanted.join(' or ')} in its path.`)
  process.exit(2)
}

const skipped: string[] = []
let failures = 0
const tests = run({ files: files.sort(), concurrency: 2, timeout: TIMEOUT_MS })
tests.on('test:pass', ({ name, skip }) => {
  if (skip !== undefined) skipped.push(`${name}${typeof skip === 'string' ? `: ${skip}` : ''}`)
})
tests.on('test:fail', ({ todo }) => {
  if (todo === undefined) failures++
})
let counts = { passed: 0, skipped: 0 }
tests.on('test:summary', (summary) => {
  if (summary.file === undefined) counts = summary.counts
})
tests.compose(new spec()).pipe(process.stdout)
tests.on('end', () => {
  if (skipped.length > 0) console.log(`\nSkipped:\n${skipped.map((name) => `  ${name}`).join('\n')}`)
  const forbidden = skipped.length > 0 && process.env.CI !== undefined
  if (forbidden) console.error(`\n${skipped.length} skipped, and nothing may be skipped where CI is set.`)
  console.log(`\n${counts.passed} passed, ${failures} failed, ${counts.skipped} skipped`)
  process.exitCode = failures > 0 || forbidden ? 1 : 0
})
