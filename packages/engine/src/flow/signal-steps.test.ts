import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { JobEndedError, NotAWorkflowError, OptionInvalidError, SignalTimeoutError, UnknownJobError } from '../errors.ts'
import type { JobId } from '../job/job.ts'
import { task } from '../task/task.ts'
import { workflow } from '../task/workflow.ts'
import { Stage } from '../testing/stage.ts'

const nothing = task({ name: 'nothing', run: () => null })
const review = workflow({ name: 'review', run: (_: null, flow) => flow.waitFor('verdict') })
const twice = workflow({
  name: 'twice',
  run: async (_: null, flow) => [await flow.waitFor('verdict'), await flow.waitFor('verdict')],
})
const patient = workflow({
  name: 'patient',
  run: async (_: null, flow) => {
    try {
      return await flow.waitFor('verdict', { timeoutMs: 60_000 })
    } catch (error) {
      return error instanceof SignalTimeoutError ? error.code : 'something else'
    }
  },
})
const Even = {
  '~standard': {
    version: 1,
    vendor: 'test',
    validate: (value: unknown) =>
      typeof value === 'number' && value % 2 === 0 ? { value } : { issues: [{ message: 'It is odd.' }] },
  },
} as const
const strict = workflow({ name: 'strict', run: (_: null, flow) => flow.waitFor('even', { schema: Even }) })

const tasks = [nothing, review, twice, patient, strict]

suite('waitFor', () => {
  test('gives what was sent, whether it came before the wait or after', async () => {
    await using stage = new Stage()
    const here = await stage.process(tasks)
    const early = await here.submit(review, null)
    assert.equal(await here.engine.signal(early, 'verdict', { ok: true }), 'kept')
    await here.startWorker()
    assert.deepEqual(await here.end(early), { state: 'succeeded', result: { ok: true } })
    const late = await here.submit(review, null)
    await stage.clock.pass({ ms: 1_000 })
    assert.equal(await here.engine.signal(late, 'verdict', 7), 'delivered')
    assert.deepEqual(await here.end(late), { state: 'succeeded', result: 7 })
  })

  test('gives the nth signal to the nth wait, and one with a used key to none', async () => {
    await using stage = new Stage()
    const here = await stage.process(tasks)
    await here.startWorker()
    const id = await here.submit(twice, null)
    await here.engine.signal(id, 'verdict', 1, { key: 'a' })
    await here.engine.signal(id, 'verdict', 1, { key: 'a' })
    await here.engine.signal(id, 'other', 0)
    await here.engine.signal(id, 'verdict', 2, { key: 'b' })
    assert.deepEqual((await here.end(id)).result, [1, 2])
  })

  test('throws when no signal came in time, at that time and not a second later', async () => {
    await using stage = new Stage()
    const here = await stage.process(tasks)
    await here.startWorker()
    const id = await here.submit(patient, null)
    await stage.clock.pass({ ms: 59_000 })
    assert.equal(await here.store.outcome(id), undefined)
    await stage.clock.pass({ ms: 1_100 })
    assert.deepEqual(await here.store.outcome(id), { state: 'succeeded', result: '"signal_timeout"' })
  })

  test('a worker that dies while a workflow waits takes no signal with it', async () => {
    await using stage = new Stage()
    const [here, there] = [await stage.process(tasks), await stage.process(tasks)]
    await here.startWorker()
    const id = await there.submit(twice, null)
    await stage.clock.pass({ ms: 1_000 })
    await there.engine.signal(id, 'verdict', 1)
    await stage.clock.pass({ ms: 100 })
    here.crash()
    await there.engine.signal(id, 'verdict', 2)
    await there.startWorker()
    assert.deepEqual(await there.end(id), { state: 'succeeded', result: [1, 2] })
  })

  test('a timeout that another process notices ends the wait where it runs', async () => {
    await using stage = new Stage()
    const [here, there] = [await stage.process(tasks), await stage.process(tasks)]
    await here.startWorker()
    const id = await there.submit(patient, null)
    await stage.clock.pass({ ms: 100 })
    stage.clock.advance({ ms: 60_000 })
    await there.store.sweep()
    assert.deepEqual((await there.end(id)).result, 'signal_timeout')
  })

  test('a value that the schema refuses is thrown with what is wrong, the same on replay', async () => {
    await using stage = new Stage()
    const here = await stage.process(tasks)
    await here.startWorker()
    const good = await here.submit(strict, null)
    await here.engine.signal(good, 'even', 4)
    assert.deepEqual((await here.end(good)).result, 4)
    const bad = await here.submit(strict, null)
    await here.engine.signal(bad, 'even', 3)
    const { state, error } = await here.end(bad)
    assert.deepEqual([state, error?.code], ['failed', 'input_invalid'])
    assert.match(error?.message ?? '', /the signal even is invalid.*It is odd/)
  })

  test('a signal to nobody, a task or an ended job is refused, and so is one without a name', async () => {
    await using stage = new Stage()
    const here = await stage.process(tasks)
    const plain = await here.submit(nothing)
    const { engine } = here
    await assert.rejects(engine.signal('0198c2f0-0000-7000-8000-000000000000' as JobId, 'a'), UnknownJobError)
    await assert.rejects(engine.signal(plain, 'a'), NotAWorkflowError)
    await assert.rejects(engine.signal(plain, ''), OptionInvalidError)
    const ended = await here.submit(review, null)
    await engine.cancel(ended)
    await assert.rejects(engine.signal(ended, 'a'), JobEndedError)
  })
})
