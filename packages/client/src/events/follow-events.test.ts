import assert from 'node:assert/strict'
import type { ServerResponse } from 'node:http'
import { test } from 'node:test'
import type { WireEvent } from '@headrace/wire'
import { createClient } from '../client.ts'
import { monotonicClock } from '../clock/clock.ts'
import { ProblemError } from '../errors.ts'
import {
  answerJson,
  answerProblem,
  eventOf,
  type Received,
  type ScriptedServer,
  sseOf,
  startScriptedServer,
  statusOf,
} from '../testing/scripted-server.ts'
import { seededRandom } from '../testing/seeded-random.ts'

const JOB = 'j1'

/** No waits between connections: full jitter may draw nothing. */
function jobOn(server: ScriptedServer) {
  return createClient({ baseUrl: server.url, random: () => 0 }).job(JOB)
}

/** Events 10, 20, 30…: cursors have gaps, for other jobs have events in between. The last one is `ended`. */
function history(length: number): WireEvent[] {
  return Array.from({ length }, (_, index) =>
    eventOf(JOB, (index + 1) * 10, index === length - 1 ? 'ended' : 'progress'),
  )
}

async function cursorsOf(events: AsyncIterable<WireEvent>): Promise<number[]> {
  const cursors: number[] = []
  for await (const event of events) cursors.push(event.cursor)
  return cursors
}

function openStream(response: ServerResponse): ServerResponse {
  return response.writeHead(200, { 'content-type': 'text/event-stream' })
}

function after(events: readonly WireEvent[], request: Received): WireEvent[] {
  const cursor = Number(request.query.get('cursor'))
  return events.filter((event) => event.cursor > cursor)
}

test('events come from one stream, up to the ended one', async () => {
  const events = history(3)
  await using server = await startScriptedServer((_request, response) => {
    openStream(response).write(`retry: 100\n\n: beat\n\n${events.map(sseOf).join('')}`) // and stays open
  })
  assert.deepEqual(await cursorsOf(jobOn(server).events()), [10, 20, 30])
  assert.equal(server.received.length, 1)
  assert.equal(server.received[0]?.headers.accept, 'text/event-stream')
})

test('after a lost connection the next one asks for what follows the last whole event', async () => {
  const events = history(4)
  await using server = await startScriptedServer((request, response) => {
    const [first, second] = after(events, request).map(sseOf)
    openStream(response).write(`${first}${second?.slice(0, -8) ?? ''}`, () => response.destroy())
  })
  assert.deepEqual(await cursorsOf(jobOn(server).events()), [10, 20, 30, 40])
  assert.deepEqual(
    server.received.map((request) => request.query.get('cursor')),
    ['0', '10', '20', '30'],
  )
})

test('what a server sends again is dropped', async () => {
  const events = history(4)
  await using server = await startScriptedServer((request, response) => {
    const upTo = server.received.length === 1 ? 2 : 4
    openStream(response).end(events.slice(0, upTo).map(sseOf).join(''))
    assert.equal(request.path, `/jobs/${JOB}/events`)
  })
  assert.deepEqual(await cursorsOf(jobOn(server).events()), [10, 20, 30, 40])
})

test('events may begin after a cursor, and may include the whole tree', async () => {
  await using server = await startScriptedServer((_request, response) => {
    const child = { ...eventOf('child', 25, 'ended') }
    openStream(response).end([child, ...history(3).slice(2)].map(sseOf).join(''))
  })
  assert.deepEqual(await cursorsOf(jobOn(server).events({ after: 20, tree: true })), [25, 30])
  assert.equal(server.received[0]?.query.get('cursor'), '20')
  assert.equal(server.received[0]?.query.get('tree'), 'true')
})

test('where streams do not get through, long polls on the same cursor do', async () => {
  const events = history(3)
  await using server = await startScriptedServer((request, response) => {
    if (request.headers.accept === 'text/event-stream') return void response.destroy()
    answerJson(response, { events: after(events, request).slice(0, 1) })
  })
  assert.deepEqual(await cursorsOf(jobOn(server).events()), [10, 20, 30])
  assert.deepEqual(
    server.received.map((request) => [request.query.get('wait'), request.query.get('cursor')]),
    [
      [null, '0'],
      [null, '0'],
      ['25', '0'],
      ['25', '10'],
      ['25', '20'],
    ],
  )
})

test('where long polls do not get through either, plain polls do, at the pace of Retry-After', async () => {
  const events = history(2)
  let polls = 0
  await using server = await startScriptedServer((request, response) => {
    if (request.path === `/jobs/${JOB}`) return answerJson(response, statusOf(JOB, 'running'))
    const isPoll = request.headers.accept !== 'text/event-stream' && !request.query.has('wait')
    if (!isPoll) return void response.destroy()
    const found = ++polls % 2 === 0 ? after(events, request).slice(0, 1) : []
    answerJson(response, { events: found }, 200, { 'retry-after': '0' })
  })
  assert.deepEqual(await cursorsOf(jobOn(server).events()), [10, 20])
  assert.equal(polls, 4)
})

test('a page in disorder is put in order', async () => {
  await using server = await startScriptedServer((_request, response) => {
    answerJson(response, { events: history(4).reverse() })
  })
  assert.deepEqual(await cursorsOf(jobOn(server).events()), [10, 20, 30, 40])
})

test('events end, rather than hang, for a job that had ended before the cursor', async () => {
  await using server = await startScriptedServer((_request, response) => void response.writeHead(204).end())
  assert.deepEqual(await cursorsOf(jobOn(server).events({ after: 90 })), [])
})

test('without streams, the ended event is not missed when the job ends between an empty page and the look at it', async () => {
  const events = history(1)
  let pages = 0
  await using server = await startScriptedServer((request, response) => {
    if (request.path === `/jobs/${JOB}`) return answerJson(response, statusOf(JOB, 'succeeded'))
    answerJson(response, { events: pages++ === 0 ? [] : after(events, request) }, 200, { 'retry-after': '0' })
  })
  assert.deepEqual(await cursorsOf(jobOn(server).events()), [10])
})

test('without streams, events end for a job that had ended before the cursor', async () => {
  await using server = await startScriptedServer((request, response) => {
    if (request.path === `/jobs/${JOB}`) answerJson(response, statusOf(JOB, 'succeeded'))
    else answerJson(response, { events: [] }, 200, { 'retry-after': '0' })
  })
  assert.deepEqual(await cursorsOf(jobOn(server).events({ after: 90 })), [])
})

test('a job that does not exist ends the events with the problem', async () => {
  await using server = await startScriptedServer((_request, response) => answerProblem(response, 404, 'no_such_job'))
  await assert.rejects(
    cursorsOf(jobOn(server).events()),
    (error) => error instanceof ProblemError && error.status === 404,
  )
  assert.equal(server.received.length, 1)
})

test('leaving the loop closes the connection', async () => {
  const closed = Promise.withResolvers<void>()
  await using server = await startScriptedServer((_request, response) => {
    response.on('close', closed.resolve)
    openStream(response).write(history(3).slice(0, 2).map(sseOf).join(''))
  })
  for await (const event of jobOn(server).events()) {
    if (event.cursor === 10) break
  }
  await closed.promise
})

test('an aborted signal ends the events with its reason, even while nothing arrives', async () => {
  const abort = new AbortController()
  await using server = await startScriptedServer((_request, response) => {
    openStream(response).write(': beat\n\n', () => abort.abort(new Error('left the page')))
  })
  await assert.rejects(cursorsOf(jobOn(server).events({ signal: abort.signal })), /left the page/)
})

test('a connection that falls silent is taken for dead, and opened anew', async () => {
  const events = history(2)
  const watchdogs: (() => void)[] = []
  const clock = {
    now: monotonicClock.now,
    setTimeout(fn: () => void, delayMs: number) {
      if (delayMs !== 45_000) return monotonicClock.setTimeout(fn, delayMs)
      watchdogs.push(fn)
      return { cancel: () => watchdogs.splice(watchdogs.indexOf(fn), 1) }
    },
  }
  await using server = await startScriptedServer((request, response) => {
    const next = after(events, request)[0]
    openStream(response).write(next ? sseOf(next) : '')
  })
  const lost: unknown[] = []
  const job = createClient({ baseUrl: server.url, random: () => 0, clock }).job(JOB)
  const cursors: number[] = []
  const onConnection = (connection: { state: string }) => lost.push(connection.state)
  for await (const event of job.events({ onConnection })) {
    cursors.push(event.cursor)
    if (event.cursor === 10) setImmediate(() => watchdogs.at(-1)?.())
  }
  assert.deepEqual(cursors, [10, 20])
  assert.deepEqual(lost, ['live', 'lost', 'live'])
})

test('the feed of all jobs goes on where it was lost, even before its first event', async () => {
  await using server = await startScriptedServer((request, response) => {
    const cursor = request.query.get('cursor')
    if (cursor === null) answerJson(response, { events: [], next: 500 })
    else if (server.received.length === 2) response.destroy()
    else openStream(response).write(sseOf(eventOf('other', 510)))
  })
  for await (const event of createClient({ baseUrl: server.url, random: () => 0 }).events()) {
    assert.equal(event.cursor, 510)
    break
  }
  assert.deepEqual(
    server.received.map((request) => request.query.get('cursor')),
    [null, '500', '500'],
  )
})

const SEEDS = process.env.SEED ? [Number(process.env.SEED)] : Array.from({ length: 60 }, (_, index) => index + 1)

test('whatever is dropped, cut, repeated, refused or reordered between pages, each event comes once and in order', async () => {
  for (const seed of SEEDS) {
    const random = seededRandom(seed)
    const events = history(1 + Math.floor(random() * 30))
    await using server = await startScriptedServer((request, response) =>
      misbehave({ random, events, request, response }),
    )
    assert.deepEqual(
      await cursorsOf(jobOn(server).events()),
      events.map((event) => event.cursor),
      `repeat with SEED=${seed}`,
    )
  }
})

type Misbehaviour = {
  readonly random: () => number
  readonly events: readonly WireEvent[]
  readonly request: Received
  readonly response: ServerResponse
}

async function misbehave({ random, events, request, response }: Misbehaviour): Promise<void> {
  const draw = random()
  if (request.path === `/jobs/${JOB}`) return answerJson(response, statusOf(JOB, 'succeeded'))
  if (draw < 0.1) return void response.destroy()
  if (draw < 0.15) return answerProblem(response, 500, 'odd')
  if (draw < 0.2) return answerProblem(response, 503, 'busy', { 'retry-after': '0' })
  const next = after(events, request)
  // It may begin too early, as one that forgot what it had sent does; it never begins too late.
  const repeated = events.slice(0, events.length - next.length).slice(-Math.floor(random() * 4))
  if (request.headers.accept === 'text/event-stream')
    await sendCut({ random, response, events: [...repeated, ...next] })
  else
    answerJson(response, { events: shuffle([...repeated, ...next.slice(0, 3)], random) }, 200, { 'retry-after': '0' })
}

/** Part of a stream, in chunks of any size, ended by a proper end or by a dead socket, anywhere in an event. */
async function sendCut(options: {
  readonly random: () => number
  readonly response: ServerResponse
  readonly events: readonly WireEvent[]
}): Promise<void> {
  const { random, response } = options
  const bytes = Buffer.from(options.events.map((event) => `: beat\n\n${sseOf(event)}`).join(''))
  const end = random() < 0.2 ? bytes.length : Math.floor(random() * Math.min(bytes.length, 900))
  openStream(response)
  for (let at = 0; at < end; ) {
    const size = 1 + Math.floor(random() * 200)
    const chunk = bytes.subarray(at, Math.min(end, at + size))
    await new Promise<void>((resolve) => response.write(chunk, () => resolve()))
    at += size
  }
  if (random() < 0.5) response.end()
  else response.destroy()
}

function shuffle<T>(items: T[], random: () => number): T[] {
  return items
    .map((item) => ({ item, rank: random() }))
    .sort((a, b) => a.rank - b.rank)
    .map(({ item }) => item)
}
