import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { retryDelayMs } from './retry.ts'

const error = { code: 'task_threw', message: 'It broke.' }
const delays = (policy: Parameters<typeof retryDelayMs>[0], random: number) =>
  [1, 2, 3, 4, 5].map((failures) => retryDelayMs(policy, failures, error, () => random))

suite('the wait before another attempt', () => {
  test('doubles each time, and half of it is drawn', () => {
    assert.deepEqual(delays({ attempts: 5, delayMs: 100 }, 0), [50, 100, 200, 400, undefined])
    assert.deepEqual(delays({ attempts: 5, delayMs: 100 }, 0.5), [75, 150, 300, 600, undefined])
  })

  test('stays the same under a fixed back-off', () => {
    assert.deepEqual(delays({ attempts: 9, delayMs: 100, backoff: 'fixed' }, 0), [50, 50, 50, 50, 50])
  })

  test('is bounded', () => {
    assert.deepEqual(delays({ attempts: 9, delayMs: 100, delayMsMax: 300 }, 0), [50, 100, 150, 150, 150])
    assert.equal(
      retryDelayMs({ attempts: 9_999 }, 5_000, error, () => 0),
      150_000,
    )
  })

  test('is never, for an error that says that trying again is useless', () => {
    assert.equal(
      retryDelayMs({ attempts: 9 }, 1, { ...error, retryable: false }, () => 0),
      undefined,
    )
  })

  test('is never, for a task with one attempt', () => {
    assert.equal(
      retryDelayMs({ attempts: 1 }, 1, error, () => 0),
      undefined,
    )
  })
})
