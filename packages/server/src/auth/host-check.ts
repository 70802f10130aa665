import type { FastifyInstance } from 'fastify'
import { HttpProblem } from '../problem/http-problem.ts'

export interface HostCheck {
  /** Tells where the server listens: beyond loopback, any name may be the right one unless names were given. */
  boundTo(host: string): void
}

/**
 * Against DNS rebinding: a page whose own name was made to point at 127.0.0.1 is of the same origin as this server, to
 * the browser; but it sends its own name as `Host`. On loopback only loopback's names are answered.
 * @param allowedHosts names without ports that are answered too
 */
export function checkHost(fastify: FastifyInstance, allowedHosts: readonly string[]): HostCheck {
  let isLoopback = true
  fastify.addHook('onRequest', async (request) => {
    const host = request.hostname.toLowerCase()
    const isRestricted = isLoopback || allowedHosts.length > 0
    if (!isRestricted || isLoopbackName(host) || allowedHosts.includes(host)) return
    throw new HttpProblem({
      status: 421,
      code: 'host_not_allowed',
      title: 'This server does not go by that name',
      detail: `It was asked for as ${host}. Use localhost, or start it with a base URL of that name.`,
    })
  })
  return {
    boundTo(host) {
      isLoopback = isLoopbackName(host)
    },
  }
}

export function isLoopbackName(host: string): boolean {
  const name = host.replace(/^\[|\]$/g, '')
  return name === 'localhost' || name.endsWith('.localhost') || name === '::1' || /^127(\.\d{1,3}){3}$/.test(name)
}
