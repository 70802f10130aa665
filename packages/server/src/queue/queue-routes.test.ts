import assert from 'node:assert/strict'
import { test } from 'node:test'
import { task } from '@headrace/engine'
import { openTestServer, type TestServer } from '../testing/test-server.ts'

const tile = task({ name: 'tile', public: true, queue: 'tiles', run: () => 1 })

async function open(withWorker: boolean) {
  const here = await openTestServer({ withWorker, tasks: [tile] })
  const operator = await here.authorize('olga', ['operate'])
  const patch = (name: string, payload: object, as = operator) =>
    here.send({ method: 'PATCH', url: `/queues/${name}`, payload, as })
  return { here, operator, patch }
}

const queueOf = async (here: TestServer, as: { readonly authorization: string }) =>
  (await here.send({ url: '/queues/tiles', as })).json()

test('a queue is paused and resumed over HTTP, and nothing of it begins meanwhile', async () => {
  const { here, operator, patch } = await open(true)
  await using _ = here
  const paused = await patch('tiles', { paused: true })
  assert.equal(paused.statusCode, 200)
  assert.deepEqual(paused.json(), {
    queue: 'tiles',
    waiting: 0,
    scheduled: 0,
    blocked: 0,
    running: 0,
    paused: true,
    fair: false,
  })
  const id = await here.start('tile', {})
  const { waiting, oldestDueAt } = await queueOf(here, operator)
  assert.equal(waiting, 1)
  assert.match(oldestDueAt, /Z$/)
  assert.equal((await patch('tiles', { paused: false })).json().paused, false)
  assert.equal(await here.engine.result(id), 1)
})

test('rate, turns and weights are set one by one, and null takes the rate away', async () => {
  const { here, operator, patch } = await open(false)
  await using _ = here
  await patch('tiles', { rate: { count: 10, perMs: 1_000 } })
  await patch('tiles', { fair: true, shares: { ada: 2 } })
  assert.partialDeepStrictEqual(await queueOf(here, operator), {
    rate: { count: 10, perMs: 1_000 },
    fair: true,
    shares: { ada: 2 },
  })
  await patch('tiles', { rate: null })
  const after = await queueOf(here, operator)
  assert.equal(after.rate, undefined)
  assert.equal(after.fair, true)
})

test('a change that cannot be is refused with the place, and changes nothing', async () => {
  const { here, operator, patch } = await open(false)
  await using _ = here
  const refused = async (payload: object) => {
    const response = await patch('tiles', payload)
    assert.equal(response.statusCode, 400)
    return response.json()
  }
  assert.equal((await refused({ pause: true })).errors[0].pointer, '/pause')
  assert.equal((await refused({ rate: { count: 1 } })).errors[0].pointer, '/rate/perMs')
  assert.match((await refused({})).detail, /paused, rate, fair, shares/)
  assert.match((await refused({ rate: { count: 0, perMs: 1 } })).detail, /rate\.count is 0; it must be/)
  assert.match((await refused({ shares: { ada: -1 } })).detail, /shares\.ada/)
  assert.match((await patch('x'.repeat(256), { paused: true })).json().detail, /queue is a text of 256 characters/)
  assert.deepEqual((await here.send({ url: '/queues', as: operator })).json(), { queues: [] })
})

test('who only reads sees queues and changes none, and who only submits sees none', async () => {
  const { here, patch } = await open(false)
  await using _ = here
  const reader = await here.authorize('carol', ['read-all'])
  assert.equal((await here.send({ url: '/queues/tiles', as: reader })).statusCode, 200)
  assert.equal((await patch('tiles', { paused: true }, reader)).statusCode, 403)
  assert.equal((await here.send({ url: '/queues/tiles' })).statusCode, 403)
})

test('a queue tells how long its jobs waited and ran of late', async () => {
  const { here, operator } = await open(true)
  await using _ = here
  for (const id of [await here.start('tile', {}), await here.start('tile', {})]) await here.engine.result(id)
  // A queue without live jobs or settings is not listed, but it has had jobs.
  await here.engine.configureQueue('tiles', { paused: true })
  const { times } = await queueOf(here, operator)
  assert.equal(times.jobs, 2)
  assert.ok(times.waitMs.p50 <= times.waitMs.p95 && times.runMs.p50 <= times.runMs.p95)
})

test('a queue that nothing knows is set all the same, and the answer says so', async () => {
  const { here, patch } = await open(false)
  await using _ = here
  const mistyped = (await patch('tyles', { paused: true })).json()
  assert.equal(mistyped.paused, true)
  assert.match(
    mistyped.notice,
    /^No job, task or worker knew the queue tyles so far; .* Known are: (\S+, )*tiles(, \S+)*\.$/,
  )
  assert.equal((await patch('tiles', { paused: true })).json().notice, undefined)
  assert.equal((await patch('tyles', { paused: true })).json().notice, undefined, 'now it is known')
})
