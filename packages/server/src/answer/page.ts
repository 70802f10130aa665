import type { FastifyReply, FastifyRequest } from 'fastify'
import { preferredType } from './accept.ts'
import { toHtml } from './html.ts'

export type PageType = 'application/json' | 'text/html'

/** JSON unless HTML is liked better; `?f=` overrules `Accept`, for links that a person clicks. */
export function pageType(request: FastifyRequest): PageType {
  const { f } = request.query as { f?: string } // sound: a query is an object; any value but these two is ignored
  if (f === 'html') return 'text/html'
  if (f === 'json') return 'application/json'
  return preferredType(request.headers.accept, ['application/json', 'text/html']) ?? 'application/json'
}

/** Sends a body as JSON, or as a plain HTML page that shows all of it. */
export function sendPage(request: FastifyRequest, reply: FastifyReply, title: string, body: object): FastifyReply {
  reply.header('vary', 'accept')
  if (pageType(request) === 'application/json') return reply.type('application/json').send(body)
  return reply.type('text/html; charset=utf-8').send(toHtml(title, body))
}
