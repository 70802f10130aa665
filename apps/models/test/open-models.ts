import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type ArtifactStore, openLocalArtifacts } from '@headrace/artifacts'
import { createEngine, type Engine, type Store, type Worker } from '@headrace/engine'
import { createKey, createServer, type HeadraceServer } from '@headrace/server'
import { openSqliteStore } from '@headrace/store-sqlite'
import { modelsApp } from '../src/index.ts'

type Scopes = Parameters<typeof createKey>[1]['scopes']

/** One process's part: server, engine and app over a store and artifacts that others may share. */
export type Machine = AsyncDisposable & {
  readonly server: HeadraceServer
  readonly engine: Engine
  startWorker(): Promise<Worker>
}

export async function openMachine(
  parts: { readonly store: Store; readonly artifacts: ArtifactStore },
  cacheDir: string,
  { sizeBytesMax, dashboardDir }: { readonly sizeBytesMax?: number; readonly dashboardDir?: string } = {},
): Promise<Machine> {
  const { store, artifacts } = parts
  const app = modelsApp({ artifacts, settings: store.settings, cacheDir, ...(sizeBytesMax && { sizeBytesMax }) })
  const engine = createEngine({ store, artifacts, tasks: app.tasks })
  const server = await createServer({
    engine,
    apps: [app],
    artifacts,
    version: '0.1.0',
    ...(dashboardDir && { dashboardDir }),
  })
  let worker: Worker | undefined
  return {
    server,
    engine,
    startWorker: async () => {
      worker = await engine.startWorker()
      return worker
    },
    async [Symbol.asyncDispose]() {
      await worker?.stop({ graceMs: 0 })
      await server.close()
    },
  }
}

/** The real server, SQLite store and artifacts of the models app, in a folder of its own. */
export class Models implements AsyncDisposable {
  readonly dir: string
  readonly store: Store
  readonly artifacts: ArtifactStore
  readonly machine: Machine
  readonly #keys = new Map<string, string>()

  private constructor(parts: Pick<Models, 'dir' | 'store' | 'artifacts' | 'machine'>) {
    this.dir = parts.dir
    this.store = parts.store
    this.artifacts = parts.artifacts
    this.machine = parts.machine
  }

  static async open(options: { dir?: string; sizeBytesMax?: number; dashboardDir?: string } = {}): Promise<Models> {
    const dir = options.dir ?? (await mkdtemp(join(tmpdir(), 'headrace-models-')))
    const artifacts = await openLocalArtifacts(join(dir, 'artifacts'))
    const store = await openSqliteStore(join(dir, 'jobs.db'))
    const machine = await openMachine({ store, artifacts }, join(dir, 'cache'), options)
    return new Models({ dir, store, artifacts, machine })
  }

  get engine(): Engine {
    return this.machine.engine
  }

  async keyOf(scopes: Scopes): Promise<string> {
    const name = scopes.join()
    const key = this.#keys.get(name) ?? (await createKey(this.store, { owner: 'ada', scopes, name: 'test' })).key
    this.#keys.set(name, key)
    return key
  }

  async send(
    method: 'GET' | 'POST' | 'PUT' | 'DELETE',
    url: string,
    more: {
      payload?: object | Buffer
      headers?: Record<string, string>
      scopes?: Scopes
      server?: HeadraceServer
    } = {},
  ) {
    const key = await this.keyOf(more.scopes ?? ['submit', 'read-own', 'operate'])
    return (more.server ?? this.machine.server).inject({
      method,
      url,
      headers: { authorization: `Bearer ${key}`, ...more.headers },
      ...(more.payload && { payload: more.payload }),
    })
  }

  async add(file: Uint8Array, manifest: unknown, { scopes, weights }: { scopes?: Scopes; weights?: Uint8Array } = {}) {
    const form = new FormData()
    form.append('manifest', new Blob([JSON.stringify(manifest)], { type: 'application/json' }), 'manifest.json')
    form.append('model', new Blob([file as Uint8Array<ArrayBuffer>]), 'model.onnx')
    if (weights) form.append('weights', new Blob([weights as Uint8Array<ArrayBuffer>]), 'model.safetensors')
    return this.sendForm('/models', form, scopes)
  }

  async sendForm(url: string, form: FormData, scopes?: Scopes) {
    const request = new Request('http://localhost/', { method: 'POST', body: form })
    const payload = Buffer.from(await request.arrayBuffer())
    return this.send('POST', url, {
      payload,
      headers: { 'content-type': request.headers.get('content-type') ?? '' },
      ...(scopes && { scopes }),
    })
  }

  /** Ends everything, but leaves the folder for one that goes on with it. */
  async close(): Promise<void> {
    await this.machine[Symbol.asyncDispose]()
    await this.store[Symbol.asyncDispose]()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
    await rm(this.dir, { recursive: true, force: true })
  }
}
