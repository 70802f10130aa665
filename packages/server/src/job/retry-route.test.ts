import assert from 'node:assert/strict'
import { test } from 'node:test'
import { task, workflow } from '@headrace/engine'
import { z } from 'zod'
import { openTestServer } from '../testing/test-server.ts'

/** A workflow of two steps, of which the second fails for an odd number. */
function evenOnly() {
  const ran: string[] = []
  const even = task({
    name: 'even',
    run: (n: number) => {
      ran.push(`even ${n}`)
      if (n % 2 === 1) throw new Error(`${n} is odd.`)
      return n
    },
  })
  const survey = workflow({
    name: 'survey',
    public: true,
    input: z.object({ n: z.int() }),
    async run({ n }: { n: number }, flow) {
      const first = await flow.step('first', () => {
        ran.push(`first ${n}`)
        return n
      })
      return [first, await flow.call(even, n)]
    },
  })
  return { ran, tasks: [even, survey] }
}

test('a retry goes on from the step that failed, with another input where one is given', async () => {
  const { ran, tasks } = evenOnly()
  await using here = await openTestServer({ tasks })
  const id = await here.start('survey', { n: 3 })
  await here.engine.wait(id)
  const response = await here.send({ method: 'POST', url: `/jobs/${id}/retry`, payload: { input: { n: 4 } } })
  assert.equal(response.statusCode, 201)
  const again = response.json().jobID
  assert.deepEqual(await here.engine.result(again), [3, 4])
  assert.deepEqual(ran, ['first 3', 'even 3', 'even 4'])
  const { steps } = (await here.send({ url: `/jobs/${again}/steps` })).json()
  assert.deepEqual(
    steps.map(({ step, keptFrom }: { step: number; keptFrom?: string }) => [step, keptFrom]),
    [
      [1, id],
      [2, undefined],
    ],
  )
  const payload = { from: 'start', input: { n: 6 } }
  const fresh = await here.send({ method: 'POST', url: `/jobs/${id}/retry`, payload })
  assert.deepEqual(await here.engine.result(fresh.json().jobID), [6, 6])
})

test('a retry that cannot be meant is refused with where it is wrong, and one with a key is one job', async () => {
  const { tasks } = evenOnly()
  await using here = await openTestServer({ tasks })
  const id = await here.start('survey', { n: 3 })
  await here.engine.wait(id)
  const retry = (payload: object, headers = {}) =>
    here.send({ method: 'POST', url: `/jobs/${id}/retry`, payload, headers })
  const strange = await retry({ from: 'middle' })
  assert.deepEqual([strange.statusCode, strange.json().errors[0].pointer], [400, '/from'])
  assert.equal((await retry({ inputs: {} })).statusCode, 400)
  const invalid = await retry({ input: { n: 'four' } })
  assert.deepEqual([invalid.statusCode, invalid.json().code], [400, 'input_invalid'])
  const key = { 'idempotency-key': 'once' }
  const first = await retry({ input: { n: 4 } }, key)
  assert.equal((await retry({ input: { n: 4 } }, key)).json().jobID, first.json().jobID)
  assert.equal((await retry({ input: { n: 6 } }, key)).statusCode, 422)
  await here.engine.wait(first.json().jobID)
  const good = await here.send({
    method: 'POST',
    url: `/jobs/${first.json().jobID}/retry`,
    payload: { from: 'failed-step' },
  })
  assert.deepEqual([good.statusCode, good.json().code], [400, 'option_invalid'])
})
