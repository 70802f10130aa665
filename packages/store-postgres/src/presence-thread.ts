// Runs in a thread of its own; started by ThreadPresence.
import { parentPort, workerData } from 'node:worker_threads'
import { parseAddress } from './connection/address.ts'
import { statements } from './connection/named.ts'
import { Session } from './connection/session.ts'
import { type PresenceReport, type PresenceRequest, RENEWALS_PER_LEASE, register, renewal } from './presence.ts'

const port = parentPort
if (port === null) throw new Error('presence-thread.ts runs as a thread only')

const RECONNECT_MS = 100
const RECONNECT_MS_MAX = 1_000

const { url, schema } = workerData as { url: string; schema: string }
const address = parseAddress(url, schema)

type Kept = { readonly leaseMs: number; renewedAt: number; timer: NodeJS.Timeout }
const kept = new Map<number, Kept>()
let session: Session | undefined
let processId: number | undefined
let isClosed = false
let comingBack: NodeJS.Timeout | undefined

function say(report: PresenceReport): void {
  port?.postMessage(report)
}

/** Shows the process again after its connection was lost, under its old number unless it was taken for dead meanwhile. */
async function connect(): Promise<void> {
  const opened = await Session.open(address, 'presence', { synchronous_commit: 'off' })
  const isNew = await show(opened)
  // It was closed meanwhile: nothing may keep this thread alive.
  if (isClosed) return opened.close()
  // Whoever asked for it tries again.
  if (opened.isOver) throw new Error('the connection ended')
  opened.onEnd = () => {
    session = undefined
    if (!isClosed) void reconnect(RECONNECT_MS)
  }
  session = opened
  if (isNew) say({ process: processId ?? 0 })
}

/** @returns whether it has a new number */
async function show(opened: Session): Promise<boolean> {
  const known = processId
  if (known !== undefined) {
    await opened.run(statements.lockProcess, [known])
    if ((await opened.run(statements.findProcess, [known])).length > 0) return false
  }
  processId = await register(opened, Date.now())
  return true
}

async function reconnect(delayMs: number): Promise<void> {
  try {
    await connect()
    // Who was ended meanwhile learns it now, and not at the next renewal.
    for (const worker of kept.keys()) void renew(worker)
  } catch {
    if (isClosed) return
    comingBack = setTimeout(() => void reconnect(Math.min(delayMs * 2, RECONNECT_MS_MAX)), delayMs)
  }
}

async function renew(worker: number): Promise<void> {
  const one = kept.get(worker)
  if (one === undefined) return
  const askedAt = performance.now()
  let cause = 'the database cannot be reached'
  try {
    if (session !== undefined) {
      const [rows = []] = await session.pipeline([renewal([worker])])
      if (rows.length === 0) return lose(worker, 'its lease lapsed')
      one.renewedAt = askedAt
      return
    }
  } catch (error) {
    cause = (error as Error).message
  }
  // A worker that cannot renew stops itself before others take its jobs: the next try would come too late for that.
  const everyMs = one.leaseMs / RENEWALS_PER_LEASE
  if (performance.now() - one.renewedAt + everyMs >= one.leaseMs)
    lose(worker, `its lease could not be renewed: ${cause}`)
}

function keep(worker: number, leaseMs: number): void {
  const timer = setInterval(() => void renew(worker), leaseMs / RENEWALS_PER_LEASE)
  kept.set(worker, { leaseMs, renewedAt: performance.now(), timer })
}

function lose(worker: number, reason: string): void {
  letGo(worker)
  say({ lost: worker, reason })
}

function letGo(worker: number): void {
  clearInterval(kept.get(worker)?.timer)
  kept.delete(worker)
}

async function close(): Promise<void> {
  isClosed = true
  clearTimeout(comingBack)
  for (const worker of kept.keys()) letGo(worker)
  try {
    if (processId !== undefined) await session?.run(statements.deleteProcesses, [[processId]])
    await session?.close()
  } catch {
    // The others see that the session ended.
  }
  port?.close()
}

port.on('message', (request: PresenceRequest) => {
  if (request === 'close') void close()
  else if ('letGo' in request) letGo(request.letGo)
  else keep(request.keep, request.leaseMs)
})

connect().then(
  () => say({ process: processId ?? 0 }),
  (error: Error) => say({ failed: error }),
)
