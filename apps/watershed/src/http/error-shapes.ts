import { InputInvalidError } from '@headrace/engine'
import { HttpProblem } from '@headrace/server'
import type { Reply, Routes } from './routes.ts'

// How Model My Watershed, and the Django REST framework that it is built on, say no: an invalid input is a 400 with a JSON
// list of messages, all else an object with one text, `detail`. Who sends no credential, or a bad one, gets a 403, for there
// the session comes first. What this app does not foresee goes on to the server's own handler: its problems have a `detail`, too.

/** Something wrong with the input: a 400, with the message in a JSON list. */
export class ListedError extends Error {
  override readonly name = 'ListedError'
}

export function answerDetails(fastify: Routes): void {
  fastify.setErrorHandler((error, _request, reply) => {
    if (error instanceof ListedError) return sendList(reply, [error.message])
    if (error instanceof InputInvalidError) return sendList(reply, messagesOf(error))
    if (error instanceof HttpProblem) return sendDetail(reply, error)
    throw error
  })
}

/** One message for each issue; the engine's own sentence would name paths that the client never sent. */
function messagesOf({ issues }: InputInvalidError): string[] {
  return [...new Set(issues.map(({ message }) => message))]
}

function sendList(reply: Reply, messages: readonly string[]): Reply {
  return reply.code(400).header('cache-control', 'no-store').send(messages)
}

function sendDetail(reply: Reply, problem: HttpProblem): Reply {
  const { status, detail } = detailOf(problem)
  const { 'www-authenticate': _, ...headers } = problem.headers
  return reply.code(status).headers(headers).header('cache-control', 'no-store').send({ detail })
}

function detailOf({ code, status, message, headers }: HttpProblem): { status: number; detail: string } {
  if (code === 'unknown_job') return { status: 404, detail: 'Not found.' }
  if (code !== 'unauthenticated') return { status, detail: message }
  const isBadToken = headers['www-authenticate']?.includes('invalid_token') ?? false
  return {
    status: 403,
    detail: isBadToken ? 'Invalid token.' : 'Authentication credentials were not provided.',
  }
}
