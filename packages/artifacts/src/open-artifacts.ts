import { fileURLToPath } from 'node:url'
import type { ArtifactStore } from './artifact-store.ts'
import { ArtifactsUrlInvalidError } from './errors.ts'
import { openLocalArtifacts } from './local-artifacts.ts'

/**
 * Opens the artifact store that a URL names: a folder, as a path or `file:` URL, or a bucket of an S3 server. What an
 * S3 URL leaves out comes from the environment: credentials always (`AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, or
 * whatever else AWS's own chain finds), `AWS_ENDPOINT_URL_S3`, `AWS_REGION`.
 * @throws {ArtifactsUrlInvalidError | ArtifactBucketMissingError | ArtifactCredentialsRefusedError | ArtifactStoreUnavailableError}
 * @example await openArtifacts('/var/lib/headrace/artifacts')
 * @example await openArtifacts('s3://headrace/artifacts?endpoint=http://127.0.0.1:9000')
 */
export async function openArtifacts(url: string, env: NodeJS.ProcessEnv = process.env): Promise<ArtifactStore> {
  if (url.startsWith('s3:')) {
    const { openS3Artifacts } = await import('./s3/s3-artifacts.ts') // with its library, which a folder does without
    return openS3Artifacts(url, env)
  }
  if (url.startsWith('file:')) return openLocalArtifacts(fileURLToPath(url))
  // One letter before the colon is a drive of Windows.
  if (/^[a-z][a-z0-9+.-]+:/i.test(url))
    throw new ArtifactsUrlInvalidError(redacted(url), 'its scheme is not known here')
  return openLocalArtifacts(url)
}

/** Without what may be a password. */
function redacted(url: string): string {
  return url.replace(/\/\/[^/@]*@/, '//…@')
}
