import type { ArtifactPass, RetentionPolicy } from '@headrace/engine'
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
  artifacts: z.union([z.string(), z.number()]).optional(),
})

const PruneQuery = z.object({
  olderThanMs: integerParameter({ min: 0, max: Number.MAX_SAFE_INTEGER }).optional(),
  limit: integerParameter({ min: 1, max: 1_000 }).default(1_000),
  cursor: z.string().optional(),
  dryRun: booleanParameter.default(false),
})

/** How long ended jobs are kept, and artifacts that nothing names, and their going by hand. */
export function retentionRoutes(fastify: FastifyInstance, { engine }: ServerContext): void {
  const { retention } = engine

  async function read(): Promise<WireRetention> {
    const { policy, isDefault, pass, artifactPass } = await retention.status()
    return {
      ...policy,
      isDefault,
      ...(pass !== undefined && { pass: { ...wireTimes(pass), prunedJobs: pass.prunedJobs } }),
      ...(artifactPass !== undefined && { artifactPass: wireArtifactPass(artifactPass) }),
    }
  }

  fastify.get(
    '/retention',
    {
      config: {
        scope: OVERSIGHT,
        summary: 'How long ended jobs and artifacts are kept, and what the last passes removed',
      },
    },
    read,
  )

  fastify.put(
    '/retention',
    {
      config: {
        scope: 'admin',
        summary: 'Say how long ended jobs are kept, by how they ended, for tasks and queues apart, and artifacts',
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
          'Remove old jobs, and artifacts that nothing names, now, one step; ?olderThanMs= instead of the policy for jobs, ?dryRun=true only counts, ?cursor= goes on',
      },
    },
    async (request): Promise<PruneAnswer> => {
      const { olderThanMs, limit, cursor, dryRun } = parseQuery(PruneQuery, request.query)
      const { next, ...step } = await retention.prune({
        limit,
        dryRun,
        ...(olderThanMs !== undefined && { olderThanMs }),
        ...(cursor !== undefined && { after: cursor }),
      })
      return { dryRun, ...step, ...(next !== undefined && { next }) }
    },
  )
}

function wireArtifactPass(pass: ArtifactPass): NonNullable<WireRetention['artifactPass']> {
  const { progress, removed, unnamed, sharedWith } = pass
  return { ...wireTimes(pass), progress, removed, unnamed, ...(sharedWith && { sharedWith }) }
}

function wireTimes({ startedAt, endedAt }: { readonly startedAt: number; readonly endedAt?: number }) {
  return { startedAt: iso(startedAt), ...(endedAt !== undefined && { endedAt: iso(endedAt) }) }
}
