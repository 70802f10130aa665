import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openTestServer } from '../testing/test-server.ts'

test('an operator reads how long jobs are kept, an administrator sets it and removes old ones', async () => {
  await using here = await openTestServer()
  const admin = await here.authorize('root', ['admin'])
  const operator = await here.authorize('eve', ['operate'])
  const read = await here.send({ url: '/retention', as: operator })
  assert.deepEqual(read.json(), {
    keep: { succeeded: '30d', failed: '90d', cancelled: '30d' },
    isDefault: true,
  })
  const policy = { keep: { succeeded: '1h', failed: 'forever' }, tasks: { double: { succeeded: '45m' } } }
  const put = (payload: object, as = admin) => here.send({ method: 'PUT', url: '/retention', payload, as })
  assert.equal((await put(policy, operator)).statusCode, 403)
  const refused = await put({ keep: { succeeded: 'a while' } })
  assert.deepEqual([refused.statusCode, refused.json().code], [400, 'option_invalid'])
  assert.match(refused.json().detail, /keep\.succeeded is a while/)
  assert.equal((await put({ keep: {}, nonsense: 1 })).statusCode, 400)
  assert.deepEqual((await put(policy)).json(), { ...policy, isDefault: false })

  const ids = [await here.start('double', { input: 1 }), await here.start('double', { input: 2 })]
  for (const id of ids) await here.engine.wait(id)
  const last = await here.start('double', { input: 3 })
  await here.engine.wait(last)
  const prune = async (query: string) => {
    const response = await here.send({ method: 'POST', url: `/retention/prune?${query}`, as: admin })
    assert.equal(response.statusCode, 200, response.body)
    return response.json()
  }
  assert.deepEqual(await prune(''), { dryRun: false, jobs: 0 })
  assert.deepEqual(await prune('olderThanMs=0&dryRun=true'), { dryRun: true, jobs: 2 })
  assert.deepEqual(await prune('olderThanMs=0'), { dryRun: false, jobs: 2 })
  const gone = await here.send({ url: `/jobs/${ids[0]}` })
  assert.deepEqual([gone.statusCode, gone.json().code], [404, 'unknown_job'])
  assert.match(gone.json().detail, /retention/)
  assert.equal((await here.send({ url: `/jobs/${last}` })).statusCode, 200)
})
