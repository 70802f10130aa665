import type { RetryRequest } from '@headrace/wire'
import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import { flawsOfIssues } from '../answer/flaws.ts'
import { changeableJob } from '../auth/visible-job.ts'
import { requestInvalid } from '../problem/http-problem.ts'
import { parseIdempotencyKey } from '../process/idempotency-key.ts'
import type { ServerContext } from '../server-context.ts'
import { type JobRequest, sendCreated } from './job-routes.ts'
import { toStatusInfo } from './status-info.ts'
import { storedJob } from './stored-job.ts'

const Body = z.strictObject({
  from: z.enum(['start', 'failed-step']).optional(),
  input: z.json().optional(),
})

/** An ended job once more, as a new one: from its start or from the step that failed, with its input or another one. */
export function retryRoute(fastify: FastifyInstance, { engine, baseUrl }: ServerContext): void {
  fastify.post(
    '/jobs/:id/retry',
    {
      config: {
        scope: ['submit', 'operate'],
        summary:
          'Submit an ended job again, as a new job; {"from": "start" | "failed-step", "input": …} says from where, and with what',
      },
    },
    async (request: JobRequest, reply) => {
      const { from, input } = parseRetryRequest(request.body)
      const job = await changeableJob(engine, request.caller, request.params.id)
      const key = parseIdempotencyKey(request.headers['idempotency-key'])
      const { id } = await engine.retry(job.id, {
        ...(from !== undefined && { from }),
        ...(input !== undefined && { input }),
        ...(key !== undefined && { idempotencyKey: key }),
      })
      const again = await storedJob(engine, id)
      return sendCreated(reply, toStatusInfo(again, baseUrl(request)), baseUrl(request))
    },
  )
}

/** @throws {HttpProblem} 400, pointing at each unknown or wrong field */
function parseRetryRequest(body: unknown): RetryRequest {
  const parsed = Body.safeParse(body ?? {})
  if (!parsed.success) throw requestInvalid('The body', flawsOfIssues(parsed.error.issues, []))
  return parsed.data as RetryRequest // sound: the schema says the same
}
