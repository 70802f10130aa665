import { randomBytes } from 'node:crypto'
import type { Json } from '@headrace/wire'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { preferredType } from '../answer/accept.ts'
import { sendPage } from '../answer/page.ts'
import type { JsonSchema } from './json-schema.ts'
import { type Process, SINGLE_OUTPUT } from './process.ts'

/** How the client wants to be given the outputs. */
export type ResponseWish = {
  readonly response?: 'raw' | 'document'
  /** Output ids; all when left out. */
  readonly outputs?: readonly string[]
}

type Outputs = Readonly<Record<string, Json>>

/** The outputs by id. A task that is no process here (any more) has one, `result`, like one without an object schema. */
export function outputsOf(process: Process | undefined, result: Json | undefined, wanted?: readonly string[]): Outputs {
  const all = process?.outputShape === 'object' ? (result as Outputs) : { [SINGLE_OUTPUT]: result ?? null }
  if (!wanted) return all
  return Object.fromEntries(wanted.filter((id) => all[id] !== undefined).map((id) => [id, all[id] as Json])) // just checked
}

/**
 * Sends the outputs: under `raw` one output is its bare value and several are `multipart/related`, as the standard has
 * it, unless the client says that it wants JSON; under `document`, and by default for several, they are one JSON object.
 */
export function sendResults(
  request: FastifyRequest,
  reply: FastifyReply,
  given: {
    readonly process: Process | undefined
    readonly outputs: Outputs
    readonly response: 'raw' | 'document' | undefined
  },
): FastifyReply {
  const { process, outputs, response } = given
  const ids = Object.keys(outputs)
  const [first] = ids
  if (response === 'raw' && ids.length === 1 && first !== undefined) {
    const part = toPart(process, first, outputs[first] ?? null)
    return reply.type(part.mediaType).send(part.body)
  }
  const wantsJson =
    preferredType(request.headers.accept, ['multipart/related', 'application/json']) === 'application/json'
  if (response === 'raw' && ids.length > 1 && !wantsJson) return sendMultipart(reply, process, outputs)
  return sendPage(request, reply, 'Results', outputs)
}

function sendMultipart(reply: FastifyReply, process: Process | undefined, outputs: Outputs): FastifyReply {
  const boundary = `headrace-${randomBytes(12).toString('hex')}`
  const chunks = Object.entries(outputs).flatMap(([id, value]) => {
    const part = toPart(process, id, value)
    const head = `--${boundary}\r\nContent-Type: ${part.mediaType}\r\nContent-ID: <${encodeURIComponent(id)}>\r\n\r\n`
    return [Buffer.from(head), part.body, Buffer.from('\r\n')]
  })
  const body = Buffer.concat([...chunks, Buffer.from(`--${boundary}--\r\n`)])
  return reply.type(`multipart/related; boundary=${boundary}`).send(body)
}

/** Base64 text whose media type the process declares is sent as the bytes that it stands for; all else as JSON. */
function toPart(process: Process | undefined, id: string, value: Json): { mediaType: string; body: Buffer } {
  const schema = (process?.outputs[id]?.schema ?? {}) as JsonSchema // sound: made by jsonSchemaOf
  const { contentEncoding, contentMediaType } = schema
  if (typeof value === 'string' && contentEncoding === 'base64' && typeof contentMediaType === 'string') {
    return { mediaType: contentMediaType, body: Buffer.from(value, 'base64') }
  }
  return { mediaType: 'application/json', body: Buffer.from(JSON.stringify(value)) }
}
