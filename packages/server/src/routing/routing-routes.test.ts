import assert from 'node:assert/strict'
import { test } from 'node:test'
import { task } from '@headrace/engine'
import { openTestServer } from '../testing/test-server.ts'

/** Goes on until it is cancelled. */
const train = task({
  name: 'train',
  public: true,
  labels: ['gpu'],
  needs: { gpuMemoryMb: 8_000 },
  limit: { key: 'training', max: 1 },
  run: (_input, job) =>
    new Promise((_, reject) => job.signal.addEventListener('abort', () => reject(job.signal.reason))),
})

async function open() {
  const here = await openTestServer({ withWorker: false, tasks: [train] })
  const olga = await here.authorize('olga', ['operate', 'read-all'])
  const get = async (url: string, as = olga) => (await here.send({ url, as })).json()
  const post = (url: string, payload: object = {}, as = olga) => here.send({ method: 'POST', url, payload, as })
  return { here, get, post }
}

async function running(here: Awaited<ReturnType<typeof open>>['here'], id: string) {
  for await (const state of states(here, id)) if (state === 'running') return
}

/** The states of a job as its events tell of changes. */
async function* states(here: Awaited<ReturnType<typeof open>>['here'], id: string) {
  const { store } = here.engine
  let wake = Promise.withResolvers<void>()
  using _ = store.watch(() => wake.resolve())
  for (;;) {
    yield (await here.engine.job(id as never))?.state
    await wake.promise
    wake = Promise.withResolvers<void>()
  }
}

test('a job says what it waits for until it runs: a worker, its labels, its limit', async () => {
  const { here, get, post } = await open()
  await using _ = here
  const [first, second] = [await here.start('train', {}), await here.start('train', {})]
  const reason = async (id: string) => (await get(`/jobs/${id}/waiting`)).reason
  assert.equal((await reason(first)).code, 'no_worker')
  const plain = await here.engine.startWorker()
  assert.match((await reason(first)).sentence, /No worker of its queue has all of its labels: gpu/)
  const small = await here.engine.startWorker({ labels: ['gpu'], offers: { gpuMemoryMb: 4_000 } })
  assert.match((await reason(first)).sentence, /gpuMemoryMb 8000 \(the most that one offers is 4000\)/)
  const fit = await here.engine.startWorker({ labels: ['gpu'], offers: { gpuMemoryMb: 24_000 } })
  await running(here, first)
  assert.equal(await reason(first), undefined)
  assert.match((await reason(second)).sentence, /limit training lets 1 run at a time, and 1 does/)

  const limit = await get('/limits/training')
  assert.deepEqual(
    [limit.max, limit.taken, limit.blocked, limit.live, limit.holders[0].jobID, limit.waiters[0].jobID],
    [1, 1, 1, 2, first, second],
  )
  assert.deepEqual((await get('/limits')).limits, [{ key: 'training', max: 1, taken: 1, live: 2, blocked: 1 }])
  assert.deepEqual((await get('/limits/none')).holders, [])

  const worker = (await get('/workers')).workers.find(({ id }: { id: string }) => id === fit.id)
  assert.deepEqual(worker.resources, { gpuMemoryMb: { total: 24_000, free: 16_000 } })
  assert.deepEqual([worker.labels, worker.draining], [['gpu'], false])
  assert.deepEqual((await get(`/jobs/${first}`)).needs, { gpuMemoryMb: 8_000 })

  assert.equal((await post(`/workers/${fit.id}/drain`, { graceMs: 0 })).statusCode, 202)
  await fit.stopped
  const others = (await get('/workers')).workers.map(({ id }: { id: string }) => id)
  assert.deepEqual(others.sort(), [plain.id, small.id].sort())
  assert.equal((await here.engine.job(first))?.state, 'waiting', 'it was handed back')
  for (const one of [plain, small]) await one.stop({ graceMs: 0 })
})

test('a stack is promoted, drained and retired over HTTP, and an unknown one is not', async () => {
  const { here, get, post } = await open()
  await using _ = here
  const execution = { inputs: {}, deployment: 'green' }
  const ada = await here.authorize()
  const accepted = await here.send({
    method: 'POST',
    url: '/processes/train/execution',
    headers: { prefer: 'respond-async' },
    payload: execution,
    as: ada,
  })
  assert.equal(accepted.json().deployment, 'green')
  const [dark] = (await get('/deployments')).deployments
  assert.deepEqual([dark.name, dark.state, dark.waiting, dark.running, dark.workers], ['green', 'dark', 1, 0, 0])
  assert.equal((await post('/deployments/green/promote')).json().state, 'active')
  assert.equal((await post('/deployments/green/drain')).json().state, 'draining')
  const busy = await post('/deployments/green/retire')
  assert.deepEqual([busy.statusCode, busy.json().code], [409, 'deployment_busy'])
  const retired = (await post('/deployments/green/retire', { force: true })).json()
  assert.deepEqual([retired.state, retired.waiting], ['retired', 0])
  const unknown = await post('/deployments/violet/promote')
  assert.deepEqual([unknown.statusCode, unknown.json().code], [404, 'unknown_deployment'])
  assert.equal((await post('/deployments/green/promote', { force: true })).json().errors[0].pointer, '/force')
})

test('who only reads changes no stack and drains no worker, and who only submits sees none of it', async () => {
  const { here, post } = await open()
  await using _ = here
  const carol = await here.authorize('carol', ['read-all'])
  const ada = await here.authorize('ada', ['submit', 'read-own'])
  for (const url of ['/deployments/green/promote', '/workers/x/drain'])
    assert.equal((await post(url, {}, carol)).statusCode, 403)
  for (const url of ['/deployments', '/limits', '/limits/training', '/workers'])
    assert.equal((await here.send({ url, as: ada })).statusCode, 403)
  const unknown = await post('/workers/x/drain')
  assert.deepEqual([unknown.statusCode, unknown.json().code], [404, 'unknown_worker'])
  const id = await here.start('train', {})
  const bob = await here.authorize('bob')
  assert.equal((await here.send({ url: `/jobs/${id}/waiting`, as: bob })).statusCode, 404)
})
