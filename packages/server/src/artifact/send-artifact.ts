import type { WireArtifact } from '@headrace/wire'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { HttpProblem } from '../problem/http-problem.ts'
import type { ArtifactSource } from './artifact-source.ts'
import { parseByteRange } from './byte-range.ts'

/** A file as it is sent: `name` is what a browser calls it when it keeps it. */
export type SentArtifact = Pick<WireArtifact, 'id' | 'name' | 'sizeBytes' | 'mediaType'>

/**
 * What a job made may be anything, a page with scripts too: it is given as a file to keep, of no type but the one it was
 * given, and where a browser shows it all the same, in a sandbox.
 */
export async function sendArtifact(
  artifacts: ArtifactSource | undefined,
  request: FastifyRequest,
  reply: FastifyReply,
  artifact: SentArtifact,
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
    return reply.header('content-length', artifact.sizeBytes).send(await readArtifact(artifacts, artifact))
  }
  return reply
    .code(206)
    .header('content-range', `bytes ${range.start}-${range.end - 1}/${artifact.sizeBytes}`)
    .header('content-length', range.end - range.start)
    .send(await readArtifact(artifacts, artifact, range))
}

async function readArtifact(
  artifacts: ArtifactSource | undefined,
  artifact: SentArtifact,
  range?: { start: number; end: number },
) {
  if (!artifacts) throw unknownArtifact('This server was started without a place for artifacts.')
  try {
    return await artifacts.read(artifact.id, range)
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

export function unknownArtifact(detail: string): HttpProblem {
  return new HttpProblem({ status: 404, code: 'artifact_unknown', title: 'No such artifact', detail })
}

function rangeInvalid(artifact: SentArtifact): HttpProblem {
  return new HttpProblem({
    status: 416,
    code: 'range_invalid',
    title: 'The range lies beyond the end',
    detail: `${artifact.name} has ${artifact.sizeBytes} bytes.`,
    headers: { 'content-range': `bytes */${artifact.sizeBytes}` },
  })
}
