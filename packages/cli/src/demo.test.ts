import assert from 'node:assert/strict'
import { readdir } from 'node:fs/promises'
import { test } from 'node:test'
import { makePlace, serve } from './testing/headrace.ts'

test('demo without a server starts one for the occasion, shows the land cover, and leaves nothing behind', async () => {
  await using place = await makePlace()
  const { stdout, stderr, code } = await place.run(['demo'])
  assert.equal(code, 0, stderr)
  assert.match(stdout, /^LAND COVER +HECTARES +SHARE/)
  assert.match(stdout, /Deciduous Forest +[\d,]+\.\d +\d+\.\d % +[█▏▎▍▌▋▊▉]+\n/)
  assert.match(stdout, /^[\d,]+\.\d ha in all$/m)
  assert.match(stderr, /synthetic/)
  assert.deepEqual(await readdir(place.dir), [])
})

test('demo asks the server that runs, where other layers are loaded too', async () => {
  await using place = await makePlace()
  await using server = await serve(place)
  const source = '.headrace/sample/sample-land.tif'
  await place.run(['layers', 'add', source, '--name', 'nlcd', '--title', 'As if real'])
  const { stdout, code } = await place.run(['demo', '--json'])
  assert.equal(code, 0)
  const { jobID, result } = JSON.parse(stdout)
  assert.equal(result.survey.categories.length, 16)
  const { stdout: job } = await place.run(['job', jobID, '--url', server.url, '--json'])
  assert.deepEqual(JSON.parse(job).status.tags, ['demo'])
})

test('demo does not go elsewhere when a server was named', async () => {
  await using place = await makePlace()
  const { code } = await place.run(['demo', '--url', 'http://127.0.0.1:1'])
  assert.equal(code, 6)
})
