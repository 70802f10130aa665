import type { Store } from '@headrace/engine'
import { openPostgresStore } from '@headrace/store-postgres'
import { openSqliteStore } from '@headrace/store-sqlite'

/** @param store a file, or postgres://… */
export function openStore(store: string): Promise<Store> {
  return store.startsWith('postgres') ? openPostgresStore(store) : openSqliteStore(store)
}
