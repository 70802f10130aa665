import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { ManualClock } from '../testing/manual-clock.ts'
import { setAlarm } from './alarm.ts'
import type { Clock } from './clock.ts'

const DAY_MS = 86_400_000

/** As the system's clock: no timer is longer than 2^31 - 1 ms. */
function cutShort(clock: ManualClock): Clock {
  return {
    now: () => clock.now(),
    setTimeout: (fn, delayMs) => clock.setTimeout(fn, Math.min(delayMs, 2_147_483_647)),
    defer: (fn) => clock.defer(fn),
  }
}

suite('an alarm', () => {
  test('goes off at its instant, though the system cuts its timers short', () => {
    const clock = new ManualClock(0)
    const rung: number[] = []
    setAlarm(cutShort(clock), 60 * DAY_MS, () => rung.push(clock.now()))
    clock.advance({ ms: 60 * DAY_MS - 1 })
    assert.deepEqual(rung, [])
    clock.advance({ ms: 1 })
    assert.deepEqual(rung, [60 * DAY_MS])
    assert.equal(clock.pending, 0)
  })

  test('whose instant has passed goes off at once, and not before its caller goes on', () => {
    const clock = new ManualClock(1_000)
    let rung = 0
    setAlarm(clock, 500, () => rung++)
    assert.equal(rung, 0)
    clock.advance({ ms: 0 })
    assert.equal(rung, 1)
  })

  test('that is called off stays silent, also after it has looked at the clock', () => {
    const clock = new ManualClock(0)
    const alarm = setAlarm(cutShort(clock), 60 * DAY_MS, () => assert.fail('it rang'))
    clock.advance({ ms: 30 * DAY_MS })
    alarm.cancel()
    clock.advance({ ms: 60 * DAY_MS })
    assert.equal(clock.pending, 0)
  })
})
