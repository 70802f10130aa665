import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { task } from '../task/task.ts'
import { Stage } from '../testing/stage.ts'
import { DEFAULT_RETENTION, isPastKeep, pruneHorizon, readRetention } from './policy.ts'
import { rowsAfter } from './step-size.ts'

const HOUR = 3_600_000
const DAY = 24 * HOUR
const quick = task({ name: 'quick', run: () => 1 })

suite('a retention policy', () => {
  test('says for each job how long it is kept: its task before its queue, and that before all others', () => {
    const retention = readRetention({
      keep: { succeeded: '2d', failed: 'forever' },
      tasks: { tile: { succeeded: 1_000 } },
      queues: { geo: { succeeded: '1h', cancelled: 'forever' } },
    })
    const job = { task: 'other', queue: 'default', endedAt: 0 } as const
    const isPast = (over: object, now: number) => isPastKeep(retention, { ...job, state: 'succeeded', ...over }, now)
    assert.deepEqual([isPast({}, 2 * DAY - 1), isPast({}, 2 * DAY)], [false, true])
    assert.deepEqual(
      [isPast({ task: 'tile', queue: 'geo' }, 999), isPast({ task: 'tile', queue: 'geo' }, 1_000)],
      [false, true],
    )
    assert.deepEqual([isPast({ queue: 'geo' }, HOUR - 1), isPast({ queue: 'geo' }, HOUR)], [false, true])
    assert.equal(isPast({ state: 'failed' }, 10_000 * DAY), false)
    assert.equal(isPast({ state: 'cancelled', queue: 'geo' }, 10_000 * DAY), false)
    assert.equal(isPast({ state: 'cancelled' }, 30 * DAY), true)
    assert.equal(pruneHorizon(retention, 5_000), 4_000)
  })

  test('keeps what it does not name as the default says, and all for ever where it is told to', () => {
    assert.deepEqual(readRetention({ keep: {} }), readRetention(DEFAULT_RETENTION))
    const forever = readRetention({ keep: { succeeded: 'forever', failed: 'forever', cancelled: 'forever' } })
    assert.equal(pruneHorizon(forever, 0), undefined)
  })

  test('is refused where it cannot be meant, with what and why', () => {
    const refused = (policy: object, message: RegExp) =>
      assert.throws(() => readRetention(policy as never), { code: 'option_invalid', message })
    refused({ keep: { succeeded: 'a month' } }, /^keep\.succeeded is a month; it must be a time such as 30d/)
    refused({ keep: { done: '1d' } }, /^keep is of done; it must be of succeeded, failed, cancelled/)
    refused({ keep: {}, tasks: { tile: { failed: -1 } } }, /^tasks\.tile\.failed is -1/)
    refused({ keep: null }, /^keep is null/)
  })
})

suite('old jobs', () => {
  test('go by themselves, by one of the workers', async () => {
    await using stage = new Stage()
    const [one, two] = [await stage.process([quick]), await stage.process([quick])]
    await one.engine.retention.set({ keep: { succeeded: '30s' } })
    const old = await one.submit(quick)
    const workers = [await one.startWorker(), await two.startWorker()].map(({ id }) => id as string)
    await one.end(old)
    await one.end(await one.submit(quick))
    await stage.clock.until(async () => (await one.engine.retention.status()).pass?.prunedJobs === 1)
    assert.equal(await one.store.job(old), undefined)
    const { pass, isDefault } = await two.engine.retention.status()
    assert.equal(isDefault, false)
    assert.ok(workers.includes(pass?.by ?? ''))
    assert.deepEqual(one.reports, [])
  })

  test('are looked at in steps, of which only one worker makes the next, until it is silent', async () => {
    await using stage = new Stage()
    const actor = await stage.process([quick])
    await actor.engine.retention.set({ keep: { succeeded: '1s' } })
    await actor.engine.submitMany(
      quick,
      Array.from({ length: 1_500 }, () => null),
    )
    const worker = await actor.startWorker({ queues: { default: 500 } })
    await stage.clock.until(
      async () => (await actor.store.jobs({ states: ['waiting', 'running'] }, { limit: 1 })).jobs.length === 0,
    )
    await worker.stop()
    stage.clock.advance({ ms: 60_000 })
    const { retention } = actor.engine
    const now = stage.clock.now()
    assert.equal(await retention.takeTurn('ada'), now)
    assert.equal(await retention.takeTurn('bob'), now + 30_000)
    stage.clock.advance({ ms: 30_001 })
    for (let turns = 0; (await retention.takeTurn('bob')) === stage.clock.now(); turns++) assert.ok(turns < 20)
    const { pass } = await retention.status()
    assert.deepEqual([pass?.by, pass?.prunedJobs, pass?.next], ['bob', 1_499, undefined])
    assert.equal((await actor.store.jobs({}, { limit: 10 })).jobs.length, 1)
    // The next pass begins an hour after the end of this one.
    assert.equal(await retention.takeTurn('ada'), stage.clock.now() + 60_000)
    assert.equal((await retention.status()).pass?.by, 'bob')
  })
})

test('a step of retention that took longer than 20 ms is followed by one of half its rows, and others by longer ones', () => {
  assert.equal(rowsAfter(100, 20), 200)
  assert.equal(rowsAfter(800, 3), 1_000)
  assert.equal(rowsAfter(100, 21), 50)
  assert.equal(rowsAfter(30, 500), 25)
})
