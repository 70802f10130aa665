import type { Readable } from 'node:stream'
import type { ReadableStream } from 'node:stream/web'
import type { ArtifactId } from './artifact-id.ts'

/** What can be put: bytes, text (stored as UTF-8), or a stream of bytes, a Node `Readable` among them. */
export type ArtifactContent = Uint8Array | string | AsyncIterable<Uint8Array> | ReadableStream<Uint8Array>

/** Bytes from `start` up to and without `end`, as `Blob.slice` counts; `end` defaults to the size and is clamped to it. */
export type ArtifactRange = { start: number; end?: number }

export type StoredArtifact = { readonly id: ArtifactId; readonly sizeBytes: number }

/** `modifiedAt` is when this content was last put, so that a cleaner can spare what was put again a moment ago. */
export type ListedArtifact = StoredArtifact & { readonly modifiedAt: Date }

export type PutOptions = {
  readonly signal?: AbortSignal | undefined
  readonly sizeBytesMax?: number | undefined
  /** Called with the id once all content has come, before anything stands under it; what it throws refuses the content. */
  readonly beforeKept?: ((id: ArtifactId) => Promise<void>) | undefined
}

/** Files named by the SHA-256 of their content: written once, whole or not at all, and never changed. */
export interface ArtifactStore {
  /**
   * Stores `content` durably before it resolves. Content that is already there is not stored twice.
   * @throws {ArtifactTooLargeError}  when the content is larger than `sizeBytesMax`; nothing is stored
   * @throws {ArtifactStoreFullError} when there is no room; nothing is left behind
   * @throws the signal's reason when `signal` aborts, and the source's own error when the source fails; nothing is stored
   */
  put(content: ArtifactContent, options?: PutOptions): Promise<StoredArtifact>

  /**
   * Streams an artifact, or a range of it, in bounded memory. A whole read is verified as it streams: the last chunk
   * is held back until the hash is known to be right, so a reader never holds a complete wrong artifact. A range is
   * not verified. The caller reads the stream to its end or destroys it.
   * @throws {ArtifactNotFoundError}
   * @throws {ArtifactRangeInvalidError} when the range is no range, or starts beyond the end
   * The stream itself fails with an {@link ArtifactCorruptError} when the content is damaged.
   */
  read(id: ArtifactId, range?: ArtifactRange): Promise<Readable>

  /**
   * The whole verified content in memory.
   * @throws {ArtifactNotFoundError}
   * @throws {ArtifactTooLargeError} when it is larger than `sizeBytesMax`; checked before it is read
   * @throws {ArtifactCorruptError}  when the content is damaged; it is then out of the way, and can be put anew
   */
  readBytes(id: ArtifactId, options?: { sizeBytesMax?: number | undefined }): Promise<Uint8Array>

  stat(id: ArtifactId): Promise<{ readonly sizeBytes: number } | undefined>
  has(id: ArtifactId): Promise<boolean>

  /** Whether there was such an artifact to delete, after 30 seconds at most. A read that is under way goes on to its end. */
  delete(id: ArtifactId): Promise<boolean>

  /** Every artifact once, in no set order; those put or deleted meanwhile may or may not be seen. */
  list(): AsyncIterable<ListedArtifact>

  /** Leaves word that somebody uses this store. @param user letters, digits and dashes. @param about for people who find it */
  addUser(user: string, about: string): Promise<void>
  /** Everybody who has left word. */
  users(): Promise<readonly string[]>
}
