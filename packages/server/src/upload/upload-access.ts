import type { FastifyRequest } from 'fastify'
import { maySeeOwner } from '../auth/visible-job.ts'
import { unknownUpload } from './upload-problem.ts'
import type { UploadStore } from './upload-store.ts'

/** Another owner's upload does not exist, so that ids tell nothing. @throws {HttpProblem} 404 */
export async function visibleUpload(request: FastifyRequest, store: UploadStore): Promise<string> {
  const { id } = request.params as { id: string } // sound: the route names it
  const record = await store.record(id)
  if (!record || !maySeeOwner(request.caller, record.owner)) throw unknownUpload(id)
  return id
}

/** Only who began an upload goes on with it or ends it. @throws {HttpProblem} 404 */
export async function ownUpload(request: FastifyRequest, store: UploadStore): Promise<string> {
  const { id } = request.params as { id: string } // as above
  if ((await store.record(id))?.owner !== request.caller.owner) throw unknownUpload(id)
  return id
}
