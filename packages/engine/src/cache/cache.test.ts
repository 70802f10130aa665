import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { task } from '../task/task.ts'
import { workflow } from '../task/workflow.ts'
import { Stage } from '../testing/stage.ts'

/** A task that counts its runs. */
function counting(over: { version?: string; dependencies?: () => Promise<string[]>; perOwner?: boolean } = {}) {
  const runs: unknown[] = []
  const { version, ...cache } = over
  const counted = task({
    name: 'count',
    ...(version !== undefined && { version }),
    cache: { ttlMs: 60_000, ...cache },
    run: (input: { readonly area: string; readonly zoom?: number }) => runs.push(input.area),
  })
  return { runs, counted }
}

suite('a task with a cache', () => {
  test('is asked once for the same input, in whatever order its members come', async () => {
    await using stage = new Stage()
    const { runs, counted } = counting()
    const here = await stage.process([counted])
    await here.startWorker()
    assert.equal((await here.run(counted, { area: 'a', zoom: 1 })).result, 1)
    const id = await here.submit(counted, { zoom: 1, area: 'a' })
    assert.equal((await here.end(id)).result, 1)
    assert.equal((await here.engine.job(id))?.cache?.hit, true)
    assert.equal((await here.run(counted, { area: 'a', zoom: 2 })).result, 2)
    assert.equal(runs.length, 2)
  })

  test('has other results for another version, another dependency and, if it says so, another owner', async () => {
    await using stage = new Stage()
    let layer = 'sha-1'
    const { runs, counted } = counting({ dependencies: async () => [layer], perOwner: true })
    const here = await stage.process([counted])
    await here.startWorker()
    await here.run(counted, { area: 'a' })
    layer = 'sha-2'
    await here.run(counted, { area: 'a' })
    assert.equal(runs.length, 2)
    await here.run(counted, { area: 'a' }, { owner: 'ada' })
    await here.run(counted, { area: 'a' }, { owner: 'ada' })
    assert.equal(runs.length, 3)
    const newer = counting({ version: '2.0.0', dependencies: async () => [layer], perOwner: true })
    const there = await stage.process([newer.counted])
    const id = await there.submit(newer.counted, { area: 'a' })
    assert.equal((await there.engine.job(id))?.state, 'waiting')
  })

  test('is asked again on `refresh`, and left out of the cache on `off`', async () => {
    await using stage = new Stage()
    const { counted } = counting()
    const here = await stage.process([counted])
    await here.startWorker()
    assert.equal((await here.run(counted, { area: 'a' })).result, 1)
    assert.equal((await here.run(counted, { area: 'a' }, { cache: 'off' })).result, 2)
    assert.equal((await here.run(counted, { area: 'a' })).result, 1)
    assert.equal((await here.run(counted, { area: 'a' }, { cache: 'refresh' })).result, 3)
    assert.equal((await here.run(counted, { area: 'a' })).result, 3)
    assert.equal(await here.engine.purgeCache({ task: 'count' }), 1)
    assert.equal((await here.run(counted, { area: 'a' })).result, 4)
    await assert.rejects(here.engine.submit(counted, { area: 'a' }, { cache: 'never' as 'off' }), {
      code: 'option_invalid',
    })
  })

  test('is asked once by many workflows at once, and each goes on with the result', async () => {
    await using stage = new Stage()
    const { runs, counted } = counting()
    const survey = workflow({
      name: 'survey',
      run: async (area: string, flow) => {
        const [one, two] = await flow.map(counted, [{ area }, { area }])
        return [one, two, await flow.call(counted, { area })]
      },
    })
    const [here, there] = [await stage.process([counted, survey]), await stage.process([counted, survey])]
    await here.startWorker()
    await there.startWorker()
    const ids = [await here.submit(survey, 'a'), await there.submit(survey, 'a'), await here.submit(survey, 'a')]
    for (const id of ids) assert.deepEqual((await here.end(id)).result, [1, 1, 1])
    assert.equal(runs.length, 1)
  })

  test('that fails lets the next one try', async () => {
    await using stage = new Stage()
    let runs = 0
    const once = task({
      name: 'once',
      cache: { ttlMs: 60_000 },
      run: () => {
        if (++runs === 1) throw new Error('It broke.')
        return runs
      },
    })
    const here = await stage.process([once])
    const ids = [await here.submit(once), await here.submit(once), await here.submit(once)]
    await here.startWorker()
    const ends = []
    for (const id of ids) ends.push(await here.end(id))
    assert.deepEqual(
      ends.map(({ state, result }) => result ?? state),
      ['failed', 2, 2],
    )
  })
})
