import { join } from 'node:path'
import { documentsApp, findTessdata } from '@headrace/app-documents'
import { layersApp } from '@headrace/app-layers'
import { modelsApp } from '@headrace/app-models'
import { watershedApp } from '@headrace/app-watershed'
import { type ArtifactStore, openArtifacts, openStoreArtifacts } from '@headrace/artifacts'
import { readCron } from '@headrace/cron'
import { canvasWorkflow, createEngine, type Engine, type Store } from '@headrace/engine'
import { type Catalogue, openCatalogue } from '@headrace/geo'
import { type App, echoTask, healthTask } from '@headrace/server'
import { makeDataFolder } from './data-folder.ts'
import { openStore } from './open-store.ts'

/** The parts of one Headrace, put together over one data folder. Everything that is chosen is chosen in this file. */
export type Composition = {
  readonly dataDir: string
  readonly engine: Engine
  readonly apps: readonly App[]
  readonly artifacts: ArtifactStore
  readonly catalogue: Catalogue
  readonly close: () => Promise<void>
}

/**
 * @param folder  the data folder, made where it is missing
 * @param options `artifacts`: a folder or S3 URL for artifacts instead of one in the data folder; `store`: a URL of
 *   PostgreSQL for the jobs instead of a file there; `deployment`: the stack that it belongs to
 */
export async function compose(
  folder: string,
  options: {
    readonly artifacts?: string | undefined
    readonly store?: string | undefined
    readonly deployment?: string | undefined
  } = {},
): Promise<Composition> {
  const tessdataDirs = findTessdata(process.env.HEADRACE_TESSDATA)
  const dataDir = await makeDataFolder(folder)
  const place = await openArtifacts(options.artifacts ?? join(dataDir, 'artifacts'))
  const catalogue = await openCatalogue(dataDir)
  const store: Store = await openStore(dataDir, options.store)
  const artifacts = await openStoreArtifacts(place, store).catch(async (error: unknown) => {
    await store[Symbol.asyncDispose]()
    throw error
  })
  const documents = documentsApp({
    artifacts,
    cacheDir: join(dataDir, 'documents'),
    tessdataDirs,
  })
  const models = modelsApp({ artifacts, settings: store.settings, cacheDir: join(dataDir, 'models') })
  const apps = [watershedApp({ catalogue }), layersApp({ catalogue }), documents, models]
  const callable = [...apps.flatMap((app) => app.tasks), echoTask]
  const tasks = [...callable, canvasWorkflow(callable), healthTask]
  const { deployment } = options
  const engine = createEngine({
    store,
    tasks,
    artifacts,
    cron: readCron,
    ...(deployment !== undefined && { deployment }),
  })
  return { dataDir, engine, apps, artifacts, catalogue, close: async () => store[Symbol.asyncDispose]() }
}
