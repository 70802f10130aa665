import assert from 'node:assert/strict'
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { mkdtemp, open, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { suite, type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { type ArtifactId, ArtifactNotFoundError, type ArtifactStore, openLocalArtifacts } from './index.ts'
import { LocalArtifacts } from './local-artifacts.ts'

const HELLO: ArtifactId = 'sha256:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824'
const EMPTY: ArtifactId = 'sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'
const MIB = 1024 * 1024
const DAY_S = 86_400

suite('what is put can be read', () => {
  test('bytes, text and streams of the same content get the same id, the SHA-256 that sha256sum prints', async (t) => {
    const { artifacts } = await fresh(t)
    const whole = Buffer.from('hello')
    const contents = [whole, 'hello', Readable.from([whole]), new Blob(['hello']).stream(), halves(whole)]
    for (const content of contents) assert.deepEqual(await artifacts.put(content), { id: HELLO, sizeBytes: 5 })
    assert.equal(await text(artifacts, HELLO), 'hello')
    assert.equal(Buffer.from(await artifacts.readBytes(HELLO)).toString(), 'hello')
  })

  test('an empty artifact is an artifact', async (t) => {
    const { artifacts } = await fresh(t)
    assert.deepEqual(await artifacts.put(''), { id: EMPTY, sizeBytes: 0 })
    assert.equal(await text(artifacts, EMPTY), '')
    assert.equal((await artifacts.readBytes(EMPTY)).byteLength, 0)
  })

  test('text from a stream with an encoding is stored as UTF-8', async (t) => {
    const { artifacts } = await fresh(t)
    const { id } = await artifacts.put(Readable.from([Buffer.from('größe')]).setEncoding('utf8'))
    assert.equal(await text(artifacts, id), 'größe')
  })

  test('content of many chunks comes back byte for byte', async (t) => {
    const { artifacts } = await fresh(t)
    const content = Buffer.from(Uint32Array.from({ length: 500_000 }, (_, index) => index).buffer)
    const { id } = await artifacts.put(halves(content))
    assert.ok(content.equals(await buffer(await artifacts.read(id))))
    assert.ok(content.equals(await artifacts.readBytes(id)))
  })

  test('an artifact lies under two levels of folders, in a file named by its hash', async (t) => {
    const { artifacts, dir } = await fresh(t)
    await artifacts.put('hello')
    assert.equal(await readFile(join(dir, '2c', 'f2', HELLO.slice(7)), 'utf8'), 'hello')
  })

  test('putting what is there already is a no-op that makes it look new', async (t) => {
    const { artifacts, dir } = await fresh(t)
    await artifacts.put('hello')
    await utimes(pathOf(dir, HELLO), 0, 0)
    assert.deepEqual(await artifacts.put(halves(Buffer.from('hello'))), { id: HELLO, sizeBytes: 5 })
    const [only, ...others] = await listed(artifacts)
    assert.ok(only && only.modifiedAt.getTime() > 0)
    assert.deepEqual(others, [])
    assert.deepEqual(await readdir(join(dir, 'tmp')), [])
  })

  test('a range is start up to and without end, clamped to the size, and to the end when no end is given', async (t) => {
    const { artifacts } = await fresh(t)
    await artifacts.put('hello')
    assert.equal(await text(artifacts, HELLO, { start: 1, end: 3 }), 'el')
    assert.equal(await text(artifacts, HELLO, { start: 3 }), 'lo')
    assert.equal(await text(artifacts, HELLO, { start: 3, end: 100 }), 'lo')
    assert.equal(await text(artifacts, HELLO, { start: 0 }), 'hello')
    assert.equal(await text(artifacts, HELLO, { start: 2, end: 2 }), '')
    assert.equal(await text(artifacts, HELLO, { start: 5 }), '')
  })

  test('a range that starts beyond the end, runs backwards or is no number is refused', async (t) => {
    const { artifacts } = await fresh(t)
    await artifacts.put('hello')
    const wrong = [{ start: 6 }, { start: -1 }, { start: 3, end: 2 }, { start: 0.5 }, { start: 0, end: Number.NaN }]
    for (const range of wrong)
      await assert.rejects(artifacts.read(HELLO, range), { code: 'artifact_range_invalid', sizeBytes: 5 })
  })

  test('stat, has, list and delete agree on what is there', async (t) => {
    const { artifacts } = await fresh(t)
    await artifacts.put('hello')
    await artifacts.put('')
    assert.deepEqual(await artifacts.stat(HELLO), { sizeBytes: 5 })
    assert.equal(await artifacts.has(HELLO), true)
    assert.deepEqual((await listed(artifacts)).map(({ id }) => id).sort(), [HELLO, EMPTY])
    assert.equal(await artifacts.delete(HELLO), true)
    assert.equal(await artifacts.delete(HELLO), false)
    assert.equal(await artifacts.stat(HELLO), undefined)
    assert.equal(await artifacts.has(HELLO), false)
    assert.deepEqual(
      (await listed(artifacts)).map(({ id }) => id),
      [EMPTY],
    )
  })

  test('a read goes on to its end when the artifact is deleted meanwhile', async (t) => {
    const { artifacts } = await fresh(t)
    const { id } = await artifacts.put(Buffer.alloc(MIB, 7))
    const stream = await artifacts.read(id)
    await artifacts.delete(id)
    assert.equal((await buffer(stream)).byteLength, MIB)
  })
})

suite('what is refused', () => {
  test('an id that is not sha256 and 64 lower-case hex digits is refused by every operation', async (t) => {
    const { artifacts } = await fresh(t)
    const wrong = [
      'sha256:../../../etc/passwd',
      'sha256:',
      HELLO.toUpperCase(),
      `${HELLO}\n`,
      `${HELLO}0`,
      7,
      undefined,
    ]
    for (const value of wrong) {
      const id = value as ArtifactId // unsound on purpose: what a caller without types may send
      const refused = { name: 'ArtifactIdInvalidError', code: 'artifact_id_invalid' }
      await assert.rejects(artifacts.read(id), refused)
      await assert.rejects(artifacts.readBytes(id), refused)
      await assert.rejects(artifacts.stat(id), refused)
      await assert.rejects(artifacts.has(id), refused)
      await assert.rejects(artifacts.delete(id), refused)
    }
  })

  test('reading what was never put is ArtifactNotFoundError', async (t) => {
    const { artifacts } = await fresh(t)
    await assert.rejects(artifacts.read(HELLO), ArtifactNotFoundError)
    await assert.rejects(artifacts.readBytes(HELLO), ArtifactNotFoundError)
  })

  test('content larger than allowed is refused and leaves nothing, whether its size is known before or not', async (t) => {
    const { artifacts, dir } = await fresh(t)
    const refused = { name: 'ArtifactTooLargeError', code: 'artifact_too_large' }
    await assert.rejects(artifacts.put('hello', { sizeBytesMax: 4 }), refused)
    await assert.rejects(artifacts.put(halves(Buffer.from('hello')), { sizeBytesMax: 4 }), refused)
    await artifacts.put('hello', { sizeBytesMax: 5 })
    await assert.rejects(artifacts.readBytes(HELLO, { sizeBytesMax: 4 }), refused)
    assert.deepEqual(await readdir(join(dir, 'tmp')), [])
  })

  test('a source that fails or is aborted, even while it keeps silent, leaves nothing', async (t) => {
    const { artifacts, dir } = await fresh(t)
    const stop = new AbortController()
    const failing = async function* () {
      yield Buffer.from('he')
      throw new Error('the camera was unplugged')
    }
    const silent = async function* () {
      yield Buffer.from('he')
      stop.abort(new Error('cancelled by ada'))
      await new Promise(() => undefined)
    }
    await assert.rejects(artifacts.put(failing()), { message: 'the camera was unplugged' })
    await assert.rejects(artifacts.put(silent(), { signal: stop.signal }), { message: 'cancelled by ada' })
    await assert.rejects(artifacts.put('hello', { signal: stop.signal }), { message: 'cancelled by ada' })
    assert.deepEqual(await readdir(join(dir, 'tmp')), [])
    assert.deepEqual(await listed(artifacts), [])
  })
})

suite('damage', () => {
  test('a flipped byte fails the read before its last chunk, and the file is set aside', async (t) => {
    const { artifacts, dir } = await fresh(t)
    const { id } = await artifacts.put(Buffer.alloc(MIB, 7))
    await flipByte(pathOf(dir, id), 12_345)
    let readBytes = 0
    const readAll = async () => {
      for await (const chunk of await artifacts.read(id)) readBytes += chunk.byteLength
    }
    await assert.rejects(readAll(), { name: 'ArtifactCorruptError', code: 'artifact_corrupt' })
    assert.ok(readBytes < MIB, `${readBytes} bytes were handed out`)
    assert.equal(await artifacts.has(id), false)
    assert.deepEqual(await readdir(join(dir, 'quarantine')), [id.slice(7)])
  })

  test('a cut-off file is found damaged by readBytes, and a new put heals it', async (t) => {
    const { artifacts, dir } = await fresh(t)
    await artifacts.put('hello')
    await writeFile(pathOf(dir, HELLO), 'hell')
    await assert.rejects(artifacts.readBytes(HELLO), { code: 'artifact_corrupt' })
    await assert.rejects(artifacts.readBytes(HELLO), ArtifactNotFoundError)
    await artifacts.put('hello')
    assert.equal(await text(artifacts, HELLO), 'hello')
  })

  test('putting replaces a file of the wrong size', async (t) => {
    const { artifacts, dir } = await fresh(t)
    await artifacts.put('hello')
    await writeFile(pathOf(dir, HELLO), '')
    await artifacts.put('hello')
    assert.equal(await text(artifacts, HELLO), 'hello')
  })

  test('a good artifact is not set aside for the damage of the one it replaced', async (t) => {
    const { artifacts, dir } = await fresh(t)
    await artifacts.put('hello')
    await writeFile(pathOf(dir, HELLO), 'jello, too')
    const damaged = await artifacts.read(HELLO)
    await artifacts.put('hello')
    await assert.rejects(buffer(damaged), { code: 'artifact_corrupt' })
    assert.equal(await text(artifacts, HELLO), 'hello')
  })
})

suite('many processes, and processes that die', () => {
  test('four processes that put the same content at once leave one artifact and nothing else', async (t) => {
    const { artifacts, dir } = await fresh(t)
    const four = Array.from({ length: 4 }, () => putting(t, dir, '64 MiB of sevens'))
    const ids = await Promise.all(four.map(({ lines }) => nextLine(lines)))
    const [{ id } = assert.fail('nothing was listed'), ...others] = await listed(artifacts)
    assert.deepEqual(ids, [id, id, id, id])
    assert.deepEqual(others, [])
    assert.deepEqual(await readdir(join(dir, 'tmp')), [])
    assert.equal((await artifacts.readBytes(id)).byteLength, 64 * MIB)
  })

  test('a process killed in the middle of a put leaves only a temporary file, which goes when it is a day old', async (t) => {
    const { artifacts, dir } = await fresh(t)
    const { child, lines } = putting(t, dir, 'one that never ends')
    assert.equal(await nextLine(lines), 'first chunk written')
    await kill(child)
    assert.deepEqual(await listed(artifacts), [])
    const [left = '', ...others] = await readdir(join(dir, 'tmp'))
    assert.deepEqual(others, [])

    await openLocalArtifacts(dir)
    assert.deepEqual(await readdir(join(dir, 'tmp')), [left])
    const aDayAgo = Date.now() / 1000 - DAY_S - 1
    await utimes(join(dir, 'tmp', left), aDayAgo, aDayAgo)
    await openLocalArtifacts(dir)
    assert.deepEqual(await readdir(join(dir, 'tmp')), [])
  })

  test('every put that was answered before its process was killed is there, whole', async (t) => {
    const { artifacts, dir } = await fresh(t)
    const { child, lines } = putting(t, dir, 'one after another')
    const answered: string[] = []
    for await (const line of lines) {
      answered.push(line)
      if (answered.length === 10) child.kill('SIGKILL')
    }
    assert.ok(answered.length >= 10)
    for (const id of answered) assert.equal((await artifacts.readBytes(id as ArtifactId)).byteLength, 2 * MIB)
    for (const { id } of await listed(artifacts)) await artifacts.readBytes(id)
  })

  test('200 MiB stream through a put with memory bounded far below that', async (t) => {
    const { dir } = await fresh(t)
    const { lines } = putting(t, dir, '200 MiB')
    const { sizeBytes, grownBytes } = JSON.parse(await nextLine(lines))
    assert.equal(sizeBytes, 200 * MIB)
    assert.ok(grownBytes < 100 * MIB, `the process grew by ${Math.round(grownBytes / MIB)} MiB`)
  })
})

suite('a full disk', () => {
  for (const code of ['ENOSPC', 'EDQUOT']) {
    test(`${code} while writing is ArtifactStoreFullError, and nothing is left behind`, async (t) => {
      const { dir } = await fresh(t)
      const artifacts = new LocalArtifacts(dir, openOnDiskThatFails(code))
      await artifacts.prepare()
      await assert.rejects(artifacts.put('hello'), { name: 'ArtifactStoreFullError', code: 'artifact_store_full' })
      assert.deepEqual(await readdir(join(dir, 'tmp')), [])
      assert.deepEqual(await listed(artifacts), [])
    })
  }

  test('any other failure of the disk passes unchanged, and nothing is left behind', async (t) => {
    const { dir } = await fresh(t)
    const artifacts = new LocalArtifacts(dir, openOnDiskThatFails('EIO'))
    await artifacts.prepare()
    await assert.rejects(artifacts.put('hello'), { code: 'EIO' })
    assert.deepEqual(await readdir(join(dir, 'tmp')), [])
  })

  test('a real file system of 1 MiB that fills up keeps what it had and takes smaller things again', async (t) => {
    const dir = mountTiny(t)
    if (!dir) return t.skip('mounting a tmpfs needs root')
    const artifacts = await openLocalArtifacts(dir)
    await artifacts.put('hello')
    await assert.rejects(artifacts.put(halves(Buffer.alloc(4 * MIB))), { code: 'artifact_store_full' })
    assert.deepEqual(await readdir(join(dir, 'tmp')), [])
    assert.equal(await text(artifacts, HELLO), 'hello')
    await artifacts.put(Buffer.alloc(MIB / 4))
  })
})

async function fresh(t: TestContext): Promise<{ artifacts: ArtifactStore; dir: string }> {
  const dir = await mkdtemp(join(tmpdir(), 'headrace-artifacts-'))
  t.after(() => rm(dir, { recursive: true, force: true }))
  return { artifacts: await openLocalArtifacts(dir), dir }
}

async function text(artifacts: ArtifactStore, id: ArtifactId, range?: { start: number; end?: number }) {
  return (await buffer(await artifacts.read(id, range))).toString()
}

async function* halves(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  const middle = bytes.byteLength >> 1
  yield bytes.subarray(0, middle)
  yield bytes.subarray(middle)
}

function listed(artifacts: ArtifactStore) {
  return Array.fromAsync(artifacts.list())
}

function pathOf(dir: string, id: ArtifactId): string {
  return join(dir, id.slice(7, 9), id.slice(9, 11), id.slice(7))
}

async function flipByte(path: string, position: number): Promise<void> {
  await using file = await open(path, 'r+')
  const byte = Buffer.alloc(1)
  await file.read(byte, 0, 1, position)
  byte[0] = ~byte.readUInt8()
  await file.write(byte, 0, 1, position)
}

function putting(t: TestContext, dir: string, doing: string) {
  const program = fileURLToPath(new URL('./putting-process.ts', import.meta.url))
  const child = spawn(process.execPath, [program, dir, doing], { stdio: ['ignore', 'pipe', 'inherit'] })
  t.after(() => child.kill('SIGKILL'))
  return { child, lines: createInterface({ input: child.stdout }) }
}

async function nextLine(lines: NodeJS.EventEmitter): Promise<string> {
  const [line] = await once(lines, 'line')
  return line
}

async function kill(child: ChildProcess): Promise<void> {
  child.kill('SIGKILL')
  await once(child, 'exit')
}

function openOnDiskThatFails(code: string): typeof open {
  return async (...parameters) => {
    const file = await open(...parameters)
    file.write = async () => {
      throw Object.assign(new Error(`${code}: played by the test`), { code })
    }
    return file
  }
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
