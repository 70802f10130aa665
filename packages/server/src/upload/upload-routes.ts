import { randomUUID } from 'node:crypto'
import type { UploadInfo } from '@headrace/wire'
import type { FastifyInstance } from 'fastify'
import type { ServerContext } from '../server-context.ts'
import { putRoute } from './put-route.ts'
import { type TusAnswer, tusAnswer } from './tus-answer.ts'
import { ownUpload, visibleUpload } from './upload-access.ts'
import { artifactHeader, toUploadInfo } from './upload-info.ts'
import { uploadExpired } from './upload-problem.ts'
import { UploadStore } from './upload-store.ts'

export type UploadOptions = {
  /** Where unfinished uploads lie; made where it is missing. */
  readonly dir: string
  /** Of one upload. Default 16 GiB. */
  readonly sizeBytesMax?: number
  /** How long an upload may stand still before it is removed. Default three days. */
  readonly expireMs?: number
}

const SIZE_BYTES_MAX = 16 * 2 ** 30
const EXPIRE_MS = 3 * 86_400_000
const SWEEP_EVERY_MS = 600_000

const SUBMIT = 'submit'
const SUBMIT_OR_READ = ['submit', 'read-own'] as const

/** tus 1.0 under `/uploads/`, what became of an upload as JSON, and a plain PUT for who needs no resuming. */
export async function uploadRoutes(
  fastify: FastifyInstance,
  context: ServerContext,
  options: UploadOptions,
): Promise<void> {
  const { artifacts, engine, closing } = context
  if (!artifacts) return
  const { sizeBytesMax = SIZE_BYTES_MAX, expireMs = EXPIRE_MS, dir } = options
  const { settings, clock } = engine.store
  const store = new UploadStore({ dir, settings, clock, artifacts, sizeBytesMax, expireMs })
  await store.prepare()
  sweepAtTimes(fastify, store)
  // The bodies are streams here, of whatever type.
  fastify.removeAllContentTypeParsers()
  fastify.addContentTypeParser('*', (_request, _payload, done) => done(null))
  tusRoutes(fastify, store, tusAnswer(context, { store, sizeBytesMax }))
  infoRoute(fastify, store)
  putRoute(fastify, { artifacts, settings, sizeBytesMax, closing })
}

function tusRoutes(fastify: FastifyInstance, store: UploadStore, answer: TusAnswer): void {
  for (const url of ['/uploads', '/uploads/']) {
    const begin = { scope: SUBMIT, summary: 'Begins an upload (tus 1.0)' } as const
    fastify.post(url, { config: begin }, (request, reply) => answer(request, reply, randomUUID()))
    const options = { scope: SUBMIT, summary: 'What of tus 1.0 is served' } as const
    fastify.options(url, { config: options }, (request, reply) => answer(request, reply, ''))
  }
  const head = { scope: SUBMIT_OR_READ, summary: 'How much of an upload has arrived (tus 1.0)' }
  fastify.head('/uploads/:id', { config: head }, async (request, reply) => {
    const id = await visibleUpload(request, store)
    await finishIfWhole(store, id)
    return answer(request, reply, id)
  })
  const patch = { scope: SUBMIT, summary: 'Goes on with an upload (tus 1.0)' } as const
  fastify.patch('/uploads/:id', { config: patch }, async (request, reply) =>
    answer(request, reply, await ownUpload(request, store)),
  )
  const remove = { scope: SUBMIT, summary: 'Ends an upload and removes what has arrived (tus 1.0)' } as const
  fastify.delete('/uploads/:id', { config: remove }, async (request, reply) =>
    answer(request, reply, await ownUpload(request, store)),
  )
}

function infoRoute(fastify: FastifyInstance, store: UploadStore): void {
  const config = { scope: SUBMIT_OR_READ, summary: 'An upload, and the artifact that it became' }
  fastify.get('/uploads/:id', { config, exposeHeadRoute: false }, async (request, reply): Promise<UploadInfo> => {
    const id = await visibleUpload(request, store)
    await finishIfWhole(store, id)
    const progress = await store.progress(id)
    if (!progress) throw uploadExpired()
    reply.header('cache-control', 'no-store').headers(artifactHeader(progress.stored?.artifact))
    return toUploadInfo(progress)
  })
}

/** A crash between the last byte and the artifact is made good by the next one who asks. */
async function finishIfWhole(store: UploadStore, id: string): Promise<void> {
  const progress = await store.progress(id)
  if (progress && !progress.stored && progress.receivedBytes === progress.sizeBytes) await store.finish(id)
}

function sweepAtTimes(fastify: FastifyInstance, store: UploadStore): void {
  const sweep = () =>
    store.deleteExpired().catch((error) => fastify.log.error({ err: error }, 'removing expired uploads'))
  const timer = setInterval(sweep, SWEEP_EVERY_MS).unref()
  let first: Promise<unknown> | undefined
  fastify.addHook('onReady', async () => {
    first = sweep()
  })
  fastify.addHook('onClose', async () => {
    clearInterval(timer)
    await first
  })
}
