import { readFile } from 'node:fs/promises'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { extname, join, normalize } from 'node:path'
import type {
  JobState,
  Json,
  LimitHolders,
  LogLine,
  QueuePatch,
  ScheduleOptions,
  StatusInfo,
  WireArtifact,
  WireAttempt,
  WireDeployment,
  WireEvent,
  WireModel,
  WireQueue,
  WireSchedule,
  WireStep,
  WireWaitReason,
  WireWorker,
} from '@headrace/wire'
import { FAKE_LAYERS, FAKE_PROCESSES, fakeJob, iso, LAND_RESULT, SAMPLE_AREA, type Telling } from './fake-jobs.ts'
import { FAKE_ANSWER, fakeModels } from './fake-models.ts'
import { fakeTile } from './fake-tile.ts'

/** A server in the shapes of @headrace/wire that holds its jobs in an array and does only what a test tells it. */
export type FakeServer = AsyncDisposable & {
  readonly url: string
  readonly jobs: StatusInfo[]
  readonly queues: WireQueue[]
  readonly schedules: WireSchedule[]
  readonly models: WireModel[]
  readonly deployments: WireDeployment[]
  /** Workers that were asked to stop. */
  readonly drained: Set<string>
  /** Why every waiting job waits. */
  reason: WireWaitReason
  /** What the pages asked for, as `METHOD /path?query`. */
  readonly requests: string[]
  /** What retries were asked for with. */
  readonly retries: unknown[]
  readonly attempts: Map<string, WireAttempt[]>
  readonly steps: Map<string, WireStep[]>
  readonly inputs: Map<string, Json>
  readonly results: Map<string, Json>
  readonly artifacts: Map<string, WireArtifact[]>
  /** Records an event, applies `change` to its job, and sends it to whoever listens. */
  tell(event: Telling, change?: Partial<StatusInfo>): void
  /** Breaks off all event streams, as a restart does. */
  dropStreams(): void
  /** Parts of addresses that a test makes fail on purpose. */
  readonly expectedFaults: string[]
  /** While true, streams are refused. */
  refuseStreams: boolean
  /** What the answer to a cancel waits for. */
  cancelAnswered: Promise<void>
  /** What the next execution does; by default it stores a waiting job. */
  onExecute: (process: string, inputs: { readonly [id: string]: Json }) => StatusInfo | { readonly problem: Json }
}

/** As in packages/server/src/auth/security-headers.ts: the pages must work under these. */
const SECURITY_HEADERS = {
  'content-security-policy':
    "default-src 'self'; img-src 'self' data: blob:; worker-src 'self' blob:; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'same-origin',
}

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.mjs': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
}

/** As the real server has it: a parameter that it does not know is a mistake. */
const LIST_PARAMETERS = ['state', 'processID', 'queue', 'tag', 'q', 'datetime', 'rootsOnly', 'limit', 'cursor']

const WITH_BODY = ['POST', 'PUT', 'PATCH']

type Stream = { readonly response: ServerResponse; readonly wants: (event: WireEvent) => boolean }

export async function startFakeServer(options: {
  readonly dist: string
  readonly jobs?: readonly StatusInfo[]
  readonly port?: number
}): Promise<FakeServer> {
  const events: WireEvent[] = []
  const streams = new Set<Stream>()
  /** For the parents only; what changes is in `jobs`. */
  const byId = new Map((options.jobs ?? []).map((job) => [job.jobID, job]))
  const fake = {
    url: '',
    jobs: [...(options.jobs ?? [])],
    queues: fakeQueues(),
    schedules: fakeSchedules(),
    models: fakeModels(),
    deployments: fakeDeployments(),
    drained: new Set<string>(),
    reason: { code: 'paused', sentence: 'Its queue training is paused; nothing of it is begun until it is resumed.' },
    requests: [] as string[],
    retries: [] as unknown[],
    expectedFaults: [] as string[],
    attempts: new Map<string, WireAttempt[]>(),
    steps: new Map<string, WireStep[]>(),
    inputs: new Map<string, Json>(),
    results: new Map<string, Json>(),
    artifacts: new Map<string, WireArtifact[]>(),
    refuseStreams: false,
    cancelAnswered: Promise.resolve(),
    onExecute: (process: string, _inputs: { readonly [id: string]: Json }): StatusInfo | { readonly problem: Json } =>
      fakeJob(900_000 + fake.jobs.length, {
        processID: process,
        state: 'waiting',
        status: 'accepted',
        progress: 0,
        attempt: 0,
      }),
    tell(telling: Telling, change?: Partial<StatusInfo>) {
      const event: WireEvent = { ...telling, cursor: events.length + 1 }
      events.push(event)
      const place = fake.jobs.findIndex((job) => job.jobID === event.jobId)
      const job = fake.jobs[place]
      if (job && change) fake.jobs[place] = { ...job, ...change, updated: event.at }
      if (job) byId.set(job.jobID, job)
      for (const stream of streams) if (stream.wants(event)) stream.response.write(sse(event))
    },
    dropStreams() {
      for (const stream of streams) stream.response.destroy()
      streams.clear()
    },
    [Symbol.asyncDispose]: async () => {
      fake.dropStreams()
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  } satisfies FakeServer & Record<string, unknown>

  const server = createServer((request, response) => {
    answer(request, response).catch((error) => {
      response.statusCode = 500
      response.end(String(error))
    })
  })

  async function answer(request: IncomingMessage, response: ServerResponse) {
    const url = new URL(request.url ?? '/', 'http://fake')
    fake.requests.push(`${request.method} ${url.pathname}${url.search}`)
    if (url.pathname === '/' || url.pathname.startsWith('/app')) return sendPage(url.pathname, response)
    const parts = url.pathname.split('/').filter(Boolean).map(decodeURIComponent)
    if (parts[0] === 'layers' && parts[2] === 'tiles') return sendTile(response, parts.slice(3))
    if (parts.at(-1) === 'events') return openStream(request, response, url, parts[0] === 'jobs' ? parts[1] : undefined)
    const body = WITH_BODY.includes(request.method ?? '') ? await readBody(request) : undefined
    const found = route(request.method ?? 'GET', parts, url.searchParams, body)
    if (request.method === 'DELETE') await fake.cancelAnswered
    sendJson(response, found.status ?? 200, found.body)
  }

  function route(
    method: string,
    parts: readonly string[],
    query: URLSearchParams,
    body: unknown,
  ): { status?: number; body: unknown } {
    const [room, id, under] = parts
    switch (room) {
      case 'session':
        return { body: { owner: 'ada', scopes: ['submit', 'read-all', 'operate'], version: '0.1.0' } }
      case 'pages':
        return { body: { pages: [{ id: 'map', title: 'Map', path: '/app/map' }] } }
      case 'queues':
        return id === undefined ? { body: { queues: fake.queues } } : { body: patchQueue(id, body) }
      case 'schedules':
        return schedules(method, parts, body)
      case 'models':
        return id === undefined ? { body: { models: fake.models } } : { body: models(method, parts) }
      case 'workers':
        if (under === 'drain') fake.drained.add(id ?? '')
        return { body: { workers: fakeWorkers(fake.drained) } }
      case 'deployments':
        return id === undefined ? { body: { deployments: fake.deployments } } : { body: changeDeployment(id, under) }
      case 'limits':
        return { body: id === undefined ? { limits: [FAKE_LIMIT] } : holders() }
      case 'layers':
        return { body: { layers: FAKE_LAYERS } }
      case 'api':
        return { body: SAMPLE_AREA }
      case 'processes':
        return under === 'execution' ? execute(id ?? '', body) : processes(id)
      case 'jobs':
        if (id === 'redrive') return { body: redrive(query) }
        return id === undefined ? list(query) : job(method, id, under, { query, body })
      default:
        return notFound(`There is nothing at /${parts.join('/')}.`)
    }
  }

  /** The default is switched, a version goes; every question has the same answer. */
  function models(method: string, [, name, under, version]: readonly string[]) {
    const place = fake.models.findIndex((model) => model.name === name)
    const before = fake.models[place]
    if (before === undefined) return undefined
    if (method === 'POST') return FAKE_ANSWER
    const [first] = before.versions
    if (under === 'default' && first) {
      const versions = before.versions.map((one) => ({ ...one, isDefault: !one.isDefault }))
      fake.models[place] = { ...before, defaultVersion: first.version, versions }
    } else if (method === 'DELETE') {
      fake.models[place] = { ...before, versions: before.versions.filter((one) => one.version !== version) }
    }
    return fake.models[place]
  }

  function patchQueue(name: string, body: unknown): WireQueue | undefined {
    const place = fake.queues.findIndex(({ queue }) => queue === name)
    const before = fake.queues[place]
    if (before === undefined) return undefined
    const { rate, ...rest } = body as QueuePatch
    fake.queues[place] = { ...before, ...rest, ...(rate && { rate }) }
    return fake.queues[place]
  }

  function changeDeployment(name: string, verb: string | undefined): WireDeployment | undefined {
    const state = verb === 'promote' ? 'active' : verb === 'drain' ? 'draining' : 'retired'
    const place = fake.deployments.findIndex((one) => one.name === name)
    const before = fake.deployments[place]
    if (before) fake.deployments[place] = { ...before, state, ...(state === 'retired' && { waiting: 0, running: 0 }) }
    return fake.deployments[place]
  }

  function holders(): LimitHolders {
    const [holder, ...waiters] = fake.jobs.slice(0, 3)
    return { ...FAKE_LIMIT, holders: holder ? [holder] : [], waiters }
  }

  function schedules(method: string, [, name, under]: readonly string[], body: unknown) {
    const place = fake.schedules.findIndex((one) => one.name === name)
    const before = fake.schedules[place]
    if (name === undefined) return { body: { schedules: fake.schedules } }
    if (method === 'PUT') return putSchedule(name, body as ScheduleOptions)
    if (before === undefined) return notFound(`There is no schedule ${name}.`)
    switch (under) {
      case 'run':
        return { status: 201, body: retry(fakeJob(700_000, { processID: before.process })) }
      case 'backfill':
        return { body: { jobIDs: ['a', 'b', 'c'] } }
      case 'pause':
      case 'resume':
        fake.schedules[place] = { ...before, paused: under === 'pause' }
        return { body: fake.schedules[place] }
      default:
        if (method === 'DELETE') fake.schedules.splice(place, 1)
        return { body: before }
    }
  }

  function putSchedule(name: string, options: ScheduleOptions) {
    if (options.cron === '') {
      const detail = `The schedule ${name} cannot be: there is no expression. Nothing was stored.`
      return { status: 400, body: { ...notFound(detail).body, status: 400, code: 'schedule_invalid' } }
    }
    const stored = { ...fakeSchedule(name, options.process), ...options, inputs: options.inputs ?? {} }
    fake.schedules.push(stored)
    return { body: stored }
  }

  function processes(id: string | undefined) {
    if (id === undefined) return { body: { processes: FAKE_PROCESSES, links: [] } }
    const process = FAKE_PROCESSES.find((one) => one.id === id)
    return process ? { body: process } : notFound(`No process is named ${id}.`)
  }

  function execute(process: string, body: unknown) {
    const inputs = (body as { inputs?: { [id: string]: Json } }).inputs ?? {}
    const made = fake.onExecute(process, inputs)
    if ('problem' in made) return { status: 400, body: made.problem }
    fake.jobs.push(made)
    fake.inputs.set(made.jobID, inputs)
    fake.tell({ jobId: made.jobID, kind: 'queued', attempt: 0, at: made.created, data: {} })
    return { status: 201, body: made }
  }

  function list(query: URLSearchParams) {
    const unknown = [...query.keys()].find((name) => !LIST_PARAMETERS.includes(name))
    if (unknown)
      return {
        status: 400,
        body: { type: 'about:blank', title: `Unknown parameter ${unknown}`, status: 400, code: 'request_invalid' },
      }
    const limit = Number(query.get('limit') ?? 10)
    const before = query.get('cursor')
    const matching = fake.jobs
      .filter((one) => matches(one, query) && (before === null || one.jobID < before))
      .sort((a, b) => (a.jobID < b.jobID ? 1 : -1))
    const page = matching.slice(0, limit)
    const next = new URLSearchParams(query)
    next.set('cursor', page.at(-1)?.jobID ?? '')
    const links = matching.length > limit ? [{ rel: 'next', href: `http://inside/jobs?${next}` }] : []
    return { body: { jobs: page, links } }
  }

  function job(
    method: string,
    id: string,
    under: string | undefined,
    { query, body }: { readonly query: URLSearchParams; readonly body: unknown },
  ): { status?: number; body: unknown } {
    const found = fake.jobs.find((one) => one.jobID === id)
    if (!found) return notFound(`There is no job ${id}.`)
    switch (under) {
      case undefined:
        return { body: method === 'DELETE' ? cancel(found) : found }
      case 'waiting':
        return { body: found.state === 'waiting' ? { reason: fake.reason } : {} }
      case 'signals':
        return signal(found)
      case 'retry':
        fake.retries.push(body)
        return { status: 201, body: retry(found) }
      case 'tree':
        return { body: { jobs: treeOf(found), truncated: false } }
      case 'attempts':
        return { body: { attempts: fake.attempts.get(id) ?? [] } }
      case 'steps':
        return { body: { steps: fake.steps.get(id) ?? [] } }
      case 'inputs':
        return { body: { inputs: fake.inputs.get(id) ?? {} } }
      case 'artifacts':
        return { body: { artifacts: fake.artifacts.get(id) ?? [] } }
      case 'results':
        return { body: fake.results.get(id) ?? LAND_RESULT }
      case 'logs':
        return { body: logs(found, query) }
      default:
        return notFound('There is nothing here.')
    }
  }

  function cancel(found: StatusInfo): StatusInfo {
    if (found.finished !== undefined) return found
    const at = iso(Date.parse(found.updated) + 1)
    fake.tell(
      { jobId: found.jobID, kind: 'cancel-requested', attempt: found.attempt, at, data: {} },
      { cancelRequestedAt: at },
    )
    return fake.jobs.find((one) => one.jobID === found.jobID) ?? found
  }

  /** Whatever it waits for has come. */
  function signal(found: StatusInfo) {
    const steps = fake.steps.get(found.jobID) ?? []
    const received = steps.map((step) => (step.kind === 'signal' ? { ...step, value: true } : step))
    fake.steps.set(found.jobID, received)
    const at = iso(Date.parse(found.updated) + 1)
    fake.tell({ jobId: found.jobID, kind: 'signal', attempt: found.attempt, at, data: {} })
    return { status: 202, body: { outcome: 'delivered' } }
  }

  /** One step: failed jobs that nothing repeats, newest first. */
  function redrive(query: URLSearchParams) {
    const [limit, before, dryRun] = [Number(query.get('limit')), query.get('cursor'), query.get('dryRun') === 'true']
    const dead = fake.jobs
      .filter((one) => one.state === 'failed' && matches(one, query) && (before === null || one.jobID < before))
      .filter((one) => !fake.jobs.some(({ retryOf }) => retryOf === one.jobID))
      .sort((a, b) => (a.jobID < b.jobID ? 1 : -1))
    const some = dead.slice(0, limit)
    const retried = some.map((one) => ({ retryOf: one.jobID, ...(dryRun ? {} : { jobID: retry(one).jobID }) }))
    return { dryRun, retried, refused: [], ...(dead.length > limit && { next: some.at(-1)?.jobID }) }
  }

  function retry(found: StatusInfo): StatusInfo {
    const next = fakeJob(800_000 + fake.jobs.length, {
      processID: found.processID,
      retryOf: found.jobID,
      state: 'waiting',
      status: 'accepted',
      progress: 0,
    })
    fake.jobs.push(next)
    return next
  }

  function treeOf(root: StatusInfo): readonly StatusInfo[] {
    const inside = new Set([root.jobID])
    return fake.jobs.filter((one) => {
      if (one.parentId !== undefined && inside.has(one.parentId)) inside.add(one.jobID)
      return inside.has(one.jobID)
    })
  }

  function logs(root: StatusInfo, query: URLSearchParams) {
    const after = Number(query.get('after') ?? 0)
    const limit = Number(query.get('limit') ?? 1000)
    const inside = new Set(query.get('tree') === 'true' ? treeOf(root).map((one) => one.jobID) : [root.jobID])
    const lines = events
      .filter((event) => event.kind === 'log' && event.cursor > after && inside.has(event.jobId))
      .slice(0, limit)
      .map((event) => ({ ...event, level: event.data.level, message: event.data.message }) as unknown as LogLine)
    return { lines, next: lines.at(-1)?.cursor ?? after }
  }

  function openStream(request: IncomingMessage, response: ServerResponse, url: URL, id: string | undefined) {
    if (fake.refuseStreams) return sendJson(response, 503, RESTARTING)
    const root = fake.jobs.find((one) => one.jobID === id)
    if (id !== undefined && !root) return sendJson(response, 404, notFound(`There is no job ${id}.`).body)
    const kinds = url.searchParams.get('kinds')?.split(',')
    const isWanted = (event: WireEvent) =>
      kinds === undefined || kinds.includes(event.kind) || (event.kind === 'ended' && event.jobId === id)
    // A child that is stored later belongs to the tree as well.
    const wants = (event: WireEvent) => isWanted(event) && (id === undefined || isWithin(event.jobId, id))
    const after = Number(url.searchParams.get('cursor') ?? (id === undefined ? events.length : 0))
    const stored = events.filter((event) => event.cursor > after && wants(event))
    if (request.headers.accept === 'application/json') {
      return sendJson(response, 200, { events: stored, next: stored.at(-1)?.cursor ?? after })
    }
    const isOver = root !== undefined && root.finished !== undefined
    if (isOver && stored.length === 0) return response.writeHead(204).end()
    response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' })
    response.write(`: hello\n\n${stored.map(sse).join('')}`)
    if (isOver) return response.end()
    const stream = { response, wants }
    streams.add(stream)
    response.on('close', () => streams.delete(stream))
  }

  function isWithin(id: string, root: string): boolean {
    for (let at: string | undefined = id; at !== undefined; at = byId.get(at)?.parentId) if (at === root) return true
    return false
  }

  async function sendPage(path: string, response: ServerResponse) {
    const file = TYPES[extname(path)] ? normalize(path.replace(/^\/app\//, '')) : 'index.html'
    const content = await readFile(join(options.dist, file)).catch(() => undefined)
    for (const [name, value] of Object.entries(SECURITY_HEADERS)) response.setHeader(name, value)
    response.setHeader('content-type', TYPES[extname(file)] ?? 'application/octet-stream')
    response.statusCode = content ? 200 : 404
    response.end(content ?? 'Not found')
  }

  await new Promise<void>((resolve) => server.listen(options.port ?? 0, '127.0.0.1', resolve))
  fake.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return fake
}

function matches(job: StatusInfo, query: URLSearchParams): boolean {
  const text = query.get('q')
  return (
    (query.get('state') === null || (query.get('state') as JobState) === job.state) &&
    (query.get('processID') === null || query.get('processID') === job.processID) &&
    (query.get('queue') === null || query.get('queue') === job.queue) &&
    (query.get('tag') === null || job.tags.includes(query.get('tag') ?? '')) &&
    (query.get('rootsOnly') === 'false' || job.parentId === undefined) &&
    job.created >= (query.get('datetime') ?? '').replace('/..', '') &&
    (text === null ||
      job.jobID.startsWith(text) ||
      job.processID.includes(text) ||
      job.tags.some((tag) => tag.includes(text)))
  )
}

function fakeSchedules(): WireSchedule[] {
  const last = { jobID: '0199aaaa-0000-7000-8000-000000005001', state: 'failed' as const }
  return [
    {
      ...fakeSchedule('nightly', 'watershed.analyze-land'),
      lastAt: iso(Date.now() - 40_000_000),
      lastJob: last,
      fired: 211,
    },
    { ...fakeSchedule('hourly-tiles', 'tiles.render'), cron: '@hourly', paused: true, nextRuns: [], isDeclared: true },
  ]
}

function fakeSchedule(name: string, process: string): WireSchedule {
  const day = Math.ceil(Date.now() / 86_400_000)
  return {
    name,
    process,
    inputs: {},
    cron: '30 2 * * *',
    timeZone: 'Europe/Berlin',
    isDeclared: false,
    paused: false,
    nextRuns: [0, 1, 2, 3, 4].map((after) => iso((day + after) * 86_400_000 + 5_400_000)),
    fired: 0,
    skipped: 0,
    changedAt: iso(Date.now() - 90_000_000),
  }
}

function fakeQueues(): WireQueue[] {
  const none = { scheduled: 0, blocked: 0, paused: false, fair: false }
  return [
    { ...none, queue: 'watershed', waiting: 3, running: 2 },
    {
      ...none,
      queue: 'tiles',
      waiting: 4210,
      scheduled: 12,
      running: 40,
      oldestDueAt: iso(Date.now() - 95_000),
      rate: { count: 200, perMs: 1_000 },
      fair: true,
      shares: { ada: 2 },
      times: { jobs: 480, waitMs: { p50: 21_000, p95: 88_000 }, runMs: { p50: 180, p95: 2_400 } },
    },
    { ...none, queue: 'training', waiting: 2, scheduled: 1, blocked: 3, running: 1, paused: true },
  ]
}

const FAKE_LIMIT = { key: 'training:model:12', max: 1, taken: 1, blocked: 2, live: 3 }

function fakeDeployments(): WireDeployment[] {
  const changedAt = iso(Date.now() - 7_200_000)
  return [
    { name: 'green', state: 'dark', workers: 1, waiting: 1, running: 0, changedAt },
    { name: 'blue', state: 'active', workers: 4, waiting: 812, running: 31, changedAt },
  ]
}

function fakeWorkers(drained: ReadonlySet<string>): WireWorker[] {
  const leaseUntil = iso(Date.now() + 14_000)
  const base = { host: 'mill-1', startedAt: iso(Date.now() - 3_700_000), labels: [], resources: {} }
  return [
    {
      ...base,
      id: '0199aaaa-0000-7000-8000-00000000cafe',
      name: 'serve',
      pid: 4127,
      queues: { watershed: 4, tiles: 8 },
      running: 6,
      leaseUntil,
      labels: ['gpu', 'region=eu'],
      resources: { cpu: { total: 8, free: 2.5 }, memoryMb: { total: 16_000, free: 4_200 } },
      deployment: 'blue',
      draining: drained.has('0199aaaa-0000-7000-8000-00000000cafe'),
    },
    {
      ...base,
      id: '0199aaaa-0000-7000-8000-00000000beef',
      name: 'gpu',
      pid: 5220,
      queues: { training: 1 },
      running: 1,
      leaseUntil: iso(Date.now() - 4_000),
      draining: drained.has('0199aaaa-0000-7000-8000-00000000beef'),
    },
  ]
}

const RESTARTING = { type: 'about:blank', title: 'Restarting', status: 503, code: 'restarting' }

function notFound(detail: string) {
  return { status: 404, body: { type: 'about:blank', title: 'Not found', status: 404, code: 'not_found', detail } }
}

function sse(event: WireEvent): string {
  return `id: ${event.cursor}\nevent: ${event.kind}\ndata: ${JSON.stringify(event)}\n\n`
}

function sendJson(response: ServerResponse, status: number, body: unknown) {
  response.writeHead(status, { 'content-type': status >= 400 ? 'application/problem+json' : 'application/json' })
  response.end(JSON.stringify(body))
}

function sendTile(response: ServerResponse, [z, x, y]: readonly string[]) {
  response.writeHead(200, { 'content-type': 'image/png', 'cache-control': 'max-age=300' })
  response.end(fakeTile(Number(z), Number(x), Number.parseInt(y ?? '0', 10)))
}

async function readBody(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  const text = Buffer.concat(chunks).toString()
  const isForm = request.headers['content-type']?.startsWith('multipart/form-data')
  return text && !isForm ? JSON.parse(text) : undefined
}
