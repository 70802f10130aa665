import { artifactNamesIn } from '../collection/artifact-names.ts'
import { NotJsonError, PayloadTooLargeError } from '../errors.ts'
import type { Json } from '../json.ts'
import type { Payload } from '../store/store.ts'

/** What an artifact is made of: bytes, text, or a stream of bytes of any length. */
export type ArtifactContent = Uint8Array | string | AsyncIterable<Uint8Array>

/** Where payloads over 256 KiB go, and what tasks keep. `@headrace/artifacts` is one. */
export interface ArtifactSink {
  put(content: ArtifactContent): Promise<{ readonly id: string; readonly sizeBytes: number }>
  readBytes(id: string): Promise<Uint8Array>
}

/** Larger payloads are moved to the artifacts, so that the store's rows stay small. */
export const PAYLOAD_INLINE_BYTES_MAX = 256 * 1024
export const PAYLOAD_BYTES_MAX = 64 * 1024 * 1024

// No JSON text begins with this sign. Behind the size stand the artifacts that the payload names, for whoever has to know of
// them without reading it.
const ARTIFACT_SIGN = '@'

/** Turns values into what the store keeps, and back. */
export class Payloads {
  readonly #artifacts: ArtifactSink | undefined

  constructor(artifacts: ArtifactSink | undefined) {
    this.#artifacts = artifacts
  }

  /** @param what names the value in messages, such as "The result of geo.count" */
  encode(value: unknown, what: string): Payload | Promise<Payload> {
    const text = toJsonText(value, what)
    if (text.length <= PAYLOAD_INLINE_BYTES_MAX / 4) return text
    const sizeBytes = Buffer.byteLength(text)
    if (sizeBytes > PAYLOAD_BYTES_MAX) throw new PayloadTooLargeError(what, sizeBytes, PAYLOAD_BYTES_MAX)
    if (sizeBytes <= PAYLOAD_INLINE_BYTES_MAX || this.#artifacts === undefined) return text
    const names = [...new Set(artifactNamesIn(text))].join(' ')
    return this.#artifacts.put(text).then(({ id }) => `${ARTIFACT_SIGN}${id}:${sizeBytes} ${names}`)
  }

  decode(payload: Payload): Json | Promise<Json> {
    if (!payload.startsWith(ARTIFACT_SIGN)) return JSON.parse(payload) as Json
    const place = contentOf(payload)
    const id = place.slice(1, place.lastIndexOf(':'))
    if (this.#artifacts === undefined)
      throw new Error(`The payload is in artifact ${id}, and this engine was given no artifacts.`)
    return this.#artifacts.readBytes(id).then((bytes) => JSON.parse(Buffer.from(bytes).toString('utf8')) as Json)
  }
}

/** What tells one payload from another: itself, or where it lies, without what is only written beside that. */
export function contentOf(payload: Payload): string {
  const [place = ''] = payload.startsWith(ARTIFACT_SIGN) ? payload.split(' ', 1) : [payload]
  return place
}

function toJsonText(value: unknown, what: string): string {
  let text: string | undefined
  try {
    text = JSON.stringify(value ?? null)
  } catch (cause) {
    throw new NotJsonError(what, { cause })
  }
  if (text === undefined) throw new NotJsonError(what)
  return text
}
