import { join } from 'node:path'
import { ensureSampleLayers } from '@headrace/app-watershed'
import type { Worker } from '@headrace/engine'
import { createKey, createServer, healthTask, listKeys } from '@headrace/server'
import { type Composition, compose } from '../compose.ts'
import { forgetLocalServer, type LocalKey, readLocalServer, writeLocalServer } from '../connection/local-server.ts'
import { ListenError, PortBusyError } from '../errors.ts'
import { VERSION } from '../version.ts'

export type ServeOptions = {
  readonly dataDir: string
  readonly host: string
  readonly port: number
  /** Slots by queue; undefined for every known queue. */
  readonly queues?: Readonly<Record<string, number>> | undefined
  readonly withWorker: boolean
  readonly dashboardDir?: string | undefined
  /** A folder or S3 URL; the data folder's own when left out. */
  readonly artifacts?: string | undefined
  /** A URL of PostgreSQL; a file in the data folder when left out. */
  readonly store?: string | undefined
  /** Of one upload; 16 GiB when left out. */
  readonly uploadBytesMax?: number | undefined
  /** The stack that it belongs to. */
  readonly deployment?: string | undefined
  /** The worker was asked, from elsewhere, to take no more jobs, and has stopped. */
  readonly onDrained?: () => void
  readonly onProgress: (fraction: number, message: string) => void
}

/** A server, and its worker, in this process. */
export interface RunningServer {
  readonly url: string
  readonly dataDir: string
  readonly key: string
  /** Whether the sample was made just now, in a data folder that had nothing. */
  readonly isFirstStart: boolean
  /** A link that logs one browser in, once, within the hour. */
  loginUrl(): Promise<string>
  /** Takes no more requests and jobs, gives what runs `graceMs` to end, and hands the rest back unharmed. */
  stop(options: { readonly graceMs: number }): Promise<void>
}

/**
 * Starts everything on one data folder, and leaves word there for the other commands.
 * @throws {PortBusyError | ListenError} with everything closed again
 */
export async function startServer(options: ServeOptions): Promise<RunningServer> {
  const composition = await compose(options.dataDir, options)
  const server = await createServer({
    engine: composition.engine,
    apps: composition.apps,
    artifacts: composition.artifacts,
    uploads: {
      dir: join(composition.dataDir, 'uploads'),
      ...(options.uploadBytesMax === undefined ? {} : { sizeBytesMax: options.uploadBytesMax }),
    },
    version: VERSION,
    ...(options.dashboardDir === undefined ? {} : { dashboardDir: options.dashboardDir }),
  })
  try {
    // First of all, for a busy port should be told before anything is made.
    const url = await server.listen(options).catch((error) => throwListenError(options, error))
    const isFirstStart = await ensureSampleLayers(composition.catalogue, { onProgress: options.onProgress })
    const worker = options.withWorker ? await startWorker(composition, options.queues) : undefined
    let isStopping = false
    void worker?.stopped.then(() => isStopping || options.onDrained?.())
    const { key, keyId } = await localKey(composition)
    await writeLocalServer(composition.dataDir, { url, key, keyId, pid: process.pid })
    return {
      url,
      dataDir: composition.dataDir,
      key,
      isFirstStart,
      loginUrl: () => server.loginUrl(),
      async stop({ graceMs }) {
        isStopping = true
        await forgetLocalServer(composition.dataDir)
        await server.close()
        await worker?.stop({ graceMs })
        await composition.close()
      },
    }
  } catch (error) {
    await server.close()
    await composition.close()
    throw error
  }
}

/** With chosen queues too, the worker takes the health check's jobs, so that /healthz speaks of it. */
function startWorker(composition: Composition, queues: ServeOptions['queues']): Promise<Worker> {
  const health = { [healthTask.queue ?? 'default']: 1 }
  return composition.engine.startWorker(queues === undefined ? {} : { queues: { ...queues, ...health } })
}

/** The folder's own key, as long as nobody has revoked it: what watches a job goes on watching after a restart. */
async function localKey({ dataDir, engine }: Composition): Promise<LocalKey> {
  const before = await readLocalServer(dataDir)
  const isValid = before && (await listKeys(engine.store)).some((key) => key.id === before.keyId)
  if (isValid) return before
  const { id, key } = await createKey(engine.store, { owner: 'local', scopes: ['admin'], name: 'headrace serve' })
  return { key, keyId: id }
}

function throwListenError({ host, port }: ServeOptions, error: unknown): never {
  const { code, message } = error as NodeJS.ErrnoException
  if (code === 'EADDRINUSE') throw new PortBusyError(host, port, { cause: error })
  throw new ListenError(host, port, message, { cause: error })
}
