import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, suite, test } from 'node:test'
import { ThreadLeaseKeeper } from './lease-keeper.ts'
import { openSqliteStore } from './sqlite-store.ts'

const folder = mkdtempSync(join(tmpdir(), 'headrace-leases-'))
after(() => rmSync(folder, { recursive: true, force: true }))

function lost(keeper: ThreadLeaseKeeper, worker: number, leaseMs = 300): Promise<string> {
  return new Promise((resolve) => keeper.keep(worker, leaseMs, resolve))
}

suite('the thread that renews leases', { timeout: 30_000 }, () => {
  test('tells each worker when it cannot go on, begins afresh for the next one, and can be closed', async () => {
    const keeper = new ThreadLeaseKeeper(folder)
    assert.match(await lost(keeper, 1), /can no longer be renewed/)
    assert.match(await lost(keeper, 2), /can no longer be renewed/)
    await keeper.close()
  })

  test('can be closed while it comes to grief', async () => {
    const keeper = new ThreadLeaseKeeper(folder)
    keeper.keep(1, 300, () => {})
    await keeper.close()
  })

  test('says that a lease is lost which somebody else has ended', async () => {
    const path = join(folder, 'leases.db')
    await using _store = await openSqliteStore(path)
    const keeper = new ThreadLeaseKeeper(path)
    assert.equal(await lost(keeper, 12_345), 'its lease lapsed')
    await keeper.close()
  })

  test('gives a lease up before others can take it, when it cannot be renewed', async () => {
    const path = join(folder, 'busy.db')
    await using _store = await openSqliteStore(path)
    const writer = new DatabaseSync(path)
    writer.exec('begin immediate')
    const keeper = new ThreadLeaseKeeper(path)
    const startedAt = performance.now()
    // Longer than the thread waits for a busy writer.
    assert.match(await lost(keeper, 1, 6_000), /could not be renewed: database is locked/)
    assert.ok(performance.now() - startedAt < 6_000)
    writer.exec('rollback')
    writer.close()
    await keeper.close()
  })
})
