import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { ManualClock } from '@headrace/engine/testing'
import { openMemoryStore } from '@headrace/store-memory'
import { type ArtifactId, type ArtifactStore, openArtifacts, type PutOptions, StoreArtifacts } from './index.ts'
import { testCollecting } from './testing/collecting.ts'
import { findS3Server, openS3Server, type S3Server } from './testing/s3-server.ts'

testCollecting('a local folder', async (t) => {
  const dir = await mkdtemp(join(tmpdir(), 'headrace-collecting-'))
  t.after(() => rm(dir, { recursive: true, force: true }))
  return openArtifacts(dir)
})

test('a put that took so long that somebody could remove what it put looks again, and is refused where somebody did', async (t) => {
  const dir = await mkdtemp(join(tmpdir(), 'headrace-collecting-'))
  t.after(() => rm(dir, { recursive: true, force: true }))
  const files = await openArtifacts(dir)
  let now = 0
  t.mock.method(performance, 'now', () => now)
  const put = async (content: string, options: PutOptions) => {
    const stored = await files.put(content, options)
    now += 46_000
    if (content === 'removed') await files.delete(stored.id)
    return stored
  }
  const slow = { put, has: (id: ArtifactId) => files.has(id) } as unknown as ArtifactStore // all that is asked of it here
  await using store = openMemoryStore({ clock: new ManualClock() })
  const artifacts = new StoreArtifacts(slow, store, 'ada')
  await assert.rejects(artifacts.put('removed'), { code: 'artifact_store_unavailable', message: /removed meanwhile/ })
  const { id } = await artifacts.put('slow')
  assert.equal(await artifacts.has(id), true)
})

let server: S3Server
const environment = { ...process.env }
const found = findS3Server()
// On CI a skipped test is a failure.
const skip = 'missing' in found ? found.missing : false
before(async () => {
  if (skip) return
  server = await openS3Server(['headrace-collecting'])
  Object.assign(process.env, server.env)
})
after(async () => {
  if (skip) return
  await server[Symbol.asyncDispose]()
  process.env = environment
})

let prefixes = 0
testCollecting(
  'an S3 bucket',
  () => openArtifacts(`s3://headrace-collecting/test-${++prefixes}?endpoint=${server.endpoint}`),
  { skip, isFar: true },
)
