// A process of its own for the bench of models: the real server over SQLite and a folder. Writes its address and a key as JSON.
import { join } from 'node:path'
import { modelsApp } from '@headrace/app-models'
import { openArtifacts } from '@headrace/artifacts'
import { createEngine } from '@headrace/engine'
import { createKey, createServer } from '@headrace/server'
import { openSqliteStore } from '@headrace/store-sqlite'

const [folder = '.'] = process.argv.slice(2)
const store = await openSqliteStore(join(folder, 'jobs.db'))
const artifacts = await openArtifacts(join(folder, 'artifacts'))
const app = modelsApp({ artifacts, settings: store.settings, cacheDir: join(folder, 'cache') })
const engine = createEngine({ store, artifacts, tasks: app.tasks })
const server = await createServer({ engine, apps: [app], artifacts, version: 'bench' })
const url = await server.listen({ port: 0 })
const { key } = await createKey(store, { owner: 'bench', scopes: ['admin'], name: 'bench' })
console.log(JSON.stringify({ url, key }))
