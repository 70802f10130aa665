import { Readable } from 'node:stream'
import { noteArtifactOwner, type Settings } from '@headrace/engine'
import type { FastifyInstance } from 'fastify'
import type { ArtifactStorage } from '../artifact/artifact-source.ts'
import { requestBody } from './request-body.ts'
import { artifactHeader } from './upload-info.ts'
import { problemOfStorage, uploadTooLarge } from './upload-problem.ts'

/** `PUT /uploads/{name}`: for `curl -T`, in one piece and without a file in between. */
export function putRoute(
  fastify: FastifyInstance,
  parts: {
    readonly artifacts: ArtifactStorage
    readonly settings: Settings
    readonly sizeBytesMax: number
    readonly closing: AbortSignal
  },
): void {
  const { artifacts, settings, sizeBytesMax, closing } = parts
  const config = { scope: 'submit', summary: 'Stores the body as an artifact, in one piece' } as const
  fastify.put('/uploads/:name', { config }, async (request, reply) => {
    const { name } = request.params as { name: string } // sound: the route names it
    try {
      if (Number(request.headers['content-length'] ?? 0) > sizeBytesMax) throw uploadTooLarge(sizeBytesMax)
      const body = Readable.fromWeb(requestBody(request.raw, closing))
      const { id, sizeBytes } = await artifacts.put(body, { sizeBytesMax, signal: closing })
      await noteArtifactOwner(settings, id, request.caller.owner)
      return reply.code(201).headers(artifactHeader(id)).send({ name, artifact: id, sizeBytes })
    } catch (error) {
      // As for a tus request that is refused: the client hears the answer after its last byte.
      request.raw.resume()
      throw problemOfStorage(error, sizeBytesMax)
    }
  })
}
