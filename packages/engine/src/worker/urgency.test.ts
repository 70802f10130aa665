import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import type { JobId, WorkerId } from '../job/job.ts'
import type { Claimed } from '../store/store.ts'
import { Urgency } from './urgency.ts'

function job(row: number, priority: number): Claimed {
  const lease = { jobId: `job-${row}` as JobId, attempt: 1, worker: 'ada' as WorkerId, row }
  return { lease, task: 't', kind: 'task', queue: 'tiles', priority, input: '1', createdAt: 0, failures: 0 }
}

function ended(...rows: number[]) {
  return rows.map((row) => ({ what: { lease: { row } } }))
}

const ROWS = Array.from({ length: 100 }, (_, row) => row)

function rowsOf(parts: { what: { lease: { row: number } } }[][]): number[][] {
  return parts.map((part) => part.map(({ what }) => what.lease.row))
}

suite('how much a worker says at once', () => {
  test('jobs of one priority, whichever, never shorten a batch', () => {
    const urgency = new Urgency()
    for (const priority of [5, 0, 0]) {
      urgency.claimed(
        ROWS.map((row) => job(row, priority)),
        0,
      )
      assert.deepEqual(rowsOf(urgency.split(ended(...ROWS), 0)), [ROWS, []])
    }
  })

  test('the end of an urgent job goes first, and for a second no more than 48 go with it', () => {
    const urgency = new Urgency()
    urgency.claimed(
      ROWS.map((row) => job(row, 0)),
      0,
    )
    urgency.claimed([job(200, 7)], 10)
    const [now, later] = rowsOf(urgency.split(ended(...ROWS, 200), 20))
    assert.deepEqual(now, [200, ...ROWS.slice(0, 47)])
    assert.deepEqual(later, ROWS.slice(47))
    assert.equal(urgency.batchMax(1_009), 48)
    assert.deepEqual(rowsOf(urgency.split(ended(...ROWS), 1_010)), [ROWS, []])
  })

  test('where all are urgent for five seconds, they are the ordinary ones', () => {
    const urgency = new Urgency()
    urgency.claimed([job(1, 0)], 0)
    urgency.claimed([job(2, 7)], 5_000)
    assert.equal(urgency.batchMax(5_000), 48)
    urgency.claimed([job(3, 7)], 6_000)
    assert.equal(urgency.batchMax(6_000), Number.POSITIVE_INFINITY)
  })
})
