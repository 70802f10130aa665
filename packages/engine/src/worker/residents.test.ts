import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import type { JobId } from '../job/job.ts'
import { task } from '../task/task.ts'
import { workflow } from '../task/workflow.ts'
import { type Actor, Stage } from '../testing/stage.ts'

const double = task({ name: 'double', queue: 'elsewhere', run: (n: number) => n * 2 })
const asked = workflow({ name: 'asked', run: async (n: number, flow) => [n, await flow.waitFor('answer')] })
const sleeper = workflow({
  name: 'sleeper',
  async run(ms: number, flow) {
    await flow.sleep(ms)
    return flow.step('woken', () => 'awake')
  },
})
const parent = workflow({ name: 'parent', run: (n: number, flow) => flow.call(double, n) })
const tasks = [double, asked, sleeper, parent]

const parkings = async (actor: Actor, id: JobId) => (await actor.kinds(id)).filter((kind) => kind === 'parked').length

suite('workflows that rest', () => {
  test('beyond the number that a worker keeps wait in the store, and each goes on when its signal comes', async () => {
    await using stage = new Stage()
    const here = await stage.process(tasks)
    await here.startWorker({ queues: { default: 4 }, residentMax: 20 })
    const ids: JobId[] = []
    for (let n = 0; n < 300; n++) ids.push(await here.submit(asked, n))
    await stage.clock.pass({ ms: 2_000 })
    const [queue] = await here.store.queues()
    assert.deepEqual([queue?.running, queue?.scheduled, queue?.waiting], [20, 280, 0])
    for (const [n, id] of ids.entries()) await here.engine.signal(id, 'answer', n * 10)
    for (const [n, id] of ids.entries()) assert.deepEqual((await here.end(id)).result, [n, n * 10])
    assert.equal(await parkings(here, ids[0] as JobId), 1)
    assert.equal(await parkings(here, ids[299] as JobId), 0)
  })

  test('longer than they may be kept wait in the store, and outlive the crash of every worker there', async () => {
    await using stage = new Stage()
    const first = await stage.process(tasks)
    await first.startWorker({ queues: { default: 4 }, residentMs: 5_000 })
    const signalled = await first.submit(asked, 1)
    const slept = await first.submit(sleeper, 300_000)
    const called = await first.submit(parent, 21)
    await stage.clock.pass({ ms: 6_000 })
    assert.deepEqual(
      (await first.store.workers()).map(({ running }) => running),
      [0],
    )
    first.crash()
    const second = await stage.process(tasks)
    assert.equal(await second.engine.signal(signalled, 'answer', 'yes'), 'delivered')
    await second.startWorker({ queues: { default: 4, elsewhere: 1 } })
    assert.deepEqual((await second.end(signalled)).result, [1, 'yes'])
    assert.equal((await second.end(called)).result, 42)
    assert.equal((await second.end(slept)).result, 'awake')
    for (const id of [signalled, slept, called]) assert.equal(await parkings(second, id), 1)
    const job = await second.store.job(slept)
    assert.ok(job?.state === 'succeeded' && job.endedAt - job.createdAt >= 300_000)
  })

  test('and are cancelled there end at once', async () => {
    await using stage = new Stage()
    const here = await stage.process(tasks)
    await here.startWorker({ queues: { default: 4 }, residentMs: 1_000 })
    const id = await here.submit(asked, 1)
    await stage.clock.pass({ ms: 2_000 })
    assert.equal(await here.engine.cancel(id), 'cancelled')
    assert.equal((await here.end(id)).state, 'cancelled')
  })
})
