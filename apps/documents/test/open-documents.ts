import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type ArtifactStore, openLocalArtifacts, parseArtifactId } from '@headrace/artifacts'
import { createEngine, type Engine, type JobId, type Store, type Worker } from '@headrace/engine'
import { createKey, createServer, type HeadraceServer } from '@headrace/server'
import { openSqliteStore } from '@headrace/store-sqlite'
import type { DocumentContent, DocumentSummary } from '@headrace/wire'
import { type DocumentsOptions, documentsApp } from '../src/index.ts'

type Scopes = Parameters<typeof createKey>[1]['scopes']
type Form = Readonly<Record<string, string>>

/** The real server, engine, SQLite store and worker of the documents app, in a folder of its own. */
export class Documents implements AsyncDisposable {
  readonly dir: string
  readonly artifacts: ArtifactStore
  readonly store: Store
  readonly engine: Engine
  readonly server: HeadraceServer
  #worker: Worker | undefined

  private constructor(parts: Pick<Documents, 'dir' | 'artifacts' | 'store' | 'engine' | 'server'>) {
    this.dir = parts.dir
    this.artifacts = parts.artifacts
    this.store = parts.store
    this.engine = parts.engine
    this.server = parts.server
  }

  /** @param options `dir`: of one that was closed before, to go on with what is in it */
  static async open(
    options: Pick<DocumentsOptions, 'limits' | 'tessdataDirs'> & {
      withWorker?: boolean
      dir?: string
      dashboardDir?: string
    } = {},
  ): Promise<Documents> {
    const dir = options.dir ?? (await mkdtemp(join(tmpdir(), 'headrace-documents-')))
    const artifacts = await openLocalArtifacts(join(dir, 'artifacts'))
    const store = await openSqliteStore(join(dir, 'jobs.db'))
    const app = documentsApp({
      artifacts,
      cacheDir: join(dir, 'cache'),
      ...(options.limits && { limits: options.limits }),
      ...(options.tessdataDirs && { tessdataDirs: options.tessdataDirs }),
    })
    const engine = createEngine({ store, artifacts, tasks: app.tasks })
    const server = await createServer({
      engine,
      apps: [app],
      artifacts,
      uploads: { dir: join(dir, 'uploads') },
      version: '0.1.0',
      ...(options.dashboardDir && { dashboardDir: options.dashboardDir }),
    })
    const here = new Documents({ dir, artifacts, store, engine, server })
    if (options.withWorker !== false) await here.startWorker()
    return here
  }

  async startWorker(): Promise<void> {
    this.#worker = await this.engine.startWorker()
  }

  async keyOf(owner: string, scopes: Scopes = ['submit', 'read-own']): Promise<string> {
    return (await createKey(this.store, { owner, scopes, name: 'test' })).key
  }

  /** POST /elab as multipart, as ada unless a key says otherwise. */
  async upload(
    content: Uint8Array | string,
    { name = 'document', fields = {}, key }: { name?: string; fields?: Form; key?: string } = {},
  ) {
    const form = new FormData()
    for (const [field, value] of Object.entries(fields)) form.append(field, value)
    form.append('file', new Blob([content as Uint8Array<ArrayBuffer>]), name)
    const request = new Request('http://localhost/', { method: 'POST', body: form })
    const headers = { 'content-type': request.headers.get('content-type') ?? '' }
    return this.send('POST', '/elab', {
      payload: Buffer.from(await request.arrayBuffer()),
      headers,
      ...(key && { key }),
    })
  }

  async send(
    method: 'GET' | 'POST' | 'PUT',
    url: string,
    { key, headers, payload }: { key?: string; headers?: Form; payload?: Buffer | object } = {},
  ) {
    const authorization = `Bearer ${key ?? (await this.keyOf('ada'))}`
    return this.server.inject({ method, url, headers: { authorization, ...headers }, ...(payload && { payload }) })
  }

  /** Uploads, waits for the end, and gives what GET /elab_result/{id} says. */
  async read(content: Uint8Array | string, options: { name?: string; fields?: Form } = {}): Promise<DocumentContent> {
    const id = await this.submit(content, options)
    await this.engine.wait(id)
    const answer = await this.send('GET', `/elab_result/${id}`)
    if (answer.statusCode !== 200) throw new Error(`${answer.statusCode}: ${answer.body}`)
    return answer.json()
  }

  async submit(content: Uint8Array | string, options: { name?: string; fields?: Form } = {}): Promise<JobId> {
    const answer = await this.upload(content, options)
    if (answer.statusCode !== 202) throw new Error(`${answer.statusCode}: ${answer.body}`)
    return answer.json().task_id
  }

  /** The error that a document's job ended with. */
  async errorOf(
    content: Uint8Array | string,
    options: { name?: string; fields?: Form } = {},
  ): Promise<{ code: string; message: string }> {
    const id = await this.submit(content, options)
    await this.engine.wait(id)
    const status = (await this.send('GET', `/elab_status/${id}`)).json()
    return status.error ?? { code: status.status, message: '' }
  }

  async summaryOf(id: JobId): Promise<DocumentSummary> {
    return (await this.engine.result(id)) as unknown as DocumentSummary
  }

  async bytesOf(artifact: string | undefined): Promise<Uint8Array> {
    return this.artifacts.readBytes(parseArtifactId(artifact))
  }

  async close(): Promise<void> {
    await this.server.close()
    await this.#worker?.stop({ graceMs: 0 })
    await this.store[Symbol.asyncDispose]()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
    await rm(this.dir, { recursive: true, force: true })
  }
}
