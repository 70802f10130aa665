import type { Json } from '@headrace/wire'
import type { Connection } from '../connection/connect.ts'
import { SampleMissingError } from '../errors.ts'

/** The area of the server's sample, as GeoJSON. @throws {SampleMissingError} */
export async function sampleAreaOf({ url, key }: Connection): Promise<Json> {
  const address = `${url.replace(/\/+$/, '')}/api/watershed/sample-area`
  const headers = { accept: 'application/json', ...(key === undefined ? {} : { authorization: `Bearer ${key}` }) }
  const response = await fetch(address, { headers })
  if (!response.ok) throw new SampleMissingError(url)
  return (await response.json()) as Json // sound: JSON gives nothing else
}
