import multipart from '@fastify/multipart'
import { parseArtifactId } from '@headrace/artifacts'
import { ModelError } from '@headrace/inference'
import type { ModelList, WireModel, WireModelVersion } from '@headrace/wire'
import { z } from 'zod'
import type { Predictor } from '../predict/predictor.ts'
import { addModel, type Spooled, spoolModel } from '../registry/add-model.ts'
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

const AddBody = z.strictObject({ manifest: z.unknown(), artifact: z.string() })
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
      summary: 'Deploy a model: an .onnx file and its manifest, as multipart',
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
  const { manifest, ...given } = request.isMultipart()
    ? await readForm(request, options)
    : await readJson(request, options)
  await using file = given.file
  const { record, outcome } = await addModel({ manifest, file, addedBy: request.caller.owner }, predictor)
  const { name, version } = record.manifest
  const { current } = await predictor.registry.model(name)
  const found = await predictor.registry.find(name, version)
  return reply
    .code(outcome === 'added' ? 201 : 200)
    .header('location', `/models/${name}/versions/${version}`)
    .send({ name, ...toWireVersion(found, current.manifest.version, predictor) })
}

type Given = { readonly manifest: unknown; readonly file: Spooled }

/** The parts `manifest` (JSON) and `model` (the file), in any order. */
async function readForm(request: Request, { spoolDir, sizeBytesMax }: ModelRouteOptions): Promise<Given> {
  let manifest: unknown
  let file: Spooled | undefined
  const limits = { files: 2, fields: 10, fieldSize: MANIFEST_BYTES_MAX, fileSize: sizeBytesMax + 1 }
  try {
    for await (const part of request.parts({ limits })) {
      if (part.fieldname === 'manifest') {
        const text = part.type === 'field' ? String(part.value) : await textOf(part.file)
        manifest = parseManifestText(text)
      } else if (part.fieldname === 'model' && part.type === 'file' && file === undefined) {
        file = await spoolModel(part.file, { folder: spoolDir, sizeBytesMax })
      } else throw uploadInvalid(`There is a part named ${JSON.stringify(part.fieldname.slice(0, 40))} too many`)
    }
    if (file === undefined) throw uploadInvalid('There is no model')
    if (manifest === undefined) throw uploadInvalid('There is no manifest')
    return { manifest, file }
  } catch (error) {
    await file?.[Symbol.asyncDispose]()
    throw error
  }
}

/** `{ manifest, artifact }`: for a file that was uploaded before, in parts perhaps. */
async function readJson(request: Request, { predictor, spoolDir, sizeBytesMax }: ModelRouteOptions): Promise<Given> {
  const { manifest, artifact } = parseBody(
    AddBody,
    request.body,
    'Send the parts "manifest" and "model", or {"manifest": …, "artifact": "sha256:…"}.',
  )
  const id = artifactIdOf(artifact)
  if (!(await predictor.artifacts.has(id))) throw uploadInvalid(`There is no artifact ${id}`)
  return { manifest, file: await spoolModel(await predictor.artifacts.read(id), { folder: spoolDir, sizeBytesMax }) }
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

function uploadInvalid(what: string): ModelError {
  return new ModelError(
    'model_upload_invalid',
    `${what}. Send the parts "manifest" (JSON) and "model" (the .onnx file) as multipart/form-data, or ` +
      '{"manifest": …, "artifact": "sha256:…"} for a file that was uploaded before.',
  )
}
