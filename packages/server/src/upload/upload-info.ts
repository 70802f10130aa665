import type { UploadInfo } from '@headrace/wire'
import { iso } from '../job/status-info.ts'
import type { UploadProgress } from './upload-store.ts'

export function toUploadInfo(upload: UploadProgress): UploadInfo {
  const { id, metadata, sizeBytes, receivedBytes, stored, createdAtMs, expiresAtMs } = upload
  const { filename, filetype } = metadata
  return {
    id,
    ...(filename ? { name: filename } : {}),
    ...(filetype ? { mediaType: filetype } : {}),
    ...(sizeBytes === undefined ? {} : { sizeBytes }),
    receivedBytes,
    ...(stored ? { artifact: stored.artifact } : {}),
    createdAt: iso(createdAtMs),
    expiresAt: iso(Math.round(expiresAtMs)),
  }
}

/** How a client learns which artifact its upload became, in the answer to its last byte and in every later one. */
export function artifactHeader(artifact: string | undefined): Record<string, string> {
  return artifact === undefined ? {} : { 'headrace-artifact': artifact }
}
