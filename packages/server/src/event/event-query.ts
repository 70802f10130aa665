import type { FastifyRequest } from 'fastify'
import { z } from 'zod'
import { booleanParameter, cursorParameter, listParameter, waitParameter } from '../answer/query.ts'

const KINDS = [
  'queued',
  'started',
  'retried',
  'lapsed',
  'released',
  'parked',
  'ending',
  'cancel-requested',
  'ended',
  'progress',
  'log',
  'metric',
  'artifact',
  'step',
  'signal',
] as const

export const kindsParameter = listParameter.pipe(z.array(z.enum(KINDS)))

export const JobEventsQuery = z.object({
  cursor: cursorParameter.optional(),
  tree: booleanParameter.default(false),
  kinds: kindsParameter.optional(),
  wait: waitParameter.default(0),
})

export const AllEventsQuery = z.object({
  cursor: cursorParameter.optional(),
  job: listParameter.optional(),
  kinds: kindsParameter.optional(),
  wait: waitParameter.default(0),
})

/**
 * Where a client wants to go on. A browser that reconnects repeats its first URL and adds `Last-Event-ID`, which is
 * therefore the newer of the two.
 */
export function cursorOf(request: FastifyRequest, fromQuery: number | undefined): number | undefined {
  const header = request.headers['last-event-id']
  return typeof header === 'string' && /^\d{1,15}$/.test(header) ? Number(header) : fromQuery
}
