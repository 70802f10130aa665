import { join } from 'node:path'
import { layersApp } from '@headrace/app-layers'
import { watershedApp } from '@headrace/app-watershed'
import { type ArtifactStore, openArtifacts } from '@headrace/artifacts'
import { readCron } from '@headrace/cron'
import { createEngine, type Engine } from '@headrace/engine'
import { type Catalogue, openCatalogue } from '@headrace/geo'
import { type App, echoTask, healthTask } from '@headrace/server'
import { openSqliteStore } from '@headrace/store-sqlite'
import { makeDataFolder, storePath } from './data-folder.ts'

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
 * @param options `artifacts`: a folder or S3 URL for artifacts instead of one in the data folder
 */
export async function compose(
  folder: string,
  options: { readonly artifacts?: string | undefined } = {},
): Promise<Composition> {
  const dataDir = await makeDataFolder(folder)
  const artifacts = await openArtifacts(options.artifacts ?? join(dataDir, 'artifacts'))
  const catalogue = await openCatalogue(dataDir)
  const apps = [watershedApp({ catalogue }), layersApp({ catalogue })]
  const store = await openSqliteStore(storePath(dataDir))
  const tasks = [...apps.flatMap((app) => app.tasks), echoTask, healthTask]
  const engine = createEngine({ store, tasks, artifacts, cron: readCron })
  return { dataDir, engine, apps, artifacts, catalogue, close: async () => store[Symbol.asyncDispose]() }
}
