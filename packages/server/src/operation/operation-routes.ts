import type { PageList, SessionInfo } from '@headrace/wire'
import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import { parseQuery } from '../answer/query.ts'
import { ANY_KEY } from '../auth/caller.ts'
import type { ServerContext } from '../server-context.ts'
import { createHealthCheck } from './health.ts'
import { toPrometheus } from './metrics.ts'

const PurgeQuery = z.strictObject({ task: z.string().optional(), key: z.string().optional() })

/** How the whole place does, and who is asking. */
export function operationRoutes(fastify: FastifyInstance, context: ServerContext): void {
  const { engine, hub, pages, queueCounts, version } = context
  const { store } = engine
  const checkHealth = createHealthCheck(engine)

  fastify.get(
    '/healthz',
    { config: { scope: 'public', summary: 'Whether the store and this process’s worker do their work' } },
    async (_request, reply) => {
      const health = await checkHealth()
      return reply
        .code(health.status === 'ok' ? 200 : 503)
        .header('cache-control', 'no-store')
        .send(health)
    },
  )

  fastify.get(
    '/metrics',
    { config: { scope: 'read-all', summary: 'Queues and workers for Prometheus' } },
    async (_request, reply) => {
      const [queues, workers] = await Promise.all([queueCounts.read(), store.workers()])
      return reply
        .type('text/plain; version=0.0.4; charset=utf-8')
        .send(toPrometheus({ queues, workers, eventStreams: hub.feeds, version }))
    },
  )

  fastify.delete(
    '/cache',
    { config: { scope: 'operate', summary: 'Forget stored results: of one task, of one key, or all' } },
    async (request) => ({ purged: await engine.purgeCache(toFilter(parseQuery(PurgeQuery, request.query))) }),
  )

  fastify.get(
    '/session',
    { config: { scope: ANY_KEY, summary: 'Who you are here' } },
    async ({ caller }): Promise<SessionInfo> => ({ owner: caller.owner, scopes: caller.scopes, version }),
  )

  fastify.get(
    '/pages',
    { config: { scope: ANY_KEY, summary: 'What the apps add to the dashboard' } },
    async (): Promise<PageList> => ({ pages }),
  )
}

function toFilter({ task, key }: z.output<typeof PurgeQuery>): { readonly task?: string; readonly key?: string } {
  return { ...(task === undefined ? {} : { task }), ...(key === undefined ? {} : { key }) }
}
