import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, suite, type TestContext, test } from 'node:test'
import { ListObjectsV2Command, PutObjectCommand, S3Client } from '@aws-sdk/client-s3'
import { listed, testArtifactStore, textOf } from '../conformance.ts'
import { openArtifacts } from '../index.ts'
import { findS3Server, openS3Server, type S3Server } from '../testing/s3-server.ts'
import { S3Artifacts } from './s3-artifacts.ts'
import { parseS3Url } from './s3-location.ts'

const MIB = 1024 * 1024
const BUCKET = 'headrace-test'

let server: S3Server
let client: S3Client
const environment = { ...process.env }
const found = findS3Server()
// On CI a skipped test is a failure.
const skip = 'missing' in found ? found.missing : false
before(async () => {
  if (skip) return
  server = await openS3Server([BUCKET])
  Object.assign(process.env, server.env)
  client = new S3Client({ region: 'us-east-1', endpoint: server.endpoint, forcePathStyle: true })
})
after(async () => {
  if (skip) return
  client.destroy()
  await server[Symbol.asyncDispose]()
  process.env = environment
})

let prefixes = 0
async function fresh(t: TestContext, options: { readonly pageSize?: number } = {}) {
  const prefix = `test-${++prefixes}/`
  const spoolDir = await mkdtemp(join(tmpdir(), 'headrace-spool-'))
  t.after(() => rm(spoolDir, { recursive: true, force: true }))
  const artifacts = new S3Artifacts(parseS3Url(`s3://${BUCKET}/${prefix}?endpoint=${server.endpoint}`, {}), {
    spoolDir,
    ...options,
  })
  await artifacts.prepare()
  return { artifacts, prefix, spoolDir }
}

function keyOf(prefix: string, hex: string): string {
  return `${prefix}${hex.slice(0, 2)}/${hex.slice(2, 4)}/${hex}`
}

async function keysUnder(prefix: string): Promise<readonly string[]> {
  const { Contents = [] } = await client.send(new ListObjectsV2Command({ Bucket: BUCKET, Prefix: prefix }))
  return Contents.map(({ Key = '' }) => Key.slice(prefix.length))
}

testArtifactStore(
  'artifacts in an S3 bucket',
  async (t) => {
    const { artifacts, prefix, spoolDir } = await fresh(t)
    return {
      artifacts,
      async damage(id, content) {
        const body = typeof content === 'string' ? Buffer.from(content) : content
        await client.send(new PutObjectCommand({ Bucket: BUCKET, Key: keyOf(prefix, id.slice(7)), Body: body }))
      },
      setAside: () => keysUnder(`${prefix}quarantine/`),
      leftovers: () => readdir(spoolDir),
    }
  },
  { skip },
)

suite('what is particular to S3', { skip }, () => {
  test('a stream larger than memory should hold goes up in parts, comes back byte for byte, and leaves no spool file', async (t) => {
    const { artifacts, prefix, spoolDir } = await fresh(t)
    const hash = createHash('sha256')
    const chunks = async function* () {
      for (let index = 0; index < 20; index++) {
        const chunk = Buffer.alloc(MIB, index)
        hash.update(chunk)
        yield chunk
      }
    }
    const { id, sizeBytes } = await artifacts.put(chunks())
    assert.equal(sizeBytes, 20 * MIB)
    assert.equal(id, `sha256:${hash.digest('hex')}`)
    assert.deepEqual(await keysUnder(prefix), [keyOf('', id.slice(7))])
    let readBytes = 0
    for await (const chunk of await artifacts.read(id)) readBytes += chunk.byteLength
    assert.equal(readBytes, 20 * MIB)
    assert.equal(await textOf(artifacts, id, { start: 19 * MIB, end: 19 * MIB + 2 }), '\x13\x13')
    assert.deepEqual(await readdir(spoolDir), [])
  })

  test('a large source that is aborted while it is read or sent stores nothing', async (t) => {
    const { artifacts, prefix, spoolDir } = await fresh(t)
    const stop = new AbortController()
    const chunks = async function* () {
      for (let index = 0; index < 20; index++) {
        if (index === 15) stop.abort(new Error('cancelled by ada'))
        yield Buffer.alloc(MIB, index)
      }
    }
    await assert.rejects(artifacts.put(chunks(), { signal: stop.signal }), { message: 'cancelled by ada' })
    assert.deepEqual(await keysUnder(prefix), [])
    assert.deepEqual(await readdir(spoolDir), [])
  })

  test('stores under different prefixes of one bucket do not see each other, nor what is no artifact', async (t) => {
    const one = await fresh(t)
    const other = await fresh(t)
    const { id } = await one.artifacts.put('hello')
    await client.send(new PutObjectCommand({ Bucket: BUCKET, Key: `${one.prefix}notes/a/b.txt`, Body: 'mine' }))
    assert.deepEqual(
      (await listed(one.artifacts)).map((artifact) => artifact.id),
      [id],
    )
    assert.equal(await other.artifacts.has(id), false)
    assert.deepEqual(await listed(other.artifacts), [])
  })

  test('a list goes on over more than one page', async (t) => {
    const { artifacts } = await fresh(t, { pageSize: 2 })
    const put = await Promise.all(['a', 'b', 'c', 'd', 'e'].map((text) => artifacts.put(text)))
    const ids = (await listed(artifacts)).map((artifact) => artifact.id)
    assert.deepEqual(ids.sort(), put.map((artifact) => artifact.id).sort())
  })
})

suite('what goes wrong with S3 is said when it is opened', { skip }, () => {
  test('a bucket that is not there', async () => {
    await assert.rejects(openArtifacts(`s3://nobody?endpoint=${server.endpoint}`), {
      code: 'artifact_bucket_missing',
      message: /no bucket nobody at http:\/\/127\.0\.0\.1:\d+/,
    })
  })

  test('credentials that are wrong', async (t) => {
    await using strict = await openS3Server([BUCKET], { isStrict: true })
    Object.assign(process.env, strict.env)
    t.after(() => Object.assign(process.env, server.env))
    const { id } = await (await openArtifacts(`s3://${BUCKET}?endpoint=${strict.endpoint}`)).put('hello')
    assert.match(id, /^sha256:/)
    process.env.AWS_SECRET_ACCESS_KEY = 'wrong'
    await assert.rejects(openArtifacts(`s3://${BUCKET}?endpoint=${strict.endpoint}`), {
      code: 'artifact_credentials_refused',
      message: /SignatureDoesNotMatch.*AWS_ACCESS_KEY_ID/,
    })
  })

  test('no credentials at all', async (t) => {
    for (const name of Object.keys(server.env)) delete process.env[name]
    Object.assign(process.env, { AWS_EC2_METADATA_DISABLED: 'true', HOME: '/nonexistent' })
    t.after(() => Object.assign(process.env, server.env, { HOME: environment.HOME }))
    await assert.rejects(openArtifacts(`s3://${BUCKET}?endpoint=${server.endpoint}`), {
      code: 'artifact_credentials_refused',
    })
  })

  test('an endpoint where nobody answers, and one that went away', async (t) => {
    await using gone = await openS3Server([BUCKET])
    Object.assign(process.env, gone.env)
    t.after(() => Object.assign(process.env, server.env))
    const artifacts = await openArtifacts(`s3://${BUCKET}?endpoint=${gone.endpoint}`)
    const { id } = await artifacts.put('hello')
    await gone.stop()
    const unavailable = { code: 'artifact_store_unavailable', message: /does not answer: ECONN/ }
    await assert.rejects(openArtifacts(`s3://${BUCKET}?endpoint=${gone.endpoint}`), unavailable)
    await assert.rejects(artifacts.put('hello, too'), unavailable)
    await assert.rejects(artifacts.read(id), unavailable)
    await assert.rejects(artifacts.stat(id), unavailable)
    await assert.rejects(listed(artifacts), unavailable)
  })

  test('a delete that nobody answers is given up in its time, so that nothing is deleted long after', async (t) => {
    const silent = createServer().listen(0, '127.0.0.1')
    t.after(() => silent.close())
    await once(silent, 'listening')
    const { port } = silent.address() as AddressInfo
    const location = parseS3Url(`s3://${BUCKET}?endpoint=http://127.0.0.1:${port}`, {})
    const artifacts = new S3Artifacts(location, { deleteTimeoutMs: 200 })
    await assert.rejects(artifacts.delete(`sha256:${'0'.repeat(64)}`), { code: 'artifact_store_unavailable' })
  })
})

suite('the URL of an artifact store', () => {
  test('an S3 URL says bucket, prefix, endpoint, region and style, and takes the rest from the environment', () => {
    assert.deepEqual(parseS3Url('s3://models', {}), {
      bucket: 'models',
      prefix: '',
      region: 'us-east-1',
      isPathStyle: false,
    })
    const url = 's3://models/a/b/?endpoint=http://10.0.0.1:9000&region=eu-central-1&path-style=false'
    assert.deepEqual(parseS3Url(url, { AWS_REGION: 'x' }), {
      bucket: 'models',
      prefix: 'a/b/',
      region: 'eu-central-1',
      isPathStyle: false,
      endpoint: 'http://10.0.0.1:9000',
    })
    const { endpoint, isPathStyle, region } = parseS3Url('s3://models', {
      AWS_ENDPOINT_URL_S3: 'http://minio:9000',
      AWS_REGION: 'here',
    })
    assert.deepEqual([endpoint, isPathStyle, region], ['http://minio:9000', true, 'here'])
  })

  test('a URL that cannot be meant is refused with what is wrong, and a password in it is not repeated', async () => {
    for (const [url, why] of [
      ['s3://', /no bucket/],
      ['s3://A_b', /no bucket/],
      ['s3://models?endpont=http://a', /option endpont; there are endpoint, region, path-style/],
      ['s3://models?endpoint=minio:9000', /no http/],
      ['s3://models?path-style=yes', /true or false/],
      ['s3://key:secret@models', /credentials do not belong/],
      ['gs://models', /scheme is not known/],
    ] as const) {
      await assert.rejects(openArtifacts(url, {}), (error: Error & { code?: string }) => {
        assert.equal(error.code, 'artifacts_url_invalid')
        assert.match(error.message, why)
        assert.doesNotMatch(error.message, /secret/)
        return true
      })
    }
  })

  test('a folder is named by its path or a file URL', async (t) => {
    const dir = await mkdtemp(join(tmpdir(), 'headrace-artifacts-'))
    t.after(() => rm(dir, { recursive: true, force: true }))
    const { id } = await (await openArtifacts(dir)).put('hello')
    assert.equal(await (await openArtifacts(`file://${dir}`)).has(id), true)
  })
})
