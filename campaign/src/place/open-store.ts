import type { Store } from '@headrace/engine'
import { openSqliteStore } from '@headrace/store-sqlite'

/** @param store a file, or postgres://… */
export async function openStore(store: string): Promise<Store> {
  if (!store.startsWith('postgres')) return openSqliteStore(store)
  const { openPostgresStore } = await postgresStore()
  return openPostgresStore(store)
}

type PostgresStore = { openPostgresStore(url: string): Promise<Store> }

// Named so that the campaign is whole without it.
async function postgresStore(): Promise<PostgresStore> {
  const name: string = '@headrace/store-postgres'
  return (await import(name)) as PostgresStore
}
