import assert from 'node:assert/strict'
import { test } from 'node:test'
import { laneMatcher, laneOf, readLane, type WorkerTraits } from './lane.ts'

const job = { queue: 'geo', task: 'render' }
const fits = (worker: WorkerTraits, more: Partial<Parameters<typeof laneOf>[0]>, deployment = '') =>
  laneMatcher(worker)(readLane(laneOf({ ...job, ...more }, deployment)))

test('what is the same in another order is one lane', () => {
  const one = laneOf({ ...job, labels: ['gpu', 'eu', 'gpu'], needs: { slots: { b: 1, a: 2 }, cpu: 1 } }, 'blue')
  const other = laneOf({ ...job, labels: ['eu', 'gpu'], needs: { cpu: 1, slots: { a: 2, b: 1 } } }, 'blue')
  assert.deepEqual(one, other)
  assert.deepEqual(laneOf({ ...job, labels: [], needs: {} }, ''), { ...job, deployment: '', labels: '', needs: '' })
})

test('a worker has all labels of the lanes that it takes, and may have more', () => {
  assert.ok(fits({ labels: ['gpu', 'region=eu'] }, { labels: ['gpu'] }))
  assert.ok(fits({ labels: ['gpu'] }, {}))
  assert.ok(!fits({ labels: ['gpu'] }, { labels: ['gpu', 'region=eu'] }))
  assert.ok(!fits({}, { labels: ['gpu'] }))
})

test('a worker takes lanes of its own deployment and of no other, and without one those without one', () => {
  assert.ok(fits({ deployment: 'blue' }, {}, 'blue'))
  assert.ok(!fits({ deployment: 'blue' }, {}, 'green'))
  assert.ok(!fits({ deployment: 'blue' }, {}))
  assert.ok(!fits({}, {}, 'blue'))
})

test('a worker takes what could fit when all that it offers is free', () => {
  const offers = { cpu: 0.3, slots: { licence: 1 } }
  assert.ok(fits({ offers }, { needs: { cpu: 0.1 + 0.2 } }))
  assert.ok(!fits({ offers }, { needs: { cpu: 0.4 } }))
  assert.ok(!fits({ offers }, { needs: { memoryMb: 1 } }))
  assert.ok(fits({ offers }, { needs: { slots: { licence: 1 } } }))
  assert.ok(fits({}, { needs: { cpu: 99 } }))
})

test('a worker takes tasks that it knows', () => {
  assert.ok(fits({ tasks: ['render'] }, {}))
  assert.ok(!fits({ tasks: ['train'] }, {}))
})
