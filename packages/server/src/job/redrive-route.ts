import type { RedriveAnswer } from '@headrace/wire'
import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import { booleanParameter, integerParameter, parseQuery } from '../answer/query.ts'
import { type Caller, hasScope } from '../auth/caller.ts'
import type { ServerContext } from '../server-context.ts'
import { JobQuery, matches, toJobFilter } from './job-query.ts'

/** One step keeps the store to itself for its length. */
const STEP_MAX = 1_000

const RedriveQuery = JobQuery.omit({ limit: true }).extend({
  limit: integerParameter({ min: 1, max: STEP_MAX }).default(100),
  from: z.enum(['start', 'failed-step']).optional(),
  dryRun: booleanParameter.default(false),
})

/** Dead jobs once more, by the same filter as the list of jobs. */
export function redriveRoute(fastify: FastifyInstance, { engine }: ServerContext): void {
  fastify.post(
    '/jobs/redrive',
    {
      config: {
        scope: ['submit', 'operate'],
        summary:
          'Retry failed jobs that were not retried before, by the parameters of GET /jobs, at most ?limit= at once; ?cursor= goes on',
      },
    },
    async (request): Promise<RedriveAnswer> => {
      const { from, dryRun, ...query } = parseQuery(RedriveQuery, request.query)
      const filter = ownUnlessOperator(toJobFilter(query, request.caller), request.caller)
      const isMeant = query.state?.includes('failed') !== false && query.status?.includes('failed') !== false
      if (filter === undefined || !isMeant || query.parentId !== undefined) return { dryRun, retried: [], refused: [] }
      const { states: _, rootsOnly: __, parentId: ___, retried: ____, ...rest } = filter
      const { retried, refused, next } = await engine.redrive(rest, {
        limit: query.limit,
        dryRun,
        accept: (job) => matches(job, query, engine.clock.now()),
        ...(query.cursor !== undefined && { before: query.cursor }),
        ...(from !== undefined && { from }),
      })
      return {
        dryRun,
        retried: retried.map(({ id, retryOf }) => (id === undefined ? { retryOf } : { jobID: id, retryOf })),
        refused: refused.map(({ id, code, message }) => ({ jobID: id, code, message })),
        ...(next !== undefined && { next }),
      }
    },
  )
}

/** To see a job is not to be allowed to repeat it: only an operator may repeat those of others. */
function ownUnlessOperator(filter: ReturnType<typeof toJobFilter>, caller: Caller): ReturnType<typeof toJobFilter> {
  if (filter === undefined || hasScope(caller, 'operate')) return filter
  return filter.owner === undefined || filter.owner === caller.owner ? { ...filter, owner: caller.owner } : undefined
}
