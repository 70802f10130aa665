import type { Json } from '@headrace/wire'
import { type Clock, sleep } from '../clock/clock.ts'
import { type LinkedAbort, linkAbort } from '../clock/linked-abort.ts'
import { UnreachableError } from '../errors.ts'
import { readProblem } from './problem.ts'
import { retryDelayMs } from './retry.ts'

export type Fetch = (url: string, init: RequestInit) => Promise<Response>
export type Token = string | (() => string | undefined | Promise<string | undefined>)
export type Query = Readonly<Record<string, string | number | boolean | undefined>>

export type HttpRequest = {
  /** Default GET. */
  readonly method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** Begins with `/`, relative to the base URL. */
  readonly path: string
  readonly query?: Query
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: Json
  /** In the body's place: files. */
  readonly form?: FormData
  /** Whether to send it twice does no harm. Default: true for all but POST. */
  readonly isRepeatable?: boolean
  readonly signal?: AbortSignal | undefined
  /** How long failures are answered by trying again, from the first try. 0: one try. */
  readonly retryForMs?: number
  /** For one try, until its answer is read. Default 30,000. */
  readonly timeoutMs?: number
}

export type HttpOptions = {
  readonly baseUrl: string
  readonly token: Token | undefined
  readonly fetch: Fetch
  readonly clock: Clock
  readonly random: () => number
  readonly retryForMs: number
}

/** Requests to one server. Every answer outside 2xx and 304 is thrown as a `ProblemError`. */
export interface Http {
  readonly clock: Clock
  readonly random: () => number
  /** Sends, and sends again as `retry.ts` decides, until `read` has read an answer. */
  send<T>(request: HttpRequest, read: (response: Response) => Promise<T>): Promise<T>
  json<T>(request: HttpRequest): Promise<T>
  /** One try; the body is still to be read, and aborting `link` ends it. */
  open(request: HttpRequest, link: LinkedAbort): Promise<Response>
}

const TIMEOUT_MS = 30_000

export function createHttp(options: HttpOptions): Http {
  const { clock, random } = options
  const authorization = createAuthorization(options.token)

  async function open(request: HttpRequest, link: LinkedAbort): Promise<Response> {
    const url = urlOf(options.baseUrl, request)
    link.abortAfter(request.timeoutMs ?? TIMEOUT_MS, () => new UnreachableError(url, 'it did not answer in time'))
    let response = await fetchOnce(url, request, link.signal, await authorization.header())
    if (response.status === 401 && authorization.canRefresh) {
      await response.body?.cancel()
      response = await fetchOnce(url, request, link.signal, await authorization.refreshedHeader())
    }
    if (response.ok || response.status === 304) return response
    throw await readProblem(response, url)
  }

  async function fetchOnce(url: string, request: HttpRequest, signal: AbortSignal, authorization: string | undefined) {
    try {
      return await options.fetch(url, initOf(request, signal, authorization))
    } catch (error) {
      signal.throwIfAborted()
      throw new UnreachableError(url, reasonOf(error), { cause: error })
    }
  }

  async function trySend<T>(request: HttpRequest, read: (response: Response) => Promise<T>): Promise<T> {
    const link = linkAbort(clock, request.signal)
    try {
      return await readAnswer(await open(request, link), read, link.signal)
    } finally {
      link.dispose()
    }
  }

  async function send<T>(request: HttpRequest, read: (response: Response) => Promise<T>): Promise<T> {
    const giveUpAt = clock.now() + (request.retryForMs ?? options.retryForMs)
    for (let failures = 0; ; failures++) {
      try {
        return await trySend(request, read)
      } catch (error) {
        request.signal?.throwIfAborted()
        const delayMs = retryDelayMs({ error, isRepeatable: isRepeatable(request), failures, random })
        if (delayMs === undefined || clock.now() + delayMs >= giveUpAt) throw error
        await sleep(clock, delayMs, request.signal)
      }
    }
  }

  return { clock, random, send, open, json: <T>(request: HttpRequest) => send<T>(request, readJson) }
}

async function readJson<T>(response: Response): Promise<T> {
  return (await response.json()) as T // sound: the server keeps to @headrace/wire
}

/** A body that breaks off, or is not the JSON it said, is a failure of the network like a refused connection. */
async function readAnswer<T>(response: Response, read: (response: Response) => Promise<T>, signal: AbortSignal) {
  try {
    return await read(response)
  } catch (error) {
    signal.throwIfAborted()
    throw new UnreachableError(response.url, `its answer broke off (${reasonOf(error)})`, { cause: error })
  }
}

function isRepeatable(request: HttpRequest): boolean {
  return request.isRepeatable ?? request.method !== 'POST'
}

function urlOf(baseUrl: string, request: HttpRequest): string {
  const query = new URLSearchParams()
  for (const [name, value] of Object.entries(request.query ?? {})) {
    if (value !== undefined) query.set(name, String(value))
  }
  const text = query.toString()
  return baseUrl.replace(/\/+$/, '') + request.path + (text ? `?${text}` : '')
}

function initOf(request: HttpRequest, signal: AbortSignal, authorization: string | undefined): RequestInit {
  const headers: Record<string, string> = { accept: 'application/json', ...request.headers }
  if (authorization) headers.authorization = authorization
  if (request.body !== undefined) headers['content-type'] = 'application/json'
  return {
    method: request.method ?? 'GET',
    headers,
    signal,
    credentials: 'same-origin',
    ...(request.body === undefined ? {} : { body: JSON.stringify(request.body) }),
    // With its own content type, which names the boundary between its parts.
    ...(request.form === undefined ? {} : { body: request.form }),
  }
}

/** A token given as a function is asked once and kept until the server refuses it. */
function createAuthorization(token: Token | undefined) {
  let kept: Promise<string | undefined> | undefined
  const ask = async () => (typeof token === 'function' ? token() : token)
  const header = async () => {
    kept ??= ask()
    const value = await kept.catch((error) => {
      kept = undefined
      throw error
    })
    return value === undefined ? undefined : `Bearer ${value}`
  }
  return {
    canRefresh: typeof token === 'function',
    header,
    refreshedHeader() {
      kept = undefined
      return header()
    },
  }
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const cause = error.cause
  return cause instanceof Error && cause.message ? cause.message : error.message
}
