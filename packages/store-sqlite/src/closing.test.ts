import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import type { WorkerId } from '@headrace/engine'
import { openSqliteStore } from './sqlite-store.ts'

test('a worker that is still being added when its store is closed takes its leave with it', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'headrace-closing-'))
  const path = join(folder, 'jobs.db')
  try {
    await using other = await openSqliteStore(path)
    const store = await openSqliteStore(path)
    const id = '01b8dac5-b400-7000-8000-000000000001' as WorkerId
    const added = store.addWorker({ id, name: 'ada', queues: { tiles: 1 }, leaseMs: 30_000 }, () => {})
    await Promise.all([added, store[Symbol.asyncDispose]()])
    assert.equal((await other.sweep()).lostWorkers, 0)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})
