import { randomUUID } from 'node:crypto'
import type { AddressInfo } from 'node:net'
import type { Engine } from '@headrace/engine'
import Fastify, { type FastifyInstance, type FastifyServerOptions } from 'fastify'
import { createBaseUrl } from './answer/links.ts'
import { parseJsonBodies } from './answer/parse-json.ts'
import type { App, AppContext } from './app.ts'
import { artifactRoutes } from './artifact/artifact-routes.ts'
import { type ArtifactStorage, storageOfSink } from './artifact/artifact-source.ts'
import { sendArtifact } from './artifact/send-artifact.ts'
import { guardArtifacts } from './auth/artifact-access.ts'
import { authenticate } from './auth/authenticate.ts'
import { checkHost, isLoopbackName } from './auth/host-check.ts'
import { setSecurityHeaders } from './auth/security-headers.ts'
import { createLoginToken } from './auth/session.ts'
import { changeableJob, visibleJob } from './auth/visible-job.ts'
import { dashboardRoutes } from './dashboard/dashboard-routes.ts'
import { loginRoutes } from './dashboard/login-routes.ts'
import { EventHub } from './event/event-hub.ts'
import { eventRoutes } from './event/event-routes.ts'
import { detailRoutes } from './job/detail-routes.ts'
import { jobRoutes } from './job/job-routes.ts'
import { logRoutes } from './job/log-routes.ts'
import { redriveRoute } from './job/redrive-route.ts'
import { resultsRoutes } from './job/results-routes.ts'
import { retryRoute } from './job/retry-route.ts'
import { signalRoute } from './job/signal-route.ts'
import { landingRoutes } from './landing-routes.ts'
import { type ListedRoute, listRoutes } from './openapi/route-list.ts'
import { operationRoutes } from './operation/operation-routes.ts'
import { answerProblems } from './problem/answer-problems.ts'
import { HttpProblem } from './problem/http-problem.ts'
import { executionRoute } from './process/execution-route.ts'
import { listProcesses } from './process/process.ts'
import { processRoutes } from './process/process-routes.ts'
import { createQueueReader } from './queue/queue-counts.ts'
import { queueRoutes } from './queue/queue-routes.ts'

import { retentionRoutes } from './retention/retention-routes.ts'

import { deploymentRoutes } from './routing/deployment-routes.ts'
import { limitRoutes } from './routing/limit-routes.ts'

import { scheduleRoutes } from './schedule/schedule-routes.ts'
import type { ServerContext } from './server-context.ts'
import { type UploadOptions, uploadRoutes } from './upload/upload-routes.ts'
import { workerRoutes } from './worker/worker-routes.ts'

export type ServerOptions = {
  /** Knows the tasks of all `apps`. */
  readonly engine: Engine
  readonly apps: readonly App[]
  /** Where artifacts are streamed from and to; the engine's own sink when left out. */
  readonly artifacts?: ArtifactStorage
  /** Takes uploads under `/uploads/`, resumable ones among them; none when left out. */
  readonly uploads?: UploadOptions
  /** The built dashboard. */
  readonly dashboardDir?: string
  readonly version: string
  /** How the world calls this server, for links; what each client called it when left out. Its name passes the host check. */
  readonly baseUrl?: string
  /** Further names, without ports, that pass the host check. */
  readonly allowedHosts?: readonly string[]
  /** Of a JSON body. Default 20,000,000. */
  readonly bodySizeBytesMax?: number
  /** How long a synchronous execution waits before it goes on as an asynchronous one. Default 30,000. */
  readonly syncWaitMs?: number
  /** Fastify's own (pino). Default: none. */
  readonly logger?: FastifyServerOptions['logger']
  /** Whether a proxy in front says in X-Forwarded-* how it was called. Default false. */
  readonly trustProxy?: boolean
}

export interface HeadraceServer {
  /** Resolves to where it listens: `http://127.0.0.1:8080`. Default host 127.0.0.1; port 0 takes a free one. */
  listen(options: { readonly host?: string; readonly port: number }): Promise<string>
  /** Ends the event streams and waits for the requests under way. The engine, its workers and the store stay as they are. */
  close(): Promise<void>
  /** A link that logs one browser in, once, within the hour, as `local` with all scopes. */
  loginUrl(): Promise<string>
  /** Answers a request without a network, for tests. */
  readonly inject: FastifyInstance['inject']
  /** Every route that was registered, with the scope that it asks for. */
  routes(): readonly ListedRoute[]
}

const BODY_SIZE_BYTES_MAX = 20_000_000
const SYNC_WAIT_MS = 30_000
/** For a request to arrive whole; a large upload over a slow line takes a while. */
const REQUEST_TIMEOUT_MS = 600_000
const LOCAL_CALLER = { owner: 'local', scopes: ['admin'] } as const

/**
 * Puts the generic API, the dashboard and the apps behind one HTTP server. It does not start a worker: jobs run in
 * whichever process called `engine.startWorker()`.
 * @throws when an app's route says no scope, or an app's task is unknown to the engine
 * @example
 * const server = await createServer({ engine, apps: [layers], version: '0.1.0' })
 * console.log(await server.listen({ port: 8080 }), await server.loginUrl())
 */
export async function createServer(options: ServerOptions): Promise<HeadraceServer> {
  const { engine, apps } = options
  refuseUnknownTasks(engine, apps)
  const fastify = Fastify({
    logger: options.logger ?? false,
    bodyLimit: options.bodySizeBytesMax ?? BODY_SIZE_BYTES_MAX,
    requestTimeout: REQUEST_TIMEOUT_MS,
    trustProxy: options.trustProxy ?? false,
    genReqId: () => randomUUID(),
    routerOptions: { maxParamLength: 1_000 },
  })
  const closing = new AbortController()
  const hub = new EventHub(engine.store, (error) => fastify.log.error({ err: error }, 'reading events'))
  const context = createContext(options, hub, closing.signal)

  letGoAtClose(fastify, closing.signal)
  const routes = listRoutes(fastify)
  answerProblems(fastify)
  parseJsonBodies(fastify)
  setSecurityHeaders(fastify)
  const hostCheck = checkHost(fastify, allowedHostsOf(options))
  authenticate(fastify, engine.store)
  guardArtifacts(fastify, engine.store.settings)
  await addRoutes(fastify, context, options, () => landingRoutes(fastify, context, routes))
  await fastify.ready()

  let address: string | undefined
  return {
    inject: fastify.inject.bind(fastify) as FastifyInstance['inject'], // sound: bind keeps every overload
    routes: () => routes.all(),
    async listen({ host = '127.0.0.1', port }) {
      hostCheck.boundTo(host)
      await fastify.listen({ host, port })
      address = addressOf(host, fastify.server.address() as AddressInfo) // sound: it listens on TCP
      return address
    },
    async loginUrl() {
      const base = options.baseUrl?.replace(/\/+$/, '') ?? address
      if (base === undefined) throw new Error('The login URL is known once the server listens: call listen() first.')
      return `${base}/?token=${await createLoginToken(engine.store, LOCAL_CALLER)}`
    },
    async close() {
      closing.abort(serverClosing())
      hub.close()
      await fastify.close()
    },
  }
}

function createContext(options: ServerOptions, hub: EventHub, closing: AbortSignal): ServerContext {
  const { engine, apps, artifacts, version } = options
  return {
    engine,
    processes: listProcesses(engine.tasks.values()),
    artifacts: artifacts ?? (engine.artifacts && storageOfSink(engine.artifacts)),
    hub,
    queueCounts: createQueueReader(engine.store),
    baseUrl: createBaseUrl(options.baseUrl),
    version,
    pages: apps.flatMap((app) => app.pages ?? []),
    syncWaitMs: options.syncWaitMs ?? SYNC_WAIT_MS,
    closing,
  }
}

async function addRoutes(
  fastify: FastifyInstance,
  context: ServerContext,
  options: ServerOptions,
  addLanding: () => void,
): Promise<void> {
  addLanding()
  processRoutes(fastify, context)
  executionRoute(fastify, context)
  jobRoutes(fastify, context)
  retryRoute(fastify, context)
  redriveRoute(fastify, context)
  signalRoute(fastify, context)
  resultsRoutes(fastify, context)
  detailRoutes(fastify, context)
  logRoutes(fastify, context)
  artifactRoutes(fastify, context)
  eventRoutes(fastify, context)
  operationRoutes(fastify, context)
  queueRoutes(fastify, context)
  retentionRoutes(fastify, context)
  scheduleRoutes(fastify, context)
  workerRoutes(fastify, context)
  deploymentRoutes(fastify, context)
  limitRoutes(fastify, context)
  const { uploads } = options
  // Apart, so that only they take bodies of any type.
  if (uploads) await fastify.register(async (scope) => uploadRoutes(scope, context, uploads))
  // Apart, so that only they take forms.
  await fastify.register(async (scope) => loginRoutes(scope, context))
  await dashboardRoutes(fastify, context, options.dashboardDir)
  for (const app of options.apps) {
    await fastify.register(async (scope) => app.routes?.(scope, appContextOf(context)))
  }
}

function appContextOf(context: ServerContext): AppContext {
  const { engine, artifacts, version, baseUrl } = context
  return {
    engine,
    artifacts,
    version,
    baseUrl,
    visibleJob: (request, id) => visibleJob(engine, request.caller, id),
    changeableJob: (request, id) => changeableJob(engine, request.caller, id),
    sendArtifact: (request, reply, artifact) => sendArtifact(artifacts, request, reply, artifact),
  }
}

/** An app whose jobs nobody could run is found at the start, not by its first user. */
function refuseUnknownTasks(engine: Engine, apps: readonly App[]): void {
  for (const app of apps) {
    const missing = app.tasks.filter((task) => engine.tasks.get(task.name) !== task).map((task) => task.name)
    if (missing.length === 0) continue
    throw new Error(
      `The app ${app.name} has tasks that the engine does not know: ${missing.join(', ')}. Give both the same.`,
    )
  }
}

function allowedHostsOf({ allowedHosts = [], baseUrl }: ServerOptions): readonly string[] {
  const own = baseUrl === undefined ? [] : [new URL(baseUrl).hostname]
  return [...allowedHosts, ...own].map((host) => host.toLowerCase()).filter((host) => !isLoopbackName(host))
}

/** An address to listen on everywhere is none to go to; this machine reaches it by its own name. */
function addressOf(host: string, { port }: AddressInfo): string {
  const name = host === '0.0.0.0' || host === '::' ? 'localhost' : host
  return `http://${name.includes(':') ? `[${name}]` : name}:${port}`
}

/**
 * A stream that is ended because the server closes leaves a connection that was kept alive, and that the close would wait
 * for until the client lets go of it.
 */
function letGoAtClose(fastify: FastifyInstance, closing: AbortSignal): void {
  fastify.addHook('onResponse', async () => {
    // The connection counts as idle only after the response's own last handlers have run.
    if (closing.aborted) setImmediate(() => fastify.server.closeIdleConnections())
  })
}

/** For what waits for a job; the job goes on, here or elsewhere. */
function serverClosing(): HttpProblem {
  return new HttpProblem({
    status: 503,
    code: 'closing',
    title: 'The server is closing',
    detail: 'The server is closing. Jobs go on; ask again once it is back.',
    headers: { 'retry-after': '2' },
  })
}
