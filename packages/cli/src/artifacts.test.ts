import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openArtifacts, parseArtifactId } from '@headrace/artifacts'
import { findS3Server, openS3Server } from '@headrace/artifacts/testing'
import { readLocalServer } from './connection/local-server.ts'
import { makePlace, serve } from './testing/headrace.ts'

const found = findS3Server()
const skip = 'missing' in found ? found.missing : false

test('serve keeps artifacts in the bucket that it is given, by option or environment', { skip }, async () => {
  await using s3 = await openS3Server(['headrace'])
  await using place = await makePlace({ ...s3.env, HEADRACE_ARTIFACTS: `s3://headrace/a?endpoint=${s3.endpoint}` })
  await using server = await serve(place)
  const key = (await readLocalServer(`${place.dir}/.headrace`))?.key
  const put = await fetch(`${server.url}/uploads/hello.txt`, {
    method: 'PUT',
    headers: { authorization: `Bearer ${key}` },
    body: 'hello',
  })
  assert.equal(put.status, 201)
  const { artifact } = (await put.json()) as { artifact: string }
  Object.assign(process.env, s3.env)
  const bucket = await openArtifacts(`s3://headrace/a?endpoint=${s3.endpoint}`)
  assert.equal(Buffer.from(await bucket.readBytes(parseArtifactId(artifact))).toString(), 'hello')
  const doctor = JSON.parse((await place.run(['doctor', '--json'])).stdout)
  assert.equal(doctor.findings.find(({ check }: { check: string }) => check === 'Artifacts').outcome, 'ok')
})

test('a bucket that is not there, or an unknown kind of place, ends the command with what to do', {
  skip,
}, async () => {
  await using s3 = await openS3Server([])
  await using place = await makePlace(s3.env)
  const missing = await place.run(['serve', '--artifacts', `s3://nobody?endpoint=${s3.endpoint}`])
  assert.equal(missing.code, 2)
  assert.match(missing.stderr, /no bucket nobody .*Make it there first/)
  const unknown = await place.run(['serve', '--artifacts', 'gs://models'])
  assert.equal(unknown.code, 2)
  assert.match(unknown.stderr, /Give a folder, or s3:/)
})
