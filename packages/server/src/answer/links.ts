import type { Link } from '@headrace/wire'
import type { FastifyRequest } from 'fastify'

/** Where this server is, for links: OGC's clients want them absolute. */
export type BaseUrl = (request: FastifyRequest) => string

/** @param configured what the server was told to be known as; otherwise it is what the client called it */
export function createBaseUrl(configured: string | undefined): BaseUrl {
  const fixed = configured?.replace(/\/+$/, '')
  return (request) => fixed ?? `${request.protocol}://${request.host}`
}

/** `self` in the form that is being given, and `alternate` in the other, as OGC asks of every page. */
export function selfLinks(url: string, as: 'application/json' | 'text/html' = 'application/json'): readonly Link[] {
  const other = as === 'application/json' ? 'text/html' : 'application/json'
  return [
    { href: withParameter(url, 'f', formName(as)), rel: 'self', type: as, title: 'this page' },
    { href: withParameter(url, 'f', formName(other)), rel: 'alternate', type: other, title: `this page as ${other}` },
  ]
}

export function withParameter(url: string, name: string, value: string): string {
  const parsed = new URL(url)
  parsed.searchParams.set(name, value)
  return parsed.href
}

function formName(type: 'application/json' | 'text/html'): 'json' | 'html' {
  return type === 'text/html' ? 'html' : 'json'
}
