import type { Link } from '@headrace/wire'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { selfLinks } from './answer/links.ts'
import { pageType, sendPage } from './answer/page.ts'
import { toOpenApi } from './openapi/openapi.ts'
import type { RouteList } from './openapi/route-list.ts'
import type { ServerContext } from './server-context.ts'

const CONFORMANCE_BASE = 'http://www.opengis.net/spec/ogcapi-processes-1/1.0/conf/'
/** Only what is truly served. `callback` is not. */
const CONFORMANCE_CLASSES = ['core', 'ogc-process-description', 'json', 'html', 'oas30', 'job-list', 'dismiss']
const OGC_RELATION = 'http://www.opengis.net/def/rel/ogc/1.0'
const OPENAPI_TYPE = 'application/vnd.oai.openapi+json;version=3.0'

/** The first page of the API, what it conforms to, and its description. */
export function landingRoutes(fastify: FastifyInstance, context: ServerContext, routes: RouteList): void {
  const { baseUrl, version } = context

  fastify.get(
    '/conformance',
    { config: { scope: 'public', summary: 'The conformance classes that are served' } },
    async (request, reply) => {
      const links = selfLinks(baseUrl(request) + request.url, pageType(request))
      const conformsTo = CONFORMANCE_CLASSES.map((name) => CONFORMANCE_BASE + name)
      return sendPage(request, reply, 'Conformance', { conformsTo, links })
    },
  )

  fastify.get(
    '/api',
    { config: { scope: 'public', summary: 'This description, as OpenAPI 3.0' } },
    async (request, reply) => {
      const description = toOpenApi(routes.all(), { baseUrl: baseUrl(request), version })
      if (pageType(request) === 'text/html') return sendPage(request, reply, 'The API', description)
      // As bytes: to text Fastify would add a charset, which this media type does not have.
      return reply.header('content-type', OPENAPI_TYPE).send(Buffer.from(JSON.stringify(description)))
    },
  )
}

export function landingPage(context: ServerContext, request: FastifyRequest): object {
  const base = context.baseUrl(request)
  const link = (path: string, rel: string, title: string, type = 'application/json'): Link => ({
    href: base + path,
    rel,
    type,
    title,
  })
  return {
    title: 'Headrace',
    description: 'Durable asynchronous jobs, as OGC API - Processes.',
    version: context.version,
    links: [
      ...selfLinks(`${base}/`, pageType(request)),
      link('/api', 'service-desc', 'the API as OpenAPI 3.0', OPENAPI_TYPE),
      link('/api?f=html', 'service-doc', 'the API as a page', 'text/html'),
      link('/conformance', `${OGC_RELATION}/conformance`, 'what it conforms to'),
      link('/conformance', 'conformance', 'what it conforms to'),
      link('/processes', `${OGC_RELATION}/processes`, 'what can be run'),
      link('/jobs', `${OGC_RELATION}/job-list`, 'the jobs'),
    ],
  }
}
