import { resolve } from 'node:path'
import { type Client, createClient } from '@headrace/client'
import { ServerUnknownError, UsageError } from '../errors.ts'
import { readLocalServer } from './local-server.ts'

/** What says which server is meant, and as whom. */
export type ServerChoice = {
  readonly url?: string | undefined
  readonly key?: string | undefined
  /** The data folder, where a server of this machine leaves word. */
  readonly data: string
}

export type Connection = { readonly url: string; readonly key: string | undefined; readonly client: Client }

/** A person waits: a server that does not answer is named soon. */
const RETRY_FOR_MS = 3_000

/**
 * The server that is meant: by flag, else by environment, else the one on this machine. The local server's key goes only
 * to the local server's address.
 * @throws {ServerUnknownError} when nothing says which
 */
export async function connect(choice: ServerChoice, env: NodeJS.ProcessEnv): Promise<Connection> {
  const local = await readLocalServer(choice.data)
  const url = choice.url ?? (env.HEADRACE_URL || undefined) ?? local?.url
  if (url === undefined) throw new ServerUnknownError(resolve(choice.data))
  requireHttpUrl(url)
  const key = choice.key ?? (env.HEADRACE_KEY || undefined) ?? (isSameServer(url, local?.url) ? local?.key : undefined)
  return { url, key, client: clientOf(url, key) }
}

export function clientOf(url: string, key: string | undefined): Client {
  return createClient({ baseUrl: url, retryForMs: RETRY_FOR_MS, ...(key === undefined ? {} : { token: key }) })
}

function requireHttpUrl(url: string): void {
  const protocol = URL.canParse(url) ? new URL(url).protocol : ''
  if (protocol === 'http:' || protocol === 'https:') return
  throw new UsageError(`"${url}" is not a server's address. Give one such as http://127.0.0.1:8080.`)
}

function isSameServer(url: string, localUrl: string | undefined): boolean {
  return localUrl !== undefined && new URL(url).origin === new URL(localUrl).origin
}
