import assert from 'node:assert/strict'
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { mkdtemp, open, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { suite, type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { halves, listed, testArtifactStore, textOf } from './conformance.ts'
import { type ArtifactId, type ArtifactStore, openLocalArtifacts } from './index.ts'
import { LocalArtifacts } from './local-artifacts.ts'

const HELLO: ArtifactId = 'sha256:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824'
const MIB = 1024 * 1024
const DAY_S = 86_400

testArtifactStore('artifacts in a local folder', async (t) => {
  const { artifacts, dir } = await fresh(t)
  return {
    artifacts,
    damage: (id, content) => writeFile(pathOf(dir, id), content),
    age: (id) => utimes(pathOf(dir, id), 0, 0),
    setAside: () => readdir(join(dir, 'quarantine')),
    leftovers: () => readdir(join(dir, 'tmp')),
  }
})

test('an artifact lies under two levels of folders, in a file named by its hash', async (t) => {
  const { artifacts, dir } = await fresh(t)
  await artifacts.put('hello')
  assert.equal(await readFile(join(dir, '2c', 'f2', HELLO.slice(7)), 'utf8'), 'hello')
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
    assert.equal(await textOf(artifacts, HELLO), 'hello')
    await artifacts.put(Buffer.alloc(MIB / 4))
  })
})

async function fresh(t: TestContext): Promise<{ artifacts: ArtifactStore; dir: string }> {
  const dir = await mkdtemp(join(tmpdir(), 'headrace-artifacts-'))
  t.after(() => rm(dir, { recursive: true, force: true }))
  return { artifacts: await openLocalArtifacts(dir), dir }
}

function pathOf(dir: string, id: ArtifactId): string {
  return join(dir, id.slice(7, 9), id.slice(9, 11), id.slice(7))
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
