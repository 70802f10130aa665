import type { ProcessList } from '@headrace/wire'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { z } from 'zod'
import { selfLinks, withParameter } from '../answer/links.ts'
import { pageType, sendPage } from '../answer/page.ts'
import { integerParameter, limitParameter, parseQuery } from '../answer/query.ts'
import { ANY_KEY } from '../auth/caller.ts'
import { unknownProcess } from '../problem/http-problem.ts'
import type { ServerContext } from '../server-context.ts'
import { describe, summarize } from './process.ts'

const ListQuery = z.object({
  limit: limitParameter.default(10),
  offset: integerParameter({ min: 0, max: 1_000_000 }).default(0),
})

/** GET /processes and GET /processes/{id} */
export function processRoutes(fastify: FastifyInstance, context: ServerContext): void {
  const { processes, baseUrl } = context
  const urlOf = (request: FastifyRequest, id: string) => `${baseUrl(request)}/processes/${encodeURIComponent(id)}`

  fastify.get('/processes', { config: { scope: ANY_KEY, summary: 'What can be run' } }, async (request, reply) => {
    const { limit, offset } = parseQuery(ListQuery, request.query)
    const page = [...processes.values()].slice(offset, offset + limit)
    const url = baseUrl(request) + request.url
    const type = pageType(request)
    const links = [...selfLinks(url, type)]
    if (offset + limit < processes.size) {
      links.push({ href: withParameter(url, 'offset', String(offset + limit)), rel: 'next', type, title: 'more' })
    }
    const body: ProcessList = {
      processes: page.map((process) => summarize(process, urlOf(request, process.task.name))),
      links,
    }
    return sendPage(request, reply, 'Processes', body)
  })

  fastify.get(
    '/processes/:id',
    { config: { scope: ANY_KEY, summary: 'What a process takes and gives' } },
    async (request: FastifyRequest<{ Params: { id: string } }>, reply) => {
      const process = processes.get(request.params.id)
      if (!process) throw unknownProcess(request.params.id)
      return sendPage(
        request,
        reply,
        process.task.title ?? process.task.name,
        describe(process, urlOf(request, process.task.name)),
      )
    },
  )
}
