import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Job } from '@headrace/engine'
import { timesOf } from './queue-times.ts'

const job = (waitedMs: number, ranMs: number, attempt = 1) =>
  ({ createdAt: 1_000, startedAt: 1_000 + waitedMs, endedAt: 1_000 + waitedMs + ranMs, attempt }) as unknown as Job // sound: no more is read

test('half the jobs waited no longer than the median, and all but one in twenty no longer than the other', () => {
  const jobs = Array.from({ length: 20 }, (_, index) => job((index + 1) * 10, 5))
  assert.deepEqual(timesOf(jobs), { jobs: 20, waitMs: { p50: 100, p95: 190 }, runMs: { p50: 5, p95: 5 } })
})

test('how long a job of several attempts waited for the first is not known, and one that never began only counts', () => {
  const never = { createdAt: 1_000, endedAt: 2_000, attempt: 0 } as unknown as Job // sound: as above
  assert.deepEqual(timesOf([never]), { jobs: 1 })
  assert.deepEqual(timesOf([job(10, 7, 2), never]), { jobs: 2, runMs: { p50: 7, p95: 7 } })
})
