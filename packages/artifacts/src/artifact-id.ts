import { hash } from 'node:crypto'
import { ArtifactIdInvalidError } from './errors.ts'

/** Names an artifact by its content: `sha256:` and 64 lower-case hex digits. */
export type ArtifactId = `sha256:${string}`

const ARTIFACT_ID = /^sha256:[0-9a-f]{64}$/

/**
 * Reads an id that came from outside. A store calls it on every id, so that no id can name a path.
 * @throws {ArtifactIdInvalidError} when `value` is anything but `sha256:` and 64 lower-case hex digits
 * @example parseArtifactId('sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855')
 */
export function parseArtifactId(value: unknown): ArtifactId {
  if (typeof value !== 'string' || !ARTIFACT_ID.test(value)) throw new ArtifactIdInvalidError(value)
  return value as ArtifactId // sound: the pattern above is the type's meaning
}

/** The id that `content` has in every store. */
export function artifactIdOfBytes(content: Uint8Array): ArtifactId {
  return artifactIdOfHex(hash('sha256', content, 'hex'))
}

export function artifactIdOfHex(hex: string): ArtifactId {
  return `sha256:${hex}`
}

export function hexOfArtifactId(id: ArtifactId): string {
  return parseArtifactId(id).slice('sha256:'.length)
}
