import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openTestServer } from '../testing/test-server.ts'
import { artifactsIn } from './artifact-access.ts'

const NOBODYS = `sha256:${'0'.repeat(64)}`

test('an artifact is named by who uploaded it or reads all, and is not there for anybody else', async () => {
  await using here = await openTestServer()
  const put = await here.send({ method: 'PUT', url: '/uploads/secret.txt', payload: Buffer.from('A secret.') })
  const { artifact } = put.json()
  const bob = await here.authorize('bob')
  const execute = async (as: typeof bob, value: unknown) => {
    const payload = { inputs: { message: 'hello', deep: [{ value }] } }
    const answer = await here.send({ method: 'POST', url: '/processes/anything/execution', payload, as })
    return [answer.statusCode, answer.json().code]
  }
  assert.deepEqual(await execute(bob, artifact), [404, 'artifact_unknown'])
  assert.deepEqual(await execute(bob, NOBODYS), [404, 'artifact_unknown'])
  // Past the guard it is the route that has something to say.
  assert.deepEqual(await execute(await here.authorize('ada'), artifact), [404, 'unknown_task'])
  assert.deepEqual(await execute(await here.authorize('eve', ['submit', 'read-all']), artifact), [404, 'unknown_task'])
  assert.deepEqual(await execute(bob, `not ${artifact}`), [404, 'unknown_task'])
})

test('who uploads the same content, in parts or in one piece, may name it too', async () => {
  await using here = await openTestServer()
  const bytes = Buffer.from('Known to both.')
  const { artifact } = (await here.send({ method: 'PUT', url: '/uploads/a.txt', payload: bytes })).json()
  const bob = await here.authorize('bob')
  const execute = () =>
    here.send({ method: 'POST', url: '/processes/anything/execution', payload: { inputs: { artifact } }, as: bob })
  assert.equal((await execute()).json().code, 'artifact_unknown')
  const tus = { 'tus-resumable': '1.0.0', 'upload-length': String(bytes.length) }
  const begun = await here.send({ method: 'POST', url: '/uploads/', headers: tus, as: bob })
  const headers = { 'tus-resumable': '1.0.0', 'upload-offset': '0', 'content-type': 'application/offset+octet-stream' }
  const url = new URL(String(begun.headers.location)).pathname
  const sent = await here.send({ method: 'PATCH', url, headers, payload: bytes, as: bob })
  assert.equal(sent.headers['headrace-artifact'], artifact)
  assert.equal((await execute()).json().code, 'unknown_task')
})

test('a file that a job made is named by the job’s owner, and by no other', async () => {
  await using here = await openTestServer()
  const id = await here.start('talkative', {})
  await here.engine.wait(id)
  const [{ id: artifact }] = (await here.send({ url: `/jobs/${id}/artifacts` })).json().artifacts
  const payload = { inputs: { artifact } }
  const execute = async (owner: string) =>
    (
      await here.send({
        method: 'POST',
        url: '/processes/anything/execution',
        payload,
        as: await here.authorize(owner),
      })
    ).json().code
  assert.deepEqual([await execute('ada'), await execute('bob')], ['unknown_task', 'artifact_unknown'])
})

test('ids are found however deep they lie, and nothing else is taken for one', () => {
  const id = `sha256:${'a'.repeat(64)}`
  assert.deepEqual([...artifactsIn({ a: [{ b: id }, id], c: `${id} `, d: id.toUpperCase(), [id]: 1, e: null })], [id])
  assert.deepEqual([...artifactsIn([])], [])
})
