import multipart from '@fastify/multipart'
import { type ArtifactStore, parseArtifactId } from '@headrace/artifacts'
import type { Job } from '@headrace/engine'
import { type AppContext, HttpProblem } from '@headrace/server'
import type { DocumentSummary } from '@headrace/wire'
import type { DocumentLimits } from '../limits.ts'
import { PROCESS_DOCUMENT } from '../process/process-document.ts'
import { elabStatusOf } from './elab-status.ts'
import { readUpload } from './read-upload.ts'
import type { Reply, Request, Routes } from './routes.ts'

export type ElabOptions = { readonly artifacts: ArtifactStore; readonly limits: DocumentLimits }

/** The interaction of the source document: upload, ask for the status, collect the result. */
export async function elabRoutes(
  fastify: Routes,
  context: AppContext,
  { artifacts, limits }: ElabOptions,
): Promise<void> {
  // Apart, so that only this route takes forms.
  await fastify.register(async (scope) => {
    await scope.register(multipart)
    const config = {
      scope: 'submit',
      summary: 'Upload a document, as multipart or as the id of an artifact, and have it read',
    } as const
    scope.post('/elab', { config }, async (request, reply) => {
      const input = request.isMultipart()
        ? await uploadAsInput(request, { artifacts, limits })
        : await bodyAsInput(request, artifacts)
      return accept(context, request, reply, input)
    })
  })

  fastify.get(
    '/elab_status/:id',
    { config: { scope: 'read-own', summary: 'How far a document is' } },
    async (request, reply) => {
      const job = await documentJob(context, request)
      return reply.header('cache-control', 'no-store').send(await elabStatusOf(job, context.engine.store))
    },
  )

  fastify.get(
    '/elab_result/:id',
    { config: { scope: 'read-own', summary: 'What was read of a document' } },
    async (request, reply) => {
      const job = await documentJob(context, request)
      const summary = await resultOf(context, job)
      const { artifact, sizeBytes } = summary.files.json ?? noResult(job)
      return reply
        .header('content-type', 'application/json; charset=utf-8')
        .header('content-length', sizeBytes)
        .header('cache-control', 'private, no-cache')
        .send(await artifacts.read(parseArtifactId(artifact)))
    },
  )
}

async function uploadAsInput(request: Request, { artifacts, limits }: ElabOptions): Promise<object> {
  const { artifact, name, fields } = await readUpload(request, { artifacts, fileBytesMax: limits.fileBytesMax })
  return { name, ...fields, document: { artifact } }
}

/** `{ "artifact": "sha256:…", "name": … }`: for what was uploaded before, in parts perhaps. */
async function bodyAsInput({ body }: Request, artifacts: ArtifactStore): Promise<object> {
  const { artifact, ...rest } = typeof body === 'object' && body !== null ? (body as { artifact?: unknown }) : {}
  const id = parseArtifact(artifact)
  if (await artifacts.has(id)) return { ...rest, document: { artifact: id } }
  throw new HttpProblem({
    status: 404,
    code: 'document_missing',
    title: 'No such artifact',
    detail: `There is no artifact ${id}. Upload the document first, or send it as the part file of a multipart/form-data body.`,
  })
}

function parseArtifact(value: unknown) {
  try {
    return parseArtifactId(value)
  } catch (cause) {
    const detail =
      'There is no document. Send it as the part file of a multipart/form-data body, or as JSON {"artifact": "sha256:…"} where it ' +
      'was uploaded before.'
    throw new HttpProblem({ status: 400, code: 'upload_invalid', title: 'The upload is invalid', detail }, { cause })
  }
}

async function accept({ engine }: AppContext, request: Request, reply: Reply, input: object): Promise<Reply> {
  const { id } = await engine.submit(PROCESS_DOCUMENT, input, { owner: request.caller.owner })
  const [status, result] = [`/elab_status/${id}`, `/elab_result/${id}`]
  return reply
    .code(202)
    .header('location', status)
    .send({ task_id: id, status: 'PENDING', status_url: status, result_url: result })
}

/** @throws {HttpProblem} 404 for a job that is none of a document's, or another owner's */
export async function documentJob(context: AppContext, request: Request): Promise<Job> {
  const { id } = request.params as { id: string } // sound: the routes name it
  const job = await context.visibleJob(request, id)
  if (job.task === PROCESS_DOCUMENT || job.task === 'documents.process-part') return job
  throw new HttpProblem({
    status: 404,
    code: 'unknown_job',
    title: 'No such document',
    detail: `There is no document ${id} that you may see.`,
  })
}

/** @throws {HttpProblem} 409 before the end, 422 where it failed, 410 where it was cancelled */
export async function resultOf({ engine }: AppContext, job: Job): Promise<DocumentSummary> {
  switch (job.state) {
    case 'succeeded':
      return ((await engine.outcome(job.id))?.result ?? noResult(job)) as unknown as DocumentSummary // as assemble gives it
    case 'failed':
      throw new HttpProblem({
        status: 422,
        code: job.error.code,
        title: 'The document was not read',
        detail: job.error.message,
      })
    case 'cancelled':
      throw new HttpProblem({
        status: 410,
        code: 'job_cancelled',
        title: 'The document was cancelled',
        detail: job.error.message,
      })
    default:
      throw new HttpProblem({
        status: 409,
        code: 'job_not_ended',
        title: 'The result is not ready',
        detail: `The document ${job.id} is still being read. GET /elab_status/${job.id} says how far it is.`,
        headers: { 'retry-after': '1' },
      })
  }
}

function noResult(job: Job): never {
  throw new HttpProblem({
    status: 404,
    code: 'unknown_job',
    title: 'No result',
    detail: `The result of ${job.id} is gone; its retention has passed.`,
  })
}
