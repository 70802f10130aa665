import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, mock, test } from 'node:test'
import { openDatabase } from './database.ts'
import { GroupCommit } from './group-commit.ts'
import { LogFlush } from './log-flush.ts'
import { systemClock } from './system-clock.ts'

const SYNCHRONOUS_FULL = 2
const SYNCHRONOUS_NORMAL = 1

let dir: string
before(() => {
  dir = mkdtempSync(join(tmpdir(), 'headrace-'))
})
after(() => rmSync(dir, { recursive: true, force: true }))

function open(name: string) {
  const db = openDatabase(join(dir, name))
  let commits = 0
  const committed = () => void commits++
  const group = new GroupCommit({ db, clock: systemClock, path: join(dir, name), fsync: true, committed })
  return { db, group, commits: () => commits }
}

const put = (db: ReturnType<typeof openDatabase>, key: string) => () =>
  db.prepare('insert into settings (namespace, key, value) values (?, ?, ?)').run('test', key, '1')

test('what is asked for in one turn is committed in one transaction', async () => {
  const { db, group, commits } = open('turn.db')
  await Promise.all(['a', 'b', 'c'].map((key) => group.run('before-seen', put(db, key))))
  assert.equal(commits(), 1)
  await group.close()
  db.close()
})

test('one operation that fails does not take its company with it', async () => {
  const { db, group } = open('company.db')
  const settled = await Promise.allSettled(['a', 'a', 'b'].map((key) => group.run('before-seen', put(db, key))))
  assert.deepEqual(
    settled.map(({ status }) => status),
    ['fulfilled', 'rejected', 'fulfilled'],
  )
  assert.equal(db.prepare('select count(*) as n from settings').get()?.n, 2)
  await group.close()
  db.close()
})

test('an outcome is flushed before it is seen, a claim need not be, and each knows its own', async () => {
  const { db, group } = open('durable.db')
  const synchronous = () => db.prepare('pragma synchronous').get()?.synchronous
  assert.equal(await group.run('before-seen', synchronous), SYNCHRONOUS_FULL)
  assert.equal(await group.run('later', synchronous), SYNCHRONOUS_NORMAL)
  assert.equal(await group.run('before-answer', synchronous), SYNCHRONOUS_NORMAL)
  assert.equal(await group.run('before-seen', synchronous), SYNCHRONOUS_FULL)
  const together = [group.run('later', synchronous), group.run('before-seen', synchronous)]
  assert.deepEqual(await Promise.all(together), [SYNCHRONOUS_FULL, SYNCHRONOUS_FULL])
  await group.close()
  db.close()
})

test('an accepted job is answered for only after its bytes are on the disk', async () => {
  const { db, group } = open('answer.db')
  const order: string[] = []
  const flushes = mock.method(LogFlush.prototype, 'flush', async () => void order.push('flushed'))
  await group.run('before-answer', put(db, 'a')).then(() => order.push('answered'))
  assert.deepEqual(order, ['flushed', 'answered'])
  flushes.mock.restore()
  await group.close()
  db.close()
})

test('while another process writes, operations wait for it and the event loop stays free', async () => {
  const { db, group } = open('busy.db')
  const other = openDatabase(join(dir, 'busy.db'))
  other.exec('begin immediate')
  const waiting = group.run('before-seen', put(db, 'a'))
  await new Promise((resolve) => setTimeout(resolve, 20))
  other.exec('commit')
  await waiting
  assert.equal(db.prepare('select count(*) as n from settings').get()?.n, 1)
  await group.close()
  for (const connection of [db, other]) connection.close()
})
