import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { task } from '../task/task.ts'
import { type Actor, Stage } from '../testing/stage.ts'
import { type ScheduleOptions, schedule } from './schedule.ts'

/** Expressions of the tests: `every N ms`, from 1970 on. */
function readEvery(expression: string) {
  const [, ms = ''] = /^every (\d+) ms$/.exec(expression) ?? []
  if (ms === '') throw new Error(`"${expression}" is not "every N ms"`)
  return { next: (after: number) => (Math.floor(after / Number(ms)) + 1) * Number(ms) }
}

const MINUTE_MS = 60_000
const EVERY_MINUTE = `every ${MINUTE_MS} ms`

function noting() {
  const inputs: unknown[] = []
  return { inputs, note: task({ name: 'note', run: (input: unknown) => void inputs.push(input) }) }
}

/** A task that goes on until it is let go or cancelled. */
function lasting() {
  const releases: (() => void)[] = []
  const last = task({
    name: 'last',
    run: (_input, job) =>
      new Promise<void>((resolve, reject) => {
        releases.push(resolve)
        job.signal.addEventListener('abort', () => reject(job.signal.reason))
      }),
  })
  return { releases, last }
}

async function runsOf(here: Actor, name: string) {
  const { jobs } = await here.store.jobs({ tag: `schedule:${name}` }, { limit: 100 })
  return jobs.toReversed()
}

const every: ScheduleOptions = { name: 'every', task: 'note', cron: EVERY_MINUTE }

suite('schedules', () => {
  test('each instant starts the task once, however many workers there are, with its input, owner and tags', async () => {
    await using stage = new Stage()
    const { inputs, note } = noting()
    const options = { cron: readEvery }
    const processes = [await stage.process([note], options), await stage.process([note], options)]
    for (const process of processes) await process.startWorker()
    const [here] = processes as [Actor, Actor]
    await here.engine.schedules.put({ ...every, input: { zoom: 3 }, owner: 'ada', tags: ['blue'] })
    await stage.clock.pass({ ms: 3 * MINUTE_MS + 2_000 })
    assert.deepEqual(inputs, [{ zoom: 3 }, { zoom: 3 }, { zoom: 3 }])
    const runs = await runsOf(here, 'every')
    assert.equal(runs[0]?.owner, 'ada')
    assert.deepEqual(runs[0]?.tags, ['blue', 'schedule:every', 'scheduled-for:2030-01-01T00:01:00.000Z'])
    const shown = await here.engine.schedules.get('every')
    assert.deepEqual([shown.fired, shown.skipped, shown.lastJobId], [3, 0, runs[2]?.id])
    assert.equal(shown.lastAt, Date.parse('2030-01-01T00:03:00Z'))
    const next = Date.parse('2030-01-01T00:04:00Z')
    assert.deepEqual(
      shown.nextRuns,
      [0, 1, 2, 3, 4].map((index) => next + index * MINUTE_MS),
    )
  })

  test('a declared schedule is stored when a worker starts, goes on where it was, and is changed with the code', async () => {
    await using stage = new Stage()
    const { inputs, note } = noting()
    const declared = schedule({ name: 'declared', task: note, cron: EVERY_MINUTE, input: 1 })
    const here = await stage.process([note], { cron: readEvery, schedules: [declared] })
    await here.startWorker()
    await here.engine.schedules.pause('declared')
    const again = await stage.process([note], { cron: readEvery, schedules: [declared] })
    await again.startWorker()
    assert.equal((await again.engine.schedules.get('declared')).paused, true)
    await again.engine.schedules.resume('declared')
    const newer = schedule({ name: 'declared', task: note, cron: EVERY_MINUTE, input: 2 })
    const there = await stage.process([note], { cron: readEvery, schedules: [newer] })
    await there.startWorker()
    await stage.clock.pass({ ms: MINUTE_MS + 2_000 })
    assert.deepEqual(inputs, [2])
    assert.equal((await there.engine.schedules.get('declared')).isDeclared, true)
  })

  const overlaps = {
    skip: { states: ['running'], skipped: 2 },
    'buffer-one': { states: ['running', 'waiting'], skipped: 1 },
    allow: { states: ['running', 'running', 'running'], skipped: 0 },
    'cancel-running': { states: ['cancelled', 'cancelled', 'running'], skipped: 0 },
  } as const
  for (const [overlap, { states, skipped }] of Object.entries(overlaps)) {
    test(`while the last run is at it, ${overlap} gives ${states.join(', ')} after three instants`, async () => {
      await using stage = new Stage()
      const { releases, last } = lasting()
      const here = await stage.process([last], { cron: readEvery })
      await here.startWorker()
      await here.engine.schedules.put({ ...every, task: 'last', overlap: overlap as 'skip' })
      await stage.clock.pass({ ms: 3 * MINUTE_MS + 5_000 })
      const runs = await runsOf(here, 'every')
      assert.deepEqual(
        runs.map(({ state }) => state),
        states,
      )
      assert.equal((await here.engine.schedules.get('every')).skipped, skipped)
      for (const release of releases) release()
      await stage.clock.pass({ ms: 5_000 })
      const ends = (await runsOf(here, 'every')).map(({ state }) => state)
      assert.equal(ends.at(overlap === 'buffer-one' ? 0 : -1), 'succeeded')
      if (overlap === 'buffer-one') assert.equal(ends[1], 'running')
    })
  }

  const catchUps = { none: 0, one: 1, all: 5 } as const
  for (const [catchUp, caught] of Object.entries(catchUps)) {
    test(`after an hour without a worker, ${catchUp} catches up ${caught} runs`, async () => {
      await using stage = new Stage()
      const { inputs, note } = noting()
      const here = await stage.process([note], { cron: readEvery })
      await here.engine.schedules.put({
        ...every,
        cron: `every ${10 * MINUTE_MS} ms`,
        catchUp: catchUp as 'all',
        overlap: 'allow',
      })
      stage.clock.advance({ ms: 55 * MINUTE_MS })
      await here.startWorker()
      await stage.clock.pass({ ms: 1_000 })
      assert.equal(inputs.length, caught)
    })
  }

  test('a paused schedule starts nothing, and what it missed is not caught up', async () => {
    await using stage = new Stage()
    const { inputs, note } = noting()
    const here = await stage.process([note], { cron: readEvery })
    await here.startWorker()
    await here.engine.schedules.put({ ...every, catchUp: 'all' })
    assert.deepEqual((await here.engine.schedules.pause('every')).nextRuns, [])
    await stage.clock.pass({ ms: 5 * MINUTE_MS })
    assert.equal(inputs.length, 0)
    await here.engine.schedules.resume('every')
    await stage.clock.pass({ ms: MINUTE_MS + 2_000 })
    assert.equal(inputs.length, 1)
  })

  test('it is started by hand beside its runs, and filled in for a span, one run after the other', async () => {
    await using stage = new Stage()
    const { releases, last } = lasting()
    const here = await stage.process([last], { cron: readEvery })
    await here.startWorker()
    await here.engine.schedules.put({ ...every, task: 'last' })
    await here.engine.schedules.trigger('every')
    const to = stage.clock.now()
    const filled = await here.engine.schedules.backfill('every', { from: to - 3 * MINUTE_MS, to })
    assert.equal(filled.length, 3)
    await stage.clock.pass({ ms: 2_000 })
    const runs = await runsOf(here, 'every')
    assert.deepEqual(
      runs.map(({ state }) => state),
      ['running', 'running', 'waiting', 'waiting'],
    )
    assert.ok(runs[1]?.tags.includes('scheduled-for:2029-12-31T23:57:00.000Z'))
    assert.equal(releases.length, 2)
    const span = { from: 0, to }
    await assert.rejects(here.engine.schedules.backfill('every', span), { code: 'schedule_range_too_large' })
    await assert.rejects(here.engine.schedules.backfill('every', { from: to, to }), { code: 'option_invalid' })
  })

  test('jitter moves a run by the same time whoever fires it, and no further than it says', async () => {
    await using stage = new Stage()
    const { note } = noting()
    const here = await stage.process([note], { cron: readEvery })
    await here.startWorker()
    await here.engine.schedules.put({ ...every, jitterMs: 30_000, overlap: 'allow' })
    await stage.clock.pass({ ms: 5 * MINUTE_MS + 2_000 })
    const late = (await runsOf(here, 'every')).map((job) => {
      const [, at = ''] = /scheduled-for:(.*)/.exec(job.tags.at(-1) ?? '') ?? []
      return (job.state === 'waiting' ? (job.dueAt ?? 0) : (job as { startedAt: number }).startedAt) - Date.parse(at)
    })
    assert.equal(late.length, 5)
    assert.ok(late.every((ms) => ms >= 0 && ms <= 32_000) && new Set(late).size > 2, late.join())
  })

  test('one whose task is unknown here is left to the workers who know it', async () => {
    await using stage = new Stage()
    const { inputs, note } = noting()
    const { last } = lasting()
    const [here, there] = [
      await stage.process([note], { cron: readEvery }),
      await stage.process([last], { cron: readEvery }),
    ]
    await here.engine.schedules.put(every)
    await there.startWorker()
    await stage.clock.pass({ ms: MINUTE_MS + 2_000 })
    assert.deepEqual(await runsOf(here, 'every'), [])
    await here.startWorker()
    await stage.clock.pass({ ms: 2_000 })
    assert.equal(inputs.length, 1)
  })

  test('what could not be fired is refused before it is stored', async () => {
    await using stage = new Stage()
    const { note } = noting()
    const limited = task({ name: 'limited', limit: { key: 'l' }, run: () => 1 })
    const here = await stage.process([note, limited], { cron: readEvery })
    const { schedules } = here.engine
    const refused = (over: Partial<ScheduleOptions>, code: string) =>
      assert.rejects(schedules.put({ ...every, ...over }), { code })
    await refused({ name: 'a b' }, 'schedule_invalid')
    await refused({ cron: 'at noon' }, 'schedule_invalid')
    await refused({ task: 'nobody' }, 'unknown_task')
    await refused({ overlap: 'sometimes' as 'skip' }, 'option_invalid')
    await refused({ jitterMs: -1 }, 'option_invalid')
    await refused({ task: 'limited', overlap: 'skip' }, 'option_invalid')
    assert.deepEqual(await schedules.list(), [])
    await assert.rejects(schedules.get('every'), { code: 'unknown_schedule' })
    await assert.rejects(schedules.delete('every'), { code: 'unknown_schedule' })
    await schedules.put({ ...every, task: 'limited' })
    const declared = schedule({ name: 'd', task: note, cron: EVERY_MINUTE })
    await assert.rejects(stage.process([note], { schedules: [declared] }), { code: 'option_invalid', message: /cron/ })
  })
})
