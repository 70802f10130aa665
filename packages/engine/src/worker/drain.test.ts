import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { JobId } from '../job/job.ts'
import { task } from '../task/task.ts'
import { Stage } from '../testing/stage.ts'
import { drainingWorkers } from './drain.ts'

/** Goes on until it is told to stop. */
const endless = task({
  name: 'endless',
  run: (_: unknown, job) =>
    new Promise((_resolve, reject) => job.signal.addEventListener('abort', () => reject(job.signal.reason))),
})

test('a drained worker takes no more jobs, hands back what runs unharmed, and is gone', async () => {
  await using stage = new Stage()
  const here = await stage.process([endless])
  const there = await stage.process([endless])
  const worker = await here.startWorker()
  const id = await here.submit(endless)
  await stage.clock.until(async () => (await here.engine.job(id))?.state === 'running')
  await there.engine.drainWorker(worker.id, { graceMs: 2_000 })
  assert.deepEqual([...(await drainingWorkers(there.store))], [worker.id])
  await stage.clock.pass({ ms: 1_000 })
  const late = await there.submit(endless)
  await stage.clock.pass({ ms: 10_000 })
  await worker.stopped
  assert.deepEqual(await there.store.workers(), [])
  assert.deepEqual([...(await drainingWorkers(there.store))], [], 'the request is forgotten')
  for (const one of [id, late]) assert.equal((await there.engine.job(one))?.state, 'waiting')
  assert.equal((await there.store.attempts(id))[0]?.outcome, 'released')
})

test('a worker that is not there is not drained', async () => {
  await using stage = new Stage()
  const here = await stage.process([endless])
  await assert.rejects(here.engine.drainWorker('nobody'), { code: 'unknown_worker' })
  await assert.rejects(here.engine.drainWorker('nobody', { graceMs: -1 }), { code: 'option_invalid' })
})

test('a request that its worker did not live to hear is forgotten with the next one', async () => {
  await using stage = new Stage()
  const [here, there] = [await stage.process([endless]), await stage.process([endless])]
  const dead = await here.startWorker()
  const alive = await there.startWorker()
  await there.engine.drainWorker(dead.id)
  here.crash()
  await stage.clock.until(async () => (await there.store.workers()).length === 1)
  await there.engine.drainWorker(alive.id)
  assert.deepEqual([...(await drainingWorkers(there.store))], [alive.id])
})

test('the engine says why a job waits, and nothing of one that does not', async () => {
  await using stage = new Stage()
  const here = await stage.process([endless])
  const id: JobId = await here.submit(endless, null, { labels: ['gpu'] })
  assert.equal((await here.engine.whyWaiting(id))?.code, 'no_worker')
  await here.startWorker()
  assert.equal((await here.engine.whyWaiting(id))?.code, 'no_worker_for_labels')
  await here.engine.configureQueue('default', { paused: true })
  assert.equal((await here.engine.whyWaiting(id))?.code, 'paused')
  await here.engine.cancel(id)
  assert.equal(await here.engine.whyWaiting(id), undefined)
})

test('a deployment that is not known, or of which jobs live, is not changed', async () => {
  await using stage = new Stage()
  const here = await stage.process([endless])
  await assert.rejects(here.engine.changeDeployment('blue', 'active'), { code: 'unknown_deployment' })
  const id = await here.submit(endless, null, { deployment: 'blue' })
  await assert.rejects(here.engine.changeDeployment('blue', 'retired'), { code: 'deployment_busy' })
  await here.engine.changeDeployment('blue', 'retired', { force: true })
  assert.equal((await here.engine.job(id))?.state, 'cancelled')
})
