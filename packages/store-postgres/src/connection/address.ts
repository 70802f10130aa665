import { StoreUnusableError } from '@headrace/engine'
import type { ClientConfig } from 'pg'

export const DEFAULT_SCHEMA = 'headrace'

/** Where a store is. `shown` is for messages: it never has the password. */
export type Address = {
  readonly shown: string
  readonly schema: string
  readonly config: ClientConfig
}

/** Names that need no quoting anywhere, so that none is ever quoted wrongly. 63 bytes is PostgreSQL's own limit. */
const SCHEMA = /^[a-z_][a-z0-9_]{0,62}$/

/**
 * @param url `postgres://user:password@host:port/database`, with `?schema=name` for another schema than `headrace`; what
 *   else stands behind the question mark (`sslmode`, …) is for the driver
 * @throws {StoreUnusableError} when it is no such URL
 */
export function parseAddress(url: string, schemaOption?: string): Address {
  const parsed = URL.parse(url)
  if (parsed === null || !/^postgres(ql)?:$/.test(parsed.protocol)) {
    const remedy = 'Write it as postgres://user:password@host:5432/database.'
    throw new StoreUnusableError('The PostgreSQL store', 'its URL cannot be read', remedy)
  }
  const schema = schemaOption ?? parsed.searchParams.get('schema') ?? DEFAULT_SCHEMA
  parsed.searchParams.delete('schema')
  const shown = shownAs(parsed, schema)
  if (!SCHEMA.test(schema) || schema.startsWith('pg_')) {
    const remedy = 'Use lower-case letters, digits and _, beginning with a letter, at most 63 of them.'
    throw new StoreUnusableError(shown, `its schema ${JSON.stringify(schema)} is no name that it can have`, remedy)
  }
  return { shown, schema, config: { connectionString: parsed.href } }
}

function shownAs(url: URL, schema: string): string {
  const user = url.username === '' ? '' : `${url.username}@`
  return `postgres://${user}${url.host}${url.pathname}${schema === DEFAULT_SCHEMA ? '' : `?schema=${schema}`}`
}
