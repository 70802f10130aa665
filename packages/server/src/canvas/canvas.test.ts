import assert from 'node:assert/strict'
import { test } from 'node:test'
import { canvasWorkflow } from '@headrace/engine'
import { TASKS } from '../testing/tasks.ts'
import { openTestServer } from '../testing/test-server.ts'

const tasks = [...TASKS, canvasWorkflow(TASKS)]

test('a canvas is executed like any process, and its result is that of its outermost node', async () => {
  await using here = await openTestServer({ tasks })
  const canvas = {
    chain: [
      {
        group: [
          { call: 'double', input: 1 },
          { call: 'quadruple', input: 1 },
        ],
        id: 'g',
      },
      { call: 'double', input: { $ref: 'g/1' } },
    ],
  }
  const response = await here.send({
    method: 'POST',
    url: '/processes/headrace.canvas/execution',
    payload: { inputs: { canvas }, response: 'document' },
  })
  assert.deepEqual([response.statusCode, response.json()], [200, { result: 8 }])
})

test('every flaw of a canvas is pointed at before anything is stored, a process that is not offered among them', async () => {
  await using here = await openTestServer({ tasks, withWorker: false })
  const send = (inputs: object) =>
    here.send({ method: 'POST', url: '/processes/headrace.canvas/execution', payload: { inputs } })
  const canvas = {
    group: [{ call: 'hidden' }, { chain: [] }, { call: 'divide', input: { dividend: 'x', divisor: 1 } }],
  }
  const refused = await send({ canvas, onFailure: { call: 'double', input: { $ref: 'nobody' } } })
  assert.equal(refused.statusCode, 400)
  assert.equal(refused.json().code, 'input_invalid')
  assert.deepEqual(
    refused.json().errors.map(({ pointer }: { pointer: string }) => pointer),
    [
      '/inputs/canvas/group/0/call',
      '/inputs/canvas/group/1/chain',
      '/inputs/canvas/group/2/input/dividend',
      '/inputs/onFailure/input/$ref',
    ],
  )
  assert.equal((await send({})).json().errors[0].pointer, '/inputs/canvas')
  assert.deepEqual((await here.send({ url: '/jobs' })).json().jobs, [])
})

test('a canvas of processes is the submitter’s, with all that it calls, and is seen by nobody else', async () => {
  await using here = await openTestServer({ tasks })
  const id = await here.start('headrace.canvas', { canvas: { map: 'double', over: [1, 2] } })
  await here.engine.result(id)
  const tree = (await here.send({ url: `/jobs/${id}/tree` })).json().jobs
  assert.deepEqual(
    tree.map(({ owner, tags }: { owner: string; tags: string[] }) => [owner, tags]),
    [
      ['ada', []],
      ['ada', ['canvas:/canvas']],
      ['ada', ['canvas:/canvas']],
    ],
  )
  const bob = await here.authorize('bob')
  assert.equal((await here.send({ url: `/jobs/${id}`, as: bob })).statusCode, 404)
})

test('the language is described with the process, and in the API description', async () => {
  await using here = await openTestServer({ tasks, withWorker: false })
  const { inputs } = (await here.send({ url: '/processes/headrace.canvas' })).json()
  assert.deepEqual([inputs.canvas.minOccurs, inputs.onFailure.minOccurs], [1, 0])
  assert.ok(inputs.canvas.schema.definitions.node.oneOf.length === 7)
  const { components } = (await here.server.inject({ url: '/api' })).json()
  assert.equal(components.schemas.canvas.properties.canvas.$ref, '#/components/schemas/canvasNode')
})
