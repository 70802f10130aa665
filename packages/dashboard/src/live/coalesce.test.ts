import assert from 'node:assert/strict'
import { test } from 'node:test'
import { coalesce } from './coalesce.ts'

test('what arrives together goes together, and a burst after it waits for its turn', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const batches: (readonly number[])[] = []
  const pipe = coalesce<number>(250, (batch) => batches.push(batch))
  pipe.push(1)
  pipe.push(2)
  t.mock.timers.tick(0)
  pipe.push(3)
  t.mock.timers.tick(249)
  assert.deepEqual(batches, [[1, 2]])
  pipe.push(4)
  t.mock.timers.tick(1)
  assert.deepEqual(batches, [
    [1, 2],
    [3, 4],
  ])
})

test('nothing is handed on after a stop', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const batches: (readonly number[])[] = []
  const pipe = coalesce<number>(250, (batch) => batches.push(batch))
  pipe.push(1)
  pipe.stop()
  t.mock.timers.tick(1000)
  assert.deepEqual(batches, [])
})
