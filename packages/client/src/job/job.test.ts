import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { LogLine, StatusInfo } from '@headrace/wire'
import { createClient } from '../client.ts'
import { JobCancelledError, JobFailedError, WaitTimeoutError } from '../errors.ts'
import type { Fetch } from '../http/http.ts'
import { ManualClock } from '../testing/manual-clock.ts'
import {
  answerJson,
  answerProblem,
  eventOf,
  type ScriptedServer,
  sseOf,
  startScriptedServer,
  statusOf,
} from '../testing/scripted-server.ts'

function jobOn(server: ScriptedServer) {
  return createClient({ baseUrl: server.url, random: () => 0 }).job('j1')
}

test('the result is waited for by long poll, and read once', async () => {
  let looks = 0
  await using server = await startScriptedServer((request, response) => {
    if (request.path === '/jobs/j1/results') return answerJson(response, { area: 12 })
    answerJson(response, statusOf('j1', ++looks < 3 ? 'running' : 'succeeded'), 200, { 'retry-after': '0' })
  })
  assert.deepEqual(await jobOn(server).result(), { area: 12 })
  assert.deepEqual(
    server.received.map((request) => request.path + (request.query.get('wait') ?? '')),
    ['/jobs/j125', '/jobs/j125', '/jobs/j125', '/jobs/j1/results'],
  )
})

test('a server that restarts in the middle of a wait is waited out', async () => {
  let looks = 0
  await using server = await startScriptedServer((request, response) => {
    if (request.path === '/jobs/j1/results') return answerJson(response, { done: true })
    looks++
    if (looks === 1) return void response.destroy()
    if (looks === 2) return answerProblem(response, 502, 'bad_gateway')
    answerJson(response, statusOf('j1', 'succeeded'))
  })
  assert.deepEqual(await jobOn(server).result(), { done: true })
})

test('a job that failed rejects with what its last attempt threw', async () => {
  const error = { code: 'raster_missing', message: 'There is no layer nlcd.' }
  await using server = await startScriptedServer((_request, response) =>
    answerJson(response, statusOf('j1', 'failed', { error })),
  )
  await assert.rejects(jobOn(server).result(), (thrown) => {
    assert.ok(thrown instanceof JobFailedError)
    assert.deepEqual([thrown.jobId, thrown.error], ['j1', error])
    assert.equal(thrown.message, 'double (job j1) failed: There is no layer nlcd.')
    return true
  })
})

test('a job that was cancelled rejects as cancelled, not as failed', async () => {
  await using server = await startScriptedServer((_request, response) => {
    answerJson(
      response,
      statusOf('j1', 'cancelled', { error: { code: 'job_cancelled', message: 'Cancelled by ada.' } }),
    )
  })
  await assert.rejects(jobOn(server).result(), (thrown) => {
    assert.ok(thrown instanceof JobCancelledError)
    assert.equal(thrown.message, 'double (job j1) was cancelled: Cancelled by ada.')
    return true
  })
})

test("the client's timeout stops the waiting at its instant, however slow the answers, and leaves the job alone", async () => {
  const clock = new ManualClock()
  const asked: string[] = []
  const fetch: Fetch = async (url, init) => {
    asked.push(`${init.method} ${url}`)
    if (asked.length === 1) {
      clock.advance(20_000)
      return Response.json(statusOf('j1', 'running'))
    }
    return new Promise((_resolve, reject) => init.signal?.addEventListener('abort', () => reject(init.signal?.reason)))
  }
  const result = createClient({ baseUrl: 'http://mill', fetch, clock }).job('j1').result({ timeoutMs: 30_000 })
  await clock.timerIn(35_000) // the second long poll has begun, at 20 s
  await new Promise((resolve) => setImmediate(resolve))
  clock.advance(9_999)
  clock.advance(1)
  await assert.rejects(result, (thrown) => {
    assert.ok(thrown instanceof WaitTimeoutError)
    assert.deepEqual([thrown.jobId, thrown.timeoutMs, thrown.lastStatus?.state], ['j1', 30_000, 'running'])
    return true
  })
  assert.deepEqual(asked, ['GET http://mill/jobs/j1?wait=25', 'GET http://mill/jobs/j1?wait=25'])
})

test('where nothing holds the request, the status is asked for at the pace of Retry-After', async () => {
  const clock = new ManualClock()
  let looks = 0
  const fetch: Fetch = async (url) => {
    if (url.includes('/results')) return Response.json({})
    return Response.json(statusOf('j1', ++looks < 3 ? 'running' : 'succeeded'), { headers: { 'retry-after': '4' } })
  }
  const result = createClient({ baseUrl: 'http://mill', fetch, clock }).job('j1').result()
  for (let wait = 0; wait < 2; wait++) {
    await clock.timerIn(4_000)
    clock.advance(4_000)
  }
  await result
  assert.equal(looks, 3)
})

test('cancel asks by DELETE and tells how the job then stands', async () => {
  await using server = await startScriptedServer((_request, response) =>
    answerJson(response, statusOf('j1', 'cancelled')),
  )
  assert.equal((await jobOn(server).cancel()).state, 'cancelled')
  assert.equal(server.received[0]?.method, 'DELETE')
})

test('retry gives the new job', async () => {
  await using server = await startScriptedServer((_request, response) =>
    answerJson(response, statusOf('j2', 'waiting', { retryOf: 'j1' }), 201),
  )
  assert.equal((await jobOn(server).retry()).id, 'j2')
})

const lines: LogLine[] = ['debug', 'info', 'warn', 'error', 'info'].map((level, index) => ({
  cursor: (index + 1) * 10,
  jobId: 'j1',
  attempt: 1,
  at: '2030-01-01T00:00:00.000Z',
  level: level as LogLine['level'], // sound: the list above
  message: `line ${index}`,
}))

test('logs are read page by page until the last one, with the filters left to the server', async () => {
  const many = Array.from({ length: 2_500 }, (_, index) => ({ ...lines[1], cursor: index + 1 }))
  await using server = await startScriptedServer((request, response) => {
    const page = many.filter((line) => line.cursor > Number(request.query.get('after'))).slice(0, 1_000)
    answerJson(response, { lines: page, next: page.at(-1)?.cursor ?? 0 })
  })
  const got = await Array.fromAsync(jobOn(server).logs({ level: 'warn', contains: 'line' }))
  assert.deepEqual(
    got.map((line) => line.cursor),
    many.map((line) => line.cursor),
  )
  assert.equal(server.received.length, 3)
  assert.equal(server.received[0]?.query.get('level'), 'warn,error')
  assert.equal(server.received[0]?.query.get('contains'), 'line')
})

test('followed logs give each line once, through lost connections, and end with the job', async () => {
  let logged = 2
  let streams = 0
  await using server = await startScriptedServer((request, response) => {
    if (request.path.endsWith('/logs')) {
      const after = Number(request.query.get('after'))
      const page = lines.slice(0, logged).filter((line) => line.cursor > after)
      return answerJson(response, { lines: page, next: page.at(-1)?.cursor ?? after })
    }
    streams++
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    if (streams === 1) {
      logged = 4
      return void response.write(sseOf(eventOf('j1', 40, 'log')), () => response.destroy())
    }
    logged = 5
    response.end(sseOf(eventOf('j1', 60, 'ended')))
  })
  const got = await Array.fromAsync(jobOn(server).logs({ follow: true }))
  assert.deepEqual(got, lines)
})

test('a subscriber sees the status now and after each change, up to the end', async () => {
  const statuses: StatusInfo[] = [
    statusOf('j1', 'waiting'),
    statusOf('j1', 'running'),
    statusOf('j1', 'succeeded', { progress: 100 }),
  ]
  let look = 0
  await using server = await startScriptedServer((request, response) => {
    if (!request.path.endsWith('/events')) return answerJson(response, statuses[look++])
    const events = [eventOf('j1', 10, 'started'), eventOf('j1', 20, 'ended')]
    const next = events.filter((event) => event.cursor > Number(request.query.get('cursor')))
    response.writeHead(200, { 'content-type': 'text/event-stream' }).end(next.slice(0, 1).map(sseOf).join(''))
  })
  const seen: string[] = []
  await new Promise<void>((resolve, reject) => {
    jobOn(server).subscribe((status) => {
      seen.push(status.state)
      if (status.state === 'succeeded') resolve()
    }, reject)
  })
  assert.deepEqual(seen, ['waiting', 'running', 'succeeded'])
})

test('a subscriber that left is told nothing more, and its connection is closed', async () => {
  const closed = Promise.withResolvers<void>()
  await using server = await startScriptedServer((request, response) => {
    if (!request.path.endsWith('/events')) return answerJson(response, statusOf('j1', 'running'))
    response.on('close', closed.resolve)
    response.writeHead(200, { 'content-type': 'text/event-stream' }).write(': welcome\n\n')
  })
  const calls: string[] = []
  await new Promise<void>((resolve, reject) => {
    const stop = jobOn(server).subscribe((status) => {
      calls.push(status.state)
      stop()
      resolve()
    }, reject)
  })
  await closed.promise
  assert.deepEqual(calls, ['running'])
})

test('a subscriber is told when the job cannot be seen', async () => {
  await using server = await startScriptedServer((_request, response) => answerProblem(response, 404, 'unknown_job'))
  const error = await new Promise((resolve) => {
    jobOn(server).subscribe(() => assert.fail('there is no status'), resolve)
  })
  assert.equal((error as { code: string }).code, 'unknown_job')
})

test('a signal goes out with its value and a key, so that its repetition is harmless', async () => {
  let tries = 0
  await using server = await startScriptedServer((_request, response) => {
    if (++tries === 1) return void response.destroy()
    answerJson(response, { outcome: 'delivered' }, 202)
  })
  assert.deepEqual(await jobOn(server).signal('map review', { ok: true }), { outcome: 'delivered' })
  const [first, second] = server.received
  assert.equal(first?.path, '/jobs/j1/signals/map%20review')
  assert.equal(first?.headers['idempotency-key'], second?.headers['idempotency-key'])
  assert.deepEqual(JSON.parse(second?.body ?? ''), { ok: true })
})
