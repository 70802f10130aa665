import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { QueueCounts, Store } from '@headrace/engine'
import { createQueueReader } from './queue-counts.ts'

function countingStore(waiting: number, takesMs = 0) {
  const clock = { at: 0, now: () => clock.at }
  const counts = { times: 0, fail: false }
  const queues = async (): Promise<readonly QueueCounts[]> => {
    counts.times++
    clock.at += takesMs
    if (counts.fail) throw new Error('it took too long')
    return [{ queue: 'geo', waiting, scheduled: 0, running: 0, blocked: 0 }]
  }
  return { clock, counts, reader: createQueueReader({ clock, queues } as unknown as Store) } // sound: it uses no more
}

test('short queues are counted for each look', async () => {
  const { counts, reader } = countingStore(9_999)
  await reader.read()
  await reader.read()
  assert.equal(counts.times, 2)
})

test('long queues are counted once in a while for all who look, and at once after a change', async () => {
  const { clock, counts, reader } = countingStore(100_000)
  await Promise.all([reader.read(), reader.read()])
  await reader.read()
  assert.equal(counts.times, 1)
  clock.at = 1_000
  await reader.read()
  assert.equal(counts.times, 2, '100,000 jobs are counted once a second')
  reader.forget()
  await reader.read()
  assert.equal(counts.times, 3)
})

test('counting that takes long is done the less often, so that it never takes more than a twentieth of the time', async () => {
  const { clock, counts, reader } = countingStore(100_000, 3_000)
  await reader.read()
  clock.at = 3_000 + 59_999
  await reader.read()
  assert.equal(counts.times, 1)
  clock.at++
  await reader.read()
  assert.equal(counts.times, 2)
})

test('counting that failed is tried again a little later', async () => {
  const { clock, counts, reader } = countingStore(100_000)
  counts.fail = true
  await assert.rejects(reader.read(), /it took too long/)
  await assert.rejects(reader.read(), /it took too long/)
  assert.equal(counts.times, 1)
  counts.fail = false
  clock.at = 2_000
  assert.equal((await reader.read())[0]?.waiting, 100_000)
})
