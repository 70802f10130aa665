import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createEngine, task } from '@headrace/engine'
import { ManualClock } from '@headrace/engine/testing'
import { openSqliteStore } from './sqlite-store.ts'

test('a worker goes on sweeping at once while more has fallen due than one sweep makes claimable', async () => {
  const clock = new ManualClock('2030-01-01T00:00:00Z')
  await using store = await openSqliteStore(':memory:', { clock, fsync: false })
  const nothing = task({ name: 'nothing', queue: 'elsewhere', run: () => null })
  const engine = createEngine({ store, tasks: [nothing] })
  const worker = await engine.startWorker({ queues: { here: 1 } })
  await engine.submitMany(nothing, Array(3_500).fill(null), { delayMs: 60_000 })
  await clock.pass({ ms: 60_010 })
  assert.partialDeepStrictEqual(await store.queues(), [{ queue: 'elsewhere', waiting: 3_500, scheduled: 0 }])
  worker.kill()
})
