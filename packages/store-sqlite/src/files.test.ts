import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, suite, test } from 'node:test'
import type { JobId, NewJob } from '@headrace/engine'
import { migrations } from './migrations.ts'
import { openSqliteStore } from './sqlite-store.ts'

const folder = mkdtempSync(join(tmpdir(), 'headrace-files-'))
after(() => rmSync(folder, { recursive: true, force: true }))
let files = 0

function freshPath(): string {
  return freshPathNamed(`file-${++files}.db`)
}

function freshPathNamed(name: string): string {
  return join(folder, name)
}

/**
 * The file is refused by this code, and stays as it is, byte for byte. Whoever reads a database that keeps a log leaves
 * an empty one beside it; that much is allowed.
 */
async function assertRefused(path: string, code: string, saying: RegExp): Promise<void> {
  const before = readFileSync(path)
  await assert.rejects(openSqliteStore(path, { fsync: false }), { code, message: saying })
  assert.ok(before.equals(readFileSync(path)), 'the file was changed')
  if (existsSync(`${path}-wal`)) assert.equal(statSync(`${path}-wal`).size, 0)
  assert.equal(existsSync(`${path}-journal`), false)
}

async function makeOurs(path: string): Promise<void> {
  const store = await openSqliteStore(path, { fsync: false })
  await store.settings.put('a', 'b', 'x'.repeat(20_000))
  await store[Symbol.asyncDispose]()
}

suite('files that are not ours', () => {
  test('a file that is no SQLite database is refused', async () => {
    const path = freshPath()
    writeFileSync(path, 'Dear diary, '.repeat(1_000))
    await assertRefused(path, 'store_not_ours', /no SQLite file/)
  })

  for (const sizeBytes of [1, 99, 511, 512]) {
    test(`a file of ${sizeBytes} bytes that is no SQLite database is refused`, async () => {
      const path = freshPath()
      writeFileSync(path, 'x'.repeat(sizeBytes))
      await assertRefused(path, 'store_not_ours', /no SQLite file/)
    })
  }

  test('another program’s SQLite database is refused', async () => {
    const path = freshPath()
    const db = new DatabaseSync(path)
    db.exec('create table diary (day text); insert into diary values (1)')
    db.close()
    await assertRefused(path, 'store_not_ours', /another program/)
  })

  test('another program’s SQLite database with an application id of its own is refused', async () => {
    const path = freshPath()
    const db = new DatabaseSync(path)
    db.exec('pragma application_id = 1196444487; create table gpkg_contents (a text)')
    db.close()
    await assertRefused(path, 'store_not_ours', /another program/)
  })

  test('another program’s SQLite database with a log is refused', async () => {
    const path = freshPath()
    const db = new DatabaseSync(path)
    db.exec('pragma journal_mode = wal; create table diary (day text)')
    db.close()
    await assertRefused(path, 'store_not_ours', /another program/)
  })

  test('another program’s database is not even tidied up: what is in its log stays in its log', async () => {
    const path = freshPath()
    const [script, args] = ['-e', [path]]
    const crash = `
      const { DatabaseSync } = require('node:sqlite')
      const db = new DatabaseSync(process.argv[1])
      db.exec('pragma journal_mode = wal; create table diary (day text)')
      db.exec("insert into diary values ('monday')")
      process.kill(process.pid, 'SIGKILL')`
    spawnSync(process.execPath, [script, crash, ...args])
    const [before, log] = [readFileSync(path), readFileSync(`${path}-wal`)]
    assert.ok(log.length > 0)
    await assert.rejects(openSqliteStore(path, { fsync: false }), { code: 'store_not_ours' })
    assert.ok(before.equals(readFileSync(path)), 'the file was changed')
    assert.ok(log.equals(readFileSync(`${path}-wal`)), 'its log was changed')
  })

  test('a folder is refused', async () => {
    const path = freshPath()
    mkdirSync(path)
    await assert.rejects(openSqliteStore(path), { code: 'store_not_ours', message: /folder/ })
  })

  test('a folder that cannot be made is said to be the trouble', async () => {
    const path = freshPath()
    writeFileSync(path, 'x')
    await assert.rejects(openSqliteStore(join(path, 'inside.db')))
  })

  for (const keptBytes of [16, 60, 100, 512, 4_096, 10_000]) {
    test(`a database that was cut off after ${keptBytes} bytes is refused`, async () => {
      const path = freshPath()
      await makeOurs(path)
      truncateSync(path, keptBytes)
      await assertRefused(path, 'store_not_ours', /damaged|no SQLite file/)
    })
  }

  test('a database of a newer Headrace is refused, and names both versions', async () => {
    const path = freshPath()
    await makeOurs(path)
    const db = new DatabaseSync(path)
    db.exec(`pragma user_version = ${migrations.length + 3}`)
    db.close()
    await assertRefused(
      path,
      'store_too_new',
      new RegExp(`schema ${migrations.length + 3}.*up to ${migrations.length}`),
    )
  })

  test('an empty file becomes a store', async () => {
    const path = freshPath()
    writeFileSync(path, '')
    await makeOurs(path)
    await using store = await openSqliteStore(path, { fsync: false })
    await store.check()
  })

  test('folders on the way are made', async () => {
    const path = join(folder, 'some', 'where', 'jobs.db')
    await using store = await openSqliteStore(path, { fsync: false })
    await store.check()
    assert.ok(existsSync(path))
  })
})

suite('one file and its processes', () => {
  test('a second opening in the same process does not let another process take the log away', async () => {
    const path = freshPath()
    await using store = await openSqliteStore(path, { fsync: false })
    const again = await openSqliteStore(path, { fsync: false })
    await again[Symbol.asyncDispose]()
    openAndCloseElsewhere(path)
    assert.ok(existsSync(`${path}-wal`), 'the log of an open store was removed')
    await store.settings.put('a', 'b', 'still here')
    assert.equal(readElsewhere(path), '"still here"')
  })

  test('a store closes, and says goodbye, even while somebody else writes', async () => {
    const path = freshPath()
    const store = await openSqliteStore(path, { fsync: false })
    const writer = new DatabaseSync(path)
    writer.exec('begin immediate')
    const closing = store[Symbol.asyncDispose]()
    await new Promise((resolve) => setImmediate(resolve))
    writer.exec('commit')
    await closing
    assert.equal(writer.prepare('select count(*) as n from processes').get()?.n, 0)
    writer.close()
  })

  test('what is asked for while somebody else writes is done as soon as they are done', async () => {
    const path = freshPath()
    await using store = await openSqliteStore(path, { fsync: false })
    const writer = new DatabaseSync(path)
    writer.exec('begin immediate')
    const put = store.settings.put('a', 'b', 1)
    for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setImmediate(resolve))
    writer.exec('commit')
    await put
    assert.equal(await store.settings.get('a', 'b'), 1)
    writer.close()
  })
})

suite('calls that are committed together', () => {
  test('wait for another writer that comes in between, where one of them failed and each is tried alone', async () => {
    await using store = await openSqliteStore(freshPathNamed('between.db'), { fsync: false })
    const writer = new DatabaseSync(join(folder, 'between.db'))
    const taken = newJob(1)
    await store.enqueue([taken])
    // The first one to be committed alone lets the writer in.
    let isIn = false
    using _watching = store.watch(() => {
      if (!isIn) writer.exec('begin immediate')
      isIn = true
    })
    const calls = [[newJob(2)], [taken], [newJob(3)]].map((jobs) => store.enqueue(jobs))
    const settled = Promise.allSettled(calls)
    await new Promise((resolve) => setImmediate(() => setImmediate(resolve)))
    assert.ok(isIn)
    writer.exec('commit')
    writer.close()
    assert.deepEqual(
      (await settled).map(({ status }) => status),
      ['fulfilled', 'rejected', 'fulfilled'],
    )
    assert.equal((await store.states([newJob(1).id, newJob(2).id, newJob(3).id])).size, 3)
  })
})

/** Another process opens the database as SQLite's last user would, and closes it. */
function openAndCloseElsewhere(path: string): void {
  const script = `
    const { DatabaseSync } = require('node:sqlite')
    const db = new DatabaseSync(process.argv[1])
    db.prepare('select count(*) from jobs').get()
    db.close()`
  const { status, stderr } = spawnSync(process.execPath, ['-e', script, path], { encoding: 'utf8' })
  assert.equal(status, 0, stderr)
}

function readElsewhere(path: string): string {
  const script = `
    const { DatabaseSync } = require('node:sqlite')
    const db = new DatabaseSync(process.argv[1])
    process.stdout.write(String(db.prepare("select value from settings where namespace = 'a' and key = 'b'").get()?.value))`
  return spawnSync(process.execPath, ['-e', script, path], { encoding: 'utf8' }).stdout
}

suite('a full disk', () => {
  const disk = join(folder, 'disk')
  mkdirSync(disk)
  const isMounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=2m', 'tmpfs', disk]).status === 0
  if (isMounted) after(() => void spawnSync('umount', ['-l', disk]))
  const skip = isMounted || process.env.CI ? false : 'a small file system can be mounted by root only'

  test('refuses new jobs by name, keeps what it accepted, and goes on when there is room again', { skip }, async () => {
    assert.ok(isMounted, 'no file system could be mounted')
    await using store = await openSqliteStore(join(disk, 'jobs.db'))
    const accepted: JobId[] = []
    const fill = async () => {
      for (let number = accepted.length; number < 1_000; number++) {
        const job = newJob(number)
        await store.enqueue([job])
        accepted.push(job.id)
      }
    }
    await assert.rejects(fill(), { name: 'StoreFullError', code: 'store_full', message: /disk is full/ })
    assert.ok(accepted.length > 3)
    await assert.rejects(store.enqueue([newJob(2_000)]), { code: 'store_full' })
    assert.equal((await store.states(accepted)).size, accepted.length)
    assert.equal(await store.job(newJob(2_000).id), undefined)
    spawnSync('mount', ['-o', 'remount,size=8m', disk])
    await store.enqueue([newJob(3_000)])
    assert.notEqual(await store.job(newJob(3_000).id), undefined)
  })
})

function newJob(number: number): NewJob {
  const id = `01b8dac5-b400-7000-8000-${String(number).padStart(12, '0')}` as JobId
  return { id, task: 'fill', kind: 'task', queue: 'default', priority: 0, input: JSON.stringify('x'.repeat(50_000)) }
}

test('a copy of a file is another store, and a file that was moved is the same one', async () => {
  const [path, copy, moved] = [freshPath(), freshPath(), freshPath()]
  await makeOurs(path)
  const identityOf = async (file: string) => {
    await using store = await openSqliteStore(file, { fsync: false })
    return store.identity()
  }
  const identity = await identityOf(path)
  copyFileSync(path, copy)
  assert.notEqual(await identityOf(copy), identity)
  renameSync(path, moved)
  assert.equal(await identityOf(moved), identity)
})
