import assert from 'node:assert/strict'
import { test } from 'node:test'
import { RunTimes } from './run-times.ts'

const points = (ms: Readonly<Record<number, number>>) =>
  Object.entries(ms).map(([rows, each]) => ({ rows: Number(rows), ms: each }))
/** A row takes ten milliseconds, however many run together. */
const COMPUTE_BOUND = points({ 1: 10, 2: 20, 4: 40, 8: 80 })
/** Reading the weights takes a millisecond, and each row a tenth of one. */
const MEMORY_BOUND = points({ 1: 1.1, 2: 1.2, 4: 1.4, 8: 1.8 })

test('a run is as large as makes it answer more rows a second, and no larger', () => {
  assert.equal(new RunTimes(COMPUTE_BOUND, 8).bestRows, 1)
  assert.equal(new RunTimes(MEMORY_BOUND, 8).bestRows, 8)
  assert.equal(new RunTimes(points({ 1: 15, 2: 21, 4: 40, 8: 80 }), 8).bestRows, 2)
  const short = points({ 1: 0.8, 2: 1.6, 4: 3.2, 8: 6.4, 16: 12.8, 32: 25.6 })
  const brief = points({ 1: 2.4, 2: 4.8, 4: 9.6, 8: 19.2, 16: 38.4 })
  assert.equal(new RunTimes(brief, 16).bestRows, 4, 'a run of up to 10 ms makes nobody wait')
  assert.equal(new RunTimes(short, 32).bestRows, 8, 'to hand a run over takes a while, too')
})

test('where larger runs were not tried, or none at all, the manifest’s number holds', () => {
  assert.equal(new RunTimes(points({ 1: 900 }), 32).bestRows, 32)
  assert.equal(new RunTimes(points({ 1: 100, 2: 110 }), 32).bestRows, 32)
  assert.equal(new RunTimes([], 32).bestRows, 32)
})

test('a run is expected to take what the curve says, times what the newest runs took of it', () => {
  const times = new RunTimes(COMPUTE_BOUND, 8)
  assert.deepEqual(
    [1, 3, 8, 16].map((rows) => times.expectedMs(rows, 0)),
    [10, 30, 80, 160],
  )
  for (let at = 0; at < 100; at++) times.ran(4, { ms: 80, endedAt: at * 100 })
  assert.ok(Math.abs(times.expectedMs(1, 10_000) - 20) < 0.01, 'the machine is half as fast now')
})

test('one run that stalled says little of the next, and nothing once it is long ago', () => {
  const times = new RunTimes(COMPUTE_BOUND, 8)
  times.ran(1, { ms: 10, endedAt: 10 })
  times.ran(1, { ms: 1_000, endedAt: 1_010 })
  assert.equal(times.expectedMs(1, 1_010), 16)
  assert.equal(times.expectedMs(1, 4_000), 10)
})

test('without a curve all runs count alike, and nothing is expected before the first', () => {
  const times = new RunTimes([], 8)
  assert.equal(times.expectedMs(8, 0), 0)
  times.ran(2, { ms: 30, endedAt: 30 })
  assert.equal(times.expectedMs(8, 30), 30)
  assert.equal(times.expectedMs(8, 1_030), 0)
})
