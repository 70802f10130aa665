import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createEngine, type Engine, type JobId, type Store, type Worker } from '@headrace/engine'
import { addLayer, type Catalogue, type Layer, openCatalogue } from '@headrace/geo'
import { createKey, createServer, type HeadraceServer } from '@headrace/server'
import { openSqliteStore } from '@headrace/store-sqlite'
import { type WatershedOptions, watershedApp } from '../src/index.ts'
import { writeTiff } from './write-tiff.ts'

type Scopes = Parameters<typeof createKey>[1]['scopes']
type Send = {
  readonly url: string
  readonly method?: 'GET' | 'POST'
  readonly payload?: unknown
  readonly as?: string
  readonly headers?: Record<string, string>
}

/** The real server, engine, SQLite store and worker, over an empty catalogue in a folder of its own. */
export class Watershed implements AsyncDisposable {
  readonly dir: string
  readonly catalogue: Catalogue
  readonly store: Store
  readonly engine: Engine
  readonly server: HeadraceServer
  readonly #keys = new Map<string, string>()
  #worker: Worker | undefined

  private constructor(parts: Pick<Watershed, 'dir' | 'catalogue' | 'store' | 'engine' | 'server'>) {
    this.dir = parts.dir
    this.catalogue = parts.catalogue
    this.store = parts.store
    this.engine = parts.engine
    this.server = parts.server
  }

  static async open(options: Partial<WatershedOptions> & { readonly withWorker?: boolean } = {}): Promise<Watershed> {
    const dir = await mkdtemp(join(tmpdir(), 'headrace-watershed-'))
    const catalogue = await openCatalogue(dir)
    const store = await openSqliteStore(join(dir, 'jobs.db'))
    const app = watershedApp({ catalogue, ...options })
    const engine = createEngine({ store, tasks: app.tasks })
    const server = await createServer({ engine, apps: [app], version: '0.1.0' })
    const here = new Watershed({ dir, catalogue, store, engine, server })
    if (options.withWorker !== false) await here.startWorker()
    return here
  }

  async startWorker(): Promise<void> {
    this.#worker = await this.engine.startWorker()
  }

  /** Adds a raster given row by row; cells of 100 m in EPSG:5070 whose top left corner is that of the Delaware sample. */
  async addSmall(
    name: string,
    rows: readonly (readonly number[])[],
    more: Partial<Layer> & { nodata?: number; cellM?: number } = {},
  ): Promise<Layer> {
    const { nodata, cellM = 100, title, classes } = more
    const path = await writeTiff(join(this.dir, `${name}.tif`), {
      rows: rows.length,
      cols: rows[0]?.length ?? 0,
      cells: Uint8Array.from(rows.flat()),
      left: 1_709_015,
      top: 2_050_195,
      cellWidth: cellM,
      cellHeight: cellM,
      ...(nodata !== undefined && { nodata }),
    })
    return addLayer(this.catalogue, { path, name, title, classes, replace: true })
  }

  /** A key of this owner; `submit` and `read-own` unless said otherwise. */
  async keyOf(owner: string, scopes: Scopes = ['submit', 'read-own']): Promise<string> {
    const known = this.#keys.get(`${owner} ${scopes}`)
    if (known !== undefined) return known
    const { key } = await createKey(this.store, { owner, scopes, name: 'test' })
    this.#keys.set(`${owner} ${scopes}`, key)
    return key
  }

  /** As ada, unless said otherwise by a key. */
  async send({ url, method, payload, as, headers }: Send) {
    const key = as ?? (await this.keyOf('ada'))
    return this.server.inject({
      url,
      method: method ?? (payload === undefined ? 'GET' : 'POST'),
      headers: { authorization: `Token ${key}`, ...headers },
      ...(payload !== undefined && { payload: payload as object }),
    })
  }

  /** Starts an analysis under Model My Watershed's own route, waits for its end, and gives GET /api/jobs/{uuid}/. */
  async analyze(path: string, area: unknown) {
    const started = await this.send({ url: path, payload: { area_of_interest: area } })
    if (started.statusCode !== 200) throw new Error(`${started.statusCode}: ${started.body}`)
    const id: JobId = started.json().job_uuid
    await this.engine.wait(id)
    return (await this.send({ url: `/api/jobs/${id}/` })).json()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.server.close()
    await this.#worker?.stop({ graceMs: 0 })
    await this.store[Symbol.asyncDispose]()
    await rm(this.dir, { recursive: true, force: true })
  }
}
