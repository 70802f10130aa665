import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { WireEvent } from '@headrace/wire'
import { withPoints } from './metric-series.ts'

const told = (name: string, step: number, value: number): WireEvent => ({
  cursor: 1,
  jobId: 'a',
  kind: 'metric',
  attempt: 1,
  at: '2030-01-01T00:00:00Z',
  data: { name, step, value },
})

test('points are kept by name and in step order, however they arrive', () => {
  const series = withPoints(new Map(), [
    told('loss', 1, 0.9),
    told('loss', 3, 0.7),
    told('iou', 1, 0.2),
    told('loss', 2, 0.8),
  ])
  assert.deepEqual(series.get('loss'), { steps: [1, 2, 3], values: [0.9, 0.8, 0.7] })
  assert.deepEqual([...series.keys()], ['loss', 'iou'])
})

test('a step that is told again replaces what it said before', () => {
  const once = withPoints(new Map(), [told('loss', 1, 0.9), told('loss', 2, 0.8)])
  assert.deepEqual(withPoints(once, [told('loss', 1, 0.5)]).get('loss'), { steps: [1, 2], values: [0.5, 0.8] })
})
