import type { ArtifactId } from './artifact-id.ts'

export type ArtifactErrorCode =
  | 'artifact_id_invalid'
  | 'artifact_not_found'
  | 'artifact_corrupt'
  | 'artifact_range_invalid'
  | 'artifact_too_large'
  | 'artifact_store_full'
  | 'artifact_store_unavailable'
  | 'artifact_bucket_missing'
  | 'artifact_credentials_refused'
  | 'artifacts_url_invalid'

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

export class ArtifactStoreUnavailableError extends ArtifactError {
  override readonly name = 'ArtifactStoreUnavailableError'
  readonly code = 'artifact_store_unavailable'
  constructor(store: string, why: string, options: { cause: unknown }) {
    super(
      `The artifact store ${store} does not answer: ${why}. Try again; check that it runs and can be reached.`,
      options,
    )
  }
}

export class ArtifactBucketMissingError extends ArtifactError {
  override readonly name = 'ArtifactBucketMissingError'
  readonly code = 'artifact_bucket_missing'
  constructor(bucket: string, store: string, options: { cause: unknown }) {
    super(`There is no bucket ${bucket} at ${store}. Make it there first, or correct its name in --artifacts.`, options)
  }
}

export class ArtifactCredentialsRefusedError extends ArtifactError {
  override readonly name = 'ArtifactCredentialsRefusedError'
  readonly code = 'artifact_credentials_refused'
  constructor(store: string, why: string, options: { cause: unknown }) {
    super(
      `${store} refused the credentials: ${why}. Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY to a key that may list, read, write and delete there.`,
      options,
    )
  }
}

export class ArtifactsUrlInvalidError extends ArtifactError {
  override readonly name = 'ArtifactsUrlInvalidError'
  readonly code = 'artifacts_url_invalid'
  constructor(url: string, why: string) {
    super(
      `${JSON.stringify(url)} is no place for artifacts: ${why}. Give a folder, or s3://bucket/prefix?endpoint=http://host:9000&region=…&path-style=true.`,
    )
  }
}
