import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { type OpenStore, Rig } from './rig.ts'

const HOUR_MS = 3_600_000

export function testSchedules(open: OpenStore): void {
  suite('schedules', () => {
    async function withSchedule(over: { name?: string; nextAt?: number } = {}) {
      const rig = await Rig.open(open)
      const nextAt = over.nextAt ?? rig.clock.now() + HOUR_MS
      const name = over.name ?? 'nightly'
      await rig.store.schedules.put({ name, body: '{"task":"render"}', nextAt })
      return { rig, name, nextAt, [Symbol.asyncDispose]: () => rig[Symbol.asyncDispose]() }
    }

    test('a schedule is read as it was put, listed by name, changed by the next one of its name, and deleted', async () => {
      await using here = await withSchedule()
      const { rig, nextAt } = here
      const { schedules } = rig.store
      const expected = {
        name: 'nightly',
        body: '{"task":"render"}',
        paused: false,
        nextAt,
        fired: 0,
        skipped: 0,
        changedAt: rig.clock.now(),
      }
      assert.deepEqual(await schedules.get('nightly'), expected)
      assert.equal(await schedules.put({ name: 'hourly', body: '{}', nextAt: nextAt + 1 }), 'created')
      assert.equal(await schedules.put({ name: 'hourly', body: '{"b":1}', nextAt: nextAt + 2 }), 'changed')
      assert.deepEqual(
        (await schedules.list()).map(({ name, body, nextAt }) => [name, body, nextAt]),
        [
          ['hourly', '{"b":1}', nextAt + 2],
          ['nightly', expected.body, nextAt],
        ],
      )
      assert.equal(await schedules.delete('nightly'), true)
      assert.equal(await schedules.delete('nightly'), false)
      assert.equal(await schedules.get('nightly'), undefined)
    })

    test('one that is put again as it is goes on from where it is, however late that comes', async () => {
      await using here = await withSchedule()
      const { rig, name, nextAt } = here
      const { schedules } = rig.store
      const firing = { name, expectedNextAt: nextAt, nextAt: nextAt + HOUR_MS, firedAt: nextAt, skipped: 0 }
      await schedules.fire({ ...firing, jobs: [rig.job()] })
      assert.equal(await schedules.put({ name, body: '{"task":"render"}', nextAt }), 'changed')
      assert.equal((await schedules.get(name))?.nextAt, nextAt + HOUR_MS)
      await schedules.put({ name, body: '{"task":"other"}', nextAt })
      assert.equal((await schedules.get(name))?.nextAt, nextAt)
    })

    test('a sweep says when the next one falls due, and that one is due, and those are given by how long they are', async () => {
      await using here = await withSchedule()
      const { rig, nextAt } = here
      await rig.store.schedules.put({ name: 'earlier', body: '{}', nextAt: nextAt - 1 })
      const before = await rig.store.sweep()
      assert.equal(before.nextDueAt, nextAt - 1)
      assert.equal(before.schedulesDue, undefined)
      assert.deepEqual(await rig.store.schedules.due(10), [])
      rig.clock.advance({ ms: HOUR_MS })
      const after = await rig.store.sweep()
      assert.equal(after.schedulesDue, true)
      // Whoever sweeps may know none of their tasks, and must not sweep without end.
      assert.equal(after.nextDueAt, undefined)
      const due = await rig.store.schedules.due(10)
      assert.deepEqual(
        due.map(({ name }) => name),
        ['earlier', 'nightly'],
      )
      assert.equal((await rig.store.schedules.due(1)).length, 1)
    })

    test('an instant is fired once, whoever tries, and its jobs are there with the step to the next one', async () => {
      await using here = await withSchedule()
      const { rig, name, nextAt } = here
      await using other = await rig.neighbour()
      rig.clock.advance({ ms: HOUR_MS })
      const jobs = [rig.job(), other.job()]
      const results = await Promise.all(
        [rig, other].map(({ store }, index) =>
          store.schedules.fire({
            name,
            expectedNextAt: nextAt,
            nextAt: nextAt + HOUR_MS,
            firedAt: nextAt,
            jobs: jobs.slice(index, index + 1),
            skipped: 3,
          }),
        ),
      )
      assert.equal(results.filter((result) => result === 'elsewhere').length, 1)
      const states = await Promise.all(jobs.map(({ id }) => rig.state(id)))
      assert.deepEqual(
        states.filter((state) => state !== undefined),
        ['waiting'],
      )
      const record = await other.store.schedules.get(name)
      assert.deepEqual(
        [record?.nextAt, record?.lastAt, record?.fired, record?.skipped],
        [nextAt + HOUR_MS, nextAt, 1, 3],
      )
      assert.equal(record?.lastJobId, jobs[states.indexOf('waiting')]?.id)
    })

    test('one that was paused, changed or deleted meanwhile is not fired', async () => {
      await using here = await withSchedule()
      const { rig, name, nextAt } = here
      const fire = (expectedNextAt: number) =>
        rig.store.schedules.fire({ name, expectedNextAt, nextAt: undefined, jobs: [rig.job()], skipped: 0 })
      await rig.store.schedules.put({ name, body: '{}', nextAt: nextAt + 1 })
      assert.equal(await fire(nextAt), 'elsewhere')
      assert.equal(await rig.store.schedules.pause(name, { paused: true, nextAt: nextAt + 1 }), true)
      assert.equal(await fire(nextAt + 1), 'elsewhere')
      rig.clock.advance({ ms: 2 * HOUR_MS })
      assert.deepEqual(await rig.store.schedules.due(10), [])
      assert.equal((await rig.store.sweep()).schedulesDue, undefined)
      assert.equal(await rig.store.schedules.pause(name, { paused: false, nextAt: nextAt + 2 }), true)
      assert.equal((await rig.store.schedules.due(10)).length, 1)
      await rig.store.schedules.delete(name)
      assert.equal(await fire(nextAt + 2), 'elsewhere')
      assert.equal(await rig.store.schedules.pause(name, { paused: true, nextAt: undefined }), false)
      assert.equal((await rig.store.jobs({}, { limit: 1 })).jobs.length, 0)
    })

    test('the last instant leaves it without a next one', async () => {
      await using here = await withSchedule()
      const { rig, name, nextAt } = here
      await rig.store.schedules.fire({ name, expectedNextAt: nextAt, nextAt: undefined, jobs: [], skipped: 0 })
      rig.clock.advance({ ms: HOUR_MS })
      assert.equal((await rig.store.schedules.get(name))?.nextAt, undefined)
      assert.deepEqual(await rig.store.schedules.due(10), [])
    })

    test('a job that its limit refuses, or that there is no room to buffer, counts as skipped', async () => {
      await using here = await withSchedule()
      const { rig, name, nextAt } = here
      const reject = { key: 'schedule:nightly', max: 1, whenFull: 'reject' } as const
      await rig.enqueue({ limit: reject })
      const refused = await rig.store.schedules.fire({
        name,
        expectedNextAt: nextAt,
        nextAt: nextAt + 1,
        jobs: [rig.job({ limit: reject })],
        skipped: 0,
      })
      assert.equal(refused !== 'elsewhere' && refused[0]?.outcome, 'rejected')
      const wait = { ...reject, whenFull: 'wait' } as const
      const [buffered, left] = [rig.job({ limit: wait }), rig.job({ limit: wait })]
      const jobs = [buffered, left]
      await rig.store.schedules.fire({
        name,
        expectedNextAt: nextAt + 1,
        nextAt: nextAt + 2,
        jobs,
        liveMax: 2,
        skipped: 0,
      })
      assert.equal(await rig.state(buffered.id), 'waiting')
      assert.equal(await rig.store.job(left.id), undefined)
      const record = await rig.store.schedules.get(name)
      assert.deepEqual([record?.fired, record?.skipped], [1, 2])
    })
  })
}
