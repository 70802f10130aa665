import { setTimeout as sleep } from 'node:timers/promises'
import { createEngine, type Engine, EngineError, type JobId, LimitFullError, type Store } from '@headrace/engine'
import { seededRandom } from '@headrace/engine/testing'
import { type Note, readLedger } from '../ledger.ts'
import { drawRequest, type Request } from '../workload/expected.ts'
import { campaignTasks } from '../workload/tasks.ts'
import type { Role } from './role.ts'

/** So long at least, and up to twice as long, between two requests. */
const PAUSE_MS = 150
const RETRY_MS = 200
/** On however slow a machine, a round is about something. */
const REQUESTS_MIN = 8

/**
 * Submits one request after the other, each with a key and until it is accepted, and approves what waits for that. After
 * a restart it goes on where its own notes end: a request whose answer it did not note is made once more.
 */
export async function runSubmitter(role: Role, store: Store, note: (line: Note) => void): Promise<void> {
  const engine = createEngine({ store, tasks: campaignTasks(note), report: (message) => console.error(message) })
  let isFinishing = false
  process.once('message', () => {
    isFinishing = true
  })
  const earlier = readLedger(role.ledger)
  const keys = new Set(earlier.flatMap((line) => (line.kind === 'accepted' ? [line.key] : [])))
  await approveForgotten(engine, earlier, role, note)
  for (let number = 0; !isFinishing || number < REQUESTS_MIN; number++) {
    const key = `${role.name}/${number}`
    const request = drawRequest(seededRandom(`${role.seed} ${key}`))
    if (keys.has(key)) continue
    const id = await untilAnswered(() => submit(engine, request, key))
    if (id === undefined) continue
    note({ kind: 'accepted', id, key, request })
    if (request.task === 'approval') await approve(engine, id, request.input.value, note)
    await sleep(PAUSE_MS * (1 + Math.random()))
  }
}

/** @returns undefined where its limit is full */
async function submit(engine: Engine, { task, input }: Request, key: string): Promise<JobId | undefined> {
  try {
    return (await engine.submit(task, input, { idempotencyKey: key })).id
  } catch (error) {
    if (error instanceof LimitFullError) return undefined
    throw error
  }
}

/** A signal whose answer was not noted may have come: its key makes the second one harmless. */
export async function approve(engine: Engine, id: JobId, value: number, note: (line: Note) => void): Promise<void> {
  await untilAnswered(() => engine.signal(id, 'approved', { approved: value }, { key: 'approval' }))
  note({ kind: 'signalled', id })
}

async function approveForgotten(
  engine: Engine,
  earlier: readonly Note[],
  role: Role,
  note: (line: Note) => void,
): Promise<void> {
  for (const { id, value, key } of unapproved(earlier)) {
    if (key.startsWith(`${role.name}/`)) await approve(engine, id, value, note)
  }
}

/** Accepted jobs that wait for a word which nobody has noted to have sent. */
function unapproved(notes: readonly Note[]): { readonly id: JobId; readonly value: number; readonly key: string }[] {
  const signalled = new Set(notes.flatMap((line) => (line.kind === 'signalled' ? [line.id] : [])))
  return notes.flatMap((line) => {
    if (line.kind !== 'accepted' || line.request.task !== 'approval' || signalled.has(line.id)) return []
    return [{ id: line.id, value: line.request.input.value, key: line.key }]
  })
}

/** Asks until the store answers. @throws what it refuses for good */
export async function untilAnswered<T>(ask: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await ask()
    } catch (error) {
      const isRefusal = error instanceof EngineError && !['store_unavailable', 'store_full'].includes(error.code)
      if (isRefusal) throw error
      console.error(String(error))
      await sleep(RETRY_MS)
    }
  }
}
