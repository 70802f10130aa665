import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import { flawsOfIssues } from '../answer/flaws.ts'
import { expiredSessionCookie, sessionCookie, sessionOfCookies } from '../auth/cookie.ts'
import { refuseCrossSite } from '../auth/cross-site.ts'
import { endSession } from '../auth/session.ts'
import { HttpProblem, requestInvalid } from '../problem/http-problem.ts'
import type { ServerContext } from '../server-context.ts'
import { logIn, type Refused } from './login.ts'
import { sendLoginPage } from './login-page.ts'

const Body = z.strictObject({ key: z.string().trim().min(1).max(2_000) })

/** A session for browsers: POST /login with a key, POST /logout. */
export function loginRoutes(fastify: FastifyInstance, context: ServerContext): void {
  const { store } = context.engine
  fastify.addContentTypeParser<string>(
    'application/x-www-form-urlencoded',
    { parseAs: 'string' },
    async (_request: unknown, text: string) => Object.fromEntries(new URLSearchParams(text)),
  )

  fastify.post(
    '/login',
    { config: { scope: 'public', summary: 'Open a session with a key, for a browser' }, bodyLimit: 16_384 },
    async (request, reply) => {
      // Or another site could log you in as someone else, and collect what you then do.
      refuseCrossSite(request.headers)
      const body = Body.safeParse(request.body ?? {})
      if (!body.success) throw requestInvalid('The login', flawsOfIssues(body.error.issues, []))
      const login = await logIn(store, body.data.key)
      if ('refused' in login) return refuse(request, reply, login.refused)
      setSessionCookie(context, request, reply, login.session)
      return isForm(request) ? reply.redirect('/app/', 303) : reply.code(204).send()
    },
  )

  fastify.post('/logout', { config: { scope: 'public', summary: 'End the session' } }, async (request, reply) => {
    refuseCrossSite(request.headers)
    const session = sessionOfCookies(request.headers.cookie, request.host)
    if (session !== undefined) await endSession(store, session)
    return reply.header('set-cookie', expiredSessionCookie(request.host)).code(204).send()
  })
}

export function setSessionCookie(
  context: ServerContext,
  request: FastifyRequest,
  reply: FastifyReply,
  session: string,
): void {
  const isSecure = context.baseUrl(request).startsWith('https:')
  reply.header('set-cookie', sessionCookie(session, request.host, { isSecure }))
}

function refuse(request: FastifyRequest, reply: FastifyReply, refused: Refused): FastifyReply {
  if (isForm(request)) return sendLoginPage(reply, { status: 401, refused: refused.why })
  throw notLoggedIn(refused)
}

export function notLoggedIn({ code, why }: Refused): HttpProblem {
  return new HttpProblem({ status: code === 'login_token_used' ? 410 : 401, code, title: 'Not logged in', detail: why })
}

function isForm(request: FastifyRequest): boolean {
  return request.headers['content-type']?.startsWith('application/x-www-form-urlencoded') ?? false
}
