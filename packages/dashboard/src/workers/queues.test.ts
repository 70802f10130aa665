import assert from 'node:assert/strict'
import { test } from 'node:test'
import { queuesWithSlots } from './queues.ts'

const worker = { id: 'w', name: 'w', host: 'h', pid: 1, running: 0, startedAt: '', leaseUntil: '' }

test('slots are summed over workers, and a queue without jobs is there as long as a worker waits for some', () => {
  const queues = [{ queue: 'tiles', waiting: 3, scheduled: 0, running: 1 }]
  const workers = [
    { ...worker, queues: { tiles: 4, geo: 1 } },
    { ...worker, queues: { tiles: 2 } },
  ]
  assert.deepEqual(queuesWithSlots(queues, workers), [
    { queue: 'geo', waiting: 0, scheduled: 0, running: 0, slots: 1 },
    { queue: 'tiles', waiting: 3, scheduled: 0, running: 1, slots: 6 },
  ])
})

test('a queue that no worker takes from has no slots', () => {
  assert.equal(queuesWithSlots([{ queue: 'gpu', waiting: 1, scheduled: 0, running: 0 }], [])[0]?.slots, 0)
})
