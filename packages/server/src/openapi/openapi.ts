import { jsonSchemaOf } from '../process/json-schema.ts'
import type { ListedRoute } from './route-list.ts'
import { SCHEMAS } from './schemas.ts'

type Operation = { readonly [key: string]: unknown }

/** What OGC's test suite looks its operations up by. */
const OPERATION_IDS: Readonly<Record<string, string>> = {
  'GET /': 'getLandingPage',
  'GET /conformance': 'getConformanceClasses',
  'GET /processes': 'getProcesses',
  'GET /processes/:id': 'getProcessDescription',
  'POST /processes/:id/execution': 'execute',
  'GET /jobs': 'getJobs',
  'GET /jobs/:id': 'getStatus',
  'GET /jobs/:id/results': 'getResult',
  'DELETE /jobs/:id': 'dismiss',
}

const SUCCESS_SCHEMAS: Readonly<Record<string, string>> = {
  'GET /': 'landingPage',
  'GET /conformance': 'confClasses',
  'GET /processes': 'processList',
  'GET /processes/:id': 'process',
  'POST /processes/:id/execution': 'results',
  'GET /jobs': 'jobList',
  'GET /jobs/:id': 'statusInfo',
  'GET /jobs/:id/results': 'results',
  'DELETE /jobs/:id': 'statusInfo',
}

/** The routes as OpenAPI 3.0, for OGC's class `oas30` and for whoever generates a client. */
export function toOpenApi(
  routes: readonly ListedRoute[],
  server: { readonly baseUrl: string; readonly version: string },
): object {
  const paths: Record<string, Record<string, Operation>> = {}
  for (const route of routes.filter(({ url }) => !url.includes('*'))) {
    const path = toPath(route.url)
    paths[path] = { ...paths[path], [route.method.toLowerCase()]: toOperation(route) }
  }
  return {
    openapi: '3.0.3',
    info: { title: 'Headrace', version: server.version, license: { name: 'Apache-2.0' } },
    servers: [{ url: server.baseUrl }],
    security: [{ key: [] }],
    paths,
    components: {
      securitySchemes: {
        key: { type: 'http', scheme: 'bearer', description: 'An API key, hr_…' },
        session: {
          type: 'apiKey',
          in: 'cookie',
          name: 'headrace_session',
          description: 'With _ and the port behind it.',
        },
      },
      schemas: SCHEMAS,
    },
  }
}

function toOperation(route: ListedRoute): Operation {
  const name = `${route.method} ${route.url}`
  const operationId = OPERATION_IDS[name]
  return {
    ...(operationId === undefined ? {} : { operationId }),
    summary: route.summary ?? name,
    parameters: [...route.url.matchAll(/:(\w+)/g)].map(([, id]) => parameter(id ?? '')).concat(queryOf(name)),
    ...bodyOf(route, name),
    security: route.scope === 'public' ? [] : [{ key: [] }, { session: [] }],
    responses: responsesOf(route, SUCCESS_SCHEMAS[name]),
  }
}

function responsesOf(route: ListedRoute, schema: string | undefined): object {
  const content = schema ? { content: json(schema) } : {}
  const isCreated = route.method === 'POST' && /\/(execution|retry)$/.test(route.url)
  return {
    200: { description: 'It went well.', ...content },
    ...(isCreated
      ? { 201: { description: 'A job was submitted.', headers: LOCATION, content: json('statusInfo') } }
      : {}),
    400: problem('The request is invalid; `errors` points at what.'),
    ...(route.scope === 'public' ? {} : { 401: problem('No valid key.'), 403: problem('The key lacks the scope.') }),
    ...(route.url.includes(':') ? { 404: problem('There is none, or it is someone else’s.') } : {}),
    ...(isCreated
      ? {
          413: problem('The body or the input is too large.'),
          415: problem('The body is not JSON by its media type.'),
          422: problem('The idempotency key was used for another request, or the job failed.'),
          507: problem('The store is full.'),
        }
      : {}),
    500: problem('The server met an error that it did not foresee.'),
    503: problem('The store does not answer; try again after Retry-After.'),
    default: problem('Any other error.'),
  }
}

const LOCATION = { Location: { description: 'Where the job is.', schema: { type: 'string', format: 'uri' } } }

/** `/jobs/:id` as `/jobs/{id}`. */
function toPath(url: string): string {
  return url.replace(/:(\w+)/g, '{$1}')
}

function parameter(name: string): object {
  return { name, in: 'path', required: true, schema: { type: 'string' } }
}

function queryOf(name: string): readonly object[] {
  const query = (parameterName: string, schema: object) => ({
    name: parameterName,
    in: 'query',
    required: false,
    schema,
  })
  const limit = query('limit', { type: 'integer', minimum: 1, maximum: 10_000, default: 10 })
  const list = (parameterName: string) => query(parameterName, { type: 'array', items: { type: 'string' } })
  if (name === 'GET /processes') return [limit]
  if (name !== 'GET /jobs') return []
  const text = { type: 'string' }
  return [
    limit,
    ...['type', 'processID', 'status', 'state', 'queue'].map(list),
    ...['datetime', 'tag', 'owner', 'q', 'cursor'].map((one) => query(one, text)),
    ...['minDuration', 'maxDuration'].map((one) => query(one, { type: 'number' })),
    query('rootsOnly', { type: 'boolean', default: true }),
  ]
}

/** OGC's own body is in its words; the others are read by zod, which says them itself. */
function bodyOf({ body }: ListedRoute, name: string): object {
  if (name === 'POST /processes/:id/execution') return { requestBody: { required: true, content: json('execute') } }
  if (body === undefined) return {}
  return { requestBody: { required: true, content: { 'application/json': { schema: jsonSchemaOf(body, 'input') } } } }
}

function json(schema: string): object {
  return { 'application/json': { schema: { $ref: `#/components/schemas/${schema}` } } }
}

function problem(description: string): object {
  const schema = { $ref: '#/components/schemas/exception' }
  return { description, content: { 'application/problem+json': { schema }, 'application/json': { schema } } }
}
