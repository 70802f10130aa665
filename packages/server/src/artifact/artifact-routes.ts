import type { Job, JobEvent, Store } from '@headrace/engine'
import type { ArtifactList, WireArtifact } from '@headrace/wire'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { visibleJob } from '../auth/visible-job.ts'
import type { JobRequest } from '../job/job-routes.ts'
import { iso } from '../job/status-info.ts'
import { HttpProblem } from '../problem/http-problem.ts'
import type { ServerContext } from '../server-context.ts'
import { parseByteRange } from './byte-range.ts'

type Artifact = Omit<WireArtifact, 'href'>

const PAGE_SIZE = 1_000

/** The files that a job made: their list, and their bytes by name. */
export function artifactRoutes(fastify: FastifyInstance, context: ServerContext): void {
  const { engine, baseUrl } = context

  fastify.get(
    '/jobs/:id/artifacts',
    { config: { scope: 'read-own', summary: 'The files that a job made' } },
    async (request: JobRequest): Promise<ArtifactList> => {
      const job = await visibleJob(engine, request.caller, request.params.id)
      const url = `${baseUrl(request)}/jobs/${job.id}/artifacts`
      const artifacts = [...(await artifactsOf(engine.store, job)).values()]
      return { artifacts: artifacts.map((one) => ({ ...one, href: `${url}/${encodeURIComponent(one.name)}` })) }
    },
  )

  fastify.get(
    '/jobs/:id/artifacts/:name',
    { config: { scope: 'read-own', summary: 'The bytes of a file that a job made; ranges are served' } },
    async (request, reply) => {
      const { id, name } = request.params as { id: string; name: string } // sound: the route names both
      const job = await visibleJob(engine, request.caller, id)
      const artifact = (await artifactsOf(engine.store, job)).get(name)
      if (!artifact) throw unknownArtifact(`Job ${job.id} has no artifact named ${name}.`)
      return sendArtifact(context, request, reply, artifact)
    },
  )
}

/** By name; of two with one name the later, which is the one of the later attempt. */
async function artifactsOf(store: Store, job: Job): Promise<ReadonlyMap<string, Artifact>> {
  const found = new Map<string, Artifact>()
  for (let after = 0; ; ) {
    const events = await store.events({ after, limit: PAGE_SIZE, jobId: job.id, kinds: ['artifact'] })
    for (const artifact of events.map(toArtifact)) found.set(artifact.name, artifact)
    after = events.at(-1)?.cursor ?? after
    if (events.length < PAGE_SIZE) return found
  }
}

function toArtifact({ at, data }: JobEvent): Artifact {
  // sound: the data of an event of kind `artifact`
  const { name, artifact, sizeBytes, mediaType } = data as {
    name: string
    artifact: string
    sizeBytes: number
    mediaType?: string
  }
  return { name, id: artifact, sizeBytes, ...(mediaType ? { mediaType } : {}), at: iso(at) }
}

/**
 * What a job made may be anything, a page with scripts too: it is given as a file to keep, of no type but the one it was
 * given, and where a browser shows it all the same, in a sandbox.
 */
async function sendArtifact(
  context: ServerContext,
  request: FastifyRequest,
  reply: FastifyReply,
  artifact: Artifact,
): Promise<FastifyReply> {
  const etag = `"${artifact.id}"`
  reply
    .header('etag', etag)
    .header('accept-ranges', 'bytes')
    .header('cache-control', 'private, no-cache')
    .header('content-disposition', dispositionOf(artifact.name))
    .header('content-security-policy', "default-src 'none'; sandbox; frame-ancestors 'none'")
    .header('content-type', artifact.mediaType ?? 'application/octet-stream')
  if (request.headers['if-none-match']?.split(/\s*,\s*/).includes(etag)) return reply.code(304).send()
  const isSameFile = request.headers['if-range'] === undefined || request.headers['if-range'] === etag
  const range = isSameFile ? parseByteRange(request.headers.range, artifact.sizeBytes) : 'whole'
  if (range === 'unsatisfiable') throw rangeInvalid(artifact)
  if (range === 'whole') {
    return reply.header('content-length', artifact.sizeBytes).send(await readArtifact(context, artifact))
  }
  return reply
    .code(206)
    .header('content-range', `bytes ${range.start}-${range.end - 1}/${artifact.sizeBytes}`)
    .header('content-length', range.end - range.start)
    .send(await readArtifact(context, artifact, range))
}

async function readArtifact(context: ServerContext, artifact: Artifact, range?: { start: number; end: number }) {
  if (!context.artifacts) throw unknownArtifact('This server was started without a place for artifacts.')
  try {
    return await context.artifacts.read(artifact.id, range)
  } catch (error) {
    if ((error as { code?: unknown }).code !== 'artifact_not_found') throw error
    throw unknownArtifact(`The bytes of ${artifact.name} are gone; their retention has passed.`)
  }
}

/** The plain name for old clients, every other character as an underscore; the true one as RFC 8187 writes it. */
function dispositionOf(name: string): string {
  const plain = name.replace(/[^\w.-]/g, '_')
  const encoded = encodeURIComponent(name).replace(/['()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`)
  return `attachment; filename="${plain}"; filename*=UTF-8''${encoded}`
}

function unknownArtifact(detail: string): HttpProblem {
  return new HttpProblem({ status: 404, code: 'artifact_unknown', title: 'No such artifact', detail })
}

function rangeInvalid(artifact: Artifact): HttpProblem {
  return new HttpProblem({
    status: 416,
    code: 'range_invalid',
    title: 'The range lies beyond the end',
    detail: `${artifact.name} has ${artifact.sizeBytes} bytes.`,
    headers: { 'content-range': `bytes */${artifact.sizeBytes}` },
  })
}
