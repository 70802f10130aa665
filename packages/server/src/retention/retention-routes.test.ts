import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { PruneAnswer } from '@headrace/wire'
import { openTestServer } from '../testing/test-server.ts'

test('an operator reads how long jobs are kept, an administrator sets it and removes old ones', async () => {
  await using here = await openTestServer()
  const admin = await here.authorize('root', ['admin'])
  const operator = await here.authorize('eve', ['operate'])
  const read = await here.send({ url: '/retention', as: operator })
  assert.deepEqual(read.json(), {
    keep: { succeeded: '30d', failed: '90d', cancelled: '30d' },
    artifacts: '7d',
    isDefault: true,
  })
  const policy = { keep: { succeeded: '1h', failed: 'forever' }, tasks: { double: { succeeded: '45m' } } }
  const put = (payload: object, as = admin) => here.send({ method: 'PUT', url: '/retention', payload, as })
  assert.equal((await put(policy, operator)).statusCode, 403)
  const refused = await put({ keep: { succeeded: 'a while' } })
  assert.deepEqual([refused.statusCode, refused.json().code], [400, 'option_invalid'])
  assert.match(refused.json().detail, /keep\.succeeded is a while/)
  assert.equal((await put({ keep: {}, nonsense: 1 })).statusCode, 400)
  assert.deepEqual((await put(policy)).json(), { ...policy, artifacts: '7d', isDefault: false })

  const ids = [await here.start('double', { input: 1 }), await here.start('double', { input: 2 })]
  for (const id of ids) await here.engine.wait(id)
  const last = await here.start('double', { input: 3 })
  await here.engine.wait(last)
  const prune = async (query: string) => {
    const response = await here.send({ method: 'POST', url: `/retention/prune?${query}`, as: admin })
    assert.equal(response.statusCode, 200, response.body)
    return response.json()
  }
  // The artifacts are the next step.
  const next = 'artifacts'
  assert.deepEqual(await prune(''), { dryRun: false, jobs: 0, next })
  assert.deepEqual(await prune('olderThanMs=0&dryRun=true'), { dryRun: true, jobs: 2, next })
  assert.deepEqual(await prune('olderThanMs=0'), { dryRun: false, jobs: 2, next })
  const gone = await here.send({ url: `/jobs/${ids[0]}` })
  assert.deepEqual([gone.statusCode, gone.json().code], [404, 'unknown_job'])
  assert.match(gone.json().detail, /retention/)
  assert.equal((await here.send({ url: `/jobs/${last}` })).statusCode, 200)
})

test('an administrator sees which artifacts would go, and removes them; whoever names one of them then is to bring it again', async () => {
  await using here = await openTestServer()
  const admin = await here.authorize('root', ['admin'])
  const upload = async (payload: string) => {
    const headers = { 'content-type': 'application/octet-stream' }
    const response = await here.send({ method: 'PUT', url: '/uploads/page.txt', payload, headers })
    assert.equal(response.statusCode, 201, response.body)
    return response.json().artifact as string
  }
  const [lost, kept] = [await upload('lost'), await upload('kept')]
  const name = (page: string) =>
    here.send({ method: 'POST', url: '/processes/double/execution', payload: { inputs: { input: 1, page } } })
  const policy = { keep: {}, artifacts: '0s' }
  const put = (payload: object) => here.send({ method: 'PUT', url: '/retention', payload, as: admin })
  assert.match((await put({ keep: {}, artifacts: 'soon' })).json().detail, /artifacts is soon; it must be a time/)
  assert.equal((await put(policy)).json().artifacts, '0s')
  const step = (query: string) => here.send({ method: 'POST', url: `/retention/prune?${query}`, as: admin })
  const prune = async (query = '') => {
    for (let cursor: string | undefined = 'artifacts'; ; ) {
      const answer = (await step(`cursor=${cursor}&${query}`)).json() as PruneAnswer
      if (answer.next === undefined) return answer.artifacts
      cursor = answer.next
    }
  }
  const { settings } = here.engine.store
  await settings.put('apps', 'page', kept)
  assert.deepEqual(await prune(), { removed: { artifacts: 0, bytes: 0 }, unnamed: { artifacts: 1, bytes: 4 } })
  // As if a minute had passed.
  await settings.put('artifact-notes', lost, Date.now() - 60_000)
  assert.deepEqual((await prune('dryRun=true'))?.removed, { artifacts: 1, bytes: 4 })
  assert.deepEqual((await prune())?.removed, { artifacts: 1, bytes: 4 })
  assert.deepEqual((await prune('dryRun=true'))?.removed, { artifacts: 0, bytes: 0 })
  const refused = await name(lost)
  assert.deepEqual([refused.statusCode, refused.json().code], [404, 'artifact_unknown'])
  await upload('lost')
  assert.notEqual((await name(lost)).json().code, 'artifact_unknown')
  const stray = await step('cursor=artifacts.elsewhere')
  assert.deepEqual([stray.statusCode, stray.json().code], [409, 'prune_interrupted'])
})
