import type { IncomingHttpHeaders } from 'node:http'
import { HttpProblem } from '../problem/http-problem.ts'

/**
 * Refuses a request that another site's page may have sent in the name of who is logged in here. Browsers say where a
 * request comes from in `Sec-Fetch-Site`, older ones in `Origin`; one that says neither is no browser, and has no
 * business with a cookie.
 */
export function refuseCrossSite(headers: IncomingHttpHeaders): void {
  if (isSameOrigin(headers)) return
  throw new HttpProblem({
    status: 403,
    code: 'cross_site',
    title: 'The request comes from another site',
    detail: 'A session cookie is taken only from this server’s own pages. Programs send Authorization: Bearer hr_….',
  })
}

function isSameOrigin(headers: IncomingHttpHeaders): boolean {
  const site = headers['sec-fetch-site']
  if (site !== undefined) return site === 'same-origin'
  if (headers.origin === undefined || !URL.canParse(headers.origin)) return false
  const origin = new URL(headers.origin)
  // Parsed under the same scheme, so that a default port that is written out is no difference.
  return URL.parse(`${origin.protocol}//${headers.host}`)?.host === origin.host
}
