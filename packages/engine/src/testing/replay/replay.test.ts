import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { type RecordedHistory, recordHistory } from '../../history/record-history.ts'
import { task } from '../../task/task.ts'
import { type AnyTask, type Workflow, workflow } from '../../task/workflow.ts'
import { Stage } from '../stage.ts'
import { replay } from './replay.ts'

const double = task({ name: 'double', run: (value: number) => value * 2 })
const fail = task({ name: 'fail', run: () => Promise.reject(new Error('no')) })

type Code = Workflow<number, unknown>['run']
const flowOf = (run: Code, more: Partial<Workflow<number, unknown>> = {}) =>
  workflow<number, unknown>({ name: 'flow', run, ...more })

/** Runs it for real, as far as it comes, and reads what it recorded. */
async function recorded(flow: AnyTask, { ends = true }: { readonly ends?: boolean } = {}): Promise<RecordedHistory> {
  await using stage = new Stage()
  const actor = await stage.process([double, fail, flow])
  await actor.startWorker()
  const id = await actor.submit(flow, 21)
  if (ends) await actor.end(id)
  else await stage.clock.pass({ ms: 5_000 })
  // As it comes back from a file.
  return JSON.parse(JSON.stringify(await recordHistory(actor.engine, id)))
}

const PLAIN: Code = async (value, flow) => {
  const doubled = await flow.call(double, value)
  await flow.sleep(1_000)
  const noted = await flow.step('note', () => doubled + 1)
  return flow.map(double, [noted, flow.random() < 2 ? await flow.now() : 0])
}

suite('replay', () => {
  test('the same code repeats its history, and nothing of it runs again', async () => {
    const history = await recorded(flowOf(PLAIN))
    let runs = 0
    const same: Code = async (value, flow) => {
      const doubled = await flow.call(double, value)
      await flow.sleep(1_000)
      const noted = await flow.step('note', () => ++runs)
      assert.equal(noted, doubled + 1)
      return flow.map(double, [noted, await flow.now()])
    }
    assert.deepEqual(await replay(flowOf(same), history), { steps: 5 })
    assert.equal(runs, 0)
  })

  test('a session that was lost is gone through as it was, and then the one that was begun anew', async () => {
    let runs = 0
    const holds = task({ name: 'holds', run: () => (++runs === 1 ? new Promise<never>(() => {}) : 'held') })
    const run: Code = (value, flow) =>
      flow.session('gpu', async (s) => [await s.call(double, value), await s.call(holds, null)], { onLost: 'restart' })
    await using stage = new Stage()
    const process = () => stage.process([double, holds, flowOf(run)])
    const [here, one, two] = [await process(), await process(), await process()]
    await here.startWorker()
    await one.startWorker({ queues: { gpu: 1 } })
    const id = await here.submit(flowOf(run), 21)
    await stage.clock.until(() => runs === 1)
    one.crash()
    await two.startWorker({ queues: { gpu: 1 } })
    assert.deepEqual((await here.end(id)).result, [42, 'held'])
    const history = JSON.parse(JSON.stringify(await recordHistory(here.engine, id)))
    assert.deepEqual(await replay(flowOf(run), history), { steps: 6 })
    const other: Code = (value, flow) =>
      flow.session('gpu', async (s) => [await s.call(holds, null), await s.call(double, value)], { onLost: 'restart' })
    const { difference } = await replay(flowOf(other), history)
    assert.deepEqual(difference, { step: 2, recorded: 'call double', now: 'call holds' })
  })

  test('the first step that differs is named, with what it was and what it is', async () => {
    const history = await recorded(flowOf(PLAIN))
    const inserted: Code = async (value, flow) => {
      await flow.step('check', () => true)
      return PLAIN(value, flow)
    }
    const { difference } = await replay(flowOf(inserted), history)
    assert.deepEqual(difference, { step: 1, recorded: 'call double', now: 'step check' })
    const renamed: Code = async (value, flow) => {
      await flow.call(double, value)
      await flow.sleep(2_000)
    }
    const other = await replay(flowOf(renamed), history)
    assert.deepEqual(other.difference, { step: 2, recorded: 'sleep 1000 ms', now: 'sleep 2000 ms' })
  })

  test('code that asks for less, or for more, than a workflow that succeeded is found', async () => {
    const history = await recorded(flowOf(PLAIN))
    const less = await replay(
      flowOf((value, flow) => flow.call(double, value)),
      history,
    )
    assert.deepEqual(less.difference, { step: 2, recorded: 'sleep 1000 ms', now: 'not reached' })
    const more: Code = async (value, flow) => {
      await PLAIN(value, flow)
      return flow.step('more', () => assert.fail('no step runs in a replay'))
    }
    const { difference } = await replay(flowOf(more), history)
    assert.deepEqual(difference?.step, 6)
  })

  test('of a workflow that is still at it, what comes after its history is open', async () => {
    const asking: Code = async (value, flow) => {
      await flow.call(double, value)
      return flow.waitFor('approval')
    }
    const history = await recorded(flowOf(asking), { ends: false })
    assert.equal(history.end, undefined)
    const later: Code = async (value, flow) => {
      await asking(value, flow)
      return flow.step('new', () => assert.fail('no step runs in a replay'))
    }
    assert.deepEqual(await replay(flowOf(later), history), { steps: 2 })
    const without = await replay(
      flowOf((value, flow) => flow.call(double, value)),
      history,
    )
    assert.deepEqual(without.difference, { step: 2, recorded: 'signal approval', now: 'not reached' })
  })

  test('a workflow that failed is replayed with its cleaning up, which undoes nothing again', async () => {
    let undone = 0
    const code: Code = async (_, flow) => {
      await flow.step('reserve', () => 1, { compensate: () => void undone++ })
      await flow.call(fail, undefined)
    }
    const cleaning = {
      onFailure: (_: unknown, __: number, flow: Parameters<Code>[1]) => flow.step('tell', () => 'told'),
    }
    const history = await recorded(flowOf(code, cleaning))
    assert.deepEqual([history.end?.state, undone], ['failed', 1])
    assert.equal((await replay(flowOf(code, cleaning), history)).difference, undefined)
    assert.equal(undone, 1)
    const changed: Code = async (_, flow) => {
      await flow.step('book', () => 1, { compensate: () => {} })
      await flow.call(fail, undefined)
    }
    const { difference } = await replay(flowOf(changed, cleaning), history)
    assert.deepEqual(difference, { step: 1, recorded: 'step reserve', now: 'step book' })
  })

  test('what is no history, or that of another workflow, is refused', async () => {
    const history = await recorded(flowOf(PLAIN))
    const other = workflow({ name: 'other', run: async () => 1 })
    await assert.rejects(replay(other, history), {
      code: 'history_invalid',
      message: /workflow flow, and not of other/,
    })
    await assert.rejects(replay(flowOf(PLAIN), {} as RecordedHistory), { code: 'history_invalid' })
  })
})
