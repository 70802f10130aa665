import { ArtifactsUrlInvalidError } from '../errors.ts'

/** Where in which S3 server artifacts lie. */
export type S3Location = {
  readonly bucket: string
  /** Empty, or with a slash at its end. */
  readonly prefix: string
  /** Undefined for AWS itself. */
  readonly endpoint?: string
  readonly region: string
  /** `http://host/bucket/key` rather than `http://bucket.host/key`; what most servers but AWS want. */
  readonly isPathStyle: boolean
}

const OPTIONS = ['endpoint', 'region', 'path-style']
/** Where nothing else is said; servers other than AWS take any. */
const REGION = 'us-east-1'

/**
 * @throws {ArtifactsUrlInvalidError}
 * @example parseS3Url('s3://headrace/a?endpoint=http://127.0.0.1:9000', {}) // bucket 'headrace', prefix 'a/', path style
 */
export function parseS3Url(text: string, env: NodeJS.ProcessEnv): S3Location {
  const shown = text.replace(/\/\/[^/@]*@/, '//…@')
  const refuse = (why: string) => new ArtifactsUrlInvalidError(shown, why)
  const url = URL.parse(text)
  if (url?.protocol !== 's3:') throw refuse('it is not an s3:// URL')
  if (url.username || url.password)
    throw refuse(
      'credentials do not belong in it, for it is shown and logged; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY',
    )
  if (!/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(url.host))
    throw refuse('it names no bucket (3 to 63 of a–z, 0–9, "." and "-")')
  const unknown = [...url.searchParams.keys()].find((name) => !OPTIONS.includes(name))
  if (unknown !== undefined) throw refuse(`it has an option ${unknown}; there are ${OPTIONS.join(', ')}`)
  const endpoint = url.searchParams.get('endpoint') ?? env.AWS_ENDPOINT_URL_S3 ?? env.AWS_ENDPOINT_URL
  if (endpoint !== undefined && !/^https?:$/.test(URL.parse(endpoint)?.protocol ?? '')) {
    throw refuse(`its endpoint ${JSON.stringify(endpoint)} is no http:// or https:// URL`)
  }
  const pathStyle = url.searchParams.get('path-style')
  if (pathStyle !== null && pathStyle !== 'true' && pathStyle !== 'false') throw refuse('path-style is true or false')
  const path = decodeURIComponent(url.pathname).replace(/^\/+|\/+$/g, '')
  return {
    bucket: url.host,
    prefix: path === '' ? '' : `${path}/`,
    region: url.searchParams.get('region') ?? env.AWS_REGION ?? env.AWS_DEFAULT_REGION ?? REGION,
    isPathStyle: pathStyle === null ? endpoint !== undefined : pathStyle === 'true',
    ...(endpoint === undefined ? {} : { endpoint }),
  }
}
