import { createHash, type Hash } from 'node:crypto'
import { HttpProblem } from '../problem/http-problem.ts'

/** What the bytes of one request must hash to (tus's extension `checksum`). */
export type UploadChecksum = { readonly algorithm: string; readonly digest: Buffer }

export const CHECKSUM_ALGORITHMS = ['sha256', 'sha1', 'md5']

/**
 * Reads an `Upload-Checksum` header: an algorithm, a space, the digest in base64.
 * @throws {HttpProblem} 400
 * @example parseUploadChecksum('sha1 Kq5sNclPz7QV2+lfQIuc6R7oRu0=')
 */
export function parseUploadChecksum(header: string | undefined): UploadChecksum | undefined {
  if (header === undefined) return undefined
  const [, algorithm = '', digest = ''] = /^(\S+) ([A-Za-z0-9+/]+={0,2})$/.exec(header.trim()) ?? []
  if (CHECKSUM_ALGORITHMS.includes(algorithm)) return { algorithm, digest: Buffer.from(digest, 'base64') }
  throw new HttpProblem({
    status: 400,
    code: 'request_invalid',
    title: 'The checksum is invalid',
    detail: `Upload-Checksum must be one of ${CHECKSUM_ALGORITHMS.join(', ')}, a space, and the digest in base64.`,
  })
}

export function beginHash(checksum: UploadChecksum | undefined): Hash | undefined {
  return checksum && createHash(checksum.algorithm)
}

/** 460 is tus's own status for this. */
export function checksumMismatch(): HttpProblem {
  return new HttpProblem({
    status: 460,
    code: 'upload_checksum_mismatch',
    title: 'Checksum Mismatch',
    detail: 'The bytes of this request do not have the checksum that it named. They were dropped; send them again.',
  })
}
