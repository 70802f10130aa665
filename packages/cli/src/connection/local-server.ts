import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

/** A key to the servers of a data folder, for the commands beside them. It stays the same from one start to the next. */
export type LocalKey = { readonly key: string; readonly keyId: string }

/** What `headrace serve` leaves in its data folder, so that the other commands there need no flags. */
export type LocalServer = LocalKey & {
  /** Where the server is; undefined when none runs, so that the key is not sent to who takes its port next. */
  readonly url?: string
  readonly pid?: number
}

export function localServerPath(dataDir: string): string {
  return join(dataDir, 'local.json')
}

/** Undefined when no server ever left word, or when what is there cannot be read as such. */
export async function readLocalServer(dataDir: string): Promise<LocalServer | undefined> {
  try {
    const value: unknown = JSON.parse(await readFile(localServerPath(dataDir), 'utf8'))
    return isLocalServer(value) ? value : undefined
  } catch {
    return undefined // missing or damaged: the caller says how to name a server
  }
}

/** Readable by its owner only, for it holds a key; there as a whole or not at all. */
export async function writeLocalServer(dataDir: string, local: LocalServer): Promise<void> {
  await mkdir(dataDir, { recursive: true })
  const partial = `${localServerPath(dataDir)}.${process.pid}.partial`
  await rm(partial, { force: true })
  await writeFile(partial, `${JSON.stringify(local, null, 2)}\n`, { mode: 0o600, flag: 'wx' })
  await rename(partial, localServerPath(dataDir))
}

/** Takes back where this process's server was, but not the word of another one that has started since. */
export async function forgetLocalServer(dataDir: string): Promise<void> {
  const local = await readLocalServer(dataDir)
  if (local?.pid === process.pid) await writeLocalServer(dataDir, { key: local.key, keyId: local.keyId })
}

function isLocalServer(value: unknown): value is LocalServer {
  if (typeof value !== 'object' || value === null) return false
  const { url, key, keyId } = value as Record<string, unknown> // sound: an object has string keys
  return typeof key === 'string' && typeof keyId === 'string' && (url === undefined || typeof url === 'string')
}
