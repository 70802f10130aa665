import type { AppContext } from '@headrace/server'
import { ANALYZE_LAND } from '../analysis/analyze-land.ts'
import { ANALYZE_SOIL } from '../analysis/analyze-soil.ts'
import { isProductYear, PRODUCT_YEARS, type ProductYear } from '../layer/product-year.ts'
import { readAnalyzeRequest, takeForms } from './analyze-request.ts'
import { answerDetails, ListedError } from './error-shapes.ts'
import { toJobAnswer } from './job-answer.ts'
import type { Reply, Request, Routes } from './routes.ts'

const JOB_DEPRECATED =
  'The `job` field will be deprecated in an upcoming release. Please switch to using `job_uuid` instead.'

/** The routes of Model My Watershed, in its shapes. Its clients write them with a slash at the end, some without. */
export function apiRoutes(fastify: Routes, context: AppContext): void {
  answerDetails(fastify)
  takeForms(fastify)
  analyzeRoutes(fastify, context)
  jobRoute(fastify, context)
}

function analyzeRoutes(fastify: Routes, context: AppContext): void {
  for (const path of withAndWithoutSlash('/analyze/land/:product_year')) {
    const config = { scope: 'submit', summary: 'Start an analysis of land cover (Model My Watershed)' } as const
    fastify.post(path, { config }, async (request, reply) => {
      const { product_year: text } = request.params as { product_year: string } // sound: the route names it
      const productYear = parseProductYear(text)
      return start(context, { request, reply, workflow: ANALYZE_LAND, more: { productYear } })
    })
  }
  for (const path of withAndWithoutSlash('/analyze/soil')) {
    const config = { scope: 'submit', summary: 'Start an analysis of soils (Model My Watershed)' } as const
    fastify.post(path, { config }, async (request, reply) => {
      return start(context, { request, reply, workflow: ANALYZE_SOIL, more: {} })
    })
  }
}

function jobRoute(fastify: Routes, context: AppContext): void {
  for (const path of withAndWithoutSlash('/jobs/:uuid')) {
    const config = { scope: 'read-own', summary: 'A job and its result (Model My Watershed)' } as const
    fastify.get(path, { config }, async (request, reply) => {
      const { uuid } = request.params as { uuid: string } // sound: the route names it
      const job = await context.visibleJob(request, uuid)
      const outcome = job.state === 'succeeded' ? await context.engine.outcome(job.id) : undefined
      return reply.header('cache-control', 'no-store').send(toJobAnswer(job, outcome?.result))
    })
  }
}

type Starting = {
  readonly request: Request
  readonly reply: Reply
  readonly workflow: string
  /** Its input besides the area. */
  readonly more: object
}

/** Stores a job, and answers with its id, as upstream's `start_celery_job` does. */
async function start({ engine }: AppContext, { request, reply, workflow, more }: Starting): Promise<Reply> {
  const { area, messages } = readAnalyzeRequest(request)
  const { id } = await engine.submit(workflow, { area, ...more }, { owner: request.caller.owner })
  reply.header('location', `/api/jobs/${id}/`)
  return reply.send({ job: id, job_uuid: id, status: 'started', messages: [...messages, JOB_DEPRECATED] })
}

function parseProductYear(text: string): ProductYear {
  if (isProductYear(text)) return text
  throw new ListedError(`Invalid product year ${JSON.stringify(text)}. Must be one of: ${PRODUCT_YEARS.join(', ')}.`)
}

function withAndWithoutSlash(path: string): string[] {
  return [`${path}/`, path]
}
