import assert from 'node:assert/strict'
import { readdir, rm, utimes } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { type ArtifactStore, openArtifacts, parseArtifactId } from '@headrace/artifacts'
import { findS3Server, openS3Server } from '@headrace/artifacts/testing'
import { openSqliteStore } from '@headrace/store-sqlite'
import { readLocalServer } from './connection/local-server.ts'
import { storePath } from './data-folder.ts'
import { makePlace, type Place, type Served, serve } from './testing/headrace.ts'

const found = findS3Server()
const skip = 'missing' in found ? found.missing : false

async function upload(place: Place, server: Served, content: string): Promise<string> {
  const key = (await readLocalServer(dataOf(place)))?.key
  const response = await fetch(`${server.url}/uploads/page.txt`, {
    method: 'PUT',
    headers: { authorization: `Bearer ${key}` },
    body: content,
  })
  assert.equal(response.status, 201)
  return ((await response.json()) as { readonly artifact: string }).artifact
}

/** An ended job whose input names it. */
async function nameInJob(place: Place, artifact: string): Promise<void> {
  const submitted = await place.run(['submit', 'echo', `message=${artifact}`, '--wait'])
  assert.equal(submitted.code, 0, submitted.stderr)
}

async function prune(place: Place, ...args: readonly string[]) {
  const { stdout, stderr, code } = await place.run(['prune', '--json', ...args])
  assert.equal(code, 0, stderr)
  return JSON.parse(stdout)
}

function dataOf(place: Place): string {
  return join(place.dir, '.headrace')
}

/** As if everything had been noted an hour ago. */
async function ageNotes(place: Place): Promise<void> {
  await using store = await openSqliteStore(storePath(dataOf(place)))
  for (const { key, value } of await store.settings.list('artifact-notes'))
    await store.settings.put('artifact-notes', key, Number(value) - 3_600_000)
}

async function has(artifacts: ArtifactStore, ...ids: readonly string[]): Promise<readonly boolean[]> {
  return Promise.all(ids.map((id) => artifacts.has(parseArtifactId(id))))
}

async function setKeep(place: Place, time: string): Promise<void> {
  const set = await place.run(['retention', '--keep-artifacts', time])
  assert.match(set.stdout, new RegExp(`^artifacts that nothing names: ${time}$`, 'm'), set.stderr)
}

test('prune says what of the artifacts would go, and removes it; what a job names stays', async () => {
  await using place = await makePlace()
  await using server = await serve(place)
  await setKeep(place, '1m')
  assert.match(
    (await place.run(['retention', '--keep-artifacts', 'long'])).stderr,
    /artifacts is long; it must be a time/,
  )
  const [lost, kept] = [await upload(place, server, 'x'.repeat(1_500_000)), await upload(place, server, 'kept')]
  await nameInJob(place, kept)
  const artifacts = await openArtifacts(join(dataOf(place), 'artifacts'))
  const hex = lost.slice('sha256:'.length)
  const path = join(dataOf(place), 'artifacts', hex.slice(0, 2), hex.slice(2, 4), hex)
  await utimes(path, 0, 0)
  const first = await place.run(['prune'])
  assert.match(
    first.stdout,
    /^0 artifacts \(0\.0 MB\) removed\.\n1 artifact \(1\.5 MB\) more: named by nothing, and not for long enough\.$/m,
  )
  await ageNotes(place)
  assert.match((await place.run(['prune', '--dry-run'])).stdout, /^1 artifact \(1\.5 MB\) would be removed\.$/m)
  assert.deepEqual(await has(artifacts, lost, kept), [true, true])
  assert.deepEqual((await prune(place)).artifacts.removed, { artifacts: 1, bytes: 1_500_000 })
  assert.deepEqual(await has(artifacts, lost, kept), [false, true])
})

test('in a bucket, too, only what nothing names goes, and what is put again is there', { skip }, async () => {
  await using s3 = await openS3Server(['headrace'])
  const url = `s3://headrace/a?endpoint=${s3.endpoint}`
  await using place = await makePlace({ ...s3.env, HEADRACE_ARTIFACTS: url })
  await using server = await serve(place)
  await setKeep(place, '0s')
  const [lost, again, kept] = [
    await upload(place, server, 'lost'),
    await upload(place, server, 'again'),
    await upload(place, server, 'kept'),
  ]
  await nameInJob(place, kept)
  assert.equal((await prune(place)).artifacts.unnamed.artifacts, 2)
  await ageNotes(place)
  assert.equal(await upload(place, server, 'again'), again)
  assert.deepEqual((await prune(place)).artifacts.removed, { artifacts: 1, bytes: 4 })
  Object.assign(process.env, s3.env)
  assert.deepEqual(await has(await openArtifacts(url), lost, again, kept), [false, true, true])
})

test('retention shows the last pass that a worker made over the artifacts', async () => {
  await using place = await makePlace()
  await using _ = await serve(place)
  await using store = await openSqliteStore(storePath(dataOf(place)))
  const amount = { artifacts: 2, bytes: 2_500_000 }
  const progress = { names: 70, artifacts: 9 }
  const pass = { startedAt: 0, at: Date.now(), by: 'ada', progress, removed: amount, unnamed: amount }
  await store.settings.put('headrace', 'artifact-pass', pass)
  const shown = async () => (await place.run(['retention'])).stdout
  assert.match(
    await shown(),
    /^last pass over the artifacts: 1970-\S+, 70 names read, 9 artifacts looked at so far\n2 artifacts \(2\.5 MB\) removed so far\.$/m,
  )
  await store.settings.put('headrace', 'artifact-pass', { ...pass, endedAt: 1 })
  assert.match(await shown(), /^last pass over the artifacts: 1970-\S+\n2 artifacts \(2\.5 MB\) removed\.$/m)
})

test('two stores over one folder of artifacts remove none of them, and say so with what to do', async () => {
  await using shared = await makePlace()
  const environment = { HEADRACE_ARTIFACTS: join(shared.dir, 'artifacts') }
  await using place = await makePlace(environment)
  await using other = await makePlace(environment)
  await using server = await serve(place)
  await using _ = await serve(other)
  await setKeep(place, '0s')
  const lost = await upload(place, server, 'lost')
  const { stdout } = await place.run(['prune'])
  assert.match(stdout, /No artifact removed: other stores use the same place, .*\(users\/([0-9a-f]{32})\)/)
  assert.match(stdout, /where that store is no more, remove its file there/)
  const [, user = ''] = /users\/([0-9a-f]{32})/.exec(stdout) ?? []
  const users = join(environment.HEADRACE_ARTIFACTS, 'users')
  assert.equal((await readdir(users)).length, 2)
  await rm(join(users, user))
  assert.equal((await prune(place)).artifacts.unnamed.artifacts, 1)
  await ageNotes(place)
  assert.equal((await prune(place)).artifacts.removed.artifacts, 1)
  assert.deepEqual(await has(await openArtifacts(environment.HEADRACE_ARTIFACTS), lost), [false])
})

test('a server that is killed between the noting and the removal leaves notes that the next one goes by', async () => {
  await using place = await makePlace()
  const killed = await serve(place)
  await setKeep(place, '0s')
  const [lost, again, named] = [
    await upload(place, killed, 'lost'),
    await upload(place, killed, 'again'),
    await upload(place, killed, 'named'),
  ]
  assert.equal((await prune(place)).artifacts.unnamed.artifacts, 3)
  killed.command.kill('SIGKILL')
  await killed.command.ended
  await ageNotes(place)
  await using next = await serve(place)
  assert.equal(await upload(place, next, 'again'), again)
  await nameInJob(place, named)
  assert.deepEqual((await prune(place)).artifacts.removed, { artifacts: 1, bytes: 4 })
  const artifacts = await openArtifacts(join(dataOf(place), 'artifacts'))
  assert.deepEqual(await has(artifacts, lost, again, named), [false, true, true])
})
