import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { HttpProblem, toProblem } from './http-problem.ts'
import { problemOfError } from './problem-of-error.ts'

/** Makes every error of this instance, and every unknown route, an RFC 9457 problem. */
export function answerProblems(fastify: FastifyInstance): void {
  fastify.setErrorHandler((error, request, reply) => {
    const problem = problemOfError(error, { id: request.id, sizeBytesMax: request.routeOptions.bodyLimit })
    // The rest of a body that is too large is read and dropped: to close on a client that is still sending would reset the
    // connection, and lose it this answer.
    reply.removeHeader('connection')
    if (problem.status === 413) request.raw.resume()
    if (problem.status >= 500) request.log.error({ err: error }, problem.title)
    return sendProblem(request, reply, problem)
  })
  fastify.setNotFoundHandler((request, reply) => sendProblem(request, reply, unknownRoute(request)))
}

export function sendProblem(request: FastifyRequest, reply: FastifyReply, problem: HttpProblem): FastifyReply {
  return reply
    .code(problem.status)
    .headers(problem.headers)
    .header('cache-control', 'no-store')
    .header('content-type', problemMediaType(request.headers.accept))
    .serializer(JSON.stringify)
    .send(toProblem(problem, pathOf(request)))
}

/** OGC's test suite asks for `application/json` and means it; everyone else gets the media type of RFC 9457. */
function problemMediaType(accept: string | undefined): string {
  return accept?.trim() === 'application/json' ? 'application/json' : 'application/problem+json'
}

function unknownRoute(request: FastifyRequest): HttpProblem {
  return new HttpProblem({
    status: 404,
    code: 'route_unknown',
    title: 'No such route',
    detail: `There is no ${request.method} ${pathOf(request)} here. GET /api describes what there is.`,
  })
}

/** Without the query: a login token or a search must not be repeated in a body that someone may paste elsewhere. */
function pathOf(request: FastifyRequest): string {
  return request.url.split('?', 1)[0] ?? request.url
}
