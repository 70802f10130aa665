import { drainingWorkers } from '@headrace/engine'
import type { WorkerList } from '@headrace/wire'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { z } from 'zod'
import { parseBody } from '../answer/body.ts'
import { OVERSIGHT } from '../auth/caller.ts'
import type { ServerContext } from '../server-context.ts'
import { toWireWorker } from './wire-worker.ts'

/** More running jobs than this are not looked at for what they hold. */
const RUNNING_MAX = 1_000

const DrainBody = z.strictObject({ graceMs: z.number().optional() })

/** Who takes jobs, and who is to take no more. */
export function workerRoutes(fastify: FastifyInstance, { engine }: ServerContext): void {
  const { store } = engine

  fastify.get(
    '/workers',
    { config: { scope: OVERSIGHT, summary: 'Who takes jobs: slots, labels, resources, deployment' } },
    async (): Promise<WorkerList> => {
      const [workers, draining, { jobs: running }] = await Promise.all([
        store.workers(),
        drainingWorkers(store),
        store.jobs({ states: ['running'] }, { limit: RUNNING_MAX }),
      ])
      return { workers: workers.map((worker) => toWireWorker(worker, { running, draining })) }
    },
  )

  fastify.post(
    '/workers/:id/drain',
    {
      config: {
        scope: 'operate',
        summary: 'Ask a worker to take no more jobs, end what it runs or hand it back, and stop',
        body: DrainBody,
      },
    },
    async (request: FastifyRequest<{ Params: { id: string } }>, reply) => {
      const { graceMs } = parseBody(DrainBody, request.body)
      await engine.drainWorker(request.params.id, graceMs === undefined ? {} : { graceMs })
      return reply.code(202).send({ id: request.params.id, draining: true })
    },
  )
}
