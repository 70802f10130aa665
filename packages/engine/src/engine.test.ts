import assert from 'node:assert/strict'
import { DatabaseSync } from 'node:sqlite'
import { suite, test } from 'node:test'
import { JobCancelledError, TaskFailedError } from './errors.ts'
import { PAYLOAD_INLINE_BYTES_MAX } from './payload/payloads.ts'
import { task } from './task/task.ts'
import { workflow } from './task/workflow.ts'
import { Stage } from './testing/stage.ts'

const double = task({ name: 'double', run: (n: number) => n * 2 })

const numbers = task({
  name: 'numbers',
  input: {
    '~standard': {
      version: 1,
      vendor: 'test',
      validate: (value: unknown) =>
        typeof value === 'number' ? { value } : { issues: [{ message: 'not a number', path: ['n'] }] },
    },
  },
  run: (n: number) => n,
})

/** Artifacts in memory, by a name that says what they hold. */
function memorySink() {
  const kept = new Map<string, Uint8Array>()
  return {
    kept,
    async put(content: unknown) {
      const bytes = Buffer.from(content as string)
      const id = `sha256:${kept.size}`
      kept.set(id, bytes)
      return { id, sizeBytes: bytes.length }
    },
    async readBytes(id: string) {
      const bytes = kept.get(id)
      if (bytes === undefined) throw new Error(`no artifact ${id}`)
      return bytes
    },
  }
}

suite('submitting', () => {
  test('an invalid input is refused before anything is stored', async () => {
    await using stage = new Stage()
    const here = await stage.process([numbers])
    await assert.rejects(here.engine.submit('numbers', 'seven'), { code: 'input_invalid', message: /n: not a number/ })
    assert.equal((await here.store.jobs({}, { limit: 1 })).jobs.length, 0)
  })

  test('a task that nobody knows is refused, and the known ones are named', async () => {
    await using stage = new Stage()
    const here = await stage.process([double])
    await assert.rejects(here.engine.submit('treble', 1), { code: 'unknown_task', message: /double/ })
  })

  test('two tasks of one name are refused', async () => {
    await using stage = new Stage()
    await assert.rejects(stage.process([double, double]), { code: 'duplicate_task' })
  })

  test('a repeated key gives the same job, and another request with it is a conflict', async () => {
    await using stage = new Stage()
    const [here, there] = [await stage.process([double]), await stage.process([double])]
    const first = await here.engine.submit(double, 1, { idempotencyKey: 'k' })
    assert.deepEqual(first.existing, false)
    assert.deepEqual(await there.engine.submit(double, 1, { idempotencyKey: 'k' }), { id: first.id, existing: true })
    await assert.rejects(here.engine.submit(double, 2, { idempotencyKey: 'k' }), {
      code: 'idempotency_conflict',
      jobId: first.id,
    })
    assert.notEqual((await here.engine.submit(double, 2, { idempotencyKey: 'k', owner: 'ada' })).id, first.id)
  })

  test('many are stored all together or not at all', async () => {
    await using stage = new Stage()
    const here = await stage.process([numbers])
    await assert.rejects(here.engine.submitMany('numbers', [1, 2, 'three', 4]), { code: 'input_invalid' })
    assert.equal((await here.store.jobs({}, { limit: 1 })).jobs.length, 0)
    const submitted = await here.engine.submitMany(numbers, [1, 2, 3])
    assert.equal(new Set(submitted.map(({ id }) => id)).size, 3)
    const { jobs } = await here.store.jobs({}, { limit: 9 })
    assert.equal(new Set(jobs.map(({ createdAt }) => createdAt)).size, 1)
  })

  for (const options of [{ delayMs: 0.5 }, { delayMs: 1e3 / 3 }, { deadlineMs: 1e5 / 7 }]) {
    test(`a fraction of a millisecond is no trouble: ${JSON.stringify(options)}`, async () => {
      await using stage = new Stage()
      const here = await stage.process([double])
      await here.startWorker()
      assert.equal((await here.run(double, 1, options)).result, 2)
    })
  }
})

suite('submitting inside the caller’s transaction', () => {
  test('one job or many exist once it commits, and run', async () => {
    await using stage = new Stage()
    const here = await stage.process([double])
    await here.startWorker()
    using db = new DatabaseSync(stage.file)
    db.exec('create table orders (number integer) strict; begin immediate; insert into orders values (7)')
    const { id } = await here.engine.submit(double, 21, { in: db, tags: ['order'] })
    const many = await here.engine.submitMany(double, [1, 2], { in: db })
    assert.equal(await here.engine.job(id), undefined)
    db.exec('commit')
    assert.equal((await here.end(id)).result, 42)
    assert.equal((await here.engine.job(id))?.tags[0], 'order')
    for (const one of many) assert.equal((await here.end(one.id)).state, 'succeeded')
  })

  test('an invalid input leaves the transaction as it was', async () => {
    await using stage = new Stage()
    const here = await stage.process([numbers])
    using db = new DatabaseSync(stage.file)
    db.exec('begin immediate')
    await assert.rejects(here.engine.submit('numbers', 'seven', { in: db }), { code: 'input_invalid' })
    const { id } = await here.engine.submit('numbers', 7, { in: db })
    db.exec('commit')
    assert.equal((await here.engine.job(id))?.state, 'waiting')
  })
})

suite('waiting for a result', () => {
  test('gives it, or throws the error of the job, or says that it was cancelled', async () => {
    await using stage = new Stage()
    const bad = task({ name: 'bad', run: () => Promise.reject(new Error('It broke.')) })
    const here = await stage.process([double, bad])
    await here.startWorker()
    const ok = here.engine.result(await here.submit(double, 2))
    const failed = assert.rejects(
      here.engine.result(await here.submit(bad)),
      (error) => error instanceof TaskFailedError && error.error.message === 'It broke.',
    )
    const id = await here.submit(double, 2, { delayMs: 60_000 })
    const cancelled = assert.rejects(here.engine.result(id), JobCancelledError)
    await here.engine.cancel(id)
    await stage.clock.pass({ ms: 3_000 })
    assert.equal(await ok, 4)
    await failed
    await cancelled
  })

  test('sees the end of a job in another process, without a hint', async () => {
    await using stage = new Stage()
    const [here, there] = [await stage.process([double]), await stage.process([double])]
    await there.startWorker()
    const result = here.engine.result(await here.submit(double, 2))
    await stage.clock.pass({ ms: 3_000 })
    assert.equal(await result, 4)
  })

  test('ends at its timeout, and the job goes on', async () => {
    await using stage = new Stage()
    const here = await stage.process([double])
    const id = await here.submit(double, 2)
    const waiting = assert.rejects(here.engine.wait(id, { timeoutMs: 500 }), { code: 'wait_timeout' })
    await stage.clock.pass({ ms: 600 })
    await waiting
    assert.equal((await here.engine.job(id))?.state, 'waiting')
  })

  test('for a job that nobody knows is an error', async () => {
    await using stage = new Stage()
    const here = await stage.process([double])
    const known = await here.submit(double, 2)
    const waiting = assert.rejects(here.engine.wait(`${known.slice(0, -4)}ffff` as typeof known), {
      code: 'unknown_job',
    })
    await stage.clock.pass({ ms: 10 })
    await waiting
  })
})

suite('repeating an ended job', () => {
  test('makes a new one like it, which knows what it repeats', async () => {
    await using stage = new Stage()
    const flaky = task({ name: 'flaky', run: () => Promise.reject(new Error('It broke.')) })
    const here = await stage.process([flaky])
    await here.startWorker()
    const id = await here.submit(flaky, { zoom: 3 }, { owner: 'ada', tags: ['blue'], priority: 4 })
    await assert.rejects(here.engine.retry(id), { code: 'job_not_ended' })
    await here.end(id)
    const again = await here.engine.retry(id)
    const job = await here.engine.job(again.id)
    assert.deepEqual([job?.retryOf, job?.owner, job?.tags, job?.priority], [id, 'ada', ['blue'], 4])
    assert.deepEqual(await here.engine.input(again.id), { zoom: 3 })
  })
})

suite('large payloads', () => {
  const big = { text: 'ü'.repeat(PAYLOAD_INLINE_BYTES_MAX / 2) }
  const echo = task({ name: 'echo', run: (value: unknown) => value })

  test('go to the artifacts, and come back whole: inputs, results, steps and children', async () => {
    await using stage = new Stage()
    const artifacts = memorySink()
    const flow = workflow({
      name: 'flow',
      run: async (input: unknown, flow) => {
        const called = await flow.call(echo, input)
        const mapped = await flow.map(echo, [called])
        return flow.step('same', () => mapped[0])
      },
    })
    const here = await stage.process([flow, echo], { artifacts })
    await here.startWorker()
    const id = await here.submit(flow, big)
    assert.match((await here.store.input(id)) ?? '', /^@sha256:0:\d+ $/)
    assert.deepEqual((await here.end(id)).result, big)
    assert.deepEqual(await here.engine.input(id), big)
    assert.ok(artifacts.kept.size >= 4)
  })

  test('say beside their id what they name themselves, each once', async () => {
    await using stage = new Stage()
    const here = await stage.process([echo], { artifacts: memorySink() })
    const [one, other] = [`sha256:${'1'.repeat(64)}`, `sha256:${'2'.repeat(64)}`]
    const id = await here.submit(echo, { ...big, pages: [one, other, one] })
    assert.match((await here.store.input(id)) ?? '', new RegExp(`^@sha256:0:\\d+ ${one} ${other}$`))
  })

  test('stay where they are without artifacts', async () => {
    await using stage = new Stage()
    const here = await stage.process([echo])
    await here.startWorker()
    assert.deepEqual((await here.run(echo, big)).result, big)
  })

  test('of the same key are the same request', async () => {
    await using stage = new Stage()
    const artifacts = memorySink()
    const here = await stage.process([echo], { artifacts })
    const first = await here.engine.submit(echo, big, { idempotencyKey: 'k' })
    artifacts.kept.clear() // content-addressed: the same bytes have the same name
    assert.deepEqual(await here.engine.submit(echo, big, { idempotencyKey: 'k' }), { id: first.id, existing: true })
  })

  test('a text that looks like an artifact is only a text', async () => {
    await using stage = new Stage()
    const here = await stage.process([echo])
    await here.startWorker()
    assert.equal((await here.run(echo, '@sha256:00:5')).result, '@sha256:00:5')
  })
})
