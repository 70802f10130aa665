import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, suite, test } from 'node:test'
import { ManualClock } from '@headrace/engine/testing'
import { GuardedLeaseKeeper, LoopLeaseKeeper, ThreadLeaseKeeper } from './lease-keeper.ts'
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

suite('leases of a process that holds no jobs yet', { timeout: 30_000 }, () => {
  test('are renewed within the event loop, until it holds one; then by a thread', () => {
    const clock = new ManualClock('2030-01-01T00:00:00Z')
    const renewed: number[] = []
    const loop = new LoopLeaseKeeper(clock, (worker) => renewed.push(worker) > 0)
    const said: string[] = []
    const thread = {
      keep: (worker: number, leaseMs: number) => said.push(`keep ${worker} for ${leaseMs}`),
      letGo: (worker: number) => said.push(`let ${worker} go`),
      close: async () => {},
    }
    const keeper = new GuardedLeaseKeeper(loop, () => thread)
    keeper.keep(1, 300, () => {})
    keeper.keep(2, 900, () => {})
    clock.advance({ ms: 300 })
    assert.deepEqual(renewed, [1, 1, 2, 1])
    keeper.guard()
    keeper.guard()
    clock.advance({ ms: 900 })
    assert.equal(renewed.length, 4)
    keeper.keep(3, 300, () => {})
    keeper.letGo(1)
    assert.deepEqual(said, ['keep 1 for 300', 'keep 2 for 900', 'keep 3 for 300', 'let 1 go'])
  })

  test('that were lost are no matter of the thread', () => {
    const clock = new ManualClock('2030-01-01T00:00:00Z')
    const loop = new LoopLeaseKeeper(clock, (worker) => worker !== 1)
    const said: string[] = []
    const thread = { keep: (worker: number) => said.push(`keep ${worker}`), letGo: () => {}, close: async () => {} }
    const keeper = new GuardedLeaseKeeper(loop, () => thread)
    const lost: string[] = []
    keeper.keep(1, 300, (reason) => lost.push(reason))
    clock.advance({ ms: 100 })
    assert.deepEqual(lost, ['its lease lapsed'])
    keeper.keep(2, 300, () => {})
    keeper.guard()
    assert.deepEqual(said, ['keep 2'])
  })

  test('are given up before others can take them, when they cannot be renewed', async () => {
    const clock = new ManualClock('2030-01-01T00:00:00Z')
    const full = Promise.withResolvers<string>()
    let tries = 0
    const loop = new LoopLeaseKeeper(clock, () => {
      tries++
      return Promise.reject(new Error('the disk is full'))
    })
    loop.keep(1, 300, full.resolve)
    for (let third = 0; third < 2; third++) {
      clock.advance({ ms: 100 })
      await new Promise(setImmediate)
    }
    assert.equal(await full.promise, 'its lease could not be renewed: the disk is full')
    assert.equal(tries, 2)
  })

  test('that somebody else has ended are lost', async () => {
    const clock = new ManualClock('2030-01-01T00:00:00Z')
    const ended = Promise.withResolvers<string>()
    new LoopLeaseKeeper(clock, async () => false).keep(1, 300, ended.resolve)
    clock.advance({ ms: 100 })
    assert.equal(await ended.promise, 'its lease lapsed')
  })
})
