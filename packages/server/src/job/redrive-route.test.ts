import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openTestServer } from '../testing/test-server.ts'

test('failed jobs are retried by filter, in steps, each once, and those of others only by an operator', async () => {
  await using here = await openTestServer()
  const fail = async (authorization?: Record<string, string>) => {
    const id = await here.start('divide', { dividend: 7, divisor: 0 }, authorization)
    await here.engine.wait(id)
    return id
  }
  const bob = await here.authorize('bob')
  const theirs = await fail(bob)
  const [one, two, three] = [await fail(), await fail(), await fail()]
  const redrive = async (query: string, as?: { readonly authorization: string }) => {
    const response = await here.send({ method: 'POST', url: `/jobs/redrive?${query}`, ...(as && { as }) })
    assert.equal(response.statusCode, 200, response.body)
    return response.json()
  }
  assert.deepEqual(await redrive('processID=double'), { dryRun: false, retried: [], refused: [] })
  assert.deepEqual(await redrive('code=odd&dryRun=true'), { dryRun: true, retried: [], refused: [] })
  const shown = await redrive('processID=divide&dryRun=true')
  assert.deepEqual(
    shown.retried.map(({ retryOf }: { retryOf: string }) => retryOf),
    [three, two, one],
  )
  const first = await redrive('processID=divide&code=task_threw&limit=2')
  assert.deepEqual(
    first.retried.map(({ retryOf }: { retryOf: string }) => retryOf),
    [three, two],
  )
  const again = await redrive(`processID=divide&limit=2&cursor=${first.next}`)
  assert.deepEqual(
    again.retried.map(({ retryOf }: { retryOf: string }) => retryOf),
    [one],
  )
  for (const { jobID } of [...first.retried, ...again.retried]) await here.engine.wait(jobID)
  const reader = await here.authorize('eve', ['submit', 'read-all'])
  assert.deepEqual((await redrive('dryRun=true', reader)).retried, [])
  assert.deepEqual((await redrive('dryRun=true&owner=bob', reader)).retried, [])
  const operator = await here.authorize('eve', ['operate', 'read-all'])
  assert.deepEqual((await redrive('dryRun=true&owner=bob', operator)).retried, [{ retryOf: theirs }])
  const listed = (await here.send({ url: '/jobs?state=failed&retried=false&code=task_threw' })).json()
  assert.equal(listed.jobs.length, 3)
  assert.equal((await here.send({ method: 'POST', url: '/jobs/redrive?state=failed&nonsense=1' })).statusCode, 400)
})
