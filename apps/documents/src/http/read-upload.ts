import { basename } from 'node:path'
import type { ArtifactStore } from '@headrace/artifacts'
import { HttpProblem } from '@headrace/server'
import { DocumentError } from '../errors.ts'
import type { Request } from './routes.ts'

/** What one upload holds: the artifact that its file became, and the form's other fields. */
export type Upload = {
  readonly artifact: string
  readonly name: string
  readonly fields: { readonly [name: string]: unknown }
}

const FIELDS_MAX = 20
const FIELD_BYTES_MAX = 100_000

/**
 * Streams the part `file` of a multipart body into the artifacts, never holding more than a chunk of it.
 * @throws {HttpProblem} 400 where there is no file or an empty one, 413 where it is too large; nothing is stored then
 */
export async function readUpload(
  request: Request,
  { artifacts, fileBytesMax }: { readonly artifacts: ArtifactStore; readonly fileBytesMax: number },
): Promise<Upload> {
  const fields: Record<string, unknown> = {}
  let stored: { artifact: string; name: string } | undefined
  const limits = { files: 1, fields: FIELDS_MAX, fieldSize: FIELD_BYTES_MAX, fileSize: fileBytesMax + 1 }
  for await (const part of request.parts({ limits })) {
    if (part.type === 'field') fields[part.fieldname] = readField(part.fieldname, part.value)
    else if (part.fieldname === 'file') {
      const { id, sizeBytes } = await keep(part.file, artifacts, fileBytesMax)
      if (sizeBytes === 0) throw uploadInvalid('The file is empty: it has 0 bytes. Send it again.')
      stored = { artifact: id, name: nameOf(part.filename) }
    } else
      throw uploadInvalid(`The part with the file is named file, not ${JSON.stringify(part.fieldname.slice(0, 40))}.`)
  }
  if (stored === undefined)
    throw uploadInvalid('There is no file. Send it as the part file of a multipart/form-data body.')
  return { ...stored, fields }
}

async function keep(content: AsyncIterable<Uint8Array>, artifacts: ArtifactStore, sizeBytesMax: number) {
  try {
    return await artifacts.put(content, { sizeBytesMax })
  } catch (error) {
    if ((error as { code?: unknown }).code !== 'artifact_too_large') throw error
    throw new HttpProblem({
      status: 413,
      code: 'document_too_large',
      title: 'The document is too large',
      detail: `The document has more than the ${sizeBytesMax} bytes taken here. Split it and send the parts.`,
    })
  }
}

/** Fields of a form are texts; those that stand for more are JSON, lists also words with commas between them. */
function readField(name: string, value: unknown): unknown {
  const text = String(value)
  const isList = name === 'languages' || name === 'outputs'
  if (isList && !text.startsWith('[')) return text.split(/[,+\s]+/).filter((word) => word !== '')
  if (name === 'imageDpi') return Number(text)
  if (name !== 'fields' && !isList) return text
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw uploadInvalid(`The field ${name} is not JSON: ${(cause as Error).message}.`)
  }
}

/** The last part of what a client calls the file, without what no name has. */
function nameOf(filename: string | undefined): string {
  const plain = basename((filename ?? '').replaceAll('\\', '/'))
    .replace(/\p{Cc}/gu, '')
    .trim()
  return plain.slice(-255) || 'document'
}

function uploadInvalid(detail: string): HttpProblem {
  const { code } = new DocumentError('upload_invalid', detail)
  return new HttpProblem({ status: 400, code, title: 'The upload is invalid', detail })
}
