import multipart from '@fastify/multipart'
import { ModelError } from '@headrace/inference'
import type { AppContext } from '@headrace/server'
import type { PredictAnswer } from '@headrace/wire'
import type { Predictor } from '../predict/predictor.ts'
import { type ImageSource, PredictBody, toQuestion } from '../predict/question.ts'
import { PREDICT } from '../predict/tasks.ts'
import { answeringModelErrors } from './model-problem.ts'
import { nameOf, versionOf } from './model-routes.ts'
import type { Reply, Request, Routes } from './routes.ts'

const IMAGE_BYTES_MAX = 50_000_000
const IMAGES_MAX = 64

/** What is asked, with pictures that came in the body as they are. */
type Asked = Omit<PredictBody, 'images'> & { readonly images?: readonly (ImageSource | Uint8Array)[] | undefined }

/** Asking a model: the answer at once, or a job. */
export async function predictRoutes(fastify: Routes, context: AppContext, predictor: Predictor): Promise<void> {
  // Apart, so that only these routes take pictures and forms.
  await fastify.register(async (scope) => {
    await scope.register(multipart)
    scope.addContentTypeParser(
      /^(image\/|application\/octet-stream)/,
      { parseAs: 'buffer', bodyLimit: IMAGE_BYTES_MAX },
      (_request, body, done) => done(null, body),
    )
    for (const path of ['/models/:name', '/models/:name/versions/:version']) {
      scope.post(
        `${path}/predict`,
        { config: { scope: 'submit', summary: 'Ask a model, and get the answer', body: PredictBody } },
        async (request, reply) => answeringModelErrors(() => predict(request, reply, predictor)),
      )
      scope.post(
        `${path}/jobs`,
        { config: { scope: 'submit', summary: 'Ask a model by a job', body: PredictBody } },
        async (request, reply) => answeringModelErrors(() => submit(request, reply, { context, predictor })),
      )
    }
  })
}

async function predict(request: Request, reply: Reply, predictor: Predictor): Promise<PredictAnswer> {
  const { topK, deadlineMs, ...asked } = await readAsked(request)
  const question = await toQuestion(
    asked as PredictBody, // sound: `bytesOf` reads either kind of picture
    async (source: ImageSource | Uint8Array) => (source instanceof Uint8Array ? source : predictor.image(source)),
  )
  const gone = new AbortController()
  // Who has hung up need not be answered: what still waits for a run is left out of it.
  const onClose = () => reply.raw.writableFinished || gone.abort(new Error('The client has gone.'))
  reply.raw.once('close', onClose)
  try {
    reply.header('cache-control', 'no-store')
    return await predictor.ask({ model: nameOf(request), version: versionOf(request) }, question, {
      topK,
      deadlineMs,
      signal: gone.signal,
    })
  } finally {
    reply.raw.off('close', onClose)
  }
}

async function submit(
  request: Request,
  reply: Reply,
  { context, predictor }: { readonly context: AppContext; readonly predictor: Predictor },
): Promise<Reply> {
  const { images, ...asked } = await readAsked(request)
  const model = nameOf(request)
  const version = versionOf(request)
  await predictor.registry.find(model, version) // so that a model that is not there is told now
  const input = {
    model,
    ...(version !== undefined && { version }),
    ...asked,
    ...(images && { images: await Promise.all(images.map((image) => keep(image, predictor))) }),
  }
  const { id } = await context.engine.submit(PREDICT, input, { owner: request.caller.owner })
  const url = `/jobs/${id}`
  return reply
    .code(202)
    .header('location', url)
    .send({ jobID: id, status: 'accepted', job: url, results: `${url}/results` })
}

async function keep(image: ImageSource | Uint8Array, { artifacts }: Predictor): Promise<ImageSource> {
  if (!(image instanceof Uint8Array)) return image
  return { artifact: (await artifacts.put(image)).id }
}

async function readAsked(request: Request): Promise<Asked> {
  if (request.isMultipart()) return { ...queryOf(request), images: await imagesOfForm(request) }
  if (request.body instanceof Uint8Array) return { ...queryOf(request), images: [request.body] }
  return parse(request.body)
}

/** `?topK=3&deadlineMs=500`, where the body is a picture. */
function queryOf({ query }: Request): Pick<PredictBody, 'topK' | 'deadlineMs'> {
  const { topK, deadlineMs } = query as { topK?: string; deadlineMs?: string } // sound: a query is texts
  const { topK: k, deadlineMs: ms } = parse({
    images: [{ base64: 'AA==' }], // stands for what the body is
    ...(topK !== undefined && { topK: Number(topK) }),
    ...(deadlineMs !== undefined && { deadlineMs: Number(deadlineMs) }),
  })
  return { topK: k, deadlineMs: ms }
}

async function imagesOfForm(request: Request): Promise<readonly Uint8Array[]> {
  const images: Uint8Array[] = []
  for await (const part of request.parts({ limits: { files: IMAGES_MAX, fields: 0, fileSize: IMAGE_BYTES_MAX } })) {
    if (part.type !== 'file' || part.fieldname !== 'image')
      throw invalid(`A picture is sent as a part named image, not ${JSON.stringify(part.fieldname.slice(0, 40))}.`)
    images.push(await part.toBuffer())
  }
  if (images.length === 0)
    throw invalid('There is no picture. Send it as the part image of a multipart/form-data body.')
  return images
}

function parse(body: unknown): PredictBody {
  const parsed = PredictBody.safeParse(body)
  if (parsed.success) return parsed.data
  const flaws = parsed.error.issues.map(({ path, message }) => `${path.join('.') || 'the body'}: ${message}`)
  throw invalid(`The request is invalid. ${flaws.slice(0, 5).join('; ')}.`)
}

function invalid(message: string): ModelError {
  return new ModelError('model_input_invalid', message)
}
