import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openLocalArtifacts, openStoreArtifacts } from '@headrace/artifacts'
import { readCron } from '@headrace/cron'
import { type AnyTask, createEngine, type DeclaredSchedule, type Engine, type JobId } from '@headrace/engine'
import { openSqliteStore } from '@headrace/store-sqlite'
import type { Scope } from '@headrace/wire'
import type { InjectOptions, LightMyRequestResponse } from 'fastify'
import { createKey } from '../auth/api-key.ts'
import { createServer, type HeadraceServer, type ServerOptions } from '../server.ts'
import type { UploadOptions } from '../upload/upload-routes.ts'
import { TASKS } from './tasks.ts'

export type TestServer = AsyncDisposable & {
  readonly dir: string
  readonly engine: Engine
  readonly server: HeadraceServer
  /** The header that lets this owner do these things; submit and read-own unless said otherwise. */
  authorize(owner?: string, scopes?: readonly Scope[]): Promise<{ readonly authorization: string }>
  /** A request as that owner; `ada` with submit and read-own unless said otherwise. */
  send(request: InjectOptions & { readonly as?: { readonly authorization: string } }): Promise<LightMyRequestResponse>
  /** POSTs an execution with `Prefer: respond-async` and gives the job's id. */
  start(process: string, inputs: object, headers?: Record<string, string>): Promise<JobId>
}

/** The real server over the real engine, the real SQLite store and the real artifacts, in a folder of its own, with a worker. */
export async function openTestServer(
  options: Partial<ServerOptions> & {
    readonly tasks?: readonly AnyTask[]
    readonly schedules?: readonly DeclaredSchedule[]
    readonly withWorker?: boolean
    readonly uploadOptions?: Partial<UploadOptions>
  } = {},
): Promise<TestServer> {
  const { tasks = TASKS, schedules = [], withWorker = true, uploadOptions, ...serverOptions } = options
  const dir = await mkdtemp(join(tmpdir(), 'headrace-server-'))
  const store = await openSqliteStore(join(dir, 'jobs.db'))
  const artifacts = await openStoreArtifacts(await openLocalArtifacts(join(dir, 'artifacts')), store)
  const engine = createEngine({ store, tasks, artifacts, cron: readCron, schedules })
  const worker = withWorker ? await engine.startWorker() : undefined
  const server = await createServer({
    engine,
    apps: [],
    artifacts,
    uploads: { dir: join(dir, 'uploads'), ...uploadOptions },
    version: '0.1.0',
    ...serverOptions,
  })

  const authorize = async (owner = 'ada', scopes: readonly Scope[] = ['submit', 'read-own']) => {
    const { key } = await createKey(store, { owner, scopes, name: 'test' })
    return { authorization: `Bearer ${key}` }
  }
  const ada = await authorize()
  const send: TestServer['send'] = ({ as = ada, ...request }) =>
    server.inject({ ...request, headers: { ...as, ...request.headers } })
  return {
    dir,
    engine,
    server,
    authorize,
    send,
    async start(process, inputs, headers = {}) {
      const response = await send({
        method: 'POST',
        url: `/processes/${process}/execution`,
        headers: { prefer: 'respond-async', ...headers },
        payload: { inputs },
      })
      if (response.statusCode !== 201) throw new Error(`${response.statusCode}: ${response.body}`)
      return response.json().jobID
    },
    async [Symbol.asyncDispose]() {
      await server.close()
      await worker?.stop({ graceMs: 0 })
      await store[Symbol.asyncDispose]()
      await rm(dir, { recursive: true, force: true })
    },
  }
}
