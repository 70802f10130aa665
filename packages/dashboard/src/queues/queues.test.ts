import assert from 'node:assert/strict'
import { test } from 'node:test'
import { draftOf, queuesWithSlots, rateText, readDraft } from './queues.ts'

const empty = { waiting: 0, scheduled: 0, blocked: 0, running: 0, paused: false, fair: false }
const worker = {
  id: 'w',
  name: 'w',
  host: 'h',
  pid: 1,
  running: 0,
  startedAt: '',
  leaseUntil: '',
  labels: [],
  resources: {},
  draining: false,
}

test('slots are summed over workers, and a queue without jobs is there as long as a worker waits for some', () => {
  const queues = [{ ...empty, queue: 'tiles', waiting: 3, running: 1 }]
  const workers = [
    { ...worker, queues: { tiles: 4, geo: 1 } },
    { ...worker, queues: { tiles: 2 } },
  ]
  assert.deepEqual(queuesWithSlots(queues, workers), [
    { ...empty, queue: 'geo', slots: 1 },
    { ...empty, queue: 'tiles', waiting: 3, running: 1, slots: 6 },
  ])
})

test('a queue that no worker takes from has no slots', () => {
  assert.equal(queuesWithSlots([{ ...empty, queue: 'gpu', waiting: 1 }], [])[0]?.slots, 0)
})

test('a rate reads by its unit, and by its time where it has none', () => {
  assert.equal(rateText({ count: 10, perMs: 60_000 }), '10 per minute')
  assert.equal(rateText({ count: 1, perMs: 90_000 }), '1 per 1 min 30 s')
})

test('the settings of a queue are what the form holds, and the form gives them back', () => {
  const queue = { ...empty, queue: 'geo', fair: true, rate: { count: 5, perMs: 1_000 }, shares: { ada: 2, 'b c': 0.5 } }
  const draft = draftOf(queue)
  assert.deepEqual(draft, { count: '5', perMs: 1_000, fair: true, shares: 'ada = 2\nb c = 0.5' })
  assert.deepEqual(readDraft(draft), {
    patch: { rate: { count: 5, perMs: 1_000 }, fair: true, shares: { ada: 2, 'b c': 0.5 } },
  })
})

test('an empty rate takes the rate away, and what is no number or no weight is said', () => {
  const draft = { count: ' ', perMs: 1_000, fair: false, shares: '' }
  assert.deepEqual(readDraft(draft), { patch: { rate: null, fair: false } })
  assert.match(JSON.stringify(readDraft({ ...draft, count: 'ten' })), /Write a whole number/)
  assert.match(JSON.stringify(readDraft({ ...draft, shares: 'ada: 2' })), /ada: 2.*ada = 2/)
})
