import type { WireEvent } from '@headrace/wire'
import { type LinkedAbort, linkAbort } from '../clock/linked-abort.ts'
import { UnreachableError } from '../errors.ts'
import type { Http, Query } from '../http/http.ts'
import { retryAfterMs } from '../http/retry-after.ts'
import type { Rung } from './ladder.ts'
import { createSseParser } from './sse-parser.ts'

/** What one connection has to say at one moment. Without events it is a sign of life. */
export type EventBatch = {
  /** `none`: the server says that nothing is left to come (204). */
  readonly form: 'stream' | 'page' | 'none'
  readonly events: readonly WireEvent[]
  /** Where to go on from after these events, when the server said so: also known before the first event. */
  readonly cursor: number | undefined
  /** How soon the server wants to be asked again once this connection has ended: SSE's `retry:`, or `Retry-After`. */
  readonly againAfterMs: number | undefined
}

/** What the event routes answer to `Accept: application/json`. */
type EventPage = { readonly events: readonly WireEvent[]; readonly next?: number }

const WAIT_SECONDS = 25
/** The server writes a comment every 15 s. A first one that is late means that something in between holds it back... */
const FIRST_WORD_MS_MAX = 20_000
/** ...and three missing ones that the connection is dead, whatever TCP believes. */
const SILENCE_MS_MAX = 45_000

/**
 * Opens one connection and gives what it brings, until it ends. The answer's media type decides how it is read, so a
 * server that answers a poll with a stream, or a stream request with a page, is understood all the same.
 */
export async function* readEvents(
  http: Http,
  request: {
    readonly path: string
    readonly query: Query
    readonly rung: Rung
    readonly signal?: AbortSignal | undefined
  },
): AsyncGenerator<EventBatch, void> {
  const link = linkAbort(http.clock, request.signal)
  try {
    const response = await http.open(
      {
        path: request.path,
        query: { ...request.query, wait: request.rung === 'long-poll' ? WAIT_SECONDS : undefined },
        headers: { accept: request.rung === 'stream' ? 'text/event-stream' : 'application/json' },
        timeoutMs: SILENCE_MS_MAX,
      },
      link,
    )
    if (response.status === 204) yield { form: 'none', events: [], cursor: undefined, againAfterMs: undefined }
    else if (mediaTypeOf(response) === 'text/event-stream') yield* readStream(response, link)
    else yield await readPage(response, link)
  } finally {
    link.abort(new DOMException('No longer read.', 'AbortError'))
    link.dispose()
  }
}

async function* readStream(response: Response, link: LinkedAbort): AsyncGenerator<EventBatch, void> {
  const reader = response.body?.getReader()
  const parser = createSseParser()
  let silenceMsMax = FIRST_WORD_MS_MAX
  while (reader) {
    const limitMs = silenceMsMax
    link.abortAfter(limitMs, () => new UnreachableError(response.url, `the stream was silent for ${limitMs} ms`))
    const { done, value } = await reader.read().catch((error) => throwBrokenOff(response, link, error))
    link.abortAfter(undefined) // who reads may take their time
    if (done) return
    silenceMsMax = SILENCE_MS_MAX
    const events = parser.push(value).map((event) => parseEvent(event.data))
    yield { form: 'stream', events, cursor: cursorOf(parser.lastEventId), againAfterMs: parser.retryMs }
  }
}

async function readPage(response: Response, link: LinkedAbort): Promise<EventBatch> {
  const body: unknown = await response.json().catch((error) => throwBrokenOff(response, link, error))
  const page = body as EventPage // sound: the server keeps to the contract
  const events = [...page.events].sort((a, b) => a.cursor - b.cursor)
  return { form: 'page', events, cursor: page.next, againAfterMs: retryAfterMs(response.headers) }
}

function cursorOf(lastEventId: string): number | undefined {
  return /^\d+$/.test(lastEventId) ? Number(lastEventId) : undefined
}

function parseEvent(data: string): WireEvent {
  return JSON.parse(data) as WireEvent // sound: the server keeps to @headrace/wire
}

function throwBrokenOff(response: Response, link: LinkedAbort, error: unknown): never {
  link.signal.throwIfAborted()
  throw new UnreachableError(response.url, 'its answer broke off', { cause: error })
}

function mediaTypeOf(response: Response): string {
  return (response.headers.get('content-type') ?? '').split(';')[0]?.trim().toLowerCase() ?? ''
}
