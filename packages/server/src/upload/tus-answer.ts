import { randomUUID } from 'node:crypto'
import { Server as TusServer } from '@tus/server'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { ServerContext } from '../server-context.ts'
import { requestBody } from './request-body.ts'
import { CHECKSUM_ALGORITHMS, parseUploadChecksum } from './upload-checksum.ts'
import { artifactHeader } from './upload-info.ts'
import { UploadLocks } from './upload-locks.ts'
import { problemOfTusFault, problemOfTusStatus } from './upload-problem.ts'
import { type UploadRequest, UploadStore } from './upload-store.ts'

/** Of tus's answers, what means something here: it would also allow every origin to ask. */
const PASSED_ON = /^(tus-|upload-|location$|cache-control$|headrace-)/

/** How long a request that another one asks to let go of its upload may go on with what it has read. */
const LOCK_DRAIN_MS = 500

export type TusAnswer = (request: FastifyRequest, reply: FastifyReply, id: string) => Promise<FastifyReply>

/** Hands a request to tus's own server, and its answer back to Fastify, so that every hook and every problem is ours. */
export function tusAnswer(
  context: ServerContext,
  { store, sizeBytesMax }: { readonly store: UploadStore; readonly sizeBytesMax: number },
): TusAnswer {
  const tus = createTus(store, sizeBytesMax)
  return async (request, reply, id) => {
    const checksum = parseUploadChecksum(textOf(request.headers['upload-checksum']))
    const upload: UploadRequest = { id, owner: request.caller.owner, checksum }
    const response = await UploadStore.request.run(upload, () => tus.handleWeb(toWebRequest(request, context.closing)))
    passHeadersOn(response, reply, context.baseUrl(request))
    if (request.method === 'OPTIONS') reply.header('tus-checksum-algorithm', CHECKSUM_ALGORITHMS.join(','))
    if (request.method === 'HEAD') reply.headers(artifactHeader((await store.record(id))?.stored?.artifact))
    if (response.status < 400) return reply.code(response.status).send(null)
    // What was not read of a body that is refused is read and dropped: the client hears the answer after it.
    request.raw.resume()
    if (response.status === 412) reply.header('tus-version', '1.0.0')
    const about = { id, sizeBytesMax }
    throw upload.fault === undefined
      ? problemOfTusStatus(response.status, await response.text(), about)
      : (problemOfTusFault(upload.fault, about) ?? upload.fault)
  }
}

function createTus(store: UploadStore, sizeBytesMax: number): TusServer {
  const current = () => UploadStore.request.getStore()
  return new TusServer({
    path: '/uploads',
    datastore: store,
    locker: new UploadLocks(),
    maxSize: sizeBytesMax,
    lockDrainTimeout: LOCK_DRAIN_MS,
    allowedOrigins: [],
    namingFunction: () => current()?.id ?? randomUUID(),
    getFileIdFromRequest: () => current()?.id,
    generateUrl: (_request, { id }) => `/uploads/${id}`,
    async onUploadFinish(_request, { id }) {
      return { headers: artifactHeader((await store.finish(id)).stored?.artifact) }
    },
    onResponseError(_request, error) {
      const request = current()
      if (request) request.fault = error
      return undefined
    },
  })
}

function toWebRequest(request: FastifyRequest, closing: AbortSignal): Request {
  const { method, raw } = request
  const hasBody = method === 'POST' || method === 'PATCH'
  const headers = new Headers()
  for (const [name, value] of Object.entries(request.headers)) if (value !== undefined) headers.set(name, String(value))
  const url = `http://uploads${request.url}`
  return new Request(url, { method, headers, ...(hasBody ? { body: requestBody(raw, closing), duplex: 'half' } : {}) })
}

function passHeadersOn(response: Response, reply: FastifyReply, baseUrl: string): void {
  reply.header('cache-control', 'no-store')
  for (const [name, value] of response.headers) {
    if (PASSED_ON.test(name)) reply.header(name, name === 'location' ? baseUrl + value : value)
  }
}

function textOf(header: string | readonly string[] | undefined): string | undefined {
  return typeof header === 'string' ? header : header?.[0]
}
