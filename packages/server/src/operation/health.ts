import { hostname } from 'node:os'
import type { Engine } from '@headrace/engine'
import { healthTask } from './health-task.ts'

/** `worker`: `none` when no worker of this process takes health jobs, which is well too. */
export type Health = {
  readonly status: 'ok' | 'failing'
  readonly store: string
  readonly worker: string
}

const JOB_TIMEOUT_MS = 5_000
/** The route is public, and each look stores a job: one look serves everyone for a while, a bad one for less. */
const OK_KEPT_MS = 30_000
const FAILING_KEPT_MS = 3_000

/** Looks at the store and at this process's worker, at most so often. */
export function createHealthCheck(engine: Engine): () => Promise<Health> {
  let last: { readonly at: number; readonly health: Promise<Health> } | undefined
  let keptMs = 0
  return () => {
    const now = engine.clock.now()
    if (last && now - last.at < keptMs) return last.health
    const health = look(engine)
    last = { at: now, health }
    keptMs = OK_KEPT_MS
    void health.then(({ status }) => {
      keptMs = status === 'ok' ? OK_KEPT_MS : FAILING_KEPT_MS
    })
    return health
  }
}

async function look(engine: Engine): Promise<Health> {
  const store = await wordOf(() => engine.store.check().then(() => 'ok'))
  const worker = store === 'ok' ? await wordOf(() => lookAtWorker(engine)) : 'not looked at'
  return { status: store === 'ok' && ['ok', 'none'].includes(worker) ? 'ok' : 'failing', store, worker }
}

async function lookAtWorker(engine: Engine): Promise<string> {
  if (!engine.tasks.has(healthTask.name) || !(await hasWorkerHere(engine))) return 'none'
  const { id } = await engine.submit(healthTask, null)
  await engine.result(id, { timeoutMs: JOB_TIMEOUT_MS })
  return 'ok'
}

async function hasWorkerHere(engine: Engine): Promise<boolean> {
  const workers = await engine.store.workers()
  return workers.some(
    ({ host, pid, queues }) => host === hostname() && pid === process.pid && queues['headrace.health'] !== undefined,
  )
}

/** Health is public: what is wrong is named by its code, and told in full in the log of whoever wrote it. */
async function wordOf(check: () => Promise<string>): Promise<string> {
  try {
    return await check()
  } catch (error) {
    return String((error as { code?: unknown }).code ?? 'failing')
  }
}
