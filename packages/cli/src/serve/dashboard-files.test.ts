import assert from 'node:assert/strict'
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { findDashboard } from './dashboard-files.ts'

async function makeDashboard(source: string) {
  const root = await mkdtemp(join(tmpdir(), 'headrace-dashboard-'))
  await writeFile(join(root, 'vite.config.ts'), 'export default {}')
  await writeFile(join(root, 'index.html'), source)
  return { root, [Symbol.asyncDispose]: () => rm(root, { recursive: true, force: true }) }
}

test('a dashboard that was built is served as it is', async () => {
  await using place = await makeDashboard('')
  await mkdir(join(place.root, 'dist'))
  await writeFile(join(place.root, 'dist', 'index.html'), 'built')
  const found = await findDashboard(() => assert.fail('there is nothing to build'), place.root)
  assert.deepEqual(found, { state: 'built', dir: join(place.root, 'dist') })
})

test('a dashboard that was never built is built once, and said so', async () => {
  await using place = await makeDashboard('<!doctype html><title>hello</title>')
  let builds = 0
  const find = () => findDashboard(() => builds++, place.root)
  assert.equal((await find()).state, 'built')
  assert.equal((await find()).state, 'built')
  assert.equal(builds, 1)
  assert.match(await readFile(join(place.root, 'dist', 'index.html'), 'utf8'), /hello/)
})

test('a build that fails leaves nothing behind, and the server goes on without pages', async () => {
  await using place = await makeDashboard('<script type="module" src="./missing.ts"></script>')
  const found = await findDashboard(() => undefined, place.root)
  assert.equal(found.state, 'missing')
  assert.deepEqual(await readdir(place.root), ['index.html', 'vite.config.ts'])
})
