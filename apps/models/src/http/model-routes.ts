import multipart from '@fastify/multipart'
import { parseArtifactId } from '@headrace/artifacts'
import { ModelError } from '@headrace/inference'
import type { ModelList, WireModel, WireModelVersion } from '@headrace/wire'
import { z } from 'zod'
import type { Predictor } from '../predict/predictor.ts'
import { addModel } from '../registry/add-model.ts'
import { Given, isFile, uploadInvalid } from '../registry/given.ts'
import { answeringModelErrors } from './model-problem.ts'
import type { Reply, Request, Routes } from './routes.ts'
import { toWireModel, toWireVersion } from './wire-model.ts'

export type ModelRouteOptions = {
  readonly predictor: Predictor
  /** Where a model lies while it is looked at. */
  readonly spoolDir: string
  readonly sizeBytesMax: number
}

const MANIFEST_BYTES_MAX = 10_000_000

const AddBody = z.strictObject({ manifest: z.unknown(), artifact: z.string(), weights: z.string().optional() })
const DefaultBody = z.strictObject({ version: z.string().min(1).max(100) })

/** Which models there are; adding one, choosing its default version, removing it. */
export async function modelRoutes(fastify: Routes, options: ModelRouteOptions): Promise<void> {
  const { predictor } = options
  const { registry } = predictor

  fastify.get('/models', { config: { scope: 'read-own', summary: 'The models that are deployed' } }, async () => {
    const models = await registry.models()
    return { models: models.map((model) => toWireModel(model, predictor)) } satisfies ModelList
  })

  fastify.get(
    '/models/:name',
    { config: { scope: 'read-own', summary: 'A model: its versions, and how each does in this process' } },
    async (request): Promise<WireModel> => {
      const model = await answeringModelErrors(() => registry.model(nameOf(request)))
      return toWireModel(model, predictor)
    },
  )

  fastify.get(
    '/models/:name/versions/:version',
    { config: { scope: 'read-own', summary: 'One version of a model' } },
    async (request): Promise<WireModelVersion> => {
      const { current } = await answeringModelErrors(() => registry.model(nameOf(request)))
      const record = await answeringModelErrors(() => registry.find(nameOf(request), versionOf(request)))
      return toWireVersion(record, current.manifest.version, predictor)
    },
  )

  // Apart, so that only this route takes forms.
  await fastify.register(async (scope) => {
    await scope.register(multipart)
    const config = {
      scope: 'operate',
      summary:
        'Deploy a model: an .onnx file, its manifest, and weights as .safetensors if it names some; as multipart',
    } as const
    scope.post('/models', { config }, async (request, reply) =>
      answeringModelErrors(async () => add(request, reply, options)),
    )
  })

  fastify.put(
    '/models/:name/default',
    { config: { scope: 'operate', summary: 'Choose the version that answers where none is named', body: DefaultBody } },
    async (request): Promise<WireModel> =>
      answeringModelErrors(async () => {
        const { version } = parseBody(DefaultBody, request.body, 'Send {"version": "…"}.')
        await registry.setDefault(nameOf(request), version)
        return toWireModel(await registry.model(nameOf(request)), predictor)
      }),
  )

  fastify.delete(
    '/models/:name',
    { config: { scope: 'operate', summary: 'Remove a model with all its versions' } },
    async (request, reply) => remove(request, reply, predictor),
  )

  fastify.delete(
    '/models/:name/versions/:version',
    { config: { scope: 'operate', summary: 'Remove one version of a model' } },
    async (request, reply) => remove(request, reply, predictor),
  )
}

async function add(request: Request, reply: Reply, options: ModelRouteOptions): Promise<Reply> {
  const { predictor } = options
  await using given = new Given(options)
  if (request.isMultipart()) await readForm(request, given)
  else await readJson(request, given, predictor)
  const { record, outcome } = await addModel({ given, addedBy: request.caller.owner }, predictor)
  const { name, version } = record.manifest
  const { current } = await predictor.registry.model(name)
  const found = await predictor.registry.find(name, version)
  return reply
    .code(outcome === 'added' ? 201 : 200)
    .header('location', `/models/${name}/versions/${version}`)
    .send({ name, ...toWireVersion(found, current.manifest.version, predictor) })
}

/** The parts `manifest` (JSON), `model` and `weights` (files), in any order. */
async function readForm(request: Request, given: Given): Promise<void> {
  const limits = { files: 3, fields: 10, fieldSize: MANIFEST_BYTES_MAX, fileSize: given.sizeBytesMax + 1 }
  for await (const part of request.parts({ limits })) {
    const { fieldname } = part
    if (fieldname === 'manifest') {
      const text = part.type === 'field' ? String(part.value) : await textOf(part.file)
      given.manifest = parseManifestText(text)
    } else if (isFile(fieldname) && part.type === 'file' && !given.has(fieldname))
      await given.take(fieldname, part.file)
    else throw uploadInvalid(`There is a part named ${JSON.stringify(fieldname.slice(0, 40))} too many`)
  }
}

/** `{ manifest, artifact, weights }`: for files that were uploaded before, in parts perhaps. */
async function readJson(request: Request, given: Given, { artifacts }: Predictor): Promise<void> {
  const { manifest, artifact, weights } = parseBody(
    AddBody,
    request.body,
    'Send the parts "manifest" and "model", or {"manifest": …, "artifact": "sha256:…"}.',
  )
  given.manifest = manifest
  for (const [name, text] of [
    ['model', artifact],
    ['weights', weights],
  ] as const) {
    if (text === undefined) continue
    const id = artifactIdOf(text)
    if (!(await artifacts.has(id))) throw uploadInvalid(`There is no artifact ${id}`)
    await given.take(name, await artifacts.read(id))
  }
}

function artifactIdOf(value: string) {
  try {
    return parseArtifactId(value)
  } catch {
    throw uploadInvalid(
      `${JSON.stringify(value.slice(0, 100))} is no artifact's id, which is sha256: and 64 hexadecimal digits`,
    )
  }
}

async function textOf(stream: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = []
  let sizeBytes = 0
  for await (const chunk of stream) {
    sizeBytes += chunk.byteLength
    if (sizeBytes > MANIFEST_BYTES_MAX) throw uploadInvalid(`The manifest is larger than ${MANIFEST_BYTES_MAX} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

function parseManifestText(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new ModelError('manifest_invalid', `The manifest is not JSON: ${(cause as Error).message}.`, { cause })
  }
}

async function remove(request: Request, reply: Reply, predictor: Predictor): Promise<Reply> {
  const gone = await answeringModelErrors(() => predictor.registry.remove(nameOf(request), versionOf(request)))
  // What they have taken on is answered; that may take a while, and the answer here need not wait for it.
  for (const version of gone) void predictor.unload(version)
  return reply.code(204).send()
}

export function nameOf({ params }: Request): string {
  return (params as { name: string }).name // sound: the routes name it
}

export function versionOf({ params }: Request): string | undefined {
  return (params as { version?: string }).version // sound: a parameter is a text
}

function parseBody<T>(schema: z.ZodType<T>, body: unknown, remedy: string): T {
  const parsed = schema.safeParse(body)
  if (parsed.success) return parsed.data
  const flaws = parsed.error.issues.map(({ path, message }) => `${path.join('.') || 'the body'}: ${message}`)
  throw new ModelError('model_upload_invalid', `The request is invalid. ${flaws.slice(0, 5).join('; ')}. ${remedy}`)
}
