import type { ArtifactId } from './artifact-id.ts'

export type ArtifactErrorCode =
  | 'artifact_id_invalid'
  | 'artifact_not_found'
  | 'artifact_corrupt'
  | 'artifact_range_invalid'
  | 'artifact_too_large'
  | 'artifact_store_full'

/** Everything an artifact store throws on purpose. `code` is for programs and never changes; `message` is for people. */
export abstract class ArtifactError extends Error {
  abstract readonly code: ArtifactErrorCode
}

export class ArtifactIdInvalidError extends ArtifactError {
  override readonly name = 'ArtifactIdInvalidError'
  readonly code = 'artifact_id_invalid'
  constructor(value: unknown) {
    const shown = typeof value === 'string' ? JSON.stringify(value.slice(0, 100)) : typeof value
    super(`${shown} is not an artifact id. An id is "sha256:" followed by 64 lower-case hex digits.`)
  }
}

export class ArtifactNotFoundError extends ArtifactError {
  override readonly name = 'ArtifactNotFoundError'
  readonly code = 'artifact_not_found'
  constructor(id: ArtifactId) {
    super(`There is no artifact ${id}. It was never put, was deleted, or was found damaged and set aside.`)
  }
}

export class ArtifactCorruptError extends ArtifactError {
  override readonly name = 'ArtifactCorruptError'
  readonly code = 'artifact_corrupt'
  constructor(id: ArtifactId, quarantinedAs: string) {
    super(`The content of ${id} no longer matches its hash. It was set aside as ${quarantinedAs}; put it again.`)
  }
}

export class ArtifactRangeInvalidError extends ArtifactError {
  override readonly name = 'ArtifactRangeInvalidError'
  readonly code = 'artifact_range_invalid'
  readonly sizeBytes: number
  constructor(id: ArtifactId, range: { start: number; end?: number }, sizeBytes: number) {
    super(`Bytes ${range.start} to ${range.end ?? 'the end'} are not a range of ${id}, which has ${sizeBytes} bytes.`)
    this.sizeBytes = sizeBytes
  }
}

export class ArtifactTooLargeError extends ArtifactError {
  override readonly name = 'ArtifactTooLargeError'
  readonly code = 'artifact_too_large'
  constructor(sizeBytesMax: number) {
    super(`The artifact is larger than the ${sizeBytesMax} bytes allowed here.`)
  }
}

export class ArtifactStoreFullError extends ArtifactError {
  override readonly name = 'ArtifactStoreFullError'
  readonly code = 'artifact_store_full'
  constructor(store: string, options: { cause: unknown }) {
    super(`There is no room left in ${store}. Nothing was stored; free some space and put the artifact again.`, options)
  }
}
