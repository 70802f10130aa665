import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import type { JobId } from '../job/job.ts'
import { task } from '../task/task.ts'
import { workflow } from '../task/workflow.ts'
import { type Actor, Stage } from '../testing/stage.ts'
import type { RedriveFilter, RedriveOptions } from './retries.ts'

/** A task that fails with the code that it is given until it is repaired. */
function fragile() {
  const state = { isBroken: true }
  const render = task({
    name: 'render',
    run: (code: string) => {
      if (state.isBroken) throw Object.assign(new Error('It broke.'), { code })
      return code
    },
  })
  const survey = workflow({ name: 'survey', run: (code: string, flow) => flow.call(render, code) })
  return { state, render, survey, tasks: [render, survey] }
}

/** All steps of a redrive. */
async function redriveAll(actor: Actor, filter: RedriveFilter, options: RedriveOptions = {}) {
  const steps: JobId[][] = []
  let next: string | undefined
  do {
    const step = await actor.engine.redrive(filter, { ...options, ...(next !== undefined && { before: next }) })
    steps.push(step.retried.map(({ retryOf }) => retryOf))
    next = step.next
  } while (next !== undefined)
  return steps
}

suite('redriving dead jobs', () => {
  test('retries all that match, in steps of so many, and each once', async () => {
    await using stage = new Stage()
    const { state, render, tasks } = fragile()
    const actor = await stage.process(tasks)
    await actor.startWorker()
    const dead: JobId[] = []
    for (let n = 0; n < 5; n++) dead.unshift(await actor.submit(render, 'tile_missing', { tags: ['night'] }))
    const other = await actor.submit(render, 'odd', { tags: ['night'] })
    for (const id of [...dead, other]) await actor.end(id)
    state.isBroken = false
    const filter = { tasks: ['render'], errorCode: 'tile_missing', tag: 'night' }
    const [a, b, c, d, e] = dead
    assert.deepEqual(await redriveAll(actor, filter, { limit: 2, dryRun: true }), [[a, b], [c, d], [e]])
    assert.deepEqual(await redriveAll(actor, filter, { limit: 2 }), [[a, b], [c, d], [e]])
    assert.deepEqual(await redriveAll(actor, filter), [[]])
    const { jobs } = await actor.store.jobs({}, { limit: 100 })
    const again = jobs.filter(({ retryOf }) => retryOf !== undefined)
    assert.deepEqual(again.map(({ retryOf }) => retryOf).sort(), [...dead].sort())
    for (const { id } of again) assert.equal((await actor.end(id)).state, 'succeeded')
  })

  test('goes on where it was cut off, and two at a time retry no job twice', async () => {
    await using stage = new Stage()
    const { render, tasks } = fragile()
    const actor = await stage.process(tasks)
    const other = await stage.process(tasks)
    const worker = await actor.startWorker()
    const dead: JobId[] = []
    for (let n = 0; n < 4; n++) dead.push(await actor.submit(render, 'odd'))
    for (const id of dead) await actor.end(id)
    await worker.stop()
    await actor.engine.redrive({}, { limit: 1 })
    const both = await Promise.all([actor.engine.redrive({}), other.engine.redrive({})])
    const retried = both.flatMap((step) => step.retried.map(({ retryOf }) => retryOf))
    assert.deepEqual(retried.sort(), dead.slice(0, 3).sort())
  })

  test('leaves alone what a workflow called, what was retried by hand, and what was cancelled', async () => {
    await using stage = new Stage()
    const { render, survey, tasks } = fragile()
    const actor = await stage.process(tasks)
    await actor.startWorker()
    const whole = await actor.submit(survey, 'odd')
    const byHand = await actor.submit(render, 'odd')
    const cancelled = await actor.submit(render, 'odd', { delayMs: 60_000 })
    await actor.engine.cancel(cancelled)
    for (const id of [whole, byHand, cancelled]) await actor.end(id)
    const again = await actor.engine.retry(byHand)
    await actor.end(again.id)
    assert.deepEqual(await redriveAll(actor, {}, { dryRun: true }), [[again.id, whole]])
  })

  test('says what it could not retry, and retries the others', async () => {
    await using stage = new Stage()
    const { render, tasks } = fragile()
    const gone = task({ name: 'gone', run: () => Promise.reject(new Error('It broke.')) })
    const before = await stage.process([...tasks, gone])
    const worker = await before.startWorker()
    const [one, two] = [await before.submit(render, 'odd'), await before.submit(gone)]
    await before.end(one)
    await before.end(two)
    await worker.stop()
    const actor = await stage.process(tasks)
    const step = await actor.engine.redrive()
    assert.deepEqual(
      step.retried.map(({ retryOf }) => retryOf),
      [one],
    )
    assert.deepEqual(
      step.refused.map(({ id, code }) => [id, code]),
      [[two, 'unknown_task']],
    )
    await assert.rejects(actor.engine.redrive({}, { limit: 0 }), { code: 'option_invalid' })
  })
})
