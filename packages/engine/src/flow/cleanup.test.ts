import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import type { RecordedError, WorkerId } from '../job/job.ts'
import type { Store } from '../store/store.ts'
import { task } from '../task/task.ts'
import { type Workflow, workflow } from '../task/workflow.ts'
import { Stage } from '../testing/stage.ts'

const broken = task({
  name: 'broken',
  run: () => {
    throw Object.assign(new Error('The river is dry.'), { code: 'dry' })
  },
})
const note = task({ name: 'note', run: (text: string) => text.length })
const hold = task({
  name: 'hold',
  run: (_: null, job) =>
    new Promise((_resolve, reject) => job.signal.addEventListener('abort', () => reject(job.signal.reason))),
})

/** Three steps that are to be undone, and then an end that is not a good one. */
function booking(undone: unknown[], end: Workflow['run']): Workflow {
  return workflow({
    name: 'booking',
    async run(input, flow) {
      const undo = (name: string) => ({ compensate: (value: unknown) => void undone.push([name, value]) })
      await flow.step('boat', () => 1, undo('boat'))
      await flow.all([flow.step('car', () => 2, undo('car')), flow.step('guide', () => 3, undo('guide'))])
      await flow.step('free', () => 4)
      return end(input, flow)
    },
  })
}

const IN_REVERSE = [
  ['guide', 3],
  ['car', 2],
  ['boat', 1],
]

suite('cleaning up', () => {
  test('onFailure sees a failure from any depth, once, with where it was thrown', async () => {
    await using stage = new Stage()
    const seen: [RecordedError, unknown][] = []
    const inner = workflow({ name: 'inner', run: (_: null, flow) => flow.map(broken, [1, 2, 3]) })
    const middle = workflow({ name: 'middle', run: (_: null, flow) => flow.call(inner, null) })
    const top = workflow({
      name: 'top',
      run: (area: string, flow) => flow.all([flow.call(middle, null), flow.call(hold, null), flow.sleep(1e6), area]),
      onFailure: async (error, input, flow) => {
        seen.push([error, input])
        await flow.call(note, error.message)
      },
    })
    const here = await stage.process([broken, note, hold, inner, middle, top])
    await here.startWorker()
    const id = await here.submit(top, 'delaware')
    const { state, error } = await here.end(id)
    assert.deepEqual([state, error?.code, error?.message], ['failed', 'dry', 'The river is dry.'])
    assert.equal(seen.length, 1)
    assert.deepEqual([seen[0]?.[0].code, seen[0]?.[0].origin?.task, seen[0]?.[1]], ['dry', 'broken', 'delaware'])
    const notes = (await here.store.tree(id, 100)).filter(({ task }) => task === 'note')
    assert.deepEqual(
      notes.map((job) => job.state),
      ['succeeded'],
    )
  })

  test('compensations run in reverse when a workflow fails, each with what its step returned', async () => {
    await using stage = new Stage()
    const undone: unknown[] = []
    const failing = booking(undone, (_, flow) => flow.call(broken, null))
    const here = await stage.process([failing, broken])
    await here.startWorker()
    const id = await here.submit(failing, null)
    assert.equal((await here.end(id)).error?.code, 'dry')
    assert.deepEqual(undone, IN_REVERSE)
    const compensated = (await here.store.steps(id)).filter(({ kind }) => kind === 'compensate')
    assert.deepEqual(
      compensated.map(({ name }) => name),
      ['guide', 'car', 'boat'],
    )
  })

  test('and when it is cancelled, after its children have stopped, whether it rests in memory or in the store', async () => {
    await using stage = new Stage()
    for (const residentMs of [600_000, 1_000]) {
      const undone: unknown[] = []
      const waiting = booking(undone, (_, flow) => flow.call(hold, null))
      const here = await stage.process([waiting, hold])
      const worker = await here.startWorker({ residentMs })
      const id = await here.submit(waiting, null)
      await stage.clock.pass({ ms: 10_000 })
      assert.equal(await here.engine.cancel(id, 'Enough.'), 'cancelling')
      const { state, error } = await here.end(id)
      assert.deepEqual([state, error?.message], ['cancelled', 'Enough.'])
      assert.deepEqual(undone, IN_REVERSE)
      worker.kill()
    }
  })

  test('a request to cancel it that is heard again, late, keeps nothing from being undone', async () => {
    await using stage = new Stage()
    const undone: string[] = []
    const slow = workflow({
      name: 'slow',
      async run(_: null, flow) {
        for (const name of ['boat', 'car']) {
          const undo = async () => {
            await new Promise<void>((resolve) => stage.clock.setTimeout(resolve, 3_000))
            undone.push(name)
          }
          await flow.step(name, () => 1, { compensate: undo })
        }
        return flow.sleep(1e6)
      },
    })
    // As an answer that was under way while the workflow began to clean up.
    let stale: Awaited<ReturnType<Store['cancelRequests']>> = []
    const wrap = (store: Store) =>
      new Proxy(store, {
        get(target, key) {
          const value: unknown = Reflect.get(target, key, target)
          if (key !== 'cancelRequests') return typeof value === 'function' ? value.bind(target) : value
          return async (worker: WorkerId) => {
            const asked = await target.cancelRequests(worker)
            if (asked.length > 0) stale = asked
            return stale
          }
        },
      })
    const here = await stage.process([slow], { wrap })
    await here.startWorker()
    const id = await here.submit(slow, null)
    await stage.clock.pass({ ms: 100 })
    await here.engine.cancel(id)
    assert.equal((await here.end(id)).state, 'cancelled')
    assert.deepEqual([stale.length, undone], [1, ['car', 'boat']])
  })

  test('a workflow that succeeds undoes nothing', async () => {
    await using stage = new Stage()
    const undone: unknown[] = []
    const well = booking(undone, async () => 'well')
    const here = await stage.process([well])
    await here.startWorker()
    assert.deepEqual(await here.run(well, null), { state: 'succeeded', result: 'well' })
    assert.deepEqual(undone, [])
  })

  test('a worker that dies in the middle of it leaves the rest to the next, and nothing recorded is undone twice', async () => {
    await using stage = new Stage()
    const undone: string[] = []
    let reached = 0
    const trip = workflow({
      name: 'trip',
      async run(_: null, flow) {
        for (const name of ['one', 'two', 'three']) await flow.step(name, () => name, { compensate: () => undo(name) })
        throw new Error('No luck.')
      },
      onFailure: async (_error, _input, flow) => void (await flow.step('told', () => undone.push('told'))),
    })
    const undo = async (name: string) => {
      if (name === 'two' && ++reached === 1) await new Promise(() => {})
      undone.push(name)
    }
    const [here, there] = [await stage.process([trip]), await stage.process([trip])]
    await here.startWorker()
    const id = await there.submit(trip, null)
    await stage.clock.until(() => reached === 1)
    here.crash()
    await there.startWorker()
    const { state, error } = await there.end(id)
    assert.deepEqual([state, error?.message], ['failed', 'No luck.'])
    assert.deepEqual(undone, ['three', 'two', 'one', 'told'])
  })

  test('a step whose worker died before it could say how it went is undone without a value', async () => {
    await using stage = new Stage()
    const undone: unknown[] = []
    let begun = 0
    const reserve = workflow({
      name: 'reserve',
      run: (_: null, flow) =>
        flow.step('reserve', () => new Promise(() => void begun++), {
          compensate: (value) => void undone.push(value),
        }),
    })
    const [here, there] = [await stage.process([reserve]), await stage.process([reserve])]
    await here.startWorker()
    const id = await there.submit(reserve, null)
    await stage.clock.until(() => begun === 1)
    here.crash()
    await there.store.sweep()
    assert.equal(await there.engine.cancel(id), 'cancelling')
    await there.startWorker()
    assert.equal((await there.end(id)).state, 'cancelled')
    assert.deepEqual([undone, begun], [[undefined], 1])
  })

  test('a passed deadline is a failure like any other, and leaves the time to clean up', async () => {
    await using stage = new Stage()
    const undone: unknown[] = []
    const slow = booking(undone, (_, flow) => flow.waitFor('never'))
    const here = await stage.process([slow])
    await here.startWorker({ residentMs: 1_000 })
    const id = await here.submit(slow, null, { deadlineMs: 60_000 })
    assert.equal((await here.end(id)).error?.code, 'deadline_exceeded')
    assert.deepEqual(undone, IN_REVERSE)
  })

  test('what goes wrong in it is told in the error, and keeps nothing else from being undone', async () => {
    await using stage = new Stage()
    const undone: string[] = []
    const clumsy = workflow({
      name: 'clumsy',
      async run(_: null, flow) {
        await flow.step('first', () => 1, { compensate: () => void undone.push('first') })
        await flow.step('second', () => 2, {
          compensate: () => {
            throw new Error('It is stuck.')
          },
        })
        await flow.call(broken, null)
      },
      onFailure: () => {
        throw new Error('Nobody listens.')
      },
    })
    const here = await stage.process([clumsy, broken])
    await here.startWorker()
    const { error } = await here.run(clumsy, null)
    assert.deepEqual([error?.code, undone], ['dry', ['first']])
    assert.deepEqual(error?.details, {
      cleanup: [
        { cleanup: 'the compensation of second', message: 'It is stuck.' },
        { cleanup: 'onFailure', message: 'Nobody listens.' },
      ],
    })
  })

  test('a retried job tells its onFailure again', async () => {
    await using stage = new Stage()
    let told = 0
    const top = workflow({ name: 'top', run: (_: null, flow) => flow.call(broken, null), onFailure: () => void told++ })
    const here = await stage.process([top, broken])
    await here.startWorker()
    const id = await here.submit(top, null)
    await here.end(id)
    await here.end((await here.engine.retry(id)).id)
    assert.equal(told, 2)
  })

  test('a compensation that hangs is given up after its time, and the others and onFailure have theirs', async () => {
    await using stage = new Stage()
    const done: string[] = []
    const never = new Promise(() => {})
    let heard: unknown
    const stuck = workflow({
      name: 'stuck',
      cleanupTimeoutMs: 60_000,
      async run(_: unknown, flow) {
        await flow.step('one', () => 1, { compensate: () => void done.push('one') })
        await flow.step('two', () => 2, {
          compensate: (_value, signal) => {
            signal.addEventListener('abort', () => (heard = signal.reason))
            return never
          },
        })
        throw new Error('It broke.')
      },
      onFailure: () => void done.push('told'),
    })
    const here = await stage.process([stuck])
    await here.startWorker()
    const before = stage.clock.now()
    const id = await here.submit(stuck)
    const { state, error } = await here.end(id)
    assert.deepEqual([state, error?.message, done], ['failed', 'It broke.', ['one', 'told']])
    const message = 'the compensation of two did not end within 60000 ms, and is given up.'
    assert.deepEqual(error?.details, { cleanup: [{ cleanup: 'the compensation of two', message }] })
    assert.equal((heard as Error).message, message)
    assert.ok(stage.clock.now() - before < 90_000)
    const failed = (await here.store.steps(id)).find(({ kind, name }) => kind === 'compensate' && name === 'two')
    assert.equal(failed?.error?.code, 'cleanup_timeout')
  })

  test('an onFailure that hangs is given up after its time, though it rests in the store or its worker is lost', async () => {
    await using stage = new Stage()
    const deaf = workflow({
      name: 'deaf',
      cleanupTimeoutMs: 300_000,
      run: () => Promise.reject(new Error('It broke.')),
      onFailure: (_error, _input, flow) => flow.waitFor('somebody'),
    })
    const doomed = await stage.process([deaf])
    const id = await doomed.submit(deaf)
    await doomed.startWorker({ queues: { default: 1 }, residentMs: 1_000 })
    const before = stage.clock.now()
    await stage.clock.until(async () => (await doomed.kinds(id)).includes('parked'))
    doomed.crash()
    const here = await stage.process([deaf])
    await here.startWorker()
    const { state, error } = await here.end(id)
    assert.deepEqual([state, error?.message], ['failed', 'It broke.'])
    const message = 'onFailure did not end within 300000 ms, and is given up.'
    assert.deepEqual(error?.details, { cleanup: [{ cleanup: 'onFailure', message }] })
    const tookMs = stage.clock.now() - before
    assert.ok(tookMs >= 295_000 && tookMs < 330_000, `${tookMs} ms`)
  })
})
