import { Readable } from 'node:stream'
import type { ArtifactSink } from '@headrace/engine'

/** Where the bytes of artifacts come from; `ArtifactStore` of `@headrace/artifacts` is one. */
export interface ArtifactSource {
  /** @param range from `start` up to and without `end` */
  read(id: string, range?: { start: number; end?: number }): Promise<Readable>
}

/** For an engine whose sink cannot stream: each artifact is held in memory while it is sent. */
export function sourceOfSink(sink: ArtifactSink): ArtifactSource {
  return {
    async read(id, range) {
      const bytes = await sink.readBytes(id)
      return Readable.from([range ? bytes.subarray(range.start, range.end) : bytes])
    },
  }
}
