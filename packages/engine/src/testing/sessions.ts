import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { SessionLostError, TaskFailedError } from '../errors.ts'
import type { Flow } from '../flow/flow.ts'
import type { Session, SessionOptions } from '../flow/session.ts'
import type { JobId } from '../job/job.ts'
import { task } from '../task/task.ts'
import { type AnyTask, type Workflow, workflow } from '../task/workflow.ts'
import { type Actor, type OpenOnStage, Stage } from './stage.ts'

/** Processes whose tasks say where they ran: one that runs workflows, and some that serve the queue `gpu`. */
class Yard implements AsyncDisposable {
  readonly #stage: Stage
  /** What ran where, in order. */
  readonly ran: string[] = []
  readonly where = task({ name: 'where', run: (_: number): string => assert.fail('run by each process itself') })
  readonly stuck = task({ name: 'stuck', run: (_: null): string => assert.fail('run by each process itself') })
  readonly shaky = task({ name: 'shaky', run: (_: null): string => assert.fail('run by each process itself') })
  readonly broken = task({ name: 'broken', run: (_: null): string => assert.fail('run by each process itself') })
  readonly #flows: readonly AnyTask[]
  /** How often a local step was begun. */
  flowRuns = 0

  constructor(stage: Stage, flows: readonly AnyTask[] = []) {
    this.#stage = stage
    this.#flows = flows
  }

  get clock() {
    return this.#stage.clock
  }

  #tasksOf(name: string): AnyTask[] {
    const run = (what: string) => {
      this.ran.push(`${what} on ${name}`)
      return name
    }
    return [
      task({ name: 'where', run: (n: number) => run(`where ${n}`) }),
      task({
        name: 'stuck',
        run: (_: null) => {
          run('stuck')
          return new Promise<never>(() => {})
        },
      }),
      task({
        name: 'shaky',
        retry: { attempts: 2, delayMs: 1_000 },
        run: (_: null, job) => {
          run(`shaky ${job.attempt}`)
          if (job.attempt === 1) throw new Error('Not yet.')
          return name
        },
      }),
      task({
        name: 'broken',
        run: () => {
          run('broken')
          throw new Error('It is broken.')
        },
      }),
    ]
  }

  async process(name: string, queues: Record<string, number>, flows: readonly AnyTask[] = this.#flows): Promise<Actor> {
    const actor = await this.#stage.process([...this.#tasksOf(name), ...flows])
    await actor.startWorker({ queues })
    return actor
  }

  /** What is running at this moment has begun. */
  until(what: string): Promise<void> {
    return this.clock.until(() => this.ran.some((one) => one.startsWith(what)))
  }

  /** The processes that something ran on, in order. */
  places(what: string): string[] {
    return this.ran.filter((one) => one.startsWith(what)).map((one) => one.split(' on ')[1] ?? '')
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#stage[Symbol.asyncDispose]()
  }
}

type Open<Output> = {
  readonly yard: Yard
  readonly flow: Workflow<null, Output>
  /** Where workflows run. */
  readonly here: Actor
  /** Those on the queue `gpu`, named `one` and `two`. */
  readonly workers: readonly Actor[]
} & AsyncDisposable

/** A yard with a workflow. */
async function openFlow<Output>(stage: Stage, run: (yard: Yard, flow: Flow) => Promise<Output>): Promise<Open<Output>> {
  const flow = workflow({ name: 'flow', run: (_: null, own) => run(yard, own) })
  const yard: Yard = new Yard(stage, [flow])
  const here = await yard.process('here', { default: 4 })
  const workers = [await yard.process('one', { gpu: 2 }), await yard.process('two', { gpu: 2 })]
  return { yard, flow, here, workers, [Symbol.asyncDispose]: () => yard[Symbol.asyncDispose]() }
}

/** A yard with a workflow that is one session. */
function open<Output>(
  stage: Stage,
  body: (yard: Yard, session: Session) => Promise<Output>,
  options: SessionOptions = {},
): Promise<Open<Output>> {
  return openFlow(stage, (yard, flow) => flow.session('gpu', (session) => body(yard, session), options))
}

/** Kills the worker on which this ran first. @returns its name */
function crash({ yard, workers }: Open<unknown>, what: string): string {
  const [place = ''] = yard.places(what)
  workers[place === 'one' ? 0 : 1]?.crash()
  return place
}

/**
 * What a session does for a workflow, from its steps on one worker to what becomes of it when that is lost.
 * @param makeOpen gives each test a place of its own; default: a SQLite file, in which it is seen at once who is dead
 */
export function testSessions(store: string, makeOpen?: () => OpenOnStage): void {
  const makeStage = () => new Stage(makeOpen?.())
  suite(`a session on ${store}`, () => {
    test('has all its steps run on one worker, the one that took the first', async () => {
      await using all = await open(makeStage(), async ({ where }, s) => {
        const first = await s.call(where, 1)
        const mapped = await s.map(where, [2, 3, 4, 5, 6, 7])
        const both = await s.all([s.call(where, 8), s.call(where, 9)])
        return [first, ...mapped, ...both]
      })
      const { result } = await all.here.run(all.flow, null)
      assert.equal(new Set(result as string[]).size, 1, String(result))
      assert.equal((result as string[]).length, 9)
    })

    test('begins on one worker, though its first steps are many and could go to several', async () => {
      await using all = await open(makeStage(), ({ where }, s) => s.map(where, [1, 2, 3, 4, 5, 6, 7, 8]))
      const { result } = await all.here.run(all.flow, null)
      assert.equal(new Set(result as string[]).size, 1, String(result))
    })

    test('whose worker is lost is thrown as lost, to one catch, and the workflow goes on', async () => {
      const lost: unknown[] = []
      await using all = await openFlow(makeStage(), async (yard, flow) => {
        try {
          await flow.session('gpu', (s) => s.all([s.call(yard.stuck, null), s.call(yard.stuck, null)]))
        } catch (error) {
          lost.push(error)
        }
        return flow.call(yard.where, 1, { queue: 'gpu' })
      })
      const id = await all.here.submit(all.flow, null)
      await all.yard.clock.until(() => all.yard.places('stuck').length === 2)
      const place = crash(all, 'stuck')
      const { result } = await all.here.end(id)
      assert.equal(result, place === 'one' ? 'two' : 'one')
      assert.equal(lost.length, 1)
      assert.ok(lost[0] instanceof SessionLostError)
      assert.match(lost[0].message, /of the session was lost: its (lease lapsed|process ended)/)
    })

    test('whose worker is lost between two steps is lost for the next one, and fails its workflow', async () => {
      const { promise: isBetween, resolve: goOn } = Promise.withResolvers<void>()
      await using all = await openFlow(makeStage(), (yard, flow) =>
        flow.session('gpu', async (s) => {
          await s.call(yard.where, 1)
          await flow.step('between', () => isBetween)
          return s.call(yard.where, 2)
        }),
      )
      const id = await all.here.submit(all.flow, null)
      await all.yard.until('where 1')
      await all.yard.clock.until(
        async () => (await all.here.store.jobs({ states: ['running'] }, { limit: 10 })).jobs.length === 1,
      )
      crash(all, 'where')
      await all.yard.clock.until(async () => (await all.here.store.workers()).length === 2)
      goOn()
      const { state, error } = await all.here.end(id)
      assert.deepEqual([state, error?.code, error?.origin?.task], ['failed', 'session_lost', 'flow'])
      assert.deepEqual(all.yard.places('where 2'), [])
    })

    test('that is to restart runs again from its beginning on another worker, as often as it may', async () => {
      await using all = await open(
        makeStage(),
        async ({ where, stuck }, s) => {
          await s.call(where, 1)
          return s.call(stuck, null)
        },
        { onLost: 'restart', maxRestarts: 1 },
      )
      const id = await all.here.submit(all.flow, null)
      await all.yard.until('stuck')
      const first = crash(all, 'stuck')
      await all.yard.clock.until(() => all.yard.places('stuck').length === 2)
      assert.deepEqual(all.yard.places('where 1'), [first, first === 'one' ? 'two' : 'one'])
      for (const worker of all.workers) worker.crash()
      const { state, error } = await all.here.end(id)
      assert.deepEqual([state, error?.code], ['failed', 'session_lost'])
      const steps = await all.here.store.steps(id)
      assert.deepEqual(
        steps.map(({ kind, name, session, error: failed }) => [kind, name, session ?? failed?.code]),
        [
          ['session', 'gpu', 'session_lost'],
          ['call', 'where', 1],
          ['call', 'stuck', 1],
          ['session', 'gpu', 'session_lost'],
          ['call', 'where', 4],
          ['call', 'stuck', 4],
        ],
      )
    })

    test('of which the workflow loses its own worker goes on where it is, and so after a restart', async () => {
      const gate = Promise.withResolvers<void>()
      await using all = await openFlow(makeStage(), (yard, flow) =>
        flow.session(
          'gpu',
          async (s) => {
            const first = await s.call(yard.where, 1)
            await flow.step('wait', () => (++yard.flowRuns === 1 ? new Promise(() => {}) : gate.promise))
            return [first, await s.call(yard.where, 2)]
          },
          { onLost: 'restart' },
        ),
      )
      const id = await all.here.submit(all.flow, null)
      await all.yard.until('where 1')
      await all.yard.clock.until(() => all.yard.flowRuns === 1)
      const there = await all.yard.process('there', { default: 4 })
      all.here.crash()
      await all.yard.clock.until(() => all.yard.flowRuns === 2)
      gate.resolve()
      const { result } = await there.end(id)
      const [place] = all.yard.places('where 1')
      assert.deepEqual(result, [place, place])
      assert.equal(all.yard.places('where').length, 2)
    })

    test('takes with it what it has started and does not wait for', async () => {
      await using all = await open(makeStage(), async ({ where, stuck }, s) => {
        const id = await s.start(stuck, null)
        await s.call(where, 1)
        return id
      })
      const { result } = await all.here.run(all.flow, null)
      const { state, error } = await all.here.end(result as JobId)
      assert.deepEqual([state, error?.message], ['cancelled', 'Its session ended before it.'])
    })

    test('whose body fails beside what it has started lets its workflow clean up once that has ended', async () => {
      const cleaned: string[] = []
      const flow: Workflow<null, unknown> = workflow({
        name: 'flow',
        run: (_: null, own) =>
          own.session('gpu', async (s) => {
            await s.start(yard.stuck, null)
            await s.call(yard.broken, null)
          }),
        onFailure: ({ code }) => void cleaned.push(code),
      })
      await using yard: Yard = new Yard(makeStage(), [flow])
      const here = await yard.process('here', { default: 4 })
      await yard.process('one', { gpu: 2 })
      const { state, error } = await here.end(await here.submit(flow, null))
      assert.deepEqual([state, error?.code, cleaned], ['failed', 'task_threw', ['task_threw']])
    })

    test('keeps a task that is retried on its worker, and throws what a task throws', async () => {
      await using all = await openFlow(makeStage(), (yard, flow) =>
        flow.session('gpu', async (s) => {
          await s.call(yard.shaky, null)
          return s.call(yard.broken, null).catch((error: unknown) => error instanceof TaskFailedError)
        }),
      )
      const { result } = await all.here.run(all.flow, null)
      assert.equal(result, true)
      const [one, two] = all.yard.places('shaky')
      assert.equal(one, two)
      assert.deepEqual(all.yard.places('broken'), [one])
    })

    test('throws that its worker is lost under collect, too', async () => {
      await using all = await open(makeStage(), ({ stuck }, s) => s.map(stuck, [null, null], { onFailure: 'collect' }))
      const id = await all.here.submit(all.flow, null)
      await all.yard.clock.until(() => all.yard.places('stuck').length === 2)
      crash(all, 'stuck')
      assert.equal((await all.here.end(id)).error?.code, 'session_lost')
    })

    test('is begun anew by a retry of the workflow, with what came before it taken over', async () => {
      let isBroken = true
      await using all = await openFlow(makeStage(), async (yard, flow) => {
        const before = await flow.call(yard.where, 0, { queue: 'gpu' })
        const within = await flow.session('gpu', async (s) => {
          const first = await s.call(yard.where, 1)
          return isBroken ? s.call(yard.broken, null) : first
        })
        return [before, within]
      })
      const id = await all.here.submit(all.flow, null)
      assert.equal((await all.here.end(id)).state, 'failed')
      isBroken = false
      const again = await all.here.engine.retry(id)
      assert.equal((await all.here.end(again.id)).state, 'succeeded')
      assert.equal(all.yard.places('where 0').length, 1)
      assert.equal(all.yard.places('where 1').length, 2)
    })

    test('ends with a workflow that is cancelled', async () => {
      await using all = await open(makeStage(), ({ stuck }, s) => s.map(stuck, [null, null, null, null]))
      const id = await all.here.submit(all.flow, null)
      await all.yard.until('stuck')
      await all.here.engine.cancel(id)
      assert.equal((await all.here.end(id)).state, 'cancelled')
      const { jobs } = await all.here.store.jobs({ parentId: id }, { limit: 10 })
      await all.yard.clock.until(async () => {
        const states = await all.here.store.states(jobs.map((job) => job.id))
        return [...states.values()].every((state) => state === 'cancelled')
      })
    })
  })
}
