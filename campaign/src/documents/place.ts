import { join } from 'node:path'
import { documentsApp } from '@headrace/app-documents'
import { openLocalArtifacts } from '@headrace/artifacts'
import { createEngine, type Engine, type Store } from '@headrace/engine'
import { openSqliteStore } from '@headrace/store-sqlite'

export type DocumentsPlace = AsyncDisposable & {
  readonly engine: Engine
  readonly store: Store
  put(bytes: Uint8Array): Promise<string>
}

/** A store, its artifacts and the documents app in a folder; any number of processes may hold it. */
export async function openPlace(folder: string): Promise<DocumentsPlace> {
  const artifacts = await openLocalArtifacts(join(folder, 'artifacts'))
  const store = await openSqliteStore(join(folder, 'jobs.db'))
  const { tasks } = documentsApp({ artifacts, cacheDir: join(folder, 'cache') })
  return {
    engine: createEngine({ store, artifacts, tasks }),
    store,
    put: async (bytes) => (await artifacts.put(bytes)).id,
    [Symbol.asyncDispose]: async () => store[Symbol.asyncDispose](),
  }
}
