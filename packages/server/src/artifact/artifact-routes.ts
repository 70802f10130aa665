import type { Job, JobEvent, Store } from '@headrace/engine'
import type { ArtifactList, WireArtifact } from '@headrace/wire'
import type { FastifyInstance } from 'fastify'
import { visibleJob } from '../auth/visible-job.ts'
import type { JobRequest } from '../job/job-routes.ts'
import { iso } from '../job/status-info.ts'
import type { ServerContext } from '../server-context.ts'
import { sendArtifact, unknownArtifact } from './send-artifact.ts'

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
      return sendArtifact(context.artifacts, request, reply, artifact)
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
