// A small `headrace serve` for crash-restart.test.ts: node bin/node.cjs apps/watershed/test/serve.ts <data folder>
// Says on its standard output, a JSON line each, where it listens and which jobs have ended.
import { join } from 'node:path'
import { createEngine } from '@headrace/engine'
import { openCatalogue } from '@headrace/geo'
import { createKey, createServer } from '@headrace/server'
import { openSqliteStore } from '@headrace/store-sqlite'
import { watershedApp } from '../src/index.ts'

/** What it says. */
export type Said =
  | { readonly said: 'ready'; readonly url: string; readonly key: string; readonly workerStartedAt: number }
  | { readonly said: 'ended'; readonly id: string }

const say = (said: Said) => process.stdout.write(`${JSON.stringify(said)}\n`)

const [dataDir = ''] = process.argv.slice(2)
const catalogue = await openCatalogue(dataDir)
const store = await openSqliteStore(join(dataDir, 'jobs.db'))
const app = watershedApp({ catalogue, tileSide: 256 })
const engine = createEngine({ store, tasks: app.tasks })
store.watch(({ ended = [] }) => {
  for (const id of ended) say({ said: 'ended', id })
})
const server = await createServer({ engine, apps: [app], version: '0.1.0' })
const url = await server.listen({ port: 0 })
const { key } = await createKey(store, { owner: 'ada', scopes: ['submit', 'read-own'], name: 'test' })
const workerStartedAt = Date.now()
await engine.startWorker()
say({ said: 'ready', url, key, workerStartedAt })
