import assert from 'node:assert/strict'
import { chmod, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { openSqliteStore } from '@headrace/store-sqlite'
import { checkArtifacts, checkLayers, checkTrainedData } from './check-files.ts'
import { checkDataFolder, checkNode } from './check-machine.ts'
import { checkLocalFile, checkServer } from './check-server.ts'
import { checkStore } from './check-store.ts'

async function makeFolder() {
  const dir = await mkdtemp(join(tmpdir(), 'headrace-doctor-'))
  return { dir, [Symbol.asyncDispose]: () => rm(dir, { recursive: true, force: true }) }
}

test('an old Node fails, and what to do is said', () => {
  assert.equal(checkNode('20.20.2').outcome, 'fail')
  assert.equal(checkNode('24.0.0').outcome, 'ok')
})

test('a data folder that is missing is a warning, and one that is a file a failure', async () => {
  await using folder = await makeFolder()
  assert.equal((await checkDataFolder(join(folder.dir, 'none'))).outcome, 'warn')
  await writeFile(join(folder.dir, 'file'), '')
  assert.equal((await checkDataFolder(join(folder.dir, 'file'))).outcome, 'fail')
  assert.equal((await checkDataFolder(folder.dir)).outcome, 'ok')
  assert.deepEqual(await readdir(folder.dir), ['file'])
})

test('a whole store is well, and is not changed by the look', async () => {
  await using folder = await makeFolder()
  const store = await openSqliteStore(join(folder.dir, 'headrace.db'))
  assert.deepEqual(
    (await checkStore(join(folder.dir, 'headrace.db'))).map((finding) => finding.outcome),
    ['ok', 'ok', 'ok'],
  )
  await store[Symbol.asyncDispose]()
})

test('another program’s database and a damaged file are told apart from ours', async () => {
  await using foreign = await makeFolder()
  const db = new DatabaseSync(join(foreign.dir, 'headrace.db'))
  db.exec('create table notes (text)')
  db.close()
  const [finding] = await checkStore(join(foreign.dir, 'headrace.db'))
  assert.match(finding?.detail ?? '', /another program's database/)
  await using damaged = await makeFolder()
  await writeFile(join(damaged.dir, 'headrace.db'), 'not a database, but long enough to be looked at'.repeat(40))
  assert.equal((await checkStore(join(damaged.dir, 'headrace.db')))[0]?.outcome, 'fail')
})

test('a database that is mostly empty is told, with how to make it small', async () => {
  await using folder = await makeFolder()
  const path = join(folder.dir, 'headrace.db')
  const store = await openSqliteStore(path, { fsync: false })
  await store[Symbol.asyncDispose]()
  const db = new DatabaseSync(path)
  db.exec('pragma synchronous = off; create table ballast (data blob)')
  const insert = db.prepare('insert into ballast values (zeroblob(1000000))')
  for (let megabyte = 0; megabyte < 110; megabyte++) insert.run()
  db.exec('drop table ballast')
  db.close()
  const space = (await checkStore(path)).find(({ check }) => check === 'Store space')
  assert.equal(space?.outcome, 'warn')
  assert.match(space?.remedy ?? '', /sqlite3 .*headrace\.db vacuum/)
})

test('artifacts that were set aside as damaged are a warning', async () => {
  await using folder = await makeFolder()
  await mkdir(join(folder.dir, 'artifacts', 'quarantine'), { recursive: true })
  assert.equal((await checkArtifacts(folder.dir)).outcome, 'ok')
  await writeFile(join(folder.dir, 'artifacts', 'quarantine', 'abc'), '')
  assert.match((await checkArtifacts(folder.dir)).detail, /^1 were found damaged/)
})

test('the data that documents are read with are named, and a folder without any is a failure', async () => {
  await using folder = await makeFolder()
  assert.equal((await checkTrainedData('npm')).detail, 'those that come by npm')
  const { outcome, detail } = await checkTrainedData(folder.dir)
  assert.equal(outcome, 'fail')
  assert.match(detail, /no \.traineddata file is/)
})

test('a layer whose manifest cannot be read is a failure', async () => {
  await using folder = await makeFolder()
  assert.equal((await checkLayers(folder.dir)).outcome, 'warn')
  await writeFile(join(folder.dir, 'layers', 'soil.json'), '{')
  assert.equal((await checkLayers(folder.dir)).outcome, 'fail')
})

test('a server that is not known is a warning, and one that does not answer a failure', async () => {
  await using folder = await makeFolder()
  assert.equal((await checkServer({ data: folder.dir }, {}))[0]?.outcome, 'warn')
  assert.equal((await checkServer({ data: folder.dir, url: 'http://127.0.0.1:1' }, {}))[0]?.outcome, 'fail')
})

test('a local key that others can read is a warning', async () => {
  await using folder = await makeFolder()
  assert.deepEqual(await checkLocalFile(folder.dir), [])
  await writeFile(join(folder.dir, 'local.json'), '{}', { mode: 0o600 })
  assert.deepEqual(await checkLocalFile(folder.dir), [])
  await chmod(join(folder.dir, 'local.json'), 0o644)
  assert.equal((await checkLocalFile(folder.dir))[0]?.outcome, 'warn')
})
