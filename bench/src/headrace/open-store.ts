import type { Store } from '@headrace/engine'

export function isPostgresUrl(url: string): boolean {
  return /^postgres(ql)?:\/\//.test(url)
}

/** Loads the one store that it opens. @param url a path of a SQLite file, or a URL of PostgreSQL */
export async function openStore(url: string): Promise<Store> {
  if (isPostgresUrl(url)) return (await import('@headrace/store-postgres')).openPostgresStore(url)
  return (await import('@headrace/store-sqlite')).openSqliteStore(url)
}
