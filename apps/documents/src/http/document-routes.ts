import { type ArtifactStore, parseArtifactId } from '@headrace/artifacts'
import type { Workflow } from '@headrace/engine'
import { type AppContext, HttpProblem, parseQuery } from '@headrace/server'
import type { DocumentInfo, DocumentList, DocumentSummary } from '@headrace/wire'
import { z } from 'zod'
import type { AgainInput } from '../process/again.ts'
import { documentInfoOf, listDocuments } from './document-info.ts'
import { changeableDocument, documentJob, resultOf } from './document-job.ts'
import { accept } from './elab-routes.ts'
import { readPageOf } from './known-pages.ts'
import { RetryBody, retryPages } from './retry-pages.ts'
import type { Reply, Request, Routes } from './routes.ts'

export type DocumentRouteOptions = {
  readonly artifacts: ArtifactStore
  readonly again: Workflow<AgainInput, DocumentSummary>
}

const ListQuery = z.object({
  limit: z.coerce.number().int().min(1).max(1_000).default(50),
  cursor: z.string().optional(),
  tag: z.string().optional(),
})

/** A document while it is read and afterwards: its pages as they finish, its files, and its failed pages once more. */
export function documentRoutes(fastify: Routes, context: AppContext, options: DocumentRouteOptions): void {
  const { engine } = context
  const reading = (summary: string) => ({ config: { scope: 'read-own', summary } }) as const

  fastify.get(
    '/documents',
    reading('The documents that you may see, newest first'),
    async (request, reply): Promise<DocumentList> => {
      reply.header('cache-control', 'no-store')
      return listDocuments(engine, parseQuery(ListQuery, request.query), request.caller)
    },
  )
  fastify.get(
    '/documents/:id',
    reading('A document, its pages as far as they are, and its summary once they are read'),
    async (request, reply): Promise<DocumentInfo> => {
      reply.header('cache-control', 'no-store')
      return documentInfoOf(engine, await documentJob(context, request))
    },
  )
  fastify.get(
    '/documents/:id/pages/:number',
    reading('What was read of a page: its words with boxes, tables, text'),
    async (request, reply) => {
      const { number, data } = await pageOf(context, request)
      return send(request, reply, { id: data, name: `page-${number}.json`, mediaType: 'application/json' })
    },
  )
  fastify.get(
    '/documents/:id/pages/:number/image',
    reading('The picture of a page, upright and straight'),
    async (request, reply) => {
      const { number, image } = await pageOf(context, request)
      if (!image)
        throw unknownPage(`Page ${number} has no picture: the document is but text, or was read without images.`)
      return send(request, reply, { id: image.artifact, name: `page-${number}.jpg`, mediaType: image.mediaType })
    },
  )
  fastify.get(
    '/documents/:id/files/:format',
    reading('The whole document as json, text, markdown or a searchable pdf'),
    async (request, reply) => {
      const { format } = request.params as { format: string } // sound: the route names it
      const { files } = await resultOf(context, await documentJob(context, request))
      const file = Object.hasOwn(files, format) ? files[format] : undefined
      if (!file) throw unknownFormat(format, Object.keys(files))
      return send(request, reply, { id: file.artifact, name: file.name, mediaType: file.mediaType })
    },
  )
  fastify.post(
    '/documents/:id/retry',
    { config: { scope: ['submit', 'operate'], summary: 'Read the failed pages of an ended document again' } },
    async (request, reply) => {
      const job = await changeableDocument(context, request)
      const body = RetryBody.safeParse(request.body)
      if (!body.success) throw retryInvalid(body.error)
      const { again } = options
      const retry = { job, pages: body.data?.pages, owner: request.caller.owner, again }
      return accept(reply, (await retryPages(engine, retry)).id)
    },
  )

  async function send(request: Request, reply: Reply, file: { id: string; name: string; mediaType: string }) {
    const found = await options.artifacts.stat(parseArtifactId(file.id))
    if (!found) throw unknownPage(`The bytes of ${file.name} are gone; their retention has passed.`)
    return context.sendArtifact(request, reply, { ...file, sizeBytes: found.sizeBytes })
  }
}

async function pageOf(context: AppContext, request: Request) {
  const { number } = request.params as { number: string } // sound: the routes name it
  const job = await documentJob(context, request)
  const page = /^[1-9]\d{0,5}$/.test(number) ? await readPageOf(context.engine, job, Number(number)) : undefined
  return page ?? unknownPageOf(job.id, number)
}

function unknownPageOf(id: string, number: string): never {
  throw unknownPage(`The document ${id} has no page ${number.slice(0, 20)}, or it has not been read.`)
}

function unknownPage(detail: string): HttpProblem {
  return new HttpProblem({ status: 404, code: 'page_unknown', title: 'No such page', detail })
}

function unknownFormat(format: string, formats: readonly string[]): HttpProblem {
  const detail = `There is no format ${format.slice(0, 40)} of this document. It has: ${formats.join(', ')}.`
  return new HttpProblem({ status: 404, code: 'format_unknown', title: 'No such format', detail })
}

function retryInvalid(cause: z.ZodError): HttpProblem {
  const detail = `The body is not {"pages": [3, 7]}: ${z.prettifyError(cause)}. Without a body all failed pages are read again.`
  return new HttpProblem({ status: 400, code: 'request_invalid', title: 'The body is invalid', detail }, { cause })
}
