import type { Store } from '@headrace/engine'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { z } from 'zod'
import { HttpProblem } from '../problem/http-problem.ts'
import { callerOfKey } from './api-key.ts'
import { type Caller, hasScope, type RouteScope } from './caller.ts'
import { sessionOfCookies } from './cookie.ts'
import { refuseCrossSite } from './cross-site.ts'
import { callerOfSession } from './session.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** Who sent it. On a public route it is undefined unless a valid credential came along. */
    caller: Caller
  }
  interface FastifyContextConfig {
    /** Required of every route; the server refuses to start without it. */
    scope?: RouteScope
    /** One line for the API description. */
    summary?: string
    /** What the route reads its JSON body by, for the API description. */
    body?: z.ZodType
  }
}

const SAFE_METHODS = ['GET', 'HEAD', 'OPTIONS']

/** Refuses, before a body is read, who is nobody or may not. A route that says no scope keeps the server from starting. */
export function authenticate(fastify: FastifyInstance, store: Store): void {
  fastify.decorateRequest('caller', undefined as unknown as Caller) // sound: the hook below sets it before any handler
  fastify.addHook('onRoute', (route) => {
    if (route.config?.scope === undefined) throw new MissingScopeError(String(route.method), route.url)
  })
  fastify.addHook('onRequest', async (request) => {
    if (request.is404) return
    const scope = request.routeOptions.config.scope ?? 'admin'
    const caller = await callerOf(store, request)
    if (caller) request.caller = caller
    if (scope !== 'public') requireScope(caller, scope)
  })
}

/** A route that forgot to say who may call it: a bug of ours or of an app, found at the start. */
class MissingScopeError extends Error {
  override readonly name = 'MissingScopeError'
  constructor(method: string, url: string) {
    super(`The route ${method} ${url} has no config.scope. Say which scope it needs, or 'public'.`)
  }
}

async function callerOf(store: Store, request: FastifyRequest): Promise<Caller | undefined> {
  const authorization = request.headers.authorization
  if (authorization !== undefined) return callerOfAuthorization(store, authorization)
  const cookie = sessionOfCookies(request.headers.cookie, request.host)
  const caller = cookie === undefined ? undefined : await callerOfSession(store, cookie)
  // A browser sends the cookie along whoever made it send the request, so what changes something needs more than that.
  if (caller && !SAFE_METHODS.includes(request.method)) refuseCrossSite(request.headers)
  return caller
}

/** `Token` is how clients of the source systems (Django REST framework) say `Bearer`. */
async function callerOfAuthorization(store: Store, authorization: string): Promise<Caller | undefined> {
  const [, key] = /^(?:Bearer|Token) +(\S+) *$/i.exec(authorization) ?? []
  const caller = key === undefined ? undefined : await callerOfKey(store, key)
  if (!caller) throw unauthenticated('The key is wrong, revoked or expired.', ', error="invalid_token"')
  return caller
}

function requireScope(caller: Caller | undefined, scope: Exclude<RouteScope, 'public'>): void {
  if (!caller) throw unauthenticated('This needs a key: send Authorization: Bearer hr_…, or log in.', '')
  const scopes = typeof scope === 'string' ? [scope] : scope
  if (scopes.some((one) => hasScope(caller, one))) return
  throw scopeMissing(scopes.join(' or '))
}

export function scopeMissing(scope: string): HttpProblem {
  return new HttpProblem({
    status: 403,
    code: 'scope_missing',
    title: 'The key may not do this',
    detail: `This needs the scope ${scope}, which your key does not have. Ask for a key that has it.`,
  })
}

function unauthenticated(detail: string, challenge: string): HttpProblem {
  return new HttpProblem({
    status: 401,
    code: 'unauthenticated',
    title: 'Who is there?',
    detail,
    headers: { 'www-authenticate': `Bearer realm="headrace"${challenge}` },
  })
}
