import multipart from '@fastify/multipart'
import { type ArtifactStore, parseArtifactId } from '@headrace/artifacts'
import { type JobId, noteArtifactOwner } from '@headrace/engine'
import { type AppContext, HttpProblem } from '@headrace/server'
import type { DocumentAccepted } from '@headrace/wire'
import type { DocumentLimits } from '../limits.ts'
import { PROCESS_DOCUMENT } from '../process/process-document.ts'
import { documentJob, noResult, resultOf } from './document-job.ts'
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
        ? await uploadAsInput(request, context, { artifacts, limits })
        : await bodyAsInput(request, artifacts)
      const { id } = await context.engine.submit(PROCESS_DOCUMENT, input, { owner: request.caller.owner })
      return accept(reply, id)
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

async function uploadAsInput(
  request: Request,
  { engine }: AppContext,
  { artifacts, limits }: ElabOptions,
): Promise<object> {
  const { artifact, name, fields } = await readUpload(request, { artifacts, fileBytesMax: limits.fileBytesMax })
  await noteArtifactOwner(engine.store.settings, artifact, request.caller.owner)
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

/** Answers that a document's job was stored: where its status and its result are. */
export function accept(reply: Reply, id: JobId): Reply {
  const [status, result] = [`/elab_status/${id}`, `/elab_result/${id}`]
  return reply
    .code(202)
    .header('location', status)
    .send({ task_id: id, status: 'PENDING', status_url: status, result_url: result } satisfies DocumentAccepted)
}
