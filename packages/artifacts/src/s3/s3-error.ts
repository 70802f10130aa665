import {
  ArtifactBucketMissingError,
  ArtifactCredentialsRefusedError,
  ArtifactStoreFullError,
  ArtifactStoreUnavailableError,
} from '../errors.ts'
import type { S3Location } from './s3-location.ts'

/** What the SDK throws, as far as it matters here. */
type S3Fault = Error & {
  readonly code?: string
  readonly $metadata?: { readonly httpStatusCode?: number }
}

const REFUSED = new Set([
  'AccessDenied',
  'AllAccessDisabled',
  'CredentialsProviderError',
  'ExpiredToken',
  'Forbidden',
  'InvalidAccessKeyId',
  'InvalidToken',
  'SignatureDoesNotMatch',
])
const FULL = new Set(['QuotaExceeded', 'XMinioStorageFull', 'InsufficientStorage', 'StorageFull'])
/** `AbortError`: it took longer than we wait; who aborts himself hears his own reason. */
const UNREACHABLE = new Set([
  'AbortError',
  'ECONNREFUSED',
  'ECONNRESET',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EPIPE',
  'ETIMEDOUT',
  'TimeoutError',
])

/** The same fault in our words; what is none of the kinds foreseen stays as it is. */
export function toArtifactError(fault: unknown, location: S3Location): unknown {
  if (!(fault instanceof Error)) return fault
  const { name, code, message, $metadata } = fault as S3Fault
  const store = storeName(location)
  const status = $metadata?.httpStatusCode ?? 0
  if (name === 'NoSuchBucket')
    return new ArtifactBucketMissingError(location.bucket, endpointName(location), { cause: fault })
  if (REFUSED.has(name) || status === 401 || status === 403) {
    return new ArtifactCredentialsRefusedError(store, `${name}, ${oneLine(message)}`, { cause: fault })
  }
  if (FULL.has(name) || status === 507) return new ArtifactStoreFullError(store, { cause: fault })
  if (UNREACHABLE.has(name) || UNREACHABLE.has(code ?? '')) {
    return new ArtifactStoreUnavailableError(store, code ?? name, { cause: fault })
  }
  if (status >= 500) return new ArtifactStoreUnavailableError(store, `${status} ${name}`, { cause: fault })
  return fault
}

export function isMissing(fault: unknown): boolean {
  const { name, $metadata } = fault as S3Fault
  return name === 'NoSuchKey' || name === 'NotFound' || (name !== 'NoSuchBucket' && $metadata?.httpStatusCode === 404)
}

export function storeName(location: S3Location): string {
  return `s3://${location.bucket}/${location.prefix} at ${endpointName(location)}`
}

function endpointName({ endpoint, region }: S3Location): string {
  return endpoint ?? `AWS ${region}`
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ').replace(/\.$/, '')
}
