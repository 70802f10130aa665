/** Content-addressed files that jobs read and make. */
export { type ArtifactId, artifactIdOfBytes, parseArtifactId } from './artifact-id.ts'
export type {
  ArtifactContent,
  ArtifactRange,
  ArtifactStore,
  ListedArtifact,
  PutOptions,
  StoredArtifact,
} from './artifact-store.ts'
export {
  ArtifactBucketMissingError,
  ArtifactCorruptError,
  ArtifactCredentialsRefusedError,
  ArtifactError,
  type ArtifactErrorCode,
  ArtifactIdInvalidError,
  ArtifactNotFoundError,
  ArtifactRangeInvalidError,
  ArtifactStoreFullError,
  ArtifactStoreUnavailableError,
  ArtifactsUrlInvalidError,
  ArtifactTooLargeError,
} from './errors.ts'
export { FileCache, type HeldFiles } from './file-cache.ts'
export { openLocalArtifacts } from './local-artifacts.ts'
export { openArtifacts } from './open-artifacts.ts'
export { openStoreArtifacts, StoreArtifacts } from './store-artifacts.ts'
