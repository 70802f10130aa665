import type { Job } from '@headrace/engine'
import type { LimitHolders, LimitList } from '@headrace/wire'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { OVERSIGHT } from '../auth/caller.ts'
import { maySeeOwner } from '../auth/visible-job.ts'
import { toStatusInfo } from '../job/status-info.ts'
import type { ServerContext } from '../server-context.ts'

/** Among the newest so many jobs of a limit, its holders and waiters are looked for. */
const JOBS_READ = 1_000
const JOBS_SHOWN = 100

/** The limits by key that are in force, and who is held up by them. */
export function limitRoutes(fastify: FastifyInstance, { engine, baseUrl }: ServerContext): void {
  const { store } = engine

  fastify.get(
    '/limits',
    { config: { scope: OVERSIGHT, summary: 'The limits of which jobs live, with what they hold back' } },
    async (): Promise<LimitList> => ({ limits: await store.limits() }),
  )

  fastify.get(
    '/limits/:key',
    { config: { scope: OVERSIGHT, summary: 'Who holds the permits of a limit, and who waits for one' } },
    async (request: FastifyRequest<{ Params: { key: string } }>): Promise<LimitHolders> => {
      const { key } = request.params
      const [limits, { jobs }] = await Promise.all([
        store.limits(),
        store.jobs({ limitKey: key }, { limit: JOBS_READ }),
      ])
      const known = limits.find((one) => one.key === key) ?? { key, max: 0, taken: 0, blocked: 0, live: 0 }
      const shown = (wanted: readonly Job[]) =>
        wanted
          .filter(({ owner }) => maySeeOwner(request.caller, owner))
          .slice(0, JOBS_SHOWN)
          .map((job) => toStatusInfo(job, baseUrl(request)))
      return {
        ...known,
        holders: shown(jobs.filter((job) => !waitsForPermit(job))),
        waiters: shown(jobs.filter(waitsForPermit)),
      }
    },
  )
}

/** One that is not due yet holds none either, but that is not for want of a permit. */
function waitsForPermit(job: Job): boolean {
  return job.state === 'waiting' && job.wait !== 'ready' && job.wait !== 'parked'
}
