import type { RetentionPolicy } from '@headrace/engine'
import type { PruneAnswer, WireRetention } from '@headrace/wire'
import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import { parseBody } from '../answer/body.ts'
import { booleanParameter, integerParameter, parseQuery } from '../answer/query.ts'
import { OVERSIGHT } from '../auth/caller.ts'
import { iso } from '../job/status-info.ts'
import type { ServerContext } from '../server-context.ts'

/** Which times can be meant the engine says. */
const Keep = z.strictObject({
  succeeded: z.union([z.string(), z.number()]).optional(),
  failed: z.union([z.string(), z.number()]).optional(),
  cancelled: z.union([z.string(), z.number()]).optional(),
})
const Policy = z.strictObject({
  keep: Keep,
  tasks: z.record(z.string(), Keep).optional(),
  queues: z.record(z.string(), Keep).optional(),
})

const PruneQuery = z.object({
  olderThanMs: integerParameter({ min: 0, max: Number.MAX_SAFE_INTEGER }).optional(),
  limit: integerParameter({ min: 1, max: 1_000 }).default(1_000),
  cursor: z.string().optional(),
  dryRun: booleanParameter.default(false),
})

/** How long ended jobs are kept, and their going by hand. */
export function retentionRoutes(fastify: FastifyInstance, { engine }: ServerContext): void {
  const { retention } = engine

  async function read(): Promise<WireRetention> {
    const { policy, isDefault, pass } = await retention.status()
    if (pass === undefined) return { ...policy, isDefault }
    const { startedAt, endedAt, prunedJobs } = pass
    return {
      ...policy,
      isDefault,
      pass: { startedAt: iso(startedAt), ...(endedAt !== undefined && { endedAt: iso(endedAt) }), prunedJobs },
    }
  }

  fastify.get(
    '/retention',
    { config: { scope: OVERSIGHT, summary: 'How long ended jobs are kept, and what the last pass removed' } },
    read,
  )

  fastify.put(
    '/retention',
    {
      config: {
        scope: 'admin',
        summary: 'Say how long ended jobs are kept, by how they ended, and for tasks and queues apart',
        body: Policy,
      },
    },
    async (request): Promise<WireRetention> => {
      await retention.set(parseBody(Policy, request.body) as RetentionPolicy) // sound: what is undefined is left out
      return read()
    },
  )

  fastify.post(
    '/retention/prune',
    {
      config: {
        scope: 'admin',
        summary:
          'Remove old jobs now, one step; ?olderThanMs= instead of the policy, ?dryRun=true only counts, ?cursor= goes on',
      },
    },
    async (request): Promise<PruneAnswer> => {
      const { olderThanMs, limit, cursor, dryRun } = parseQuery(PruneQuery, request.query)
      const { jobs, next } = await retention.prune({
        limit,
        dryRun,
        ...(olderThanMs !== undefined && { olderThanMs }),
        ...(cursor !== undefined && { after: cursor }),
      })
      return { dryRun, jobs, ...(next !== undefined && { next }) }
    },
  )
}
