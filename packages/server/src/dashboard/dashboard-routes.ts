import { stat } from 'node:fs/promises'
import { join, normalize } from 'node:path'
import fastifyStatic from '@fastify/static'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { preferredType } from '../answer/accept.ts'
import { sendPage } from '../answer/page.ts'
import { landingPage } from '../landing-routes.ts'
import { HttpProblem } from '../problem/http-problem.ts'
import type { ServerContext } from '../server-context.ts'
import { logInWithToken } from './login.ts'
import { sendLoginPage } from './login-page.ts'
import { notLoggedIn, setSessionCookie } from './login-routes.ts'

/**
 * `/` for people and programs, and the dashboard's pages under `/app/`: files as they are, and every other path is a
 * place inside the dashboard, which its index.html finds by itself.
 * @param dashboardDir where the built dashboard is; without one `/` is the API's first page for everyone
 */
export async function dashboardRoutes(
  fastify: FastifyInstance,
  context: ServerContext,
  dashboardDir: string | undefined,
): Promise<void> {
  const { store } = context.engine

  fastify.get('/', { config: { scope: 'public', summary: 'Where everything is' } }, async (request, reply) => {
    const { token, f } = request.query as { token?: unknown; f?: unknown } // sound: a query is an object
    // A HEAD is someone's preview of the link, which must not use it up.
    if (typeof token === 'string' && request.method === 'GET') {
      const login = await logInWithToken(store, token)
      if ('refused' in login && !wantsHtml(request)) throw notLoggedIn(login.refused)
      if ('refused' in login) return sendLoginPage(reply, { status: 410, refused: login.refused.why })
      setSessionCookie(context, request, reply, login.session)
      return reply.header('cache-control', 'no-store').redirect('/', 303)
    }
    if (dashboardDir !== undefined && f === undefined && wantsHtml(request)) return reply.redirect('/app/', 302)
    return sendPage(request, reply, 'Headrace', landingPage(context, request))
  })

  if (dashboardDir !== undefined) await fastify.register(fastifyStatic, { root: dashboardDir, serve: false })
  const page = (request: FastifyRequest, reply: FastifyReply) => sendDashboard(request, reply, dashboardDir)
  fastify.get('/app', { config: { scope: 'public', summary: 'The dashboard' } }, async (_request, reply) =>
    reply.redirect('/app/', 302),
  )
  fastify.get('/app/*', { config: { scope: 'public' } }, page)
}

async function sendDashboard(request: FastifyRequest, reply: FastifyReply, dashboardDir: string | undefined) {
  if (dashboardDir === undefined) throw dashboardMissing()
  const { '*': path } = request.params as { '*': string } // sound: the route ends in *
  if (path !== '' && path !== 'index.html' && (await isFile(dashboardDir, path))) {
    // The build puts a hash of the content into these names, so what a name stands for never changes.
    const isHashed = path.startsWith('assets/')
    return reply.sendFile(path, isHashed ? { maxAge: '1y', immutable: true } : { maxAge: '5m' })
  }
  if (/\.\w+$/.test(path) && !wantsHtml(request)) throw unknownFile(path)
  if (!request.caller) return sendLoginPage(reply, { status: 401 })
  return reply.header('cache-control', 'no-cache').sendFile('index.html', { cacheControl: false })
}

/** No path leads out of the folder: `..` is resolved before the folder is put in front. */
async function isFile(dashboardDir: string, path: string): Promise<boolean> {
  const found = await stat(join(dashboardDir, normalize(`/${path}`))).catch(() => undefined) // not there: no file
  return found?.isFile() ?? false
}

function wantsHtml(request: FastifyRequest): boolean {
  return preferredType(request.headers.accept, ['application/json', 'text/html']) === 'text/html'
}

function unknownFile(path: string): HttpProblem {
  return new HttpProblem({
    status: 404,
    code: 'route_unknown',
    title: 'No such file',
    detail: `The dashboard has no file ${path}.`,
  })
}

function dashboardMissing(): HttpProblem {
  return new HttpProblem({
    status: 404,
    code: 'dashboard_missing',
    title: 'The dashboard is not here',
    detail:
      'This server was started without the dashboard. Build it (npm run build -w packages/dashboard) and start again.',
  })
}
