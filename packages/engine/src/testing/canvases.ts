import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { CANVAS_TASK, canvasWorkflow } from '../canvas/canvas-workflow.ts'
import { type CanvasNode, call, chain, chord, chunks, group, map, ref, when } from '../canvas/node.ts'
import { runCanvas } from '../canvas/run.ts'
import type { JobId } from '../job/job.ts'
import type { Json } from '../json.ts'
import { task } from '../task/task.ts'
import { workflow } from '../task/workflow.ts'
import { type Actor, type OpenOnStage, Stage } from './stage.ts'

/** While it holds, `slow` goes on for ever: its worker can be killed in the midst of it. */
let isHeld = false

const double = task({ name: 'double', public: true, run: (n: number) => n * 2 })
const sum = task({ name: 'sum', public: true, run: (numbers: number[]) => numbers.reduce((total, n) => total + n, 0) })
const slow = task({ name: 'slow', public: true, run: (n: number) => (isHeld ? new Promise<number>(() => {}) : n) })
const fail = task({
  name: 'fail',
  public: true,
  run: () => {
    throw Object.assign(new Error('There is no such layer.'), { code: 'layer_missing' })
  },
})
const echo = task({ name: 'echo', public: true, run: (value: Json) => value })
const TASKS = [double, sum, slow, fail, echo]
const all = [...TASKS, canvasWorkflow(TASKS)]

/** The result of a canvas as a client would send it: names instead of tasks. */
async function resultOf(here: Actor, canvas: unknown): Promise<Json | undefined> {
  const ended = await here.end((await here.engine.submit(CANVAS_TASK, { canvas })).id)
  assert.equal(ended.state, 'succeeded', JSON.stringify(ended.error))
  return ended.result
}

async function tasksOf(here: Actor, id: JobId): Promise<string[]> {
  return (await here.store.tree(id, 1_000)).slice(1).map((job) => `${job.task} ${job.state}`)
}

/** Each holds while `slow` does, when something of it has ended and something is still to come. */
const REPLAYED: Readonly<
  Record<string, { readonly canvas: CanvasNode; readonly result: Json; readonly jobs: number }>
> = {
  chain: { canvas: chain([call('double', 1), call('slow'), call('double')]), result: 4, jobs: 3 },
  group: { canvas: chain([group([call('double', 1), call('slow', 5)]), call('sum')]), result: 7, jobs: 3 },
  chord: {
    canvas: chord([call('double', 1), call('slow', 5)], chain([call('sum'), call('double')])),
    result: 14,
    jobs: 4,
  },
  map: { canvas: chain([call('echo', [1, 2, 3]), map('slow', ref('previous')), call('sum')]), result: 6, jobs: 5 },
  chunks: {
    canvas: chain([call('slow', 1, { id: 'n' }), chunks('sum', [1, 2, 3], 2), call('sum')]),
    result: 6,
    jobs: 4,
  },
  when: {
    canvas: chain([call('slow', 1, { id: 'n' }), when({ less: [ref('n'), 2] }, call('double'), call('fail'))]),
    result: 2,
    jobs: 2,
  },
  collect: {
    canvas: group([chain([call('double', 1), call('fail')]), chain([call('slow', 5), call('double')])], {
      onFailure: 'collect',
    }),
    result: [{ ok: false }, { ok: true, value: 10 }],
    jobs: 4,
  },
}

/**
 * What each kind of node does, how a canvas fails, and that it goes on elsewhere when its worker is killed.
 * @param makeOpen gives each test a place of its own; default: a SQLite file, in which it is seen at once who is dead
 */
export function testCanvases(store: string, makeOpen?: () => OpenOnStage): void {
  const makeStage = () => new Stage(makeOpen?.())
  const onStage = async (run: (here: Actor, stage: Stage) => Promise<void>) => {
    await using stage = makeStage()
    const here = await stage.process(all)
    await here.startWorker()
    await run(here, stage)
  }

  suite(`a canvas on ${store}`, () => {
    test('a chain gives each the result before it, and its result is the last one’s', () =>
      onStage(async (here) => {
        assert.equal(
          await resultOf(here, { chain: [{ call: 'double', input: 1 }, { call: 'double' }, { call: 'double' }] }),
          8,
        )
      }))

    test('a group gives its results in order, and in a chain each member gets the result before it', () =>
      onStage(async (here) => {
        const group = [{ call: 'double' }, { call: 'echo' }, { chain: [{ call: 'double' }, { call: 'double' }] }]
        assert.deepEqual(await resultOf(here, { chain: [{ call: 'double', input: 1 }, { group }] }), [4, 2, 8])
        assert.deepEqual(await resultOf(here, { group: [] }), [])
      }))

    test('a chord last but one in a chain: the one after it is given its result', () =>
      onStage(async (here) => {
        const chord = { chord: [{ call: 'double' }, { call: 'double', input: 10 }], body: { call: 'sum' } }
        assert.equal(await resultOf(here, { chain: [{ call: 'double', input: 1 }, chord, { call: 'double' }] }), 48)
      }))

    test('a chord of an empty group goes on with an empty list', () =>
      onStage(async (here) => {
        assert.equal(await resultOf(here, { chord: [], body: { call: 'sum' } }), 0)
      }))

    test('a map runs over what an earlier node gave, with an input made of each item', () =>
      onStage(async (here) => {
        const list = { call: 'echo', id: 'list', input: { numbers: [1, 2, 3] } }
        const over = { $ref: 'list/numbers' }
        assert.deepEqual(await resultOf(here, { chain: [list, { map: 'double', over, concurrency: 2 }] }), [2, 4, 6])
        const input = { item: { $ref: 'item' }, of: { $ref: 'list/numbers/0' } }
        assert.deepEqual(await resultOf(here, { chain: [list, { map: 'echo', over, input }] }), [
          { item: 1, of: 1 },
          { item: 2, of: 1 },
          { item: 3, of: 1 },
        ])
      }))

    test('chunks give so many items to each job, and the rest to the last', () =>
      onStage(async (here) => {
        assert.deepEqual(await resultOf(here, { chunks: 'sum', over: [1, 2, 3, 4, 5], size: 2 }), [3, 7, 5])
      }))

    test('a branch goes one way or the other, and without one its result is null', () =>
      onStage(async (here) => {
        const large = { greater: [{ $ref: 'n' }, 5] }
        const canvas = (n: number) => ({
          chain: [
            { call: 'echo', id: 'n', input: n },
            { when: large, do: { call: 'double' }, else: { call: 'echo', input: 'small' } },
          ],
        })
        assert.deepEqual([await resultOf(here, canvas(6)), await resultOf(here, canvas(5))], [12, 'small'])
        assert.equal(await resultOf(here, { when: { not: true }, do: { call: 'fail' } }), null)
        const both = { all: [{ equals: [{ $ref: 'n' }, { a: [1, 2] }] }, { any: [false, { $ref: 'n/a' }] }] }
        const same = {
          chain: [
            { call: 'echo', id: 'n', input: { a: [1, 2] } },
            { when: both, do: { call: 'echo', input: 'same' } },
          ],
        }
        assert.equal(await resultOf(here, same), 'same')
      }))

    test('what looks like a reference and is none stands in a literal', () =>
      onStage(async (here) => {
        assert.deepEqual(await resultOf(here, { call: 'echo', input: { $literal: { $ref: 'x' } } }), { $ref: 'x' })
      }))

    test('each job carries the place of its node', () =>
      onStage(async (here) => {
        const id = (
          await here.engine.submit(CANVAS_TASK, { canvas: { chain: [{ group: [{ call: 'double', input: 1 }] }] } })
        ).id
        await here.end(id)
        const [, job] = await here.store.tree(id, 10)
        assert.deepEqual(job?.tags, ['canvas:/canvas/chain/0/group/0'])
      }))
  })

  suite(`a canvas that fails on ${store}`, () => {
    const broken = {
      group: [
        { chain: [{ call: 'double', input: 1 }, { call: 'fail' }, { call: 'double' }] },
        { call: 'slow', input: 3 },
      ],
    }

    test('an error inside a chain inside a group ends all of it, with where it came from', () =>
      onStage(async (here) => {
        isHeld = true
        const { id } = await here.engine.submit(CANVAS_TASK, { canvas: { chain: [broken, { call: 'sum' }] } })
        const ended = await here.end(id)
        isHeld = false
        assert.deepEqual(
          [ended.state, ended.error?.message, ended.error?.origin?.task],
          ['failed', 'There is no such layer.', 'fail'],
        )
        assert.deepEqual((await tasksOf(here, id)).sort(), ['double succeeded', 'fail failed', 'slow cancelled'])
      }))

    test('its onFailure is run once, and is told why', () =>
      onStage(async (here) => {
        const onFailure = { chain: [{ call: 'echo', input: { $ref: 'error/code' } }] }
        const { id } = await here.engine.submit(CANVAS_TASK, { canvas: broken, onFailure })
        assert.equal((await here.end(id)).state, 'failed')
        const echoes = (await here.store.tree(id, 100)).filter((job) => job.task === 'echo')
        assert.equal(echoes.length, 1)
        assert.equal((await here.engine.outcome(echoes[0]?.id as JobId))?.result, 'layer_missing')
      }))

    test('a group that collects gives each outcome, and a failed member begins nothing more', () =>
      onStage(async (here) => {
        const { id } = await here.engine.submit(CANVAS_TASK, { canvas: { ...broken, onFailure: 'collect' } })
        const { result } = await here.end(id)
        assert.partialDeepStrictEqual(result, [
          { ok: false, error: { code: 'layer_missing', message: 'There is no such layer.', origin: { task: 'fail' } } },
          { ok: true, value: 3 },
        ])
        assert.deepEqual((await tasksOf(here, id)).sort(), ['double succeeded', 'fail failed', 'slow succeeded'])
      }))

    test('of an inner group that fails inside one that collects, the other members begin nothing more', () =>
      onStage(async (here) => {
        const late = { chain: [{ call: 'echo', input: 1, delayMs: 60_000 }, { call: 'double' }] }
        const parts = {
          group: [{ group: [{ call: 'fail' }, late] }, { call: 'sum', input: [2] }],
          onFailure: 'collect',
        }
        // It still goes on when what is late has ended.
        const canvas = { chain: [parts, { call: 'echo', delayMs: 120_000 }] }
        const { id } = await here.engine.submit(CANVAS_TASK, { canvas })
        assert.partialDeepStrictEqual((await here.end(id)).result, [{ ok: false }, { ok: true, value: 2 }])
        const jobs = (await tasksOf(here, id)).sort()
        assert.deepEqual(jobs, ['echo succeeded', 'echo succeeded', 'fail failed', 'sum succeeded'])
      }))

    test('a map collects its outcomes, and a chord is given what was collected', () =>
      onStage(async (here) => {
        const collected = await resultOf(here, { map: 'fail', over: [1, 2], onFailure: 'collect' })
        assert.partialDeepStrictEqual(collected, [{ ok: false }, { ok: false, error: { code: 'layer_missing' } }])
        const chord = {
          chord: [{ call: 'fail' }, { call: 'double', input: 1 }],
          onFailure: 'collect',
          body: { call: 'echo' },
        }
        assert.partialDeepStrictEqual(await resultOf(here, chord), [{ ok: false }, { ok: true, value: 2 }])
      }))

    test('a reference that leads to nothing, and a list that is none, fail it with a clear error', () =>
      onStage(async (here) => {
        const errorOf = async (node: object) => {
          const canvas = { chain: [{ call: 'echo', id: 'a', input: { b: 1 } }, node] }
          return (await here.end((await here.engine.submit(CANVAS_TASK, { canvas })).id)).error
        }
        const nowhere = await errorOf({ call: 'echo', input: { $ref: 'a/c' } })
        assert.deepEqual(
          [nowhere?.code, nowhere?.message],
          ['canvas_unresolved', 'The canvas cannot go on: the reference a/c leads to nothing.'],
        )
        assert.match((await errorOf({ map: 'double', over: { $ref: 'a' } }))?.message ?? '', /is no list/)
      }))
  })

  suite(`a canvas whose worker is killed, on ${store}`, () => {
    for (const [name, { canvas, result, jobs }] of Object.entries(REPLAYED)) {
      test(`with a ${name} goes on elsewhere, with the same result and no job twice`, async () => {
        await using stage = makeStage()
        const here = await stage.process(all)
        await here.startWorker()
        isHeld = true
        const { id } = await here.engine.submit(CANVAS_TASK, { canvas })
        await stage.clock.until(async () => {
          const children = (await here.store.tree(id, 100)).slice(1)
          const isHolding = children.some((job) => job.task === 'slow' && job.state === 'running')
          return (
            isHolding &&
            children.every((job) => job.task === 'slow' || (job.state !== 'waiting' && job.state !== 'running'))
          )
        })
        here.crash()
        isHeld = false
        const there = await stage.process(all)
        await there.startWorker()
        const ended = await there.end(id)
        assert.equal(ended.state, 'succeeded', JSON.stringify(ended.error))
        if (typeof result === 'object') assert.partialDeepStrictEqual(ended.result, result)
        else assert.equal(ended.result, result)
        assert.equal((await there.store.tree(id, 100)).length - 1, jobs)
      })
    }
  })

  test(`a workflow on ${store} runs a canvas of its own tasks`, async () => {
    await using stage = makeStage()
    const survey = workflow({
      name: 'survey',
      run: (n: number, flow) =>
        runCanvas(flow, chord([call(double, n), chain([call(double, n), call(double)])], call(sum))),
    })
    const here = await stage.process([double, sum, survey])
    await here.startWorker()
    assert.equal((await here.run(survey, 1)).result, 6)
    const unknown = workflow({ name: 'unknown', run: (_: null, flow) => runCanvas(flow, call('nothing', 1)) })
    const there = await stage.process([unknown])
    await there.startWorker()
    assert.equal((await there.run(unknown, null)).error?.code, 'unknown_task')
  })
}
