import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, test } from 'node:test'
import type { WorkerId } from '@headrace/engine'
import { migrations } from './migrations.ts'
import { openSqliteStore } from './sqlite-store.ts'

const folder = mkdtempSync(join(tmpdir(), 'headrace-migrations-'))
after(() => rmSync(folder, { recursive: true, force: true }))

test('jobs that wait in a file of the first schema are claimed after it was brought up to date', async () => {
  const path = join(folder, 'first.db')
  const db = new DatabaseSync(path)
  db.exec(migrations[0] ?? '')
  db.exec(`
    insert into jobs (seq, id, task, kind, queue, priority, input, created_at)
    values (1, '01941f29-7c00-7000-8000-000000000001', 'render', 'task', 'tiles', 0, '1', 5),
      (2, '01941f29-7c00-7000-8000-000000000002', 'mask', 'task', 'tiles', 3, '2', 6);
    insert into live (seq, state, queue, priority, due_at, kind)
    values (1, 'ready', 'tiles', 0, 5, 'task'), (2, 'ready', 'tiles', 3, 6, 'task');
    pragma application_id = ${0x48_64_52_63};
    pragma user_version = 1`)
  db.close()
  await using store = await openSqliteStore(path, { fsync: false })
  const worker = '01941f29-7c00-7000-8000-00000000000a' as WorkerId
  await store.addWorker({ id: worker, name: 'ada', queues: { tiles: 2 }, leaseMs: 15_000 }, () => {})
  const batch = { worker, settle: [], advance: [], tell: [], claim: [{ queue: 'tiles', slots: 2 }] }
  const { claimed } = await store.commit(batch)
  assert.deepEqual(
    claimed.map(({ task, input }) => [task, input]),
    [
      ['mask', '2'],
      ['render', '1'],
    ],
  )
})
