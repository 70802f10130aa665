import { Readable } from 'node:stream'
import type { EventQuery, JobEvent, LogLevel, Store } from '@headrace/engine'
import type { LogLine, LogPage } from '@headrace/wire'
import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import { preferredType } from '../answer/accept.ts'
import {
  booleanParameter,
  cursorParameter,
  integerParameter,
  limitParameter,
  listParameter,
  parseQuery,
} from '../answer/query.ts'
import { visibleJob } from '../auth/visible-job.ts'
import type { ServerContext } from '../server-context.ts'
import type { JobRequest } from './job-routes.ts'
import { iso } from './status-info.ts'

const LogQuery = z.object({
  after: cursorParameter.default(0),
  limit: limitParameter.default(1_000),
  level: listParameter.pipe(z.array(z.enum(['debug', 'info', 'warn', 'error']))).optional(),
  contains: z.string().max(500).optional(),
  attempt: integerParameter({ min: 1, max: 1_000_000 }).optional(),
  tree: booleanParameter.default(false),
})

const DOWNLOAD_PAGE_SIZE = 5_000

/** GET /jobs/{id}/logs: a page after a cursor as JSON, or all of it as text. */
export function logRoutes(fastify: FastifyInstance, context: ServerContext): void {
  const { engine } = context

  fastify.get(
    '/jobs/:id/logs',
    { config: { scope: 'read-own', summary: 'The log of a job: a page as JSON, or all of it as text/plain' } },
    async (request: JobRequest, reply) => {
      const { after, limit, level, contains, attempt, tree } = parseQuery(LogQuery, request.query)
      const job = await visibleJob(engine, request.caller, request.params.id)
      const query: Omit<EventQuery, 'limit'> = {
        after,
        jobId: job.id,
        tree,
        kinds: ['log'],
        ...(level ? { levels: level } : {}),
        ...(contains ? { contains } : {}),
        ...(attempt ? { attempt } : {}),
      }
      if (preferredType(request.headers.accept, ['application/json', 'text/plain']) === 'text/plain') {
        return reply
          .type('text/plain; charset=utf-8')
          .header('content-disposition', `attachment; filename="${job.id}.log"`)
          .send(Readable.from(textOf(engine.store, query)))
      }
      const events = await engine.store.events({ ...query, limit })
      const page: LogPage = { lines: events.map(toLine), next: events.at(-1)?.cursor ?? after }
      return page
    },
  )
}

function toLine({ cursor, jobId, attempt, at, data }: JobEvent): LogLine {
  const { level, message } = data as { level: LogLevel; message: string } // sound: the data of an event of kind `log`
  return { cursor, jobId, attempt, at: iso(at), level, message }
}

/** Read as it is sent, however long it is. */
async function* textOf(store: Store, query: Omit<EventQuery, 'limit'>): AsyncGenerator<string, void> {
  let { after } = query
  for (;;) {
    const events = await store.events({ ...query, after, limit: DOWNLOAD_PAGE_SIZE })
    if (events.length > 0) yield events.map(toLine).map(lineToText).join('')
    after = events.at(-1)?.cursor ?? after
    if (events.length < DOWNLOAD_PAGE_SIZE) return
  }
}

function lineToText({ at, attempt, level, message }: LogLine): string {
  return `${at} #${attempt} ${level.toUpperCase().padEnd(5)} ${message}\n`
}
