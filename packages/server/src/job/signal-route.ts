import type { SignalAnswer } from '@headrace/wire'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { changeableJob } from '../auth/visible-job.ts'
import { parseIdempotencyKey } from '../process/idempotency-key.ts'
import type { ServerContext } from '../server-context.ts'

type SignalRequest = FastifyRequest<{ Params: { id: string; name: string } }>

/** A word from outside to a workflow that waits for it, now or later. The body is its value, any JSON. */
export function signalRoute(fastify: FastifyInstance, { engine }: ServerContext): void {
  fastify.post(
    '/jobs/:id/signals/:name',
    {
      config: {
        scope: ['submit', 'operate'],
        summary: 'Send a workflow a signal; the body is its value, and an Idempotency-Key makes a repetition harmless',
      },
    },
    async (request: SignalRequest, reply) => {
      const job = await changeableJob(engine, request.caller, request.params.id)
      const key = parseIdempotencyKey(request.headers['idempotency-key'])
      const outcome = await engine.signal(
        job.id,
        request.params.name,
        request.body ?? null,
        key === undefined ? {} : { key },
      )
      return reply.code(202).send({ outcome } satisfies SignalAnswer)
    },
  )
}
