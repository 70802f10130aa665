import { Readable } from 'node:stream'
import type { ArtifactSink } from '@headrace/engine'

/** Where the bytes of artifacts come from; `ArtifactStore` of `@headrace/artifacts` is one. */
export interface ArtifactSource {
  /** @param range from `start` up to and without `end` */
  read(id: string, range?: { start: number; end?: number }): Promise<Readable>
}

/** And where they go. `ArtifactStore` is one of these too. */
export interface ArtifactStorage extends ArtifactSource {
  /**
   * Stores a stream durably, or nothing of it.
   * @throws an error with the code `artifact_too_large` or `artifact_store_full`, the signal's reason, or the stream's own error
   */
  put(
    content: AsyncIterable<Uint8Array>,
    options?: { signal?: AbortSignal | undefined; sizeBytesMax?: number | undefined },
  ): Promise<{ readonly id: string; readonly sizeBytes: number }>
}

/** For an engine whose sink cannot stream: each artifact is held in memory while it is sent. */
export function storageOfSink(sink: ArtifactSink): ArtifactStorage {
  return {
    async read(id, range) {
      const bytes = await sink.readBytes(id)
      return Readable.from([range ? bytes.subarray(range.start, range.end) : bytes])
    },
    put: (content, options = {}) => sink.put(limited(content, options)),
  }
}

async function* limited(
  content: AsyncIterable<Uint8Array>,
  {
    signal,
    sizeBytesMax = Number.POSITIVE_INFINITY,
  }: { signal?: AbortSignal | undefined; sizeBytesMax?: number | undefined },
): AsyncGenerator<Uint8Array> {
  let sizeBytes = 0
  for await (const chunk of content) {
    signal?.throwIfAborted()
    sizeBytes += chunk.byteLength
    if (sizeBytes > sizeBytesMax) {
      throw Object.assign(new Error(`It is larger than the ${sizeBytesMax} bytes allowed here.`), {
        code: 'artifact_too_large',
      })
    }
    yield chunk
  }
}
