import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { createEngine, type Engine } from '../engine.ts'
import type { JobId, RecordedError } from '../job/job.ts'
import type { Store } from '../store/store.ts'
import { task } from '../task/task.ts'
import { type AnyTask, workflow } from '../task/workflow.ts'
import type { Worker } from '../worker/supervised-worker.ts'
import { JobServer } from './job-server.ts'
import { type OpenOnStage, Stage } from './stage.ts'

const double = task({ name: 'double', run: (n: number) => n * 2 })
const sum = task({ name: 'sum', run: (numbers: number[]) => numbers.reduce((total, n) => total + n, 0) })
const save = task({ name: 'save', run: (n: number) => `saved ${n}` })
const broken = task({
  name: 'broken',
  run: (n: number) => {
    if (n === 2) throw Object.assign(new Error('There is no such layer.'), { code: 'layer_missing' })
    return n
  },
})
/** Start, finish, and a callback: the middle one may fail, and the last one then never runs. */
const chain = workflow({
  name: 'chain',
  async run(n: number, flow) {
    const started = await flow.call(double, n)
    return flow.call(double, await flow.call(broken, started / 2))
  },
})
const tasks: AnyTask[] = [double, sum, save, broken, chain]

/** Where the jobs of a test are; each place is a store of its own, which several processes may open. */
export type HardshipPlace = {
  /** On a clock that stands still until it is told. */
  readonly open: OpenOnStage
  /** On its own clock. */
  openReal(): Promise<Store>
  close(): Promise<void>
}
export type MakePlace = () => Promise<HardshipPlace>

async function withStage(makePlace: MakePlace, run: (stage: Stage) => Promise<void>): Promise<void> {
  const place = await makePlace()
  try {
    await using stage = new Stage(place.open)
    await run(stage)
  } finally {
    await place.close()
  }
}

/** Two engines on one store and its own clock, as two processes would have, for what talks to a real service. */
async function withHands(
  makePlace: MakePlace,
  tasks: readonly AnyTask[],
  run: (hands: readonly [Hand, Hand]) => Promise<void>,
): Promise<void> {
  const place = await makePlace()
  const hands: Hand[] = []
  const open = async () => {
    const hand = new Hand(createEngine({ store: await place.openReal(), tasks }))
    hands.push(hand)
    return hand
  }
  try {
    await run([await open(), await open()])
  } finally {
    for (const { worker } of hands) await worker?.stop({ graceMs: 100 })
    for (const { engine } of hands) await engine.store[Symbol.asyncDispose]()
    await place.close()
  }
}

/** An engine with the worker that it may have. */
class Hand {
  readonly engine: Engine
  worker: Worker | undefined

  constructor(engine: Engine) {
    this.engine = engine
  }

  async work(): Promise<Engine> {
    this.worker = await this.engine.startWorker()
    return this.engine
  }
}

/** A client of the service, as an app would write it. */
function histogram(service: JobServer, over: { timeoutMs?: number } = {}) {
  const json = async (response: Response) => (await response.json()) as { status: string; result?: never }
  return workflow({
    name: 'histogram',
    run: (_: null, flow) =>
      flow.poll('geop', {
        everyMs: 20,
        ...over,
        async start(signal) {
          const { status, result } = await json(await fetch(`${service.url}/jobs`, { method: 'POST', signal }))
          if (status === 'NO SLOTS AVAILABLE') throw Object.assign(new Error(status), { retryable: true })
          return (result as unknown as { jobId: string }).jobId
        },
        async check(id, signal) {
          const { status, result } = await json(await fetch(`${service.url}/jobs/${id}`, { signal }))
          if (status === 'ERROR') throw Object.assign(new Error(`Job ${id} failed there.`), { code: 'geop_failed' })
          return status === 'FINISHED' ? { done: true, value: result } : { done: false }
        },
        cancel: (id) => fetch(`${service.url}/jobs/${id}`, { method: 'DELETE' }),
      }),
  })
}

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setImmediate(resolve))
}

/**
 * What the makers of Model My Watershed suffered with Celery and Spark JobServer, each as a test under the name of its own.
 * @param makePlace gives a new place for each test
 */
export function testHardships(name: string, makePlace: MakePlace): void {
  suite(`hardships of a geospatial application on ${name}`, () => {
    const onStage = (run: (stage: Stage) => Promise<void>) => withStage(makePlace, run)
    const withEngines = (all: readonly AnyTask[], run: (hands: readonly [Hand, Hand]) => Promise<void>) =>
      withHands(makePlace, all, run)

    test('a chord last but one in a chain: the result is that of the last task', () =>
      onStage(async (stage) => {
        const mapshed = workflow({
          name: 'mapshed',
          run: async (_: null, flow) => flow.call(save, await flow.call(sum, await flow.map(double, [1, 2, 3]))),
        })
        const here = await stage.process([...tasks, mapshed])
        await here.startWorker()
        assert.deepEqual(await here.run(mapshed, null), { state: 'succeeded', result: 'saved 12' })
      }))

    test('an error inside a chain inside a group comes up once, and says where it was thrown', () =>
      onStage(async (stage) => {
        const caught: unknown[] = []
        const mapshed = workflow({
          name: 'mapshed',
          async run(_: null, flow) {
            try {
              return await flow.map(chain, [1, 2, 3])
            } catch (error) {
              caught.push(error)
              throw error
            }
          },
        })
        const here = await stage.process([...tasks, mapshed])
        await here.startWorker()
        const { state, error } = await here.run(mapshed, null)
        assert.deepEqual([state, error?.code, error?.origin?.task], ['failed', 'layer_missing', 'broken'])
        assert.equal(caught.length, 1)
      }))

    test('an error handler attached once, at the top, sees the error of any task below', () =>
      onStage(async (stage) => {
        const told: RecordedError[] = []
        const mapshed = workflow({
          name: 'mapshed',
          run: async (_: null, flow) => flow.call(sum, await flow.map(chain, [1, 2, 3])),
          onFailure: (error) => void told.push(error),
        })
        const here = await stage.process([...tasks, mapshed])
        await here.startWorker()
        await here.run(mapshed, null)
        assert.deepEqual(
          told.map(({ code, origin }) => [code, origin?.task]),
          [['layer_missing', 'broken']],
        )
      }))

    test('a retry inside a guarded step is no exception: the guard sees the result alone', () =>
      onStage(async (stage) => {
        let [tries, guarded] = [0, 0]
        const flaky = task({
          name: 'flaky',
          retry: { attempts: 3, delayMs: 1_000 },
          run: () => {
            if (++tries < 3) throw new Error('Try again.')
            return 'there'
          },
        })
        const careful = workflow({
          name: 'careful',
          async run(_: null, flow) {
            try {
              return await flow.call(flaky, null)
            } catch {
              guarded++
              return 'swallowed'
            }
          },
        })
        const here = await stage.process([flaky, careful])
        await here.startWorker()
        assert.deepEqual(await here.run(careful, null), { state: 'succeeded', result: 'there' })
        assert.deepEqual([tries, guarded], [3, 0])
      }))

    test('an infinite join: a group whose chains break off before their last task is joined all the same', () =>
      onStage(async (stage) => {
        const collecting = workflow({
          name: 'collecting',
          run: async (_: null, flow) =>
            (await flow.map(chain, [1, 2, 3], { onFailure: 'collect' })).map((outcome) =>
              outcome.ok ? outcome.value : 'broken off',
            ),
        })
        const here = await stage.process([...tasks, collecting])
        await here.startWorker()
        assert.deepEqual(await here.run(collecting, null), { state: 'succeeded', result: [2, 'broken off', 6] })
        const left = await here.store.jobs({ states: ['waiting', 'running'] }, { limit: 10 })
        assert.deepEqual(left.jobs, [])
      }))

    test('a stack leak: neither stack takes a job of the other, its children included', () =>
      onStage(async (stage) => {
        const ran: string[] = []
        const stack = (color: string) => {
          const leaf = task({ name: 'leaf', run: () => void ran.push(color) })
          return [leaf, workflow({ name: 'top', run: (_: null, flow) => flow.map(leaf, [1, 2, 3]) })]
        }
        const blue = await stage.process(stack('blue'), { deployment: 'blue' })
        const green = await stage.process(stack('green'), { deployment: 'green' })
        await green.startWorker()
        const { id } = await blue.engine.submit('top', null)
        await stage.clock.pass({ ms: 10_000 })
        assert.deepEqual(ran, [])
        await blue.startWorker()
        assert.equal((await blue.end(id)).state, 'succeeded')
        assert.deepEqual(ran, ['blue', 'blue', 'blue'])
      }))

    test('start and finish on different workers: the job there is started once, and found again', async () => {
      await using service = await JobServer.open()
      service.runningLooks = 1_000_000
      await withEngines([histogram(service)], async ([here, there]) => {
        await here.work()
        const { id } = await there.engine.submit('histogram', null)
        await until(() => (service.jobs.get('job-1')?.looks ?? 0) > 2)
        await here.worker?.stop({ graceMs: 100 })
        service.runningLooks = 0
        const engine = await there.work()
        assert.deepEqual(await engine.result(id, { timeoutMs: 60_000 }), { 'List(11)': 7 })
        assert.deepEqual([service.jobs.size, service.deleted], [1, []])
      })
    })

    test('no slots there is a reason to try again, and an error there is an error here', async () => {
      await using service = await JobServer.open()
      await withEngines([histogram(service)], async ([hand]) => {
        const engine = await hand.work()
        service.noSlots = 3
        const { id } = await engine.submit('histogram', null)
        assert.deepEqual(await engine.result(id, { timeoutMs: 60_000 }), { 'List(11)': 7 })
        assert.deepEqual([service.refused, service.jobs.size], [3, 1])
        service.endsAs = 'ERROR'
        const failing = await engine.submit('histogram', null)
        assert.equal(await engine.wait(failing.id, { timeoutMs: 60_000 }), 'failed')
        assert.equal((await engine.outcome(failing.id))?.error?.code, 'geop_failed')
      })
    })

    test('a result stored before the id is known is found by it, however late anybody asks', () =>
      onStage(async (stage) => {
        const here = await stage.process(tasks)
        await here.startWorker()
        let heard: JobId | undefined
        const submitting = here.engine.submit(double, 21).then(({ id }) => (heard = id))
        await stage.clock.until(
          async () => (await here.store.jobs({ states: ['succeeded'] }, { limit: 1 })).jobs.length === 1,
        )
        await submitting
        assert.ok(heard !== undefined)
        assert.equal(await here.engine.result(heard), 42)
      }))

    test('an abandoned job does not keep running: it is ended there when it is cancelled or given up here', async () => {
      await using service = await JobServer.open()
      service.runningLooks = 1_000_000
      await withEngines([histogram(service)], async ([hand]) => {
        const engine = await hand.work()
        const { id } = await engine.submit('histogram', null)
        await until(() => (service.jobs.get('job-1')?.looks ?? 0) > 0)
        await engine.cancel(id)
        assert.equal(await engine.wait(id, { timeoutMs: 60_000 }), 'cancelled')
        assert.deepEqual(service.deleted, ['job-1'])
      })
      await withEngines([histogram(service, { timeoutMs: 100 })], async ([hand]) => {
        const engine = await hand.work()
        const { id } = await engine.submit('histogram', null)
        assert.equal(await engine.wait(id, { timeoutMs: 60_000 }), 'failed')
        assert.equal((await engine.outcome(id))?.error?.code, 'poll_timeout')
        assert.deepEqual(service.deleted, ['job-1', 'job-2'])
      })
    })

    test('a submit that takes seconds there takes none here: the id is given out before it', async () => {
      await using service = await JobServer.open()
      service.submitMs = 1_000
      await withEngines([histogram(service)], async ([hand]) => {
        const engine = await hand.work()
        const { id } = await engine.submit('histogram', null)
        assert.equal(service.jobs.size, 0)
        assert.deepEqual(await engine.result(id, { timeoutMs: 60_000 }), { 'List(11)': 7 })
      })
    })
  })
}
