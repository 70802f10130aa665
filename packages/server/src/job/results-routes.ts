import { isEnded, type Job, JobCancelledError, JobNotEndedError, type Json, TaskFailedError } from '@headrace/engine'
import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import { listParameter, parseQuery } from '../answer/query.ts'
import { visibleJob } from '../auth/visible-job.ts'
import { HttpProblem } from '../problem/http-problem.ts'
import { keptWish } from '../process/response-wish.ts'
import { outputsOf, sendResults } from '../process/results.ts'
import type { ServerContext } from '../server-context.ts'
import type { JobRequest } from './job-routes.ts'

const ResultsQuery = z.object({
  outputs: listParameter.optional(),
  response: z.enum(['raw', 'document']).optional(),
})

/** GET /jobs/{id}/results and one output of them. */
export function resultsRoutes(fastify: FastifyInstance, context: ServerContext): void {
  const { engine, processes } = context

  fastify.get(
    '/jobs/:id/results',
    { config: { scope: 'read-own', summary: 'The outputs of a job that succeeded' } },
    async (request: JobRequest, reply) => {
      const query = parseQuery(ResultsQuery, request.query)
      const job = await visibleJob(engine, request.caller, request.params.id)
      const result = await resultOf(context, job)
      const wish = { ...(await keptWish(engine.store, job.id)), ...withoutUndefined(query) }
      const process = processes.get(job.task)
      const outputs = outputsOf(process, result, wish.outputs)
      return sendResults(request, reply, { process, outputs, response: wish.response })
    },
  )

  fastify.get(
    '/jobs/:id/results/:output',
    { config: { scope: 'read-own', summary: 'One output of a job that succeeded, as it is' } },
    async (request, reply) => {
      const { id, output } = request.params as { id: string; output: string } // sound: the route names both
      const job = await visibleJob(engine, request.caller, id)
      const process = processes.get(job.task)
      const outputs = outputsOf(process, await resultOf(context, job), [output])
      if (outputs[output] === undefined) throw unknownOutput(id, output)
      return sendResults(request, reply, { process, outputs, response: 'raw' })
    },
  )
}

/**
 * The result of a job that succeeded.
 * @throws {JobNotEndedError | TaskFailedError | JobCancelledError} for every other job
 */
export async function resultOf(context: ServerContext, job: Job): Promise<Json | undefined> {
  if (!isEnded(job.state)) throw resultNotReady(new JobNotEndedError(job.id, job.state))
  if (job.state === 'failed') throw new TaskFailedError(job.id, job.task, job.error)
  if (job.state === 'cancelled') throw new JobCancelledError(job.id, job.error.message)
  return (await context.engine.outcome(job.id))?.result
}

/** OGC wants 404 here, where a conflict with the job's state is 409 elsewhere. */
function resultNotReady(error: JobNotEndedError): HttpProblem {
  return new HttpProblem({
    status: 404,
    code: error.code,
    title: 'The results are not ready',
    detail: error.message,
    headers: { 'retry-after': '1' },
  })
}

function unknownOutput(id: string, output: string): HttpProblem {
  return new HttpProblem({
    status: 404,
    code: 'request_invalid',
    title: 'No such output',
    detail: `Job ${id} has no output ${output}. GET /jobs/${id}/results has all.`,
  })
}

function withoutUndefined<T extends object>(object: T): Partial<T> {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as Partial<T> // sound: fewer fields
}
