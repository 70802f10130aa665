import { Readable } from 'node:stream'
import type { JobEvent } from '@headrace/engine'
import type { WireEvent } from '@headrace/wire'
import type { FastifyReply } from 'fastify'
import { iso } from '../job/status-info.ts'

/** A comment this often, so that proxies keep the connection and clients notice a dead one. */
export const HEARTBEAT_MS = 15_000
/** Who takes nothing for so long is let go; its cursor lets it come back. */
const STALLED_MS = 60_000
const RETRY_MS = 2_000

/** Streams pages of events as `text/event-stream`. An empty page is a heartbeat. */
export function sendEventStream(reply: FastifyReply, pages: AsyncIterable<readonly JobEvent[]>): FastifyReply {
  return reply
    .header('content-type', 'text/event-stream; charset=utf-8')
    .header('cache-control', 'no-cache, no-transform')
    .header('x-accel-buffering', 'no') // nginx would hold it back
    .send(Readable.from(chunksOf(pages, () => reply.raw.destroy())))
}

export function toWireEvent({ cursor, jobId, kind, attempt, at, data }: JobEvent): WireEvent {
  return { cursor, jobId, kind, attempt, at: iso(at), data }
}

async function* chunksOf(pages: AsyncIterable<readonly JobEvent[]>, letGo: () => void): AsyncGenerator<string, void> {
  yield `retry: ${RETRY_MS}\n: welcome\n\n`
  for await (const events of pages) {
    // A chunk that is yielded stays until the client has taken what came before it.
    const stalled = setTimeout(letGo, STALLED_MS)
    stalled.unref()
    try {
      yield events.length > 0 ? events.map(toText).join('') : ': beat\n\n'
    } finally {
      clearTimeout(stalled)
    }
  }
}

function toText(event: JobEvent): string {
  return `id: ${event.cursor}\nevent: ${event.kind}\ndata: ${JSON.stringify(toWireEvent(event))}\n\n`
}
