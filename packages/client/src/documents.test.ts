import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createClient } from './client.ts'
import { answerJson, startScriptedServer } from './testing/scripted-server.ts'

test('failed pages of a document are read again, all or some, and the new job is followed as any', async () => {
  await using server = await startScriptedServer((request, response) => {
    if (request.method === 'POST') return answerJson(response, { task_id: 'j2', status: 'PENDING' }, 202)
    answerJson(response, { jobID: 'j2', status: 'running' })
  })
  const { documents } = createClient({ baseUrl: server.url })
  const job = await documents.retry('j1', { pages: [3, 7] })
  assert.equal(job.id, 'j2')
  await documents.retry('j1')
  assert.deepEqual(
    server.received.map(({ method, path, body }) => [method, path, JSON.parse(body || 'null')]),
    [
      ['POST', '/documents/j1/retry', { pages: [3, 7] }],
      ['POST', '/documents/j1/retry', {}],
    ],
  )
})
