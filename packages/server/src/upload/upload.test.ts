import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, rmSync, utimesSync } from 'node:fs'
import { readdir, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { suite, type TestContext, test } from 'node:test'
import { openLocalArtifacts } from '@headrace/artifacts'
import { task } from '@headrace/engine'
import type { InjectOptions } from 'fastify'
import { z } from 'zod'
import { openTestServer, type TestServer } from '../testing/test-server.ts'
import { runUploadCampaign, uploadFile } from '../testing/upload-campaign.ts'

const TUS = { 'tus-resumable': '1.0.0' }
const CHUNK = { ...TUS, 'content-type': 'application/offset+octet-stream' }
const HELLO = 'sha256:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824'
const EMPTY = 'sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'
const MIB = 1024 * 1024

type As = { readonly authorization: string }

/** Begins an upload of so many bytes, and gives its path. */
async function begin(here: TestServer, sizeBytes: number, headers: InjectOptions['headers'] = {}): Promise<string> {
  const response = await here.send({
    method: 'POST',
    url: '/uploads/',
    headers: { ...TUS, 'upload-length': String(sizeBytes), ...headers },
  })
  assert.equal(response.statusCode, 201, response.body)
  return new URL(String(response.headers.location)).pathname
}

function patch(
  here: TestServer,
  url: string,
  body: string | Buffer,
  offset = 0,
  headers: InjectOptions['headers'] = {},
) {
  return here.send({
    method: 'PATCH',
    url,
    payload: body,
    headers: { ...CHUNK, 'upload-offset': String(offset), ...headers },
  })
}

async function offsetOf(here: TestServer, url: string): Promise<number> {
  const response = await here.send({ method: 'HEAD', url, headers: TUS })
  assert.equal(response.statusCode, 200)
  return Number(response.headers['upload-offset'])
}

function assertProblem(response: Awaited<ReturnType<TestServer['send']>>, status: number, code: string): void {
  assert.equal(response.statusCode, status, response.body)
  assert.equal(response.json().code, code)
}

suite('a resumable upload', () => {
  test('a file sent by tus-js-client becomes an artifact whose id the client learns and a job takes', async (t) => {
    const measure = task({
      name: 'measure',
      public: true,
      input: z.object({ artifact: z.string() }),
      run: async ({ artifact }: { artifact: string }) =>
        (await here.engine.artifacts?.readBytes(artifact))?.byteLength ?? 0,
    })
    await using here = await openTestServer({ tasks: [measure] })
    const url = await here.server.listen({ port: 0 })
    const dir = mkdtempSync(join(tmpdir(), 'headrace-file-'))
    t.after(() => rmSync(dir, { recursive: true, force: true }))
    await writeFile(join(dir, 'a.txt'), 'hello')
    const artifact = await uploadFile(join(dir, 'a.txt'), { url, ...(await here.authorize()) })
    assert.equal(artifact, HELLO)
    assert.equal(await here.engine.result(await here.start('measure', { artifact })), 5)
  })

  test('files whose connection is cut in mid-flight arrive byte for byte, each going on where it stopped', async () => {
    const campaign = { totalBytes: 3 * 32 * MIB, fileBytes: 32 * MIB, seed: 7 }
    const { files, identicalFiles, cuts, resentBytes, rssGrownBytes } = await runUploadCampaign(campaign)
    assert.equal(identicalFiles, files)
    assert.ok(cuts >= 6, `${cuts} cuts`)
    // What lay in the buffers of a connection that was cut, not the file from its start.
    assert.ok(resentBytes < cuts * 8 * MIB, `${resentBytes} bytes were sent again after ${cuts} cuts`)
    assert.ok(rssGrownBytes < 64 * MIB, `the server grew by ${rssGrownBytes} bytes`)
  })

  test('begins, goes on at its offset, and tells everything about itself', async () => {
    await using here = await openTestServer({ withWorker: false })
    const metadata = `filename ${Buffer.from('größe.txt').toString('base64')},filetype ${Buffer.from('text/plain').toString('base64')}`
    const url = await begin(here, 5, { 'upload-metadata': metadata })
    const first = await patch(here, url, 'he')
    assert.equal(first.statusCode, 204)
    assert.equal(first.headers['upload-offset'], '2')
    assert.match(String(first.headers['upload-expires']), /GMT$/)
    assert.equal(await offsetOf(here, url), 2)
    const half = (await here.send({ url })).json()
    assert.deepEqual([half.name, half.mediaType, half.sizeBytes, half.receivedBytes], ['größe.txt', 'text/plain', 5, 2])
    assert.ok(!('artifact' in half))
    const last = await patch(here, url, 'llo', 2)
    assert.equal(last.statusCode, 204)
    assert.equal(last.headers['headrace-artifact'], HELLO)
    const head = await here.send({ method: 'HEAD', url, headers: TUS })
    assert.equal(head.headers['headrace-artifact'], HELLO)
    assert.equal(head.headers['upload-offset'], '5')
    assert.equal(head.headers['upload-metadata'], metadata)
    const whole = (await here.send({ url })).json()
    assert.deepEqual([whole.artifact, whole.receivedBytes], [HELLO, 5])
    assert.deepEqual(await readdir(join(here.dir, 'uploads')), [], 'its bytes lie among the artifacts alone')
    const again = await patch(here, url, '', 5)
    assert.equal(again.headers['headrace-artifact'], HELLO)
  })

  test('of no bytes at all, with its bytes in the first request, or of a length told later', async () => {
    await using here = await openTestServer({ withWorker: false })
    assert.equal((await here.send({ url: await begin(here, 0) })).json().artifact, EMPTY)
    const atOnce = await here.send({
      method: 'POST',
      url: '/uploads',
      headers: { ...CHUNK, 'upload-length': '5' },
      payload: 'hello',
    })
    assert.equal(atOnce.statusCode, 201)
    assert.equal(atOnce.headers['headrace-artifact'], HELLO)
    const later = await here.send({ method: 'POST', url: '/uploads', headers: { ...TUS, 'upload-defer-length': '1' } })
    const url = new URL(String(later.headers.location)).pathname
    await patch(here, url, 'hel')
    const head = await here.send({ method: 'HEAD', url, headers: TUS })
    assert.equal(head.headers['upload-defer-length'], '1')
    const end = await patch(here, url, 'lo', 3, { 'upload-length': '5' })
    assert.equal(end.headers['headrace-artifact'], HELLO)
  })

  test('OPTIONS tells the version, the extensions, the size limit and the checksums', async () => {
    await using here = await openTestServer({ withWorker: false })
    const { headers, statusCode } = await here.send({ method: 'OPTIONS', url: '/uploads/' })
    assert.equal(statusCode, 204)
    assert.equal(headers['tus-version'], '1.0.0')
    assert.match(String(headers['tus-extension']), /creation,.*expiration,termination,checksum/)
    assert.equal(headers['tus-max-size'], String(16 * 2 ** 30))
    assert.equal(headers['tus-checksum-algorithm'], 'sha256,sha1,md5')
    assert.ok(!('access-control-allow-origin' in headers), 'no other site may ask')
  })

  test('a client that lost its connection resumes while the server still holds the old one open', async () => {
    await using here = await openTestServer({ withWorker: false })
    const { port } = new URL(await here.server.listen({ port: 0 }))
    const url = await begin(here, 5)
    const { authorization } = await here.authorize()
    const stale = connect(Number(port), '127.0.0.1')
    stale.on('error', () => undefined)
    const head = { host: '127.0.0.1', authorization, ...CHUNK, 'upload-offset': '0', 'content-length': '5' }
    const lines = Object.entries(head).map(([name, value]) => `${name}: ${value}\r\n`)
    stale.write(`PATCH ${url} HTTP/1.1\r\n${lines.join('')}\r\nhe`)
    const [file = ''] = await readdir(join(here.dir, 'uploads'))
    await untilSize(join(here.dir, 'uploads', file), 2)
    assert.equal(await offsetOf(here, url), 2)
    assert.equal((await patch(here, url, 'llo', 2)).headers['headrace-artifact'], HELLO)
    stale.destroy()
  })

  test('a server that closes cuts an upload off rather than wait for it, and keeps what arrived', async (t) => {
    const here = await openTestServer({ withWorker: false })
    t.after(() => here[Symbol.asyncDispose]())
    const { port } = new URL(await here.server.listen({ port: 0 }))
    const url = await begin(here, 5)
    const { authorization } = await here.authorize()
    const client = connect(Number(port), '127.0.0.1')
    client.on('error', () => undefined)
    const closed = once(client, 'close')
    const head = { host: '127.0.0.1', authorization, ...CHUNK, 'upload-offset': '0', 'content-length': '5' }
    const lines = Object.entries(head).map(([name, value]) => `${name}: ${value}\r\n`)
    client.write(`PATCH ${url} HTTP/1.1\r\n${lines.join('')}\r\nhe`)
    client.resume()
    const [file = ''] = readdirSync(join(here.dir, 'uploads'))
    await untilSize(join(here.dir, 'uploads', file), 2)
    const closing = here.server.close()
    client.end()
    await Promise.all([closing, closed])
    assert.deepEqual(readdirSync(join(here.dir, 'uploads')), [file])
  })
})

suite('whose upload it is', () => {
  test('another owner’s upload is 404 for every method, and a reader of all may look but not touch', async () => {
    await using here = await openTestServer({ withWorker: false })
    const url = await begin(here, 5)
    const bob = await here.authorize('bob')
    const as = async (who: As, method: InjectOptions['method']) => {
      const headers = { ...CHUNK, 'upload-offset': '0' }
      const payload = method === 'PATCH' ? { payload: 'hello' } : {}
      return (await here.send({ as: who, method: method ?? 'GET', url, headers, ...payload })).statusCode
    }
    for (const method of ['GET', 'HEAD', 'PATCH', 'DELETE'] as const) assert.equal(await as(bob, method), 404, method)
    const unknown = await here.send({ url: '/uploads/3c5a1c55-0000-4000-8000-000000000000' })
    assertProblem(unknown, 404, 'upload_unknown')
    const auditor = await here.authorize('carol', ['submit', 'read-all'])
    assert.equal(await as(auditor, 'GET'), 200)
    assert.equal(await as(auditor, 'HEAD'), 200)
    assert.equal(await as(auditor, 'PATCH'), 404)
    assert.equal(await as(auditor, 'DELETE'), 404)
    const reader = await here.authorize('ada', ['read-own'])
    assert.equal(await as(reader, 'GET'), 200)
    assert.equal(await as(reader, 'PATCH'), 403)
    assert.equal(await offsetOf(here, url), 0)
  })
})

suite('what is refused', () => {
  test('more bytes than allowed, at the announcement or beyond it', async () => {
    await using here = await openTestServer({ withWorker: false, uploadOptions: { sizeBytesMax: 10 } })
    const announced = await here.send({ method: 'POST', url: '/uploads', headers: { ...TUS, 'upload-length': '11' } })
    assertProblem(announced, 413, 'upload_too_large')
    assert.match(announced.json().detail, /10 bytes/)
    const url = await begin(here, 5)
    assertProblem(await patch(here, url, 'hello!'), 413, 'upload_too_large')
    const unbounded = Readable.from([Buffer.from('hello'), Buffer.from('!')])
    const headers = { ...CHUNK, 'upload-offset': '0', 'transfer-encoding': 'chunked' }
    const chunked = await here.send({ method: 'PATCH', url, headers, payload: unbounded })
    assertProblem(chunked, 413, 'upload_too_large')
    assert.ok((await offsetOf(here, url)) <= 5)
    for (const payload of ['hello world', Readable.from([Buffer.from('hello'), Buffer.from(' world')])]) {
      assertProblem(await here.send({ method: 'PUT', url: '/uploads/a.txt', payload }), 413, 'upload_too_large')
    }
  })

  test('an offset that is not what has arrived, a missing version, length or offset', async () => {
    await using here = await openTestServer({ withWorker: false })
    const url = await begin(here, 5)
    assertProblem(await patch(here, url, 'llo', 2), 409, 'upload_offset_conflict')
    const old = await here.send({ method: 'POST', url: '/uploads', headers: { 'upload-length': '5' } })
    assertProblem(old, 412, 'request_invalid')
    assert.equal(old.headers['tus-version'], '1.0.0')
    assertProblem(await here.send({ method: 'POST', url: '/uploads', headers: TUS }), 400, 'request_invalid')
    for (const length of ['-1', 'five', '1.5', '1e3']) {
      const headers = { ...TUS, 'upload-length': length }
      assertProblem(await here.send({ method: 'POST', url: '/uploads', headers }), 400, 'request_invalid')
    }
    const noOffset = await here.send({ method: 'PATCH', url, headers: CHUNK, payload: 'hello' })
    assertProblem(noOffset, 403, 'request_invalid')
  })

  test('bytes that do not have the checksum they came with are dropped, and those that have it are kept', async () => {
    await using here = await openTestServer({ withWorker: false })
    const url = await begin(here, 5)
    const sum = (text: string, algorithm = 'sha1') => ({
      'upload-checksum': `${algorithm} ${createHash(algorithm).update(text).digest('base64')}`,
    })
    assertProblem(await patch(here, url, 'he', 0, sum('ho')), 460, 'upload_checksum_mismatch')
    assert.equal(await offsetOf(here, url), 0)
    assert.equal((await patch(here, url, 'he', 0, sum('he'))).statusCode, 204)
    assert.equal((await patch(here, url, 'llo', 2, sum('llo', 'sha256'))).headers['headrace-artifact'], HELLO)
    const unknown = await patch(here, await begin(here, 5), 'hello', 0, { 'upload-checksum': 'crc32 AAAA' })
    assertProblem(unknown, 400, 'request_invalid')
  })

  test('what was ended by its client, or has stood still for too long', async () => {
    await using here = await openTestServer({ withWorker: false, uploadOptions: { expireMs: 60_000 } })
    const ended = await begin(here, 5)
    assert.equal((await here.send({ method: 'DELETE', url: ended, headers: TUS })).statusCode, 204)
    assertProblem(await patch(here, ended, 'hello'), 404, 'upload_unknown')
    assert.deepEqual(await readdir(join(here.dir, 'uploads')), [])

    const forgotten = await begin(here, 5)
    const anHourAgo = Date.now() / 1000 - 3_600
    utimesSync(join(here.dir, 'uploads', forgotten.slice('/uploads/'.length)), anHourAgo, anHourAgo)
    assertProblem(await patch(here, forgotten, 'hello'), 410, 'upload_expired')
    assert.equal((await here.send({ method: 'HEAD', url: forgotten, headers: TUS })).statusCode, 410)
  })
})

suite('a disk that fills up', () => {
  test('an upload for which there is no room is refused before its first byte', async () => {
    await using here = await openTestServer({ withWorker: false, uploadOptions: { sizeBytesMax: 2 ** 60 } })
    const headers = { ...TUS, 'upload-length': String(2 ** 59) }
    assertProblem(await here.send({ method: 'POST', url: '/uploads', headers }), 507, 'upload_disk_full')
  })

  test('a disk that is full in the middle is told as such, and what arrived is kept to be resumed', async (t) => {
    const dir = mountTiny(t)
    if (!dir) return t.skip('mounting a tmpfs needs root')
    await using here = await openTestServer({ withWorker: false, uploadOptions: { dir } })
    const url = await begin(here, MIB - 8192)
    await writeFile(join(dir, 'in-the-way'), Buffer.alloc(MIB / 2))
    const content = Buffer.alloc(MIB - 8192, 7)
    assertProblem(await patch(here, url, content), 507, 'upload_disk_full')
    rmSync(join(dir, 'in-the-way'))
    const offset = await offsetOf(here, url)
    const end = await patch(here, url, content.subarray(offset), offset)
    assert.equal(end.headers['headrace-artifact'], `sha256:${createHash('sha256').update(content).digest('hex')}`)
  })

  test('artifacts that cannot be stored leave the upload whole, and the next look at it stores them', async (t) => {
    const dir = mkdtempSync(join(tmpdir(), 'headrace-full-'))
    t.after(() => rmSync(dir, { recursive: true, force: true }))
    const artifacts = await openLocalArtifacts(dir)
    let refusal: Error | undefined = Object.assign(new Error('full'), { code: 'artifact_store_full' })
    const put: typeof artifacts.put = async (content, options) => {
      if (refusal) throw refusal
      return artifacts.put(content, options)
    }
    const storage = { put, read: artifacts.read.bind(artifacts) as (id: string) => Promise<Readable> }
    await using here = await openTestServer({ withWorker: false, artifacts: storage })
    const url = await begin(here, 5)
    assertProblem(await patch(here, url, 'hello'), 507, 'upload_disk_full')
    refusal = new Error('unplugged')
    assertProblem(await here.send({ url }), 500, 'internal')
    refusal = undefined
    assert.equal((await here.send({ method: 'HEAD', url, headers: TUS })).headers['headrace-artifact'], HELLO)
  })
})

suite('PUT /uploads/{name}', () => {
  test('stores the body, of whatever type, and names its artifact', async () => {
    await using here = await openTestServer({ withWorker: false })
    const put = await here.send({
      method: 'PUT',
      url: '/uploads/a%20b.json',
      headers: { 'content-type': 'application/json' },
      payload: 'hello',
    })
    assert.equal(put.statusCode, 201)
    assert.deepEqual(put.json(), { name: 'a b.json', artifact: HELLO, sizeBytes: 5 })
    assert.equal(put.headers['headrace-artifact'], HELLO)
  })

  test('a body that breaks off stores nothing', async () => {
    await using here = await openTestServer({ withWorker: false })
    const { port } = new URL(await here.server.listen({ port: 0 }))
    const { authorization } = await here.authorize()
    const client = connect(Number(port), '127.0.0.1')
    client.on('error', () => undefined)
    client.write(
      `PUT /uploads/a HTTP/1.1\r\nhost: a\r\nauthorization: ${authorization}\r\ncontent-length: 9\r\n\r\nhello`,
    )
    client.resume().end()
    await once(client, 'close')
    await here.server.close()
    const artifacts = await openLocalArtifacts(join(here.dir, 'artifacts'))
    assert.deepEqual(await Array.fromAsync(artifacts.list()), [])
  })
})

/** A file is watched by its directory's events, not by looking again and again. */
async function untilSize(path: string, sizeBytes: number): Promise<void> {
  const { watch } = await import('node:fs/promises')
  const { statSync } = await import('node:fs')
  const stop = AbortSignal.timeout(10_000)
  const changes = watch(path, { signal: stop })
  if (statSync(path).size >= sizeBytes) return
  for await (const _ of changes) if (statSync(path).size >= sizeBytes) return
}

/** A file system of 1 MiB, gone after the test; undefined where none can be mounted, which on CI is a failure. */
function mountTiny(t: TestContext): string | undefined {
  const dir = mkdtempSync(join(tmpdir(), 'headrace-tiny-'))
  let isMounted = false
  t.after(() => {
    if (isMounted) run('umount', '--lazy', dir)
    rmSync(dir, { recursive: true, force: true })
  })
  const sudo = process.getuid?.() === 0 ? [] : ['sudo', '-n']
  const run = (...command: string[]) => {
    const [program = '', ...parameters] = [...sudo, ...command]
    execFileSync(program, parameters, { stdio: 'ignore' })
  }
  try {
    run('mount', '-t', 'tmpfs', '-o', 'size=1m,mode=777', 'tmpfs', dir)
    isMounted = true
  } catch (error) {
    if (process.env.CI) throw error
    return undefined
  }
  return dir
}
