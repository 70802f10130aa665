import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { z } from 'zod'
import { task } from '../task/task.ts'
import { workflow } from '../task/workflow.ts'
import { Stage } from '../testing/stage.ts'

/** Counts what runs, and fails where it is told to. */
function survey() {
  const ran: string[] = []
  const broken = new Set<string>()
  const note = (name: string) => {
    ran.push(name)
    if (broken.has(name)) throw new Error(`${name} broke.`)
  }
  const render = task({
    name: 'render',
    run: (area: string) => {
      note(`render ${area}`)
      return `${area} rendered`
    },
  })
  const whole = workflow({
    name: 'survey',
    input: z.object({ area: z.string(), title: z.string() }),
    async run({ area, title }: { area: string; title: string }, flow) {
      const token = flow.uuid()
      const reserved = await flow.step('reserve', () => {
        note('reserve')
        return token
      })
      const tiles = await flow.map(render, [`${area} 1`, `${area} 2`])
      const drawn = await flow.call(render, title)
      return { isSameToken: reserved === token, tiles, drawn }
    },
  })
  return { ran, broken, tasks: [render, whole], whole }
}

suite('a retry of a failed workflow', () => {
  test('begins with the step that failed, and is handed what was recorded before it', async () => {
    await using stage = new Stage()
    const { ran, broken, tasks, whole } = survey()
    const actor = await stage.process(tasks)
    await actor.startWorker()
    broken.add('render map')
    const id = await actor.submit(whole, { area: 'delta', title: 'map' })
    assert.equal((await actor.end(id)).state, 'failed')
    assert.deepEqual(ran.splice(0).sort(), ['render delta 1', 'render delta 2', 'render map', 'reserve'])
    broken.clear()
    const again = await actor.engine.retry(id)
    const tiles = ['delta 1 rendered', 'delta 2 rendered']
    assert.deepEqual((await actor.end(again.id)).result, { isSameToken: true, tiles, drawn: 'map rendered' })
    assert.deepEqual(ran, ['render map'])
    assert.equal((await actor.engine.job(again.id))?.retryOf, id)
  })

  test('goes on from there though a worker is lost in between', async () => {
    await using stage = new Stage()
    const { ran, broken, tasks, whole } = survey()
    const actor = await stage.process(tasks)
    await actor.startWorker()
    broken.add('render map')
    const id = await actor.submit(whole, { area: 'delta', title: 'map' })
    await actor.end(id)
    broken.clear()
    actor.crash()
    const [doomed, next] = [await stage.process(tasks), await stage.process(tasks)]
    ran.splice(0)
    const again = await next.engine.retry(id)
    await doomed.startWorker()
    await stage.clock.until(async () => ran.length > 0)
    doomed.crash()
    await next.startWorker()
    assert.equal((await next.end(again.id)).state, 'succeeded')
    assert.deepEqual([...new Set(ran)], ['render map'])
  })

  test('may get another input, which only the steps that run see', async () => {
    await using stage = new Stage()
    const { ran, broken, tasks, whole } = survey()
    const actor = await stage.process(tasks)
    await actor.startWorker()
    broken.add('render map')
    const id = await actor.submit(whole, { area: 'delta', title: 'map' })
    await actor.end(id)
    ran.splice(0)
    const again = await actor.engine.retry(id, { input: { area: 'bay', title: 'chart' } })
    const tiles = ['delta 1 rendered', 'delta 2 rendered']
    assert.deepEqual((await actor.end(again.id)).result, { isSameToken: true, tiles, drawn: 'chart rendered' })
    assert.deepEqual(ran, ['render chart'])
    assert.deepEqual(await actor.engine.input(again.id), { area: 'bay', title: 'chart' })
    assert.deepEqual(await actor.engine.input(id), { area: 'delta', title: 'map' })
  })

  test('begins at the start when it is asked to', async () => {
    await using stage = new Stage()
    const { ran, broken, tasks, whole } = survey()
    const actor = await stage.process(tasks)
    await actor.startWorker()
    broken.add('render map')
    const id = await actor.submit(whole, { area: 'delta', title: 'map' })
    await actor.end(id)
    broken.clear()
    ran.splice(0)
    const again = await actor.engine.retry(id, { from: 'start' })
    assert.equal((await actor.end(again.id)).state, 'succeeded')
    assert.deepEqual(ran.sort(), ['render delta 1', 'render delta 2', 'render map', 'reserve'])
  })

  test('of a retry goes on from the step that failed then', async () => {
    await using stage = new Stage()
    const { ran, broken, tasks, whole } = survey()
    const actor = await stage.process(tasks)
    await actor.startWorker()
    broken.add('render delta 2')
    const first = await actor.submit(whole, { area: 'delta', title: 'map' })
    await actor.end(first)
    broken.clear()
    broken.add('render map')
    const second = await actor.engine.retry(first)
    assert.equal((await actor.end(second.id)).state, 'failed')
    broken.clear()
    ran.splice(0)
    const third = await actor.engine.retry(second.id)
    const tiles = ['delta 1 rendered', 'delta 2 rendered']
    assert.deepEqual((await actor.end(third.id)).result, { isSameToken: true, tiles, drawn: 'map rendered' })
    assert.deepEqual(ran, ['render map'])
  })

  test('does what was undone once more', async () => {
    await using stage = new Stage()
    const ran: string[] = []
    let isBroken = true
    const booking = workflow({
      name: 'booking',
      async run(_: unknown, flow) {
        await flow.step('look', () => void ran.push('look'))
        await flow.step('book', () => void ran.push('book'), { compensate: () => void ran.push('cancel') })
        await flow.step('pay', () => {
          ran.push('pay')
          if (isBroken) throw new Error('No money.')
        })
      },
    })
    const actor = await stage.process([booking])
    await actor.startWorker()
    const id = await actor.submit(booking)
    assert.equal((await actor.end(id)).error?.message, 'No money.')
    assert.deepEqual(ran.splice(0), ['look', 'book', 'pay', 'cancel'])
    isBroken = false
    assert.equal((await actor.end((await actor.engine.retry(id)).id)).state, 'succeeded')
    assert.deepEqual(ran, ['book', 'pay'])
  })

  test('of a cancelled workflow goes on where it was stopped', async () => {
    await using stage = new Stage()
    const ran: string[] = []
    const slow = workflow({
      name: 'slow',
      async run(_: unknown, flow) {
        await flow.step('first', () => void ran.push('first'))
        await flow.waitFor('go')
        return flow.step('last', () => ran.push('last'))
      },
    })
    const actor = await stage.process([slow])
    await actor.startWorker()
    const id = await actor.submit(slow)
    await stage.clock.until(async () => (await actor.store.steps(id)).length === 2)
    await actor.engine.cancel(id)
    await actor.end(id)
    const again = await actor.engine.retry(id)
    await actor.engine.signal(again.id, 'go')
    assert.equal((await actor.end(again.id)).state, 'succeeded')
    assert.deepEqual(ran, ['first', 'last'])
  })

  test('is refused before anything is stored when it asks for what cannot be', async () => {
    await using stage = new Stage()
    const { tasks, whole, broken } = survey()
    const [render] = tasks
    const actor = await stage.process(tasks)
    await actor.startWorker()
    const good = await actor.submit(whole, { area: 'delta', title: 'map' })
    await actor.end(good)
    broken.add('render odd')
    const odd = await actor.submit(render as never, 'odd')
    await actor.end(odd)
    const refuse = (id: typeof good, options: object, code: string) =>
      assert.rejects(actor.engine.retry(id, options), { code })
    await refuse(good, { from: 'failed-step' }, 'option_invalid')
    await refuse(odd, { from: 'failed-step' }, 'option_invalid')
    await refuse(odd, { from: 'middle' }, 'option_invalid')
    await refuse(good, { input: { area: 7 } }, 'input_invalid')
    assert.equal((await actor.store.jobs({ rootsOnly: true }, { limit: 10 })).jobs.length, 2)
  })

  test('with a key is one job, however often it is asked for', async () => {
    await using stage = new Stage()
    const { broken, tasks, whole } = survey()
    const actor = await stage.process(tasks)
    await actor.startWorker()
    broken.add('render map')
    const id = await actor.submit(whole, { area: 'delta', title: 'map' })
    await actor.end(id)
    const first = await actor.engine.retry(id, { idempotencyKey: 'once' })
    assert.deepEqual(await actor.engine.retry(id, { idempotencyKey: 'once' }), { id: first.id, existing: true })
    await assert.rejects(actor.engine.retry(id, { idempotencyKey: 'once', from: 'start' }), {
      code: 'idempotency_conflict',
    })
  })
})
