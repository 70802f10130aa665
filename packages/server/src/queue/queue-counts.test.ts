import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { QueueCounts, Store } from '@headrace/engine'
import { createQueueReader } from './queue-counts.ts'

function countingStore(waiting: number) {
  const clock = { at: 0, now: () => clock.at }
  const counts = { times: 0 }
  const queues = async (): Promise<readonly QueueCounts[]> => {
    counts.times++
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
