import { isArtifactOwner, type Settings } from '@headrace/engine'
import type { FastifyInstance } from 'fastify'
import { HttpProblem } from '../problem/http-problem.ts'
import { type Caller, hasScope } from './caller.ts'

const ARTIFACT_ID = /^sha256:[0-9a-f]{64}$/

/**
 * Whatever a request's JSON body asks for, of any route of any app: the artifacts that it names are the caller's own, or
 * it is refused before anything is stored. Another owner's artifact is answered as one that does not exist.
 */
export function guardArtifacts(fastify: FastifyInstance, settings: Settings): void {
  fastify.addHook('preHandler', async ({ caller, body }) => {
    if (typeof body !== 'object' || body === null || ArrayBuffer.isView(body)) return
    const ids = artifactsIn(body)
    if (ids.size > 0) await requireArtifacts(settings, caller, ids)
  })
}

/** @throws {HttpProblem} 404 at the first one that is not the caller's */
export async function requireArtifacts(
  settings: Settings,
  caller: Caller | undefined,
  ids: Iterable<string>,
): Promise<void> {
  for (const id of ids) {
    if (caller && (hasScope(caller, 'read-all') || (await isArtifactOwner(settings, id, caller.owner)))) continue
    throw new HttpProblem({
      status: 404,
      code: 'artifact_unknown',
      title: 'No such artifact',
      detail: `There is no artifact ${id} that you uploaded, or that a job of yours made. Upload it first.`,
    })
  }
}

/** Every text in a body that is an artifact's id, however deep it lies. */
export function artifactsIn(body: object): ReadonlySet<string> {
  const found = new Set<string>()
  const left: unknown[] = [body]
  while (left.length > 0) {
    const value = left.pop()
    if (typeof value === 'string') {
      if (value.length === 71 && ARTIFACT_ID.test(value)) found.add(value)
    } else if (typeof value === 'object' && value !== null) for (const inner of Object.values(value)) left.push(inner)
  }
  return found
}
