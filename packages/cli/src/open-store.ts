import type { Store } from '@headrace/engine'
import { requireDataFolder, storePath } from './data-folder.ts'
import { StoreUrlError } from './errors.ts'

/** Whether the jobs are in PostgreSQL, and not in a file of the data folder. */
export function isPostgresUrl(url: string | undefined): url is string {
  return url !== undefined && /^postgres(ql)?:/i.test(url)
}

/**
 * The store that a URL names; the data folder's own file when there is none. Each is loaded only where it is used.
 * @throws {StoreUrlError} when it is a URL of something else
 */
export async function openStore(folder: string, url: string | undefined): Promise<Store> {
  if (isPostgresUrl(url)) {
    const { openPostgresStore } = await import('@headrace/store-postgres')
    return openPostgresStore(url)
  }
  const { openSqliteStore } = await import('@headrace/store-sqlite')
  return openSqliteStore(sqlitePath(folder, url))
}

/** The jobs that are there already. @throws {DataFolderMissingError} {StoreUrlError} */
export async function openExistingStore(folder: string, url: string | undefined): Promise<Store> {
  if (url === undefined) await requireDataFolder(folder)
  return openStore(folder, url)
}

/** The file of the store: the data folder's own where no URL names another. @throws {StoreUrlError} */
export function sqlitePath(folder: string, url: string | undefined): string {
  if (url === undefined || url === '') return storePath(folder)
  const path = url.replace(/^sqlite:(\/\/)?/, '')
  if (path === '' || /^[a-z][a-z0-9+.-]+:/i.test(path)) throw new StoreUrlError(schemeOf(url))
  return path
}

/** Where the jobs are, for people: without a user or a password. */
export function storeName(folder: string, url: string | undefined): string {
  if (!isPostgresUrl(url)) return url ? sqlitePath(folder, url) : folder
  const { host, pathname } = new URL(url)
  return `PostgreSQL at ${host || 'the local socket'}${pathname}`
}

/** What of a URL may be shown: not its password. */
function schemeOf(url: string): string {
  return url.slice(0, url.indexOf(':') + 1)
}
