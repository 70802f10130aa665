import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { JobCancelledError, StepFailedError, TaskFailedError } from '../errors.ts'
import type { JobId } from '../job/job.ts'
import { LAPSES_MAX } from '../job/transition.ts'
import { task } from '../task/task.ts'
import { type AnyTask, type Workflow, workflow } from '../task/workflow.ts'
import { type Actor, Stage } from '../testing/stage.ts'

const double = task({ name: 'double', run: (n: number) => n * 2 })
const nap = (stage: Stage) =>
  task({
    name: 'nap',
    run: async (ms: number) => {
      await new Promise<void>((resolve) => stage.clock.setTimeout(resolve, ms))
      return ms
    },
  })
const broken = task({
  name: 'broken',
  run: () => {
    throw Object.assign(new Error('The river is dry.'), { code: 'dry' })
  },
})

/** A workflow's code with a place to stop at: the first process that gets there waits for ever, and is crashed. */
class CrashPoint {
  reached = 0
  pass(): Promise<void> {
    return ++this.reached > 1 ? Promise.resolve() : new Promise(() => {})
  }
}

/** Runs a workflow that crashes once at its crash point, and gives the job's end. */
async function crashAndGoOn(
  stage: Stage,
  tasks: readonly AnyTask[],
  flow: AnyTask,
  point: CrashPoint,
): Promise<{ id: JobId; there: Actor; end: Awaited<ReturnType<Actor['end']>> }> {
  const [here, there] = [await stage.process(tasks), await stage.process(tasks)]
  await here.startWorker()
  const id = await there.submit(flow, null)
  await stage.clock.until(() => point.reached === 1)
  here.crash()
  await there.startWorker()
  return { id, there, end: await there.end(id) }
}

suite('a workflow', () => {
  test('calls, maps, steps and sleeps, and returns what it made of it', async () => {
    await using stage = new Stage()
    const all = workflow({
      name: 'all',
      run: async (n: number, flow) => {
        const called = await flow.call(double, n)
        const mapped = await flow.map(double, [1, 2, 3])
        await flow.sleep(1_000)
        const local = await flow.step('sum', () => mapped.reduce((sum, one) => sum + one, called))
        const [one, two] = await flow.all([flow.call(double, 10), flow.step('two', () => 2)])
        return { called, mapped, local, one, two }
      },
    })
    const here = await stage.process([all, double])
    await here.startWorker()
    const expected = { called: 10, mapped: [2, 4, 6], local: 22, one: 20, two: 2 }
    assert.deepEqual(await here.run(all, 5), { state: 'succeeded', result: expected })
  })

  test('holds no slot while it waits for a child, so one slot is enough for a deep tree', async () => {
    await using stage = new Stage()
    const tree: Workflow<number, number> = workflow({
      name: 'tree',
      run: async (depth: number, flow) => {
        if (depth === 0) return flow.call(double, 1)
        const parts = await flow.map(tree, [depth - 1, depth - 1])
        return parts.reduce((sum, part) => sum + part, 0)
      },
    })
    const here = await stage.process([tree, double])
    await here.startWorker({ queues: { default: 1 } })
    assert.deepEqual(await here.run(tree, 3), { state: 'succeeded', result: 16 })
  })

  test('runs local steps side by side, up to the slots of its queue', async () => {
    await using stage = new Stage()
    for (const slots of [1, 2, 5]) {
      let [now, most] = [0, 0]
      const steps = workflow({
        name: `steps-${slots}`,
        run: (_: null, flow) =>
          flow.all(
            [1, 2, 3, 4].map((n) =>
              flow.step(`step-${n}`, async () => {
                most = Math.max(most, ++now)
                await new Promise<void>((resolve) => stage.clock.setTimeout(resolve, 100))
                now--
                return n
              }),
            ),
          ),
      })
      const here = await stage.process([steps])
      const worker = await here.startWorker({ queues: { default: slots } })
      assert.deepEqual(await here.run(steps, null), { state: 'succeeded', result: [1, 2, 3, 4] })
      assert.equal(most, Math.min(slots, 4))
      worker.kill()
    }
  })

  test('a map over nothing gives nothing at once', async () => {
    await using stage = new Stage()
    const none = workflow({
      name: 'none',
      run: async (_: null, flow) => [await flow.map(double, []), await flow.map(double, [], { onFailure: 'collect' })],
    })
    const here = await stage.process([none, double])
    await here.startWorker()
    assert.deepEqual(await here.run(none, null), { state: 'succeeded', result: [[], []] })
  })

  test('a map over five thousand gives as many results, in input order', async () => {
    await using stage = new Stage()
    const inputs = Array.from({ length: 5_000 }, (_, n) => n)
    const many = workflow({ name: 'many', run: (_: null, flow) => flow.map(double, inputs) })
    const here = await stage.process([many, double])
    await here.startWorker({ queues: { default: 500 } })
    assert.deepEqual(
      (await here.run(many, null)).result,
      inputs.map((n) => n * 2),
    )
  })

  test('a map with bounded concurrency runs no more than that at once', async () => {
    await using stage = new Stage()
    let [now, most] = [0, 0]
    const slow = task({
      name: 'slow',
      run: async (n: number) => {
        most = Math.max(most, ++now)
        await new Promise<void>((resolve) => stage.clock.setTimeout(resolve, 50))
        now--
        return n
      },
    })
    const some = workflow({
      name: 'some',
      run: (_: null, flow) => flow.map(slow, [1, 2, 3, 4, 5, 6, 7], { concurrency: 2 }),
    })
    const here = await stage.process([some, slow])
    await here.startWorker({ queues: { default: 10 } })
    assert.deepEqual((await here.run(some, null)).result, [1, 2, 3, 4, 5, 6, 7])
    assert.equal(most, 2)
  })

  test('an input that a child refuses is an error of the call, and stores nothing', async () => {
    await using stage = new Stage()
    const picky = task({
      name: 'picky',
      input: {
        '~standard': {
          version: 1,
          vendor: 'test',
          validate: (value: unknown) =>
            typeof value === 'number' ? { value } : { issues: [{ message: 'not a number' }] },
        },
      },
      run: (n: number) => n,
    })
    const asks = workflow({ name: 'asks', run: (_: null, flow) => flow.call(picky, 'seven' as unknown as number) })
    const here = await stage.process([asks, picky])
    await here.startWorker()
    const id = await here.submit(asks, null)
    assert.equal((await here.end(id)).error?.code, 'input_invalid')
    assert.equal((await here.store.tree(id, 10)).length, 1)
  })

  for (const ms of [Number.NaN, Number.POSITIVE_INFINITY, 0.5, -5]) {
    test(`a sleep of ${ms} ms comes to an end, one way or the other, and harms no other job`, async () => {
      await using stage = new Stage()
      const odd = workflow({ name: 'odd', run: (_: null, flow) => flow.sleep(ms) })
      const here = await stage.process([odd, double])
      await here.startWorker()
      const id = await here.submit(odd, null)
      assert.deepEqual(await here.run(double, 4), { state: 'succeeded', result: 8 })
      await stage.clock.until(async () => (await here.store.outcome(id)) !== undefined, { ms: 10_000 })
    })
  }
})

suite('a workflow whose worker crashed', () => {
  test('runs no recorded step again, and goes on with what was recorded', async () => {
    await using stage = new Stage()
    const runs: string[] = []
    const point = new CrashPoint()
    const flow = workflow({
      name: 'survey',
      run: async (_: null, flow) => {
        const one = await flow.step('one', () => runs.push('one'))
        const two = await flow.call(double, one)
        const three = await flow.map(double, [two, 3])
        await point.pass()
        await flow.step('two', () => runs.push('two'))
        return [one, two, three]
      },
    })
    const { end, there, id } = await crashAndGoOn(stage, [flow, double], flow, point)
    assert.deepEqual(end.result, [1, 2, [4, 6]])
    assert.deepEqual(runs, ['one', 'two'])
    assert.equal((await there.store.tree(id, 100)).length, 4)
  })

  test('sees the same random numbers, ids and times again', async () => {
    await using stage = new Stage()
    const seen: unknown[][] = []
    const point = new CrashPoint()
    const flow = workflow({
      name: 'draws',
      run: async (_: null, flow) => {
        const drawn = [flow.random(), flow.uuid(), await flow.now(), flow.random()]
        seen.push(drawn)
        await flow.step('between', () => 1)
        await point.pass()
        return drawn
      },
    })
    const { end } = await crashAndGoOn(stage, [flow], flow, point)
    assert.deepEqual(seen[1], seen[0])
    assert.deepEqual(end.result, seen[0])
    assert.match(String(seen[0]?.[1]), /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
  })

  test('sees the branches of a parallel part end in the same order again, though all are done by then', async () => {
    await using stage = new Stage()
    const point = new CrashPoint()
    const orders: string[] = []
    const sleepy = nap(stage)
    const flow = workflow({
      name: 'parallel',
      run: async (_: null, flow) => {
        const order: number[] = []
        // The last one asked for ends first.
        const branches = [400, 300, 200, 100].map(async (ms, index) => {
          await flow.call(sleepy, ms)
          order.push(index)
          await flow.step(`after-${index}`, () => index)
        })
        await flow.all(branches)
        orders.push(order.join())
        await point.pass()
        return order
      },
    })
    const { end } = await crashAndGoOn(stage, [flow, sleepy], flow, point)
    assert.deepEqual(orders, ['3,2,1,0', '3,2,1,0'])
    assert.deepEqual(end.result, [3, 2, 1, 0])
  })

  test('waits for the branch that was first, even where another one is at hand sooner on replay', async () => {
    await using stage = new Stage()
    const point = new CrashPoint()
    const sleepy = nap(stage)
    const winners: string[] = []
    const flow = workflow({
      name: 'race',
      run: async (_: null, flow) => {
        const winner = await Promise.race([
          flow.call(sleepy, 100).then(() => 'child'),
          flow.sleep(5_000).then(() => 'sleep'),
          flow.call(sleepy, 3_000).then(() => 'slow child'),
        ])
        winners.push(winner)
        const noted = await flow.step('noted', () => winner)
        await point.pass()
        return noted
      },
    })
    const [here, there] = [await stage.process([flow, sleepy]), await stage.process([flow, sleepy])]
    await here.startWorker()
    const id = await there.submit(flow, null)
    await stage.clock.until(() => point.reached === 1)
    // By the time it goes on, all three are done.
    await stage.clock.pass({ ms: 10_000 })
    here.crash()
    await there.startWorker()
    assert.deepEqual((await there.end(id)).result, 'child')
    assert.deepEqual(winners, ['child', 'child'])
  })

  test('sleeps no longer than it was to sleep in all', async () => {
    await using stage = new Stage()
    const sleeps = workflow({ name: 'sleeps', run: (_: null, flow) => flow.sleep(60_000).then(() => 'awake') })
    const [here, there] = [await stage.process([sleeps]), await stage.process([sleeps])]
    await here.startWorker()
    const start = stage.clock.now()
    const id = await there.submit(sleeps, null)
    await stage.clock.until(async () => (await there.store.steps(id)).length === 1)
    await stage.clock.pass({ ms: 30_000 })
    here.crash()
    await stage.clock.pass({ ms: 10_000 })
    await there.startWorker()
    assert.equal((await there.end(id)).result, 'awake')
    assert.ok(stage.clock.now() - start < 63_000)
  })

  test('finds the child that ended while nobody watched', async () => {
    await using stage = new Stage()
    const later = task({ name: 'later', queue: 'later', run: () => 'done' })
    const asks = workflow({ name: 'asks', run: (_: null, flow) => flow.call(later, null) })
    const [here, there, third] = [
      await stage.process([asks, later]),
      await stage.process([asks, later]),
      await stage.process([asks, later]),
    ]
    await here.startWorker()
    const id = await there.submit(asks, null)
    await stage.clock.until(async () => (await there.store.steps(id)).length === 1)
    here.crash()
    await there.startWorker({ queues: { later: 1 } })
    const child = (await there.store.tree(id, 10))[1]
    assert.ok(child)
    await there.end(child.id)
    await third.startWorker({ queues: { default: 1 } })
    assert.deepEqual(await third.end(id), { state: 'succeeded', result: 'done' })
  })

  test('whose code has changed meanwhile fails, and names what was recorded and what it asks for now', async () => {
    await using stage = new Stage()
    const point = new CrashPoint()
    const versions = (asks: (flow: Parameters<Workflow['run']>[1]) => Promise<unknown>) =>
      workflow({
        name: 'changing',
        run: async (_: null, flow) => {
          await asks(flow)
          await point.pass()
        },
      })
    const old = versions((flow) => flow.step('measure', () => 1))
    const changed = versions((flow) => flow.call(double, 1))
    const [here, there] = [await stage.process([old, double]), await stage.process([changed, double])]
    await here.startWorker()
    const id = await there.submit(changed, null)
    await stage.clock.until(() => point.reached === 1)
    here.crash()
    await there.startWorker()
    const { state, error } = await there.end(id)
    assert.deepEqual([state, error?.code], ['failed', 'workflow_changed'])
    assert.match(error?.message ?? '', /step 1 was step measure, and is now call double/)
  })

  test('whose code catches everything still fails when it has changed', async () => {
    await using stage = new Stage()
    const point = new CrashPoint()
    const make = (name: string) =>
      workflow({
        name: 'changing',
        run: async (_: null, flow) => {
          try {
            await flow.step(name, () => 1)
          } catch {
            return 'swallowed'
          }
          await point.pass()
          return 'fine'
        },
      })
    const [here, there] = [await stage.process([make('one')]), await stage.process([make('two')])]
    await here.startWorker()
    const id = await there.submit('changing' as unknown as AnyTask, null)
    await stage.clock.until(() => point.reached === 1)
    here.crash()
    await there.startWorker()
    assert.equal((await there.end(id)).error?.code, 'workflow_changed')
  })

  test('whose code no longer gets to what it had received fails rather than hang', async () => {
    await using stage = new Stage()
    const point = new CrashPoint()
    const [old, changed] = [true, false].map((isOld) =>
      workflow({
        name: 'shorter',
        run: async (_: null, flow) => {
          await flow.step('one', () => 1)
          if (isOld) await flow.step('two', () => 2)
          else await new Promise(() => {})
          await flow.step('three', () => 3)
          await point.pass()
        },
      }),
    ) as [AnyTask, AnyTask]
    const [here, there] = [await stage.process([old]), await stage.process([changed])]
    await here.startWorker()
    const id = await there.submit(changed, null)
    await stage.clock.until(() => point.reached === 1)
    here.crash()
    await there.startWorker()
    const { error } = await there.end(id)
    assert.equal(error?.code, 'workflow_changed')
    assert.match(error?.message ?? '', /step two/)
  })

  test('gets the outcome of a step that threw again, not the step', async () => {
    await using stage = new Stage()
    const point = new CrashPoint()
    let runs = 0
    const flow = workflow({
      name: 'throws',
      run: async (_: null, flow) => {
        const caught = await flow
          .step('bad', () => {
            runs++
            throw new Error('Too deep.')
          })
          .catch((error: unknown) => error as StepFailedError)
        assert.ok(caught instanceof StepFailedError)
        await point.pass()
        return caught.error.message
      },
    })
    const { end } = await crashAndGoOn(stage, [flow], flow, point)
    assert.equal(end.result, 'Too deep.')
    assert.equal(runs, 1)
  })
})

suite('a workflow that outlives its workers', () => {
  /** The workflow's worker crashes so many times, each time when this has come true again. */
  async function crashAgain(
    stage: Stage,
    tasks: readonly AnyTask[],
    times: number,
    isThere: () => boolean,
  ): Promise<void> {
    for (let crash = 0; crash < times; crash++) {
      const doomed = await stage.process(tasks)
      await doomed.startWorker()
      await stage.clock.until(isThere)
      doomed.crash()
    }
  }

  test('goes on, however many it has outlived, when it only waited meanwhile', async () => {
    await using stage = new Stage()
    let begun = 0
    const waits = workflow({
      name: 'waits',
      run: async (_: null, flow) => {
        begun++
        await flow.sleep(3_600_000)
        return 'awake'
      },
    })
    const watcher = await stage.process([waits])
    const id = await watcher.submit(waits, null)
    let seen = 0
    await crashAgain(stage, [waits], LAPSES_MAX + 2, () => begun > seen && ++seen > 0)
    await watcher.startWorker()
    await stage.clock.until(async () => (await watcher.store.outcome(id)) !== undefined, { ms: 7_200_000 })
    assert.equal((await watcher.end(id)).result, 'awake')
  })

  test('fails when a step of its own kills them, though another branch of it waits', async () => {
    await using stage = new Stage()
    let begun = 0
    const kills = workflow({
      name: 'kills',
      run: (_: null, flow) =>
        Promise.race([
          flow.sleep(86_400_000),
          flow.step('deadly', () => {
            begun++
            return new Promise(() => {})
          }),
        ]),
    })
    const watcher = await stage.process([kills])
    const id = await watcher.submit(kills, null)
    let seen = 0
    // The first loss is not held against it: the store knew nothing of the step yet.
    await crashAgain(stage, [kills], LAPSES_MAX + 1, () => begun > seen && ++seen > 0)
    await watcher.startWorker()
    await stage.clock.until(async () => (await watcher.store.outcome(id)) !== undefined, { ms: 10_000 })
    const { state, error } = await watcher.end(id)
    assert.deepEqual([state, error?.code], ['failed', 'poison_job'])
    assert.equal(begun, LAPSES_MAX + 1)
  })
})

suite('errors in workflows', () => {
  test('an error from any depth is caught once at the top, with where it began', async () => {
    await using stage = new Stage()
    const deep: Workflow<number, unknown> = workflow({
      name: 'deep',
      run: (depth: number, flow) => (depth === 0 ? flow.call(broken, null) : flow.call(deep, depth - 1)),
    })
    const caught: unknown[] = []
    const top = workflow({
      name: 'top',
      run: async (_: null, flow) => {
        try {
          return await flow.call(deep, 3)
        } catch (error) {
          caught.push(error)
          return 'caught'
        }
      },
    })
    const here = await stage.process([top, deep, broken])
    await here.startWorker()
    assert.equal((await here.run(top, null)).result, 'caught')
    assert.equal(caught.length, 1)
    const [error] = caught
    assert.ok(error instanceof TaskFailedError)
    assert.deepEqual([error.task, error.error.code, error.error.message], ['deep', 'dry', 'The river is dry.'])
    assert.equal(error.error.origin?.task, 'broken')
  })

  test('an error that nobody catches fails every workflow on the way, and each shows the cause', async () => {
    await using stage = new Stage()
    const inner = workflow({ name: 'inner', run: (_: null, flow) => flow.call(broken, null) })
    const outer = workflow({ name: 'outer', run: (_: null, flow) => flow.call(inner, null) })
    const here = await stage.process([outer, inner, broken])
    await here.startWorker()
    const id = await here.submit(outer, null)
    await here.end(id)
    const jobs = await here.store.tree(id, 10)
    assert.deepEqual(
      jobs.map((job) => (job.state === 'failed' ? job.error.message : job.state)),
      Array(3).fill('The river is dry.'),
    )
    assert.equal(new Set(jobs.map((job) => (job.state === 'failed' ? job.error.origin?.jobId : ''))).size, 1)
  })

  test('the first failure of a map is thrown at once, and its siblings are cancelled', async () => {
    await using stage = new Stage()
    const sleepy = nap(stage)
    const picky = task({
      name: 'picky',
      run: async (n: number, job) => {
        if (n === 2) throw new Error('not two')
        await new Promise<void>((resolve, reject) => {
          stage.clock.setTimeout(resolve, 60_000)
          job.signal.addEventListener('abort', () => reject(job.signal.reason))
        })
      },
    })
    const fan = workflow({
      name: 'fan',
      run: (_: null, flow) => flow.map(picky, [1, 2, 3]).catch((error: TaskFailedError) => error.error.message),
    })
    const here = await stage.process([fan, picky, sleepy])
    await here.startWorker({ queues: { default: 2 } })
    const start = stage.clock.now()
    const id = await here.submit(fan, null)
    assert.equal((await here.end(id)).result, 'not two')
    assert.ok(stage.clock.now() - start < 1_000)
    const children = (await here.store.tree(id, 10)).slice(1)
    for (const { id: child } of children) await here.end(child)
    const states = (await here.store.tree(id, 10)).slice(1).map(({ state }) => state)
    assert.deepEqual(states, ['cancelled', 'failed', 'cancelled'])
  })

  test('the failure of a map is the same on replay, though other children have ended since', async () => {
    await using stage = new Stage()
    const point = new CrashPoint()
    const seen: JobId[] = []
    const later = task({ name: 'later', queue: 'later', run: (n: number) => n })
    const begun: string[] = []
    const slow = task({
      name: 'slow',
      queue: 'slow',
      run: (_: number, job) => {
        begun.push(job.id)
        return new Promise((_resolve, reject) => job.signal.addEventListener('abort', () => reject(job.signal.reason)))
      },
    })
    const route = workflow({
      name: 'route',
      run: (n: number, flow): Promise<unknown> => (n === 0 ? flow.call(slow, n) : flow.call(later, n)),
    })
    const fan = workflow({
      name: 'fan',
      run: async (_: null, flow) => {
        const error = await flow.map(route, [0, 1]).catch((error: unknown) => error)
        assert.ok(error instanceof JobCancelledError)
        seen.push(error.jobId)
        await flow.step('noted', () => 1)
        await point.pass()
        return error.jobId
      },
    })
    const tasks = [fan, route, slow, later]
    const [here, there] = [await stage.process(tasks), await stage.process(tasks)]
    await here.startWorker({ queues: { default: 4, slow: 1 } })
    const id = await here.submit(fan, null)
    await stage.clock.until(() => begun.length === 1)
    const children = (await here.store.tree(id, 10)).filter(({ parentId }) => parentId === id)
    const last = children[1]?.id as JobId
    await here.engine.cancel(last)
    await stage.clock.until(() => point.reached === 1)
    await stage.clock.until(async () => (await here.store.outcome(children[0]?.id as JobId)) !== undefined)
    here.crash()
    await there.startWorker()
    assert.equal((await there.end(id)).result, last)
    assert.deepEqual(seen, [last, last])
  })

  test('a map that collects gives each outcome in its place', async () => {
    await using stage = new Stage()
    const picky = task({
      name: 'picky',
      run: (n: number) => {
        if (n === 2) throw new Error('not two')
        return n
      },
    })
    const fan = workflow({
      name: 'fan',
      run: async (_: null, flow) => {
        const outcomes = await flow.map(picky, [1, 2, 3], { onFailure: 'collect' })
        return outcomes.map((outcome) =>
          outcome.ok ? outcome.value : (outcome.error as TaskFailedError).error.message,
        )
      },
    })
    const here = await stage.process([fan, picky])
    await here.startWorker()
    assert.deepEqual((await here.run(fan, null)).result, [1, 'not two', 3])
  })

  test('a child that was cancelled is told apart from one that failed', async () => {
    await using stage = new Stage()
    const later = task({ name: 'later', queue: 'later', run: () => 1 })
    const asks = workflow({
      name: 'asks',
      run: (_: null, flow) =>
        flow.call(later, null).catch((error: unknown) => (error instanceof JobCancelledError ? 'cancelled' : 'other')),
    })
    const here = await stage.process([asks, later])
    await here.startWorker()
    const id = await here.submit(asks, null)
    await stage.clock.until(async () => (await here.store.tree(id, 10)).length === 2)
    await here.engine.cancel((await here.store.tree(id, 10))[1]?.id as JobId)
    assert.equal((await here.end(id)).result, 'cancelled')
  })
})

suite('the end of a workflow', () => {
  test('ends what it called without waiting for it, and leaves alone what it started', async () => {
    await using stage = new Stage()
    const sleepy = nap(stage)
    const leaves = workflow({
      name: 'leaves',
      run: async (_: null, flow) => {
        void flow.call(sleepy, 60_000)
        await flow.start(sleepy, 5_000)
        return 'gone'
      },
    })
    const here = await stage.process([leaves, sleepy])
    await here.startWorker()
    const id = await here.submit(leaves, null)
    assert.equal((await here.end(id)).result, 'gone')
    const [, called, started] = await here.store.tree(id, 10)
    assert.ok(called && started)
    assert.equal((await here.end(called.id)).state, 'cancelled')
    assert.deepEqual(await here.end(started.id), { state: 'succeeded', result: 5_000 })
  })

  test('stops local steps that nobody waits for, and never begins those that still wait for a slot', async () => {
    await using stage = new Stage()
    const log: string[] = []
    const leaves = workflow({
      name: 'leaves',
      run: async (_: null, flow) => {
        void flow.step('running', async (signal) => {
          log.push('running')
          await new Promise((resolve) => signal.addEventListener('abort', resolve))
          log.push('stopped')
        })
        void flow.step('waiting', () => void log.push('waiting'))
        await flow.now()
        return 'gone'
      },
    })
    const here = await stage.process([leaves])
    await here.startWorker({ queues: { default: 1 } })
    assert.equal((await here.run(leaves, null)).result, 'gone')
    await stage.clock.pass({ ms: 5_000 })
    assert.deepEqual(log, ['running', 'stopped'])
  })

  test('cancelling it cancels its whole tree, running and waiting', async () => {
    await using stage = new Stage()
    const begun: string[] = []
    const polite = task({
      name: 'polite',
      run: (_: null, job) => {
        begun.push(job.id)
        return new Promise((_, reject) => job.signal.addEventListener('abort', () => reject(job.signal.reason)))
      },
    })
    const inner = workflow({ name: 'inner', run: (_: null, flow) => flow.map(polite, [null, null, null]) })
    const outer = workflow({
      name: 'outer',
      run: (_: null, flow) => flow.all([flow.call(inner, null), flow.sleep(60_000)]),
    })
    const here = await stage.process([outer, inner, polite])
    await here.startWorker({ queues: { default: 2 } })
    const id = await here.submit(outer, null)
    await stage.clock.until(() => begun.length === 2)
    const askedAt = stage.clock.now()
    assert.equal(await here.engine.cancel(id, 'Enough.'), 'cancelling')
    await here.end(id)
    for (const job of await here.store.tree(id, 10)) await here.end(job.id)
    const ends = (await here.store.tree(id, 10)).map((job) => job.state)
    assert.deepEqual(ends, Array(5).fill('cancelled'))
    assert.ok(stage.clock.now() - askedAt < 1_300)
  })

  test('a workflow that swallows its cancel ends cancelled all the same', async () => {
    await using stage = new Stage()
    const stubborn = workflow({
      name: 'stubborn',
      run: async (_: null, flow) => {
        for (;;) await flow.sleep(60_000).catch(() => flow.step('again', () => 1).catch(() => new Promise(() => {})))
      },
    })
    const here = await stage.process([stubborn])
    await here.startWorker()
    const id = await here.submit(stubborn, null)
    await stage.clock.until(async () => (await here.store.steps(id)).length === 1)
    await here.engine.cancel(id)
    assert.equal((await here.end(id)).state, 'cancelled')
  })

  test('its deadline is its children’s deadline, and fails it in time', async () => {
    await using stage = new Stage()
    const deaf = task({ name: 'deaf', graceMs: 100, run: () => new Promise(() => {}) })
    const asks = workflow({ name: 'asks', run: (_: null, flow) => flow.call(deaf, null, { deadlineMs: 600_000 }) })
    const here = await stage.process([asks, deaf])
    await here.startWorker()
    const start = stage.clock.now()
    const id = await here.submit(asks, null, { deadlineMs: 5_000 })
    assert.equal((await here.end(id)).error?.code, 'deadline_exceeded')
    const [top, child] = await here.store.tree(id, 10)
    assert.deepEqual([top?.deadlineAt, child?.deadlineAt], [start + 5_000, start + 5_000])
    assert.ok(child)
    await here.end(child.id)
    assert.ok(stage.clock.now() - start < 6_500)
  })
})
