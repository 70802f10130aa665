import assert from 'node:assert/strict'
import { test } from 'node:test'
import { schedule, task } from '@headrace/engine'
import { TASKS } from '../testing/tasks.ts'
import { openTestServer } from '../testing/test-server.ts'

const DAILY = { process: 'divide', inputs: { dividend: 7, divisor: 2 }, cron: '30 2 * * *', timeZone: 'Europe/Berlin' }

async function open(options: Parameters<typeof openTestServer>[0] = { withWorker: false }) {
  const here = await openTestServer(options)
  const olga = await here.authorize('olga', ['operate'])
  const send = async (method: 'GET' | 'PUT' | 'POST' | 'DELETE', path: string, payload?: object, as = olga) => {
    const response = await here.send({ method, url: `/schedules${path}`, as, ...(payload && { payload }) })
    return { status: response.statusCode, body: response.json() }
  }
  return { here, send }
}

test('a schedule is stored, shown with its next instants in its own zone, paused, resumed and deleted', async () => {
  const { here, send } = await open()
  await using _ = here
  const stored = await send('PUT', '/nightly', DAILY)
  assert.equal(stored.status, 200)
  assert.partialDeepStrictEqual(stored.body, { ...DAILY, name: 'nightly', owner: 'olga', paused: false, fired: 0 })
  assert.equal(stored.body.nextRuns.length, 5)
  for (const at of stored.body.nextRuns) {
    const local = new Date(at).toLocaleTimeString('en-GB', { timeZone: 'Europe/Berlin' })
    assert.match(local, /^0[23]:/, 'half past two, or the first instant after a gap')
  }
  assert.deepEqual((await send('GET', '')).body.schedules, [stored.body])
  const paused = (await send('POST', '/nightly/pause')).body
  assert.deepEqual([paused.paused, paused.nextRuns], [true, []])
  assert.deepEqual((await send('POST', '/nightly/resume')).body.nextRuns, stored.body.nextRuns)
  assert.deepEqual((await send('DELETE', '/nightly')).body, { name: 'nightly', deleted: true })
  for (const [method, path] of [
    ['GET', '/nightly'],
    ['POST', '/nightly/pause'],
    ['POST', '/nightly/resume'],
    ['POST', '/nightly/run'],
    ['DELETE', '/nightly'],
  ] as const) {
    const gone = await send(method, path)
    assert.deepEqual([gone.status, gone.body.code], [404, 'unknown_schedule'], path)
  }
})

test('what was shown can be stored again, whatever shape the input has', async () => {
  const { here, send } = await open()
  await using _ = here
  for (const process of [
    { process: 'divide', inputs: { dividend: 1, divisor: 1 } },
    { process: 'double', inputs: { input: 4 } },
    { process: 'endless', inputs: {} },
  ]) {
    const { body } = await send('PUT', '/any', { ...process, cron: '@daily' })
    assert.deepEqual(body.inputs, process.inputs)
    const { cron, inputs, process: name, tags } = body
    assert.equal((await send('PUT', '/any', { cron, inputs, process: name, tags })).status, 200)
  }
})

test('what cannot be is refused with what and where, and nothing is stored', async () => {
  const { here, send } = await open()
  await using _ = here
  const refused = async (change: object, status: number, code: string, said: RegExp) => {
    const { status: was, body } = await send('PUT', '/nightly', { ...DAILY, ...change })
    assert.deepEqual([was, body.code], [status, code], JSON.stringify(body))
    assert.match(JSON.stringify(body), said)
  }
  await refused(
    { timeZone: 'Europe/Atlantis' },
    400,
    'schedule_invalid',
    /no time zone Europe\/Atlantis.*Europe\/Berlin/,
  )
  await refused({ cron: 'at noon' }, 400, 'schedule_invalid', /The schedule nightly cannot be/)
  await refused({ cron: '0 0 30 2 *' }, 400, 'schedule_invalid', /never comes again/)
  await refused({ process: 'nothing' }, 404, 'unknown_task', /GET \/processes/)
  await refused({ process: 'hidden', inputs: {} }, 404, 'unknown_task', /hidden/)
  await refused({ inputs: { dividend: 'x', divisor: 2 } }, 400, 'input_invalid', /"\/inputs\/dividend"/)
  await refused({ inputs: { dividend: 1, divisor: 2, more: 3 } }, 400, 'input_invalid', /"\/inputs\/more"/)
  await refused({ overlap: 'queue' }, 400, 'request_invalid', /"\/overlap"/)
  await refused({ zone: 'UTC' }, 400, 'request_invalid', /"\/zone"/)
  await refused({ priority: 1.5 }, 400, 'option_invalid', /priority is 1\.5/)
  await refused({ jitterMs: -1 }, 400, 'option_invalid', /jitterMs is -1/)
  assert.match((await send('PUT', '/a%20b', DAILY)).body.detail, /1 to 100 letters/)
  assert.deepEqual((await send('GET', '')).body.schedules, [])
})

test('in somebody else’s name only an admin lets jobs run', async () => {
  const { here, send } = await open()
  await using _ = here
  assert.equal((await send('PUT', '/nightly', { ...DAILY, owner: 'ada' })).status, 403)
  const root = await here.authorize('root', ['admin'])
  assert.equal((await send('PUT', '/nightly', { ...DAILY, owner: 'ada' }, root)).body.owner, 'ada')
})

test('who only reads sees schedules and changes none, and who only submits sees none', async () => {
  const { here, send } = await open()
  await using _ = here
  const carol = await here.authorize('carol', ['read-all'])
  const ada = await here.authorize('ada', ['submit', 'read-own'])
  assert.equal((await send('GET', '', undefined, carol)).status, 200)
  assert.equal((await send('PUT', '/nightly', DAILY, carol)).status, 403)
  assert.equal((await send('GET', '', undefined, ada)).status, 403)
})

test('a schedule is run now, and its job is the owner’s and carries its tag', async () => {
  const { here, send } = await open({})
  await using _ = here
  await send('PUT', '/halves', { ...DAILY, tags: ['night'] })
  const run = await send('POST', '/halves/run')
  assert.equal(run.status, 201)
  assert.deepEqual([run.body.owner, run.body.tags.slice(0, 2)], ['olga', ['night', 'schedule:halves']])
  assert.deepEqual(await here.engine.result(run.body.jobID), { quotient: 3, remainder: 1 })
})

test('a span is filled in, one job for each of its instants', async () => {
  const { here, send } = await open({})
  await using _ = here
  await send('PUT', '/halves', { ...DAILY, timeZone: 'UTC' })
  const span = { from: '2026-03-01T00:00:00Z', to: '2026-03-04T00:00:00+00:00' }
  const { status, body } = await send('POST', '/halves/backfill', { ...span, concurrency: 2 })
  assert.deepEqual([status, body.jobIDs.length], [200, 3])
  for (const id of body.jobIDs) assert.deepEqual(await here.engine.result(id), { quotient: 3, remainder: 1 })
  const refused = async (change: object) => {
    const answer = await send('POST', '/halves/backfill', { ...span, ...change })
    assert.equal(answer.status, 400, JSON.stringify(answer.body))
    return answer.body
  }
  assert.equal((await refused({ from: 'yesterday' })).errors[0].pointer, '/from')
  assert.equal((await refused({ to: span.from })).code, 'option_invalid')
  assert.match((await refused({ concurrency: 0 })).detail, /concurrency is 0/)
  await send('PUT', '/halves', { ...DAILY, cron: '* * * * *' })
  assert.equal((await refused({ from: '2020-01-01T00:00:00Z' })).code, 'schedule_range_too_large')
})

test('a schedule that a program brings along is shown as such, though its task is no process', async () => {
  const sleepy = task({ name: 'sleepy', run: () => 1 })
  const declared = schedule({ name: 'own', task: sleepy, cron: '@hourly', input: { a: 1 } })
  const { here, send } = await open({ tasks: [...TASKS, sleepy], schedules: [declared] })
  await using _ = here
  assert.partialDeepStrictEqual((await send('GET', '/own')).body, {
    process: 'sleepy',
    inputs: { a: 1 },
    isDeclared: true,
  })
})
