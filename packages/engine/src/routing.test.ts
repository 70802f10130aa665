import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import type { JobId } from './job/job.ts'
import { task } from './task/task.ts'
import { workflow } from './task/workflow.ts'
import { Stage } from './testing/stage.ts'

suite('workers and their jobs', () => {
  const plain = task({ name: 'plain', run: () => 'done' })
  const gpu = task({ name: 'gpu', labels: ['gpu'], needs: { gpuMemoryMb: 8_000 }, run: () => 'seen' })
  const flow = workflow({ name: 'flow', run: (_: unknown, flow) => flow.call(gpu, null) })

  test('a task says which workers its jobs go to, and a submission or a call says otherwise', async () => {
    await using stage = new Stage()
    const here = await stage.process([plain, gpu, flow])
    await here.startWorker()
    const id = await here.submit(gpu)
    assert.deepEqual((await here.engine.job(id))?.labels, ['gpu'])
    assert.equal((await here.run(gpu, null, { labels: [], needs: { cpu: 0.1 } })).state, 'succeeded')
    assert.equal((await here.engine.job(id))?.state, 'waiting')
    await here.startWorker({ queues: { default: 2 }, labels: ['gpu'], offers: { gpuMemoryMb: 8_000 } })
    assert.equal((await here.end(id)).result, 'seen')
    assert.equal((await here.run(flow)).result, 'seen')
  })

  test('a retry asks for what the job that it repeats asked for', async () => {
    await using stage = new Stage()
    const here = await stage.process([plain])
    const asked = { labels: ['gpu'], needs: { cpu: 2 }, deployment: 'blue' }
    const first = await here.submit(plain, null, asked)
    await here.engine.cancel(first)
    const job = await here.engine.job((await here.engine.retry(first)).id)
    assert.deepEqual({ labels: job?.labels, needs: job?.needs, deployment: job?.deployment }, asked)
  })

  test('a worker offers the cores and the memory of its machine, unless it is told otherwise', async () => {
    await using stage = new Stage()
    const here = await stage.process([plain])
    await here.startWorker()
    const [worker] = await here.store.workers()
    assert.ok((worker?.offers?.cpu ?? 0) >= 1 && (worker?.offers?.memoryMb ?? 0) >= 100)
  })

  test('what no worker could be is refused when it is started, and what no job could ask for by the engine', async () => {
    await using stage = new Stage()
    const here = await stage.process([plain])
    const refused = { code: 'option_invalid' }
    await assert.rejects(here.startWorker({ labels: ['a b'] }), { ...refused, message: /^labels is "a b"/ })
    await assert.rejects(here.startWorker({ offers: { cpu: -1 } }), { ...refused, message: /^offers\.cpu is -1/ })
    const wrong = task({ name: 'wrong', needs: { cpu: 0 }, run: () => 1 })
    await assert.rejects(stage.process([wrong]), { ...refused, message: /^needs\.cpu of task wrong is 0/ })
  })
})

suite('resources', () => {
  test('what runs at a time never needs more than its worker offers, local steps of workflows included', async () => {
    await using stage = new Stage()
    const { clock } = stage
    let [used, most] = [0, 0]
    const work = async (cpu: number) => {
      used += cpu
      most = Math.max(most, used)
      await new Promise<void>((resolve) => clock.setTimeout(resolve, 50))
      used -= cpu
    }
    const one = task({ name: 'one', needs: { cpu: 1 }, run: () => work(1) })
    const three = task({ name: 'three', needs: { cpu: 3 }, run: () => work(3) })
    const flow = workflow({
      name: 'flow',
      needs: { cpu: 2 },
      async run(_: unknown, flow) {
        await flow.step('before', () => work(2))
        await flow.call(three, null)
        await flow.step('after', () => work(2))
      },
    })
    const here = await stage.process([one, three, flow])
    await here.startWorker({ queues: { default: 10 }, offers: { cpu: 4 } })
    const ids: JobId[] = []
    for (const asked of [one, three, flow, one, flow, one, three, flow]) ids.push(await here.submit(asked))
    for (const id of ids) assert.equal((await here.end(id)).state, 'succeeded')
    assert.deepEqual([used, most], [0, 4])
  })
})

suite('deployments', () => {
  const stack = (name: string) => {
    const leaf = task({ name: 'leaf', run: () => name })
    return [leaf, workflow({ name: 'tree', run: (_: unknown, flow) => flow.map(leaf, [1, 2, 3]) })]
  }

  test('stack leak: two stacks share a store, and a job and all that it calls stay on its own', async () => {
    await using stage = new Stage()
    const blue = await stage.process(stack('blue'), { deployment: 'blue' })
    const green = await stage.process(stack('green'), { deployment: 'green' })
    const web = await stage.process(stack('web'))
    for (const actor of [blue, green, web]) await actor.startWorker()
    assert.deepEqual((await blue.engine.submit('tree', null)).existing, false)
    const ids = await Promise.all(
      [blue, green, blue, green, web].map(async ({ engine }) => (await engine.submit('tree', null)).id),
    )
    const results: unknown[] = []
    for (const id of ids) results.push((await web.end(id)).result)
    assert.deepEqual(
      results,
      ['blue', 'green', 'blue', 'green', 'web'].map((name) => [name, name, name]),
    )
  })

  test('a program without a deployment submits to the promoted one, and is told when one takes no more', async () => {
    await using stage = new Stage()
    const green = await stage.process(stack('green'), { deployment: 'green' })
    await green.startWorker()
    const web = await stage.process(stack('web'))
    await web.store.changeDeployment('green', 'active')
    const { id } = await web.engine.submit('leaf', null)
    assert.equal((await web.end(id)).result, 'green')
    await web.store.changeDeployment('green', 'draining')
    await assert.rejects(green.engine.submit('leaf', null), {
      code: 'deployment_closed',
      message: /^Deployment green is draining, and takes no new jobs/,
    })
  })
})

suite('limits', () => {
  const train = task({
    name: 'train',
    limit: ({ model }: { readonly model: number }) =>
      model === 0 ? undefined : { key: `training:${model}`, whenFull: 'reject' },
    run: ({ model }) => model,
  })

  test('a task says by its input which limit a job is under', async () => {
    await using stage = new Stage()
    const here = await stage.process([train])
    const first = await here.submit(train, { model: 12 })
    await here.submit(train, { model: 13 })
    await here.submit(train, { model: 0 })
    assert.deepEqual((await here.engine.job(first))?.limit, { key: 'training:12', max: 1, whenFull: 'reject' })
    await assert.rejects(here.engine.submit(train, { model: 12 }), {
      code: 'limit_full',
      jobId: first,
      message: new RegExp(`The limit training:12 takes 1, and is full: job ${first} is in the way`),
    })
    // What the submitter says goes before it.
    await here.submit(train, { model: 12 }, { limit: { key: 'other' } })
  })

  test('of several jobs, those that a limit has no room for are named, and the others are stored', async () => {
    await using stage = new Stage()
    const here = await stage.process([train])
    const models = [{ model: 1 }, { model: 1 }, { model: 2 }]
    const [first, second, third] = await here.engine.submitMany(train, models)
    assert.deepEqual(second, { id: first?.id, existing: false, rejected: 'limit_full' })
    assert.equal(third?.rejected, undefined)
    assert.equal((await here.store.jobs({}, { limit: 10 })).jobs.length, 2)
  })

  test('a limit that a task computes wrongly is refused, and nothing is stored', async () => {
    await using stage = new Stage()
    const wrong = task({ name: 'wrong', limit: (max: number) => ({ key: 'k', max }), run: (n: number) => n })
    const here = await stage.process([wrong])
    await assert.rejects(here.engine.submit(wrong, 0), { code: 'option_invalid', message: /^limit\.max is 0/ })
    assert.equal((await here.store.jobs({}, { limit: 1 })).jobs.length, 0)
  })

  test('a retry is under the limit of the job that it repeats', async () => {
    await using stage = new Stage()
    const here = await stage.process([train])
    const first = await here.submit(train, { model: 12 })
    await here.engine.cancel(first)
    const { id } = await here.engine.retry(first)
    assert.deepEqual((await here.engine.job(id))?.limit, { key: 'training:12', max: 1, whenFull: 'reject' })
    await assert.rejects(here.engine.retry(first), { code: 'limit_full', jobId: id })
  })

  test('a workflow sees that a limit refused what it called', async () => {
    await using stage = new Stage()
    const flow = workflow({ name: 'flow', run: (model: number, flow) => flow.call(train, { model }) })
    const here = await stage.process([train, flow])
    const blocker = await here.submit(train, { model: 5 }, { delayMs: 60_000 })
    await here.startWorker()
    const { state, error } = await here.run(flow, 5)
    assert.equal(state, 'failed')
    assert.equal(error?.code, 'limit_full')
    assert.match(error?.message ?? '', new RegExp(blocker))
  })

  test('one job of a key runs at a time, on however many workers', async () => {
    await using stage = new Stage()
    let running = 0
    const seen: number[] = []
    const { clock } = stage
    const single = task({
      name: 'single',
      limit: { key: 'one' },
      async run() {
        seen.push(++running)
        await new Promise<void>((resolve) => clock.setTimeout(resolve, 100))
        running--
      },
    })
    const [here, there] = [await stage.process([single]), await stage.process([single])]
    await here.startWorker()
    await there.startWorker()
    const ids = await Promise.all([1, 2, 3, 4].map(() => here.submit(single)))
    for (const id of ids) assert.equal((await here.end(id)).state, 'succeeded')
    assert.deepEqual(seen, [1, 1, 1, 1])
  })
})
