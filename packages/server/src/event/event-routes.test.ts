import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type JobId, task } from '@headrace/engine'
import type { WireEvent } from '@headrace/wire'
import { openTestServer, type TestServer } from '../testing/test-server.ts'

/** The events of a stream that has ended. */
function parseStream(body: string): readonly WireEvent[] {
  return body
    .split('\n\n')
    .filter((block) => block.includes('data: '))
    .map((block) => {
      const event = JSON.parse(/^data: (.*)$/m.exec(block)?.[1] ?? '')
      assert.equal(/^id: (.*)$/m.exec(block)?.[1], String(event.cursor))
      assert.equal(/^event: (.*)$/m.exec(block)?.[1], event.kind)
      return event
    })
}

async function streamOf(here: TestServer, id: JobId, query = '', headers = {}): Promise<readonly WireEvent[]> {
  const response = await here.send({
    url: `/jobs/${id}/events${query}`,
    headers: { accept: 'text/event-stream', ...headers },
  })
  assert.equal(response.headers['content-type'], 'text/event-stream; charset=utf-8')
  return parseStream(response.body)
}

/** Reads a live stream event by event. */
async function* readLive(url: string, headers: Record<string, string>, signal: AbortSignal): AsyncGenerator<WireEvent> {
  const response = await fetch(url, { headers: { accept: 'text/event-stream', ...headers }, signal })
  let text = ''
  for await (const chunk of response.body ?? []) {
    text += Buffer.from(chunk).toString()
    const complete = text.lastIndexOf('\n\n') + 2
    if (complete < 2) continue
    yield* parseStream(text.slice(0, complete))
    text = text.slice(complete)
  }
}

test('a job’s stream begins with its first event and ends after its end', async () => {
  await using here = await openTestServer()
  const id = await here.start('talkative', {})
  const events = await streamOf(here, id)
  assert.equal(events[0]?.kind, 'queued')
  assert.equal(events.at(-1)?.kind, 'ended')
  assert.deepEqual(
    events.filter((event) => event.kind === 'log').map((event) => event.data.message),
    ['the first line', 'the second line'],
  )
  assert.ok(events.every((event) => event.jobId === id))
})

test('who reconnects goes on after the last event that they have, by header or by query', async () => {
  await using here = await openTestServer()
  const id = await here.start('talkative', {})
  const all = await streamOf(here, id)
  const last = all[2]?.cursor
  assert.deepEqual(await streamOf(here, id, `?cursor=${last}`), all.slice(3))
  assert.deepEqual(await streamOf(here, id, '?cursor=0', { 'last-event-id': String(last) }), all.slice(3))
})

test('after the last event of an ended job there is 204, so that a browser does not come back', async () => {
  await using here = await openTestServer()
  const id = await here.start('double', { input: 1 })
  const all = await streamOf(here, id)
  const response = await here.send({ url: `/jobs/${id}/events?cursor=${all.at(-1)?.cursor}` })
  assert.equal(response.statusCode, 204)
})

test('with tree=true the events of all that a job called come along, without it they do not', async () => {
  await using here = await openTestServer()
  const id = await here.start('quadruple', { input: 1 })
  const tree = await streamOf(here, id, '?tree=true')
  assert.equal(new Set(tree.map((event) => event.jobId)).size, 3)
  assert.equal(tree.at(-1)?.jobId, id)
  const alone = await streamOf(here, id)
  assert.deepEqual([...new Set(alone.map((event) => event.jobId))], [id])
})

test('kinds can be chosen; the end is told all the same', async () => {
  await using here = await openTestServer()
  const id = await here.start('talkative', {})
  const events = await streamOf(here, id, '?kinds=log,progress')
  assert.deepEqual([...new Set(events.map((event) => event.kind))].sort(), ['ended', 'log', 'progress'])
})

test('a stream that is opened in the midst of a thousand events has each of them once and in order', async () => {
  const lines = 1_500
  const chatter = task({
    name: 'chatter',
    public: true,
    async run(_input, job) {
      for (let line = 0; line < lines; line++) {
        job.log('info', String(line))
        if (line % 50 === 0) await new Promise(setImmediate)
      }
    },
  })
  await using here = await openTestServer({ tasks: [chatter] })
  const id = await here.start('chatter', {})
  const streams = await Promise.all([streamOf(here, id), streamOf(here, id), streamOf(here, id, '?tree=true')])
  for (const events of streams) {
    const messages = events.filter((event) => event.kind === 'log').map((event) => event.data.message)
    assert.deepEqual(
      messages,
      Array.from({ length: lines }, (_, line) => String(line)),
    )
  }
})

test('/events brings what happens from now on to all jobs that the caller may see, and to no other', async () => {
  await using here = await openTestServer()
  const url = await here.server.listen({ port: 0 })
  const stop = new AbortController()
  const ada = await here.authorize('ada')
  const bob = await here.authorize('bob')
  await here.start('double', { input: 1 })
  const before = await here.engine.store.lastCursor()
  const live = readLive(`${url}/events?cursor=${before}`, bob, stop.signal)
  const adas = await here.start('quadruple', { input: 2 })
  await here.engine.wait(adas)
  const bobs = await here.send({
    method: 'POST',
    url: '/processes/double/execution',
    payload: { inputs: { input: 2 } },
    headers: { prefer: 'respond-async' },
    as: bob,
  })
  for await (const event of live) {
    assert.equal(event.jobId, bobs.json().jobID)
    if (event.kind === 'ended') break
  }
  stop.abort()
  const page = await here.send({ url: `/events?cursor=${before}`, headers: { accept: 'application/json' }, as: ada })
  assert.ok(page.json().events.length > 0)
  assert.ok(page.json().events.every((event: WireEvent) => event.jobId !== bobs.json().jobID))
})

test('clients without streams get pages after a cursor, and may wait for the next event', async () => {
  await using here = await openTestServer()
  const accept = { accept: 'application/json' }
  const id = await here.start('double', { input: 1 })
  await here.engine.wait(id)
  const first = (await here.send({ url: `/jobs/${id}/events`, headers: accept })).json()
  assert.equal(first.events.at(-1).kind, 'ended')
  assert.equal(first.next, first.events.at(-1).cursor)
  const none = (await here.send({ url: `/jobs/${id}/events?cursor=${first.next}&wait=0.05`, headers: accept })).json()
  assert.deepEqual(none, { events: [], next: first.next })
  const waiting = here.send({ url: `/events?cursor=${first.next}&wait=25`, headers: accept })
  const next = await here.start('double', { input: 2 })
  assert.equal((await waiting).json().events[0].jobId, next)
})

test('a closing server ends its streams, and says to one who waits that it is closing', async () => {
  await using here = await openTestServer()
  const url = await here.server.listen({ port: 0 })
  const as = await here.authorize()
  const id = await here.start('endless', {})
  const events = readLive(`${url}/jobs/${id}/events`, as, AbortSignal.timeout(10_000))
  assert.equal((await events.next()).value?.kind, 'queued')
  const waiting = waitBegun(here)
  const response = fetch(`${url}/jobs/${id}?wait=60`, { headers: as })
  await waiting
  await here.server.close()
  for await (const event of events) assert.equal(event.jobId, id)
  assert.equal((await response).status, 503)
  assert.match(await (await response).text(), /"code":"closing"/)
})

/** Resolves when a request has come as far as to wait for a job. */
function waitBegun({ engine }: TestServer): Promise<void> {
  const wait = engine.wait.bind(engine)
  return new Promise((resolve) => {
    engine.wait = (...waited) => {
      resolve()
      return wait(...waited)
    }
  })
}
