import { isEnded, type Job, type JobEvent, type JobId } from '@headrace/engine'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { preferredType } from '../answer/accept.ts'
import { parseQuery } from '../answer/query.ts'
import { type Caller, hasScope } from '../auth/caller.ts'
import { maySeeOwner, visibleJob } from '../auth/visible-job.ts'
import type { JobRequest } from '../job/job-routes.ts'
import { gone } from '../job/wait.ts'
import type { ServerContext } from '../server-context.ts'
import { sendEventPage } from './event-page.ts'
import { AllEventsQuery, cursorOf, JobEventsQuery } from './event-query.ts'
import { type Following, followEvents } from './follow-events.ts'
import { Lineage } from './lineage.ts'
import { HEARTBEAT_MS, sendEventStream } from './server-sent-events.ts'

/** What happens to jobs, as it happens: a stream, or page by page with ?wait= for clients that cannot have one. */
export function eventRoutes(fastify: FastifyInstance, context: ServerContext): void {
  const { engine, hub } = context
  const { store } = engine
  const lineage = new Lineage(store)

  fastify.get(
    '/jobs/:id/events',
    {
      config: { scope: 'read-own', summary: 'The events of a job, from the first or after ?cursor=' },
      exposeHeadRoute: false, // its answer would be the stream's length
    },
    async (request: JobRequest, reply) => {
      const { cursor, tree, kinds, wait } = parseQuery(JobEventsQuery, request.query)
      const job = await visibleJob(engine, request.caller, request.params.id)
      const following: Omit<Following, 'idleMs'> = {
        after: cursorOf(request, cursor) ?? 0,
        jobId: job.id,
        tree,
        // The end is told whatever was asked for, for the stream ends with it.
        ...(kinds ? { kinds: [...kinds, 'ended'] } : {}),
        accepts: (event) =>
          event.jobId === job.id || (tree && isInTree(lineage, request.caller, { event, top: job.id })),
        signal: gone(reply, context.closing),
      }
      if (wantsPage(request)) return sendEventPage(reply, { store, hub, following, waitMs: wait * 1000 })
      // 204 keeps a browser's EventSource from coming back for more.
      if (isEnded(job.state) && (await isNothingLeft(context, following))) return reply.code(204).send()
      const pages = followEvents(store, hub, { ...following, idleMs: HEARTBEAT_MS })
      return sendEventStream(reply, untilEnded(job, pages))
    },
  )

  fastify.get(
    '/events',
    {
      config: { scope: 'read-own', summary: 'The events of all jobs that you may see, from now or after ?cursor=' },
      exposeHeadRoute: false,
    },
    async (request, reply) => {
      const { cursor, job, kinds, wait } = parseQuery(AllEventsQuery, request.query)
      const following: Omit<Following, 'idleMs'> = {
        after: cursorOf(request, cursor) ?? (await store.lastCursor()),
        ...(kinds ? { kinds } : {}),
        accepts: (event) => (!job || job.includes(event.jobId)) && isVisible(lineage, request.caller, event),
        signal: gone(reply, context.closing),
      }
      if (wantsPage(request)) return sendEventPage(reply, { store, hub, following, waitMs: wait * 1000 })
      return sendEventStream(reply, followEvents(store, hub, { ...following, idleMs: HEARTBEAT_MS }))
    },
  )
}

function wantsPage(request: FastifyRequest): boolean {
  return preferredType(request.headers.accept, ['text/event-stream', 'application/json']) === 'application/json'
}

function isVisible(lineage: Lineage, caller: Caller, event: JobEvent): true | Promise<boolean> {
  // Not even looked up for who sees everything.
  return hasScope(caller, 'read-all') || lineage.ownerOf(event.jobId).then((owner) => maySeeOwner(caller, owner))
}

async function isInTree(lineage: Lineage, caller: Caller, place: { event: JobEvent; top: JobId }): Promise<boolean> {
  const { event, top } = place
  return (await lineage.isWithin(event.jobId, top)) && isVisible(lineage, caller, event)
}

async function isNothingLeft(context: ServerContext, following: Omit<Following, 'idleMs'>): Promise<boolean> {
  const { after, jobId, tree = false } = following
  const left = await context.engine.store.events({ after, limit: 1, ...(jobId ? { jobId } : {}), tree })
  return left.length === 0
}

/** Ends with the job's `ended` event; or, for who comes later than that, once all that is stored was given. */
async function* untilEnded(
  job: Job,
  pages: AsyncIterable<readonly JobEvent[]>,
): AsyncGenerator<readonly JobEvent[], void> {
  for await (const events of pages) {
    const end = events.findIndex((event) => event.kind === 'ended' && event.jobId === job.id)
    yield end < 0 ? events : events.slice(0, end + 1)
    if (end >= 0 || (events.length === 0 && isEnded(job.state))) return
  }
}
