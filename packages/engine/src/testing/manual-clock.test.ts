import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { ManualClock } from './manual-clock.ts'

suite('a clock that is told when to move', () => {
  test('fires timers in the order of their instants, each at its own, and those that are set on the way', () => {
    const clock = new ManualClock(1_000)
    const fired: string[] = []
    const note = (what: string) => fired.push(`${what} ${clock.now()}`)
    clock.setTimeout(() => note('b'), 20)
    clock.setTimeout(() => {
      note('a')
      clock.setTimeout(() => note('c'), 15)
    }, 10)
    clock.setTimeout(() => note('d'), 20)
    clock.setTimeout(() => note('never'), 31)
    clock.advance({ ms: 30 })
    assert.deepEqual(fired, ['a 1010', 'b 1020', 'd 1020', 'c 1025'])
    assert.equal(clock.now(), 1_030)
    assert.equal(clock.pending, 1)
  })

  test('forgets a timer that is called off', () => {
    const clock = new ManualClock(0)
    clock.setTimeout(() => assert.fail('it was called off'), 10).cancel()
    clock.advance({ ms: 100 })
  })

  test('lets what a timer begins come to rest before the next one', async () => {
    const clock = new ManualClock(0)
    const seen: string[] = []
    clock.setTimeout(async () => {
      await new Promise<void>((resolve) => clock.defer(resolve))
      seen.push(`first ${clock.now()}`)
    }, 10)
    clock.setTimeout(() => seen.push('second'), 20)
    await clock.pass({ ms: 30 })
    assert.deepEqual(seen, ['first 10', 'second'])
  })

  test('says so when what is waited for does not come true', async () => {
    const clock = new ManualClock(0)
    await assert.rejects(
      clock.until(() => false, { ms: 100 }),
      /did not come true within 100 ms/,
    )
  })
})

test('a leap passes over what only looks around, which does so once', () => {
  const clock = new ManualClock(0)
  const fired: string[] = []
  const look = () => {
    fired.push(`look at ${clock.now()}`)
    clock.setTimeout(look, 100, { routine: true })
  }
  look()
  clock.setTimeout(() => fired.push(`due at ${clock.now()}`), 5_000)
  const off = clock.setTimeout(() => fired.push('called off'), 5_000)
  clock.setTimeout(() => off.cancel(), 4_000)
  assert.equal(clock.nextAt, 4_000)
  clock.leap(5_000)
  assert.deepEqual(fired, ['look at 0', 'look at 5000', 'due at 5000'])
  assert.equal(clock.nextAt, Number.POSITIVE_INFINITY)
  assert.equal(clock.pending, 1)
})
