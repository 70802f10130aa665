import assert from 'node:assert/strict'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { suite, type TestContext, test } from 'node:test'
import type { ArtifactId } from './artifact-id.ts'
import type { ArtifactStore } from './artifact-store.ts'
import { ArtifactNotFoundError } from './errors.ts'

/** A store, and what a test does behind its back. */
export type ArtifactRig = {
  readonly artifacts: ArtifactStore
  /** Puts other bytes in the artifact's place. */
  damage(id: ArtifactId, content: Uint8Array | string): Promise<void>
  /** Makes it look as if it had been put in 1970; left out where nobody can. */
  readonly age?: (id: ArtifactId) => Promise<void>
  /** The hex digits of what was found damaged. */
  setAside(): Promise<readonly string[]>
  /** What puts have left behind besides artifacts. */
  leftovers(): Promise<readonly string[]>
}

const HELLO: ArtifactId = 'sha256:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824'
const EMPTY: ArtifactId = 'sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'
const MIB = 1024 * 1024

/** What every artifact store does. `open` gives a new, empty one for each test. */
export function testArtifactStore(
  name: string,
  open: (t: TestContext) => Promise<ArtifactRig>,
  options: { readonly skip?: string | false } = {},
): void {
  suite(name, { skip: options.skip ?? false }, () => {
    whatIsPutCanBeRead(open)
    whatIsRefused(open)
    damage(open)
  })
}

type Open = (t: TestContext) => Promise<ArtifactRig>

function whatIsPutCanBeRead(open: Open): void {
  suite('what is put can be read', () => {
    test('bytes, text and streams of the same content get the same id, the SHA-256 that sha256sum prints', async (t) => {
      const { artifacts } = await open(t)
      const whole = Buffer.from('hello')
      const contents = [whole, 'hello', Readable.from([whole]), new Blob(['hello']).stream(), halves(whole)]
      for (const content of contents) assert.deepEqual(await artifacts.put(content), { id: HELLO, sizeBytes: 5 })
      assert.equal(await textOf(artifacts, HELLO), 'hello')
      assert.equal(Buffer.from(await artifacts.readBytes(HELLO)).toString(), 'hello')
    })

    test('an empty artifact is an artifact', async (t) => {
      const { artifacts } = await open(t)
      assert.deepEqual(await artifacts.put(''), { id: EMPTY, sizeBytes: 0 })
      assert.equal(await textOf(artifacts, EMPTY), '')
      assert.equal((await artifacts.readBytes(EMPTY)).byteLength, 0)
    })

    test('text from a stream with an encoding is stored as UTF-8', async (t) => {
      const { artifacts } = await open(t)
      const { id } = await artifacts.put(Readable.from([Buffer.from('größe')]).setEncoding('utf8'))
      assert.equal(await textOf(artifacts, id), 'größe')
    })

    test('content of many chunks comes back byte for byte', async (t) => {
      const { artifacts } = await open(t)
      const content = Buffer.from(Uint32Array.from({ length: 500_000 }, (_, index) => index).buffer)
      const { id } = await artifacts.put(halves(content))
      assert.ok(content.equals(await buffer(await artifacts.read(id))))
      assert.ok(content.equals(await artifacts.readBytes(id)))
    })

    test('putting what is there already is a no-op that makes it look new', async (t) => {
      const { artifacts, age, leftovers } = await open(t)
      await artifacts.put('hello')
      await age?.(HELLO)
      const [before] = await listed(artifacts)
      assert.deepEqual(await artifacts.put(halves(Buffer.from('hello'))), { id: HELLO, sizeBytes: 5 })
      const [only, ...others] = await listed(artifacts)
      assert.ok(before && only && only.modifiedAt.getTime() >= before.modifiedAt.getTime() + (age ? 1 : 0))
      assert.deepEqual(others, [])
      assert.deepEqual(await leftovers(), [])
    })

    test('whoever wants to hears of the name once all content has come and before anything stands under it', async (t) => {
      const { artifacts } = await open(t)
      const seen: (string | boolean)[] = []
      const beforeKept = async (id: ArtifactId) => void seen.push(id, await artifacts.has(id))
      await artifacts.put(halves(Buffer.from('hello')), { beforeKept })
      assert.deepEqual(seen, [HELLO, false])
      await artifacts.put('hello', { beforeKept })
      assert.deepEqual(seen.slice(2), [HELLO, true])
    })

    test('content whose name is refused is not stored', async (t) => {
      const { artifacts, leftovers } = await open(t)
      const beforeKept = () => Promise.reject(new Error('not now'))
      for (const content of ['hello', halves(Buffer.from('hello'))])
        await assert.rejects(artifacts.put(content, { beforeKept }), /not now/)
      assert.equal(await artifacts.has(HELLO), false)
      assert.deepEqual(await leftovers(), [])
    })

    test('those who use it are known, each once, and are no artifacts', async (t) => {
      const { artifacts } = await open(t)
      assert.deepEqual(await artifacts.users(), [])
      for (const user of ['ada', 'bob', 'ada']) await artifacts.addUser(user, 'A store.')
      assert.deepEqual([...(await artifacts.users())].sort(), ['ada', 'bob'])
      assert.deepEqual(await listed(artifacts), [])
    })

    test('a range is start up to and without end, clamped to the size, and to the end when no end is given', async (t) => {
      const { artifacts } = await open(t)
      await artifacts.put('hello')
      assert.equal(await textOf(artifacts, HELLO, { start: 1, end: 3 }), 'el')
      assert.equal(await textOf(artifacts, HELLO, { start: 3 }), 'lo')
      assert.equal(await textOf(artifacts, HELLO, { start: 3, end: 100 }), 'lo')
      assert.equal(await textOf(artifacts, HELLO, { start: 0 }), 'hello')
      assert.equal(await textOf(artifacts, HELLO, { start: 2, end: 2 }), '')
      assert.equal(await textOf(artifacts, HELLO, { start: 5 }), '')
    })

    test('a range that starts beyond the end, runs backwards or is no number is refused', async (t) => {
      const { artifacts } = await open(t)
      await artifacts.put('hello')
      const wrong = [{ start: 6 }, { start: -1 }, { start: 3, end: 2 }, { start: 0.5 }, { start: 0, end: Number.NaN }]
      for (const range of wrong)
        await assert.rejects(artifacts.read(HELLO, range), { code: 'artifact_range_invalid', sizeBytes: 5 })
    })

    test('stat, has, list and delete agree on what is there', async (t) => {
      const { artifacts } = await open(t)
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
      const { artifacts } = await open(t)
      const { id } = await artifacts.put(Buffer.alloc(MIB, 7))
      const stream = await artifacts.read(id)
      await artifacts.delete(id)
      assert.equal((await buffer(stream)).byteLength, MIB)
    })
  })
}

function whatIsRefused(open: Open): void {
  suite('what is refused', () => {
    test('an id that is not sha256 and 64 lower-case hex digits is refused by every operation', async (t) => {
      const { artifacts } = await open(t)
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
      const { artifacts } = await open(t)
      await assert.rejects(artifacts.read(HELLO), ArtifactNotFoundError)
      await assert.rejects(artifacts.readBytes(HELLO), ArtifactNotFoundError)
    })

    test('content larger than allowed is refused and leaves nothing, whether its size is known before or not', async (t) => {
      const { artifacts, leftovers } = await open(t)
      const refused = { name: 'ArtifactTooLargeError', code: 'artifact_too_large' }
      await assert.rejects(artifacts.put('hello', { sizeBytesMax: 4 }), refused)
      await assert.rejects(artifacts.put(halves(Buffer.from('hello')), { sizeBytesMax: 4 }), refused)
      await artifacts.put('hello', { sizeBytesMax: 5 })
      await assert.rejects(artifacts.readBytes(HELLO, { sizeBytesMax: 4 }), refused)
      assert.deepEqual(await leftovers(), [])
    })

    test('a source that fails or is aborted, even while it keeps silent, leaves nothing', async (t) => {
      const { artifacts, leftovers } = await open(t)
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
      assert.deepEqual(await leftovers(), [])
      assert.deepEqual(await listed(artifacts), [])
    })
  })
}

function damage(open: Open): void {
  suite('damage', () => {
    test('a flipped byte fails the read before its last chunk, and the file is set aside', async (t) => {
      const { artifacts, damage, setAside } = await open(t)
      const { id } = await artifacts.put(Buffer.alloc(MIB, 7))
      const flipped = Buffer.alloc(MIB, 7)
      flipped[12_345] = 8
      await damage(id, flipped)
      let readBytes = 0
      const readAll = async () => {
        for await (const chunk of await artifacts.read(id)) readBytes += chunk.byteLength
      }
      await assert.rejects(readAll(), { name: 'ArtifactCorruptError', code: 'artifact_corrupt' })
      assert.ok(readBytes < MIB, `${readBytes} bytes were handed out`)
      assert.equal(await artifacts.has(id), false)
      assert.deepEqual(await setAside(), [id.slice(7)])
    })

    test('a cut-off file is found damaged by readBytes, and a new put heals it', async (t) => {
      const { artifacts, damage } = await open(t)
      await artifacts.put('hello')
      await damage(HELLO, 'hell')
      await assert.rejects(artifacts.readBytes(HELLO), { code: 'artifact_corrupt' })
      await assert.rejects(artifacts.readBytes(HELLO), ArtifactNotFoundError)
      await artifacts.put('hello')
      assert.equal(await textOf(artifacts, HELLO), 'hello')
    })

    test('putting replaces a file of the wrong size', async (t) => {
      const { artifacts, damage } = await open(t)
      await artifacts.put('hello')
      await damage(HELLO, '')
      await artifacts.put('hello')
      assert.equal(await textOf(artifacts, HELLO), 'hello')
    })

    test('a good artifact is not set aside for the damage of the one it replaced', async (t) => {
      const { artifacts, damage } = await open(t)
      await artifacts.put('hello')
      // So large that it is not read to its end before somebody asks for it.
      await damage(HELLO, Buffer.alloc(4 * MIB))
      const damaged = await artifacts.read(HELLO)
      await artifacts.put('hello')
      await assert.rejects(buffer(damaged), { code: 'artifact_corrupt' })
      assert.equal(await textOf(artifacts, HELLO), 'hello')
    })
  })
}

export async function textOf(
  artifacts: ArtifactStore,
  id: ArtifactId,
  range?: { start: number; end?: number },
): Promise<string> {
  return (await buffer(await artifacts.read(id, range))).toString()
}

export async function* halves(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  const middle = bytes.byteLength >> 1
  yield bytes.subarray(0, middle)
  yield bytes.subarray(middle)
}

export function listed(artifacts: ArtifactStore) {
  return Array.fromAsync(artifacts.list())
}
