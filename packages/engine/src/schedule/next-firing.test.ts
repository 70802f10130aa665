import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { instantsBetween, nextFiring, upcoming } from './next-firing.ts'
import type { CatchUp, ScheduleOptions } from './schedule.ts'

/** Every so many milliseconds since 0. */
function every(ms: number) {
  return { next: (after: number) => (Math.floor(after / ms) + 1) * ms }
}

function options(catchUp: CatchUp, catchUpWindowMs?: number): ScheduleOptions {
  return { name: 's', task: 't', cron: '', catchUp, ...(catchUpWindowMs !== undefined && { catchUpWindowMs }) }
}

suite('what is due of a schedule', () => {
  test('the one instant that has come, in time', () => {
    for (const catchUp of ['none', 'one', 'all'] as const) {
      const due = nextFiring(options(catchUp), every(1_000_000), { nextAt: 1_000_000, now: 1_000_400 })
      assert.deepEqual(due, { instants: [1_000_000], skipped: 0, nextAt: 2_000_000 }, catchUp)
    }
  })

  test('of missed ones: none, the latest one, or all of a window', () => {
    const at = { nextAt: 1_000_000, now: 5_500_000 }
    const calendar = every(1_000_000)
    assert.deepEqual(nextFiring(options('none'), calendar, at), { instants: [], skipped: 5, nextAt: 6_000_000 })
    assert.deepEqual(nextFiring(options('one'), calendar, at), { instants: [5_000_000], skipped: 4, nextAt: 6_000_000 })
    assert.deepEqual(nextFiring(options('all', 3_000_000), calendar, at), {
      instants: [3_000_000, 4_000_000, 5_000_000],
      skipped: 2,
      nextAt: 6_000_000,
    })
  })

  test('of very many missed ones, a hundred at once, and the rest stays due', () => {
    const { instants, nextAt } = nextFiring(options('all'), every(1_000), { nextAt: 1_000, now: 500_500 })
    assert.equal(instants.length, 100)
    assert.equal(nextAt, 101_000)
  })

  test('months of missed seconds are not counted one by one', () => {
    let asked = 0
    const calendar = {
      next(after: number) {
        asked++
        return (Math.floor(after / 1_000) + 1) * 1_000
      },
    }
    const now = 90 * 86_400_000 + 400
    assert.deepEqual(nextFiring(options('one'), calendar, { nextAt: 1_000, now }).instants, [now - 400])
    const { instants } = nextFiring(options('all', 2_000), calendar, { nextAt: 1_000, now })
    assert.deepEqual(instants, [now - 1_400, now - 400])
    assert.ok(asked < 25_000, `${asked}`)
  })

  test('a calendar that ends has no next instant', () => {
    const once = { next: (after: number) => (after < 1_000 ? 1_000 : undefined) }
    for (const catchUp of ['none', 'one', 'all'] as const)
      assert.deepEqual(nextFiring(options(catchUp), once, { nextAt: 1_000, now: 1_001 }).nextAt, undefined)
    assert.deepEqual(upcoming(once, 0, 5), [1_000])
  })

  test('a span holds its beginning and not its end, and is refused when it holds too many', () => {
    assert.deepEqual(instantsBetween(every(1_000), { from: 1_000, to: 3_000, max: 10 }), [1_000, 2_000])
    assert.equal(instantsBetween(every(1_000), { from: 0, to: 3_000, max: 2 }), undefined)
  })
})
