import { createHash, randomUUID } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { type FileHandle, open, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { type ArtifactId, artifactIdOfHex } from '../artifact-id.ts'
import { type Chunks, checkSize } from '../content.ts'
import { ArtifactStoreFullError } from '../errors.ts'

/** Content that has been read to its end, so that its name is known before any of it is sent. */
export type Spooled = AsyncDisposable & {
  readonly id: ArtifactId
  readonly sizeBytes: number
  /** In memory, or as a new stream of the spool file each time. */
  body(): Uint8Array | Readable
}

/** More than this is spooled to a file. */
export const IN_MEMORY_BYTES_MAX = 8 * 1024 * 1024

/**
 * Reads a source to its end, into memory as long as it is small, else into a temporary file, which goes with the result.
 * @throws {ArtifactTooLargeError | ArtifactStoreFullError}, or the source's own error; nothing is left behind
 */
export async function spool(
  source: Chunks,
  options: { readonly sizeBytesMax?: number | undefined; readonly dir: string },
): Promise<Spooled> {
  const hash = createHash('sha256')
  const held: Uint8Array[] = []
  const path = join(options.dir, `headrace-spool-${randomUUID()}`)
  let file: FileHandle | undefined
  let sizeBytes = 0
  const removeFile = () => (file ? rm(path, { force: true }) : Promise.resolve())
  try {
    for await (const chunk of source) {
      sizeBytes += chunk.byteLength
      checkSize(sizeBytes, options.sizeBytesMax)
      hash.update(chunk)
      if (!file && sizeBytes > IN_MEMORY_BYTES_MAX) {
        file = await open(path, 'wx', 0o600)
        for (const earlier of held.splice(0)) await file.appendFile(earlier)
      }
      if (file) await file.appendFile(chunk)
      else held.push(chunk)
    }
  } catch (error) {
    await file?.close()
    await removeFile()
    const { code } = error as NodeJS.ErrnoException
    throw code === 'ENOSPC' || code === 'EDQUOT' ? new ArtifactStoreFullError(path, { cause: error }) : error
  }
  await file?.close()
  const bytes = file ? undefined : Buffer.concat(held.splice(0))
  return {
    id: artifactIdOfHex(hash.digest('hex')),
    sizeBytes,
    body: () => bytes ?? createReadStream(path),
    [Symbol.asyncDispose]: removeFile,
  }
}
