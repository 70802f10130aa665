import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ProblemError, UnreachableError } from '../errors.ts'
import { ManualClock } from '../testing/manual-clock.ts'
import { createHttp, type Fetch, type Token } from './http.ts'

const halfway = () => 0.5

/** A fetch that gives these answers in turn, the last one for ever. */
function answering(...answers: (() => Response)[]): Fetch & { count(): number; authorizations: (string | null)[] } {
  let count = 0
  const authorizations: (string | null)[] = []
  const fetch = async (_url: string, init: RequestInit) => {
    authorizations.push(new Headers(init.headers).get('authorization'))
    const answer = answers[Math.min(count++, answers.length - 1)]
    assert.ok(answer)
    return answer()
  }
  return Object.assign(fetch, { count: () => count, authorizations })
}

const refuse = (): Response => {
  throw new TypeError('fetch failed', { cause: new Error('connect ECONNREFUSED') })
}
const ok = () => Response.json({ fine: true })
const problem = (status: number, headers: Record<string, string> = {}) => {
  const body = { type: 'urn:x', title: 'No', status, code: 'busy' }
  return () => Response.json(body, { status, headers })
}

function httpOf(fetch: Fetch, clock: ManualClock, more: { token?: Token; retryForMs?: number } = {}) {
  const { token, retryForMs = 60_000 } = more
  return createHttp({ baseUrl: 'http://mill', token, fetch, clock, random: halfway, retryForMs })
}

test('a lost connection is tried again with growing waits', async () => {
  const clock = new ManualClock()
  const fetch = answering(refuse, refuse, refuse, ok)
  const answer = httpOf(fetch, clock).json({ path: '/jobs' })
  for (const delayMs of [250, 500, 1_000]) {
    await clock.timerIn(delayMs)
    clock.advance(delayMs)
  }
  assert.deepEqual(await answer, { fine: true })
  assert.equal(fetch.count(), 4)
})

test('a POST that is not repeatable is sent once when the connection is lost or the server fails', async () => {
  for (const failure of [refuse, problem(500), problem(503)]) {
    const fetch = answering(failure)
    await assert.rejects(httpOf(fetch, new ManualClock()).json({ method: 'POST', path: '/jobs/1/retry' }))
    assert.equal(fetch.count(), 1)
  }
})

test('429, and 503 with Retry-After, are obeyed for every method, for nothing was done', async () => {
  for (const status of [429, 503]) {
    const clock = new ManualClock()
    const fetch = answering(problem(status, { 'retry-after': '7' }), ok)
    const answer = httpOf(fetch, clock).json({ method: 'POST', path: '/jobs/1/retry' })
    await clock.timerIn(7_250)
    clock.advance(7_250)
    await answer
    assert.equal(fetch.count(), 2)
  }
})

test('what the caller did wrong is not tried again, and carries the problem', async () => {
  const fetch = answering(problem(404))
  await assert.rejects(httpOf(fetch, new ManualClock()).json({ path: '/jobs/none' }), (error) => {
    assert.ok(error instanceof ProblemError)
    assert.deepEqual([error.status, error.code, error.problem.title], [404, 'busy', 'No'])
    return true
  })
  assert.equal(fetch.count(), 1)
})

test('an answer that is not ours says so instead of pretending', async () => {
  const fetch = answering(() => new Response('<h1>Not found</h1>', { status: 404 }))
  await assert.rejects(httpOf(fetch, new ManualClock()).json({ path: '/jobs' }), {
    code: 'http_404',
    message: /http:\/\/mill\/jobs answered 404 .*Headrace/,
  })
})

test('after retryForMs the last error is thrown', async () => {
  const clock = new ManualClock()
  const fetch = answering(refuse)
  const answer = httpOf(fetch, clock, { retryForMs: 400 }).json({ path: '/jobs' })
  await clock.timerIn(250)
  clock.advance(250)
  await assert.rejects(answer, (error) => error instanceof UnreachableError && /ECONNREFUSED/.test(error.message))
  assert.equal(fetch.count(), 2)
})

test('a Retry-After beyond the time there is ends the call at once', async () => {
  const fetch = answering(problem(503, { 'retry-after': '3600' }))
  await assert.rejects(httpOf(fetch, new ManualClock()).json({ path: '/jobs' }), { retryAfterMs: 3_600_000 })
})

test('an aborted signal ends a wait between two tries with its own reason', async () => {
  const clock = new ManualClock()
  const abort = new AbortController()
  const answer = httpOf(answering(refuse), clock).json({ path: '/jobs', signal: abort.signal })
  await clock.timerIn(250)
  abort.abort(new Error('left the page'))
  await assert.rejects(answer, /left the page/)
})

test('a server that accepts the connection and stays silent counts as unreachable', async () => {
  const clock = new ManualClock()
  const hang: Fetch = (_url, init) =>
    new Promise((_resolve, reject) => {
      const fail = () => reject(init.signal?.reason)
      if (init.signal?.aborted) fail()
      else init.signal?.addEventListener('abort', fail)
    })
  const answer = httpOf(hang, clock, { retryForMs: 0 }).json({ path: '/jobs' })
  await clock.timerIn(30_000)
  clock.advance(30_000)
  await assert.rejects(answer, /did not answer in time/)
})

test('an answer that breaks off is tried again', async () => {
  const clock = new ManualClock()
  const fetch = answering(() => new Response('{"fine":'), ok)
  const answer = httpOf(fetch, clock).json({ path: '/jobs' })
  await clock.timerIn(250)
  clock.advance(250)
  assert.deepEqual(await answer, { fine: true })
})

test('a token function is asked again once after a 401, and its answer is kept', async () => {
  let asked = 0
  const fetch = answering(ok, problem(401), ok, ok)
  const http = httpOf(fetch, new ManualClock(), { token: async () => `key${++asked}` })
  for (let request = 0; request < 3; request++) await http.json({ path: '/jobs' })
  assert.deepEqual(fetch.authorizations, ['Bearer key1', 'Bearer key1', 'Bearer key2', 'Bearer key2'])
})

test('a fixed token that is refused is not sent twice', async () => {
  const fetch = answering(problem(401))
  await assert.rejects(httpOf(fetch, new ManualClock(), { token: 'old' }).json({ path: '/jobs' }), { status: 401 })
  assert.equal(fetch.count(), 1)
})
