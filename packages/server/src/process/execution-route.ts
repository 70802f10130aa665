import type { Job, SubmitOptions, Submitted } from '@headrace/engine'
import type { ExecuteRequest } from '@headrace/wire'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { cacheModeOf, cacheStatusOf } from '../answer/cache-headers.ts'
import { type Preference, parsePrefer } from '../answer/prefer.ts'
import { sendCreated } from '../job/job-routes.ts'
import { resultOf } from '../job/results-routes.ts'
import { toStatusInfo } from '../job/status-info.ts'
import { storedJob } from '../job/stored-job.ts'
import { gone, waitForEnd } from '../job/wait.ts'
import { unknownProcess } from '../problem/http-problem.ts'
import type { ServerContext } from '../server-context.ts'
import { parseExecuteRequest } from './execute-request.ts'
import { parseIdempotencyKey } from './idempotency-key.ts'
import type { Process } from './process.ts'
import { withInput } from './read-inputs.ts'
import { keepWish, wishOf } from './response-wish.ts'
import { outputsOf, sendResults } from './results.ts'

type ExecuteCall = FastifyRequest<{ Params: { id: string } }>
const WAIT_SECONDS_MAX = 60

/** POST /processes/{id}/execution: at once the results where they come soon, else the job that will have them. */
export function executionRoute(fastify: FastifyInstance, context: ServerContext): void {
  fastify.post(
    '/processes/:id/execution',
    { config: { scope: 'submit', summary: 'Run a process' } },
    async (request: ExecuteCall, reply) => {
      const process = context.processes.get(request.params.id)
      if (!process) throw unknownProcess(request.params.id)
      const body = parseExecuteRequest(process, request.body)
      const submitted = await submit(context, request, process, body)
      if (submitted.existing) reply.header('idempotency-replayed', 'true')
      return answer(context, { request, reply, process, body, id: submitted.id })
    },
  )
}

async function submit(
  context: ServerContext,
  request: ExecuteCall,
  process: Process,
  body: ExecuteRequest,
): Promise<Submitted> {
  const options = submitOptions(context, request, body)
  return withInput(process, body.inputs ?? {}, (input) => context.engine.submit(process.task, input, options))
}

function submitOptions(context: ServerContext, request: ExecuteCall, body: ExecuteRequest): SubmitOptions {
  const { priority, tags, dueAt, deadlineMs, deployment } = body
  const cache = cacheModeOf(request.headers['cache-control'])
  const idempotencyKey = parseIdempotencyKey(request.headers['idempotency-key'])
  return {
    owner: request.caller.owner,
    ...(idempotencyKey === undefined ? {} : { idempotencyKey }),
    ...(priority === undefined ? {} : { priority }),
    ...(tags === undefined ? {} : { tags }),
    ...(dueAt === undefined ? {} : { delayMs: Math.max(0, Date.parse(dueAt) - context.engine.clock.now()) }),
    ...(deadlineMs === undefined ? {} : { deadlineMs }),
    ...(deployment === undefined ? {} : { deployment }),
    ...(cache === undefined ? {} : { cache }),
  }
}

type Answering = {
  readonly request: ExecuteCall
  readonly reply: FastifyReply
  readonly process: Process
  readonly body: ExecuteRequest
  readonly id: Job['id']
}

async function answer(context: ServerContext, answering: Answering): Promise<FastifyReply> {
  const { request, reply, process, body, id } = answering
  const preference = parsePrefer(request.headers.prefer)
  const waitMs = waitMsOf(preference, context.syncWaitMs)
  reply.headers(preferenceApplied(preference))
  const hasEnded =
    waitMs > 0 && (await waitForEnd(context.engine, id, { timeoutMs: waitMs, signal: gone(reply, context.closing) }))
  const job = await storedJob(context.engine, id)
  const wish = wishOf(process, body)
  reply.headers(cacheStatusOf(process.task, job))
  if (!hasEnded) {
    await keepWish(context.engine.store, id, wish)
    return sendCreated(reply, toStatusInfo(job, context.baseUrl(request)), context.baseUrl(request))
  }
  reply.header('link', `<${context.baseUrl(request)}/jobs/${id}>; rel="monitor"`)
  const outputs = outputsOf(process, await resultOf(context, job), wish.outputs)
  // One output alone is its value, as the standard has it; several are an object unless `raw` was asked for.
  const response = wish.response ?? (Object.keys(outputs).length === 1 ? 'raw' : 'document')
  return sendResults(request, reply, { process, outputs, response })
}

/** Asynchronous means at once, unless the client says how long it would wait for the results all the same. */
function waitMsOf(preference: Preference, syncWaitMs: number): number {
  if (preference.waitSeconds !== undefined) return Math.min(preference.waitSeconds, WAIT_SECONDS_MAX) * 1000
  return preference.respondAsync ? 0 : syncWaitMs
}

function preferenceApplied({ respondAsync, waitSeconds }: Preference): Record<string, string> {
  const applied = [
    ...(respondAsync ? ['respond-async'] : []),
    ...(waitSeconds === undefined ? [] : [`wait=${Math.min(waitSeconds, WAIT_SECONDS_MAX)}`]),
  ]
  return applied.length > 0 ? { 'preference-applied': applied.join(', ') } : {}
}
