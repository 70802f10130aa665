import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { task } from '../task/task.ts'
import { workflow } from '../task/workflow.ts'
import { type Actor, Stage } from '../testing/stage.ts'

const double = task({ name: 'double', run: (n: number) => n * 2 })
const approve = workflow({
  name: 'approve',
  run: async (n: number, flow) => {
    const doubled = await flow.call(double, n)
    const verdict = await flow.waitFor<boolean>('verdict')
    return verdict ? flow.call(double, doubled) : 0
  },
})

async function parks(actor: Actor, id: Parameters<Actor['kinds']>[0]): Promise<number> {
  return (await actor.kinds(id)).filter((kind) => kind === 'parked').length
}

suite('parking', () => {
  test('thousands of waiting workflows leave the memory, outlive a crash, and go on when they are signalled', async () => {
    await using stage = new Stage()
    const [here, there] = [await stage.process([approve, double]), await stage.process([approve, double])]
    const options = { queues: { default: 100 }, residentMax: 50 }
    await here.startWorker(options)
    const submitted = await there.engine.submitMany(
      approve,
      Array.from({ length: 2_000 }, (_, n) => n),
    )
    const ids = submitted.map(({ id }) => id)
    const waiting = async () => (await there.store.queues()).find(({ queue }) => queue === 'default')
    await stage.clock.until(async () => ((await waiting())?.running ?? 0) === 50 && (await parksOf(there)) >= 1_950)
    here.crash()
    await there.startWorker(options)
    await stage.clock.pass({ ms: 5_000 })
    for (const id of ids) await there.engine.signal(id, 'verdict', true)
    await stage.clock.until(
      async () => (await there.store.jobs({ states: ['waiting', 'running'] }, { limit: 1 })).jobs.length === 0,
    )
    for (const [n, id] of ids.entries())
      assert.deepEqual(await there.store.outcome(id), { state: 'succeeded', result: String(n * 4) })
  })

  test('one whose local step runs, or that waits for something else than its steps, stays', async () => {
    await using stage = new Stage()
    const busy = workflow({
      name: 'busy',
      run: (_: null, flow) =>
        flow.all([
          flow.step('long', () => new Promise<void>((resolve) => stage.clock.setTimeout(resolve, 60_000))),
          flow.sleep(60_000),
        ]),
    })
    const elsewhere = workflow({
      name: 'elsewhere',
      run: async (_: null, flow) => {
        await new Promise<void>((resolve) => stage.clock.setTimeout(resolve, 60_000))
        return flow.step('then', () => 1)
      },
    })
    const here = await stage.process([busy, elsewhere])
    await here.startWorker({ residentMs: 1_000 })
    for (const flow of [busy, elsewhere]) {
      const id = await here.submit(flow, null)
      assert.equal((await here.end(id)).state, 'succeeded')
      assert.equal(await parks(here, id), 0)
    }
  })
})

async function parksOf(actor: Actor): Promise<number> {
  return (await actor.store.events({ after: 0, limit: 100_000, kinds: ['parked'] })).length
}
