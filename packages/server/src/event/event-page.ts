import type { JobEvent, Store } from '@headrace/engine'
import type { FastifyReply } from 'fastify'
import type { EventHub } from './event-hub.ts'
import { type Following, followEvents } from './follow-events.ts'
import { HEARTBEAT_MS, toWireEvent } from './server-sent-events.ts'

/** The next events after a cursor as one JSON page; with `waitMs` the answer waits until there is one. */
export async function sendEventPage(
  reply: FastifyReply,
  asked: {
    readonly store: Store
    readonly hub: EventHub
    readonly following: Omit<Following, 'idleMs'>
    readonly waitMs: number
  },
): Promise<FastifyReply> {
  const { store, hub, following, waitMs } = asked
  const signal = AbortSignal.any([following.signal, AbortSignal.timeout(waitMs)])
  const pages = followEvents(store, hub, { ...following, idleMs: HEARTBEAT_MS, ...(waitMs > 0 ? { signal } : {}) })
  const events = await firstPage(pages, waitMs > 0)
  return reply
    .header('cache-control', 'no-store')
    .send({ events: events.map(toWireEvent), next: events.at(-1)?.cursor ?? following.after })
}

async function firstPage(pages: AsyncIterable<readonly JobEvent[]>, waits: boolean): Promise<readonly JobEvent[]> {
  for await (const events of pages) if (events.length > 0 || !waits) return events
  return []
}
