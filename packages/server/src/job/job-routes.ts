import { hash } from 'node:crypto'
import { isEnded, type Job } from '@headrace/engine'
import type { JobList, StatusInfo } from '@headrace/wire'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import { selfLinks, withParameter } from '../answer/links.ts'
import { pageType, sendPage } from '../answer/page.ts'
import { parseQuery, waitParameter } from '../answer/query.ts'
import { changeableJob, visibleJob } from '../auth/visible-job.ts'
import type { ServerContext } from '../server-context.ts'
import { JobQuery } from './job-query.ts'
import { listJobs } from './list-jobs.ts'
import { toStatusInfo } from './status-info.ts'
import { gone, waitForEnd } from './wait.ts'

export type JobRequest = FastifyRequest<{ Params: { id: string } }>

const StatusQuery = z.object({ wait: waitParameter.default(0) })
/** A cancelled attempt is told within a second; that much the answer waits, so that it mostly tells the end. */
const CANCEL_WAIT_MS = 2_000

/** The jobs themselves: list, look, cancel. */
export function jobRoutes(fastify: FastifyInstance, context: ServerContext): void {
  const { engine, baseUrl } = context

  fastify.get(
    '/jobs',
    { config: { scope: 'read-own', summary: 'The jobs that you may see, newest first' } },
    async (request, reply) => {
      const query = parseQuery(JobQuery, request.query)
      const { jobs, next } = await listJobs(engine.store, query, request.caller)
      const url = baseUrl(request) + request.url
      const type = pageType(request)
      const links = [...selfLinks(url, type)]
      if (next !== undefined) links.push({ href: withParameter(url, 'cursor', next), rel: 'next', type, title: 'more' })
      const body: JobList = { jobs: jobs.map((job) => toStatusInfo(job, baseUrl(request))), links }
      return sendPage(request, reply, 'Jobs', body)
    },
  )

  fastify.get(
    '/jobs/:id',
    { config: { scope: 'read-own', summary: 'How a job stands; with ?wait=25 the answer waits for its end' } },
    async (request: JobRequest, reply) => {
      const { wait } = parseQuery(StatusQuery, request.query)
      let job = await visibleJob(engine, request.caller, request.params.id)
      if (wait > 0 && !isEnded(job.state)) {
        await waitForEnd(engine, job.id, { timeoutMs: wait * 1000, signal: gone(reply, context.closing) })
        job = await visibleJob(engine, request.caller, request.params.id)
      }
      return sendStatus(request, reply, job, toStatusInfo(job, baseUrl(request)))
    },
  )

  fastify.delete(
    '/jobs/:id',
    { config: { scope: ['submit', 'operate'], summary: 'Cancel a job and all that it called' } },
    async (request: JobRequest, reply) => {
      const job = await changeableJob(engine, request.caller, request.params.id)
      const outcome = await engine.cancel(job.id, `Cancelled by ${request.caller.owner}.`)
      if (outcome === 'cancelling') {
        const signal = gone(reply, context.closing)
        await waitForEnd(engine, job.id, { timeoutMs: CANCEL_WAIT_MS, signal })
      }
      const after = (await engine.job(job.id)) ?? job
      return sendPage(request, reply, `Job ${job.id}`, dismissed(toStatusInfo(after, baseUrl(request))))
    },
  )
}

/** 201 with where the job is from now on, as OGC answers an asynchronous execution. */
export function sendCreated(reply: FastifyReply, info: StatusInfo, baseUrl: string): FastifyReply {
  return reply
    .code(201)
    .header('location', `${baseUrl}/jobs/${info.jobID}`)
    .header('retry-after', '1')
    .type('application/json')
    .send(info)
}

/** What is asked again and again while a job runs is answered with 304 while nothing changed. */
function sendStatus(request: FastifyRequest, reply: FastifyReply, job: Job, info: StatusInfo): FastifyReply {
  const etag = `W/"${hash('sha256', JSON.stringify(info), 'base64url').slice(0, 22)}"`
  reply.header('etag', etag).header('cache-control', 'private, no-cache')
  if (!isEnded(job.state)) reply.header('retry-after', String(retryAfterSeconds(info)))
  if (request.headers['if-none-match']?.split(/\s*,\s*/).includes(etag)) return reply.code(304).send()
  return sendPage(request, reply, `Job ${info.jobID}`, info)
}

/** Young jobs often end soon; one that has run for a minute may be asked about every five seconds. */
function retryAfterSeconds(info: StatusInfo): number {
  const ageMs = Date.parse(info.updated) - Date.parse(info.created)
  return ageMs < 10_000 ? 1 : ageMs < 60_000 ? 2 : 5
}

/**
 * OGC wants `dismissed` for what was dismissed, and a running job may take its grace to stop: `state` says where it is.
 * A job that had ended before stays as it ended, for that never changes; its records go with their retention.
 */
function dismissed(info: StatusInfo): StatusInfo {
  if (info.status === 'successful' || info.status === 'failed') {
    return {
      ...info,
      message: `It had ended before (${info.state}). Its records stay until their retention has passed.`,
    }
  }
  return { ...info, status: 'dismissed' }
}
