import assert from 'node:assert/strict'
import { test } from 'node:test'
import { replay } from '@headrace/engine/testing'
import type { JobList, StatusInfo } from '@headrace/wire'
import { openTestServer } from '../testing/test-server.ts'

test('a job is shown as OGC’s statusInfo, with absolute links to what there is of it', async () => {
  await using here = await openTestServer()
  const id = await here.start('double', { input: 3 })
  await here.engine.wait(id)
  const response = await here.send({ url: `/jobs/${id}` })
  const info: StatusInfo = response.json()
  assert.equal(info.jobID, id)
  assert.equal(info.type, 'process')
  assert.equal(info.status, 'successful')
  assert.equal(info.state, 'succeeded')
  assert.equal(info.progress, 100)
  assert.equal(info.owner, 'ada')
  assert.equal(info.rootId, id)
  assert.ok(info.created <= (info.started ?? '') && (info.started ?? '') <= (info.finished ?? ''))
  const results = info.links.find((link) => link.rel === 'http://www.opengis.net/def/rel/ogc/1.0/results')
  assert.equal(results?.href, `http://localhost:80/jobs/${id}/results`)
})

test('an unchanged job is 304 to who names its ETag, and one under way says when to ask again', async () => {
  await using here = await openTestServer({ withWorker: false })
  const id = await here.start('double', { input: 3 })
  const first = await here.send({ url: `/jobs/${id}` })
  assert.equal(first.headers['retry-after'], '1')
  const again = await here.send({ url: `/jobs/${id}`, headers: { 'if-none-match': String(first.headers.etag) } })
  assert.equal(again.statusCode, 304)
  assert.equal(again.body, '')
  await here.engine.cancel(id)
  const after = await here.send({ url: `/jobs/${id}`, headers: { 'if-none-match': String(first.headers.etag) } })
  assert.equal(after.statusCode, 200)
  assert.equal(after.headers['retry-after'], undefined)
})

test('with ?wait= the answer waits for the end, and no longer than asked', async () => {
  await using here = await openTestServer()
  const id = await here.start('quadruple', { input: 2 })
  const ended: StatusInfo = (await here.send({ url: `/jobs/${id}?wait=25` })).json()
  assert.equal(ended.status, 'successful')
  const endless = await here.start('endless', {})
  const running: StatusInfo = (await here.send({ url: `/jobs/${endless}?wait=0.05` })).json()
  assert.ok(['accepted', 'running'].includes(running.status))
  assert.equal((await here.send({ url: `/jobs/${endless}?wait=61` })).statusCode, 400)
})

test('results before the end are OGC’s result-not-ready', async () => {
  await using here = await openTestServer({ withWorker: false })
  const id = await here.start('double', { input: 3 })
  const response = await here.send({ url: `/jobs/${id}/results` })
  assert.equal(response.statusCode, 404)
  assert.equal(response.json().type, 'http://www.opengis.net/def/exceptions/ogcapi-processes-1/1.0/result-not-ready')
})

test('results are one object of outputs by id, and each output stands alone too', async () => {
  await using here = await openTestServer()
  const id = await here.start('divide', { dividend: 17, divisor: 5 })
  await here.engine.wait(id)
  assert.deepEqual((await here.send({ url: `/jobs/${id}/results` })).json(), { quotient: 3, remainder: 2 })
  assert.deepEqual((await here.send({ url: `/jobs/${id}/results?outputs=quotient` })).json(), { quotient: 3 })
  assert.equal((await here.send({ url: `/jobs/${id}/results/remainder` })).body, '2')
  assert.equal((await here.send({ url: `/jobs/${id}/results/other` })).statusCode, 404)
  const single = await here.start('double', { input: 3 })
  await here.engine.wait(single)
  assert.deepEqual((await here.send({ url: `/jobs/${single}/results` })).json(), { result: 6 })
})

test('the results of a failed job tell the failure, those of a cancelled one that it was cancelled', async () => {
  await using here = await openTestServer()
  const failed = await here.start('divide', { dividend: 1, divisor: 0 })
  await here.engine.wait(failed)
  const failure = await here.send({ url: `/jobs/${failed}/results` })
  assert.equal(failure.statusCode, 422)
  assert.match(failure.json().detail, /There is no quotient by 0/)
  const info: StatusInfo = (await here.send({ url: `/jobs/${failed}` })).json()
  assert.equal(info.status, 'failed')
  assert.equal(info.message, 'There is no quotient by 0.')
  const cancelled = await here.start('endless', {})
  await here.engine.cancel(cancelled, 'enough')
  await here.engine.wait(cancelled)
  assert.equal((await here.send({ url: `/jobs/${cancelled}/results` })).statusCode, 410)
})

test('DELETE cancels a running job and answers dismissed', async () => {
  await using here = await openTestServer()
  const id = await here.start('endless', {})
  const response = await here.send({ method: 'DELETE', url: `/jobs/${id}` })
  assert.equal(response.statusCode, 200)
  assert.equal(response.json().status, 'dismissed')
  await here.engine.wait(id)
  const after: StatusInfo = (await here.send({ url: `/jobs/${id}` })).json()
  assert.equal(after.state, 'cancelled')
  assert.equal(after.status, 'dismissed')
})

test('DELETE of a job that has ended leaves it as it ended, and says so', async () => {
  await using here = await openTestServer()
  const id = await here.start('double', { input: 1 })
  await here.engine.wait(id)
  const response = await here.send({ method: 'DELETE', url: `/jobs/${id}` })
  assert.equal(response.statusCode, 200)
  assert.equal(response.json().status, 'successful')
  assert.match(response.json().message, /retention/)
})

test('retry submits an ended job again, linked to the first; one under way is a conflict', async () => {
  await using here = await openTestServer()
  const id = await here.start('double', { input: 5 })
  await here.engine.wait(id)
  const response = await here.send({ method: 'POST', url: `/jobs/${id}/retry` })
  assert.equal(response.statusCode, 201)
  assert.equal(response.json().retryOf, id)
  assert.equal(response.json().owner, 'ada')
  await here.engine.wait(response.json().jobID)
  const running = await here.start('endless', {})
  const refused = await here.send({ method: 'POST', url: `/jobs/${running}/retry` })
  assert.equal(refused.statusCode, 409)
  assert.equal(refused.json().code, 'job_not_ended')
})

test('jobs are listed newest first, page by page, without a gap', async () => {
  await using here = await openTestServer({ withWorker: false })
  const ids: string[] = []
  for (let n = 0; n < 5; n++) ids.unshift(await here.start('double', { input: n }))
  const seen: string[] = []
  for (let url: string | undefined = '/jobs?limit=2'; url !== undefined; ) {
    const page: JobList = (await here.send({ url })).json()
    seen.push(...page.jobs.map((job) => job.jobID))
    url = page.links.find((link) => link.rel === 'next')?.href.replace('http://localhost:80', '')
  }
  assert.deepEqual(seen, ids)
})

test('jobs are filtered by process, status, state, tag, time and text', async () => {
  await using here = await openTestServer()
  const failed = await here.start('divide', { dividend: 31337, divisor: 0 })
  await here.engine.wait(failed)
  const tagged = await here.send({
    method: 'POST',
    url: '/processes/double/execution',
    payload: { inputs: { input: 1 }, tags: ['red'] },
    headers: { prefer: 'respond-async' },
  })
  const double = tagged.json().jobID
  await here.engine.wait(double)
  const idsOf = async (query: string) => {
    const response = await here.send({ url: `/jobs?${query}` })
    assert.equal(response.statusCode, 200, response.body)
    return response.json().jobs.map((job: StatusInfo) => job.jobID)
  }
  assert.deepEqual(await idsOf('processID=double'), [double])
  assert.deepEqual(await idsOf('processID=double,divide'), [double, failed])
  assert.deepEqual(await idsOf('status=failed'), [failed])
  assert.deepEqual(await idsOf('status=failed&status=successful'), [double, failed])
  assert.deepEqual(await idsOf('state=succeeded'), [double])
  assert.deepEqual(await idsOf('state=succeeded&status=failed'), [])
  assert.deepEqual(await idsOf('tag=red'), [double])
  assert.deepEqual(await idsOf('q=31337'), [failed])
  assert.deepEqual(await idsOf('type=process'), [double, failed])
  assert.deepEqual(await idsOf('type=other'), [])
  assert.deepEqual(await idsOf('datetime=2020-01-01T00:00:00Z/2021-01-01T00:00:00Z'), [])
  assert.deepEqual(await idsOf('datetime=2020-01-01T00:00:00Z/..'), [double, failed])
  assert.deepEqual(await idsOf('minDuration=1000'), [])
  assert.deepEqual(await idsOf('maxDuration=1000'), [double, failed])
})

test('a filter that is misspelt or malformed is refused, not ignored', async () => {
  await using here = await openTestServer({ withWorker: false })
  for (const query of [
    'statuss=failed',
    'status=broken',
    'limit=0',
    'datetime=yesterday',
    'minDuration=x',
    'rootsOnly=1',
  ]) {
    const response = await here.send({ url: `/jobs?${query}` })
    assert.equal(response.statusCode, 400, query)
    assert.equal(response.json().errors[0].pointer, `/${query.split('=')[0]}${query.startsWith('status=') ? '/0' : ''}`)
  }
})

test('the list shows what people submitted; what that called is there on request and in the tree', async () => {
  await using here = await openTestServer()
  const id = await here.start('quadruple', { input: 2 })
  await here.engine.wait(id)
  assert.equal((await here.send({ url: '/jobs' })).json().jobs.length, 1)
  assert.equal((await here.send({ url: '/jobs?rootsOnly=false' })).json().jobs.length, 3)
  assert.equal((await here.send({ url: `/jobs?parentId=${id}` })).json().jobs.length, 2)
  const tree = (await here.send({ url: `/jobs/${id}/tree` })).json()
  assert.equal(tree.truncated, false)
  assert.deepEqual(
    tree.jobs.map((job: StatusInfo) => job.processID),
    ['quadruple', 'double', 'double'],
  )
  assert.equal((await here.send({ url: `/jobs/${id}/tree?limit=2` })).json().truncated, true)
})

test('a job tells its input, its attempts and the steps that it recorded', async () => {
  await using here = await openTestServer()
  const id = await here.start('quadruple', { input: 2 })
  await here.engine.wait(id)
  assert.deepEqual((await here.send({ url: `/jobs/${id}/inputs` })).json(), { inputs: 2 })
  const { attempts } = (await here.send({ url: `/jobs/${id}/attempts` })).json()
  assert.equal(attempts[0].outcome, 'succeeded')
  const { steps } = (await here.send({ url: `/jobs/${id}/steps` })).json()
  assert.deepEqual(
    steps.map((step: { kind: string; name: string; children: { total: number } }) => [
      step.kind,
      step.name,
      step.children.total,
    ]),
    [
      ['call', 'double', 1],
      ['call', 'double', 1],
    ],
  )
})

test('a workflow gives its history, which its code repeats, and a task has none', async () => {
  await using here = await openTestServer()
  const id = await here.start('quadruple', { input: 2 })
  await here.engine.wait(id)
  const history = (await here.send({ url: `/jobs/${id}/history` })).json()
  const quadruple = here.engine.tasks.get('quadruple')
  assert.ok(quadruple?.kind === 'workflow')
  assert.deepEqual(await replay(quadruple, history), { steps: 2 })
  const double = await here.start('double', { input: 2 })
  const refused = await here.send({ url: `/jobs/${double}/history` })
  assert.deepEqual([refused.statusCode, refused.json().code], [409, 'not_a_workflow'])
})

test('logs come as pages after a cursor, filtered, and as one text to keep', async () => {
  await using here = await openTestServer()
  const id = await here.start('talkative', {})
  await here.engine.wait(id)
  const first = (await here.send({ url: `/jobs/${id}/logs?limit=1` })).json()
  assert.deepEqual(
    first.lines.map((line: { message: string }) => line.message),
    ['the first line'],
  )
  const rest = (await here.send({ url: `/jobs/${id}/logs?after=${first.next}` })).json()
  assert.deepEqual(
    rest.lines.map((line: { message: string }) => line.message),
    ['the second line'],
  )
  const warned = (await here.send({ url: `/jobs/${id}/logs?level=warn,error` })).json()
  assert.deepEqual(
    warned.lines.map((line: { level: string }) => line.level),
    ['warn'],
  )
  const found = (await here.send({ url: `/jobs/${id}/logs?contains=first` })).json()
  assert.equal(found.lines.length, 1)
  const text = await here.send({ url: `/jobs/${id}/logs`, headers: { accept: 'text/plain' } })
  assert.match(text.body, /^\S+Z #1 INFO {2}the first line\n\S+Z #1 WARN {2}the second line\n$/)
  assert.equal(text.headers['content-disposition'], `attachment; filename="${id}.log"`)
})

test('a signal is delivered to the workflow that waits for it; to what cannot wait it is a conflict', async () => {
  await using here = await openTestServer()
  const id = await here.start('attentive', {})
  const send = (job: string) =>
    here.send({
      method: 'POST',
      url: `/jobs/${job}/signals/word`,
      headers: { 'idempotency-key': 'k1' },
      payload: { go: 1 },
    })
  const response = await send(id)
  assert.equal(response.statusCode, 202)
  assert.ok(['delivered', 'kept'].includes(response.json().outcome))
  await here.engine.wait(id)
  assert.deepEqual((await here.send({ url: `/jobs/${id}/results` })).json(), { result: { go: 1 } })
  assert.equal((await send(id)).json().outcome, 'delivered')
  const other = await here.send({ method: 'POST', url: `/jobs/${id}/signals/word`, payload: { go: 2 } })
  assert.equal(other.statusCode, 409)
  assert.equal(other.json().code, 'job_ended')
  const task = await here.start('endless', {})
  assert.equal((await send(task)).json().code, 'not_a_workflow')
  assert.equal((await send('0198c2f0-0000-7000-8000-000000000000')).statusCode, 404)
})
