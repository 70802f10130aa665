import type { FastifyInstance } from 'fastify'
import type { z } from 'zod'
import type { RouteScope } from '../auth/caller.ts'

export type ListedRoute = {
  readonly method: string
  /** As Fastify writes it: `/jobs/:id`. */
  readonly url: string
  readonly scope: RouteScope
  readonly summary: string | undefined
  readonly body: z.ZodType | undefined
}

export interface RouteList {
  /** Every route of every app, in the order in which they were added; HEAD is left out where GET is there. */
  all(): readonly ListedRoute[]
}

/** Notes each route as it is added, so that the description and the access tests cannot miss one. */
export function listRoutes(fastify: FastifyInstance): RouteList {
  const routes: ListedRoute[] = []
  fastify.addHook('onRoute', ({ method, url, config }) => {
    for (const one of [method].flat()) {
      if (one === 'HEAD') continue
      routes.push({ method: one, url, scope: config?.scope ?? 'admin', summary: config?.summary, body: config?.body })
    }
  })
  return { all: () => routes }
}
