import { createEngine, type Store } from '@headrace/engine'
import type { Note } from '../ledger.ts'
import { campaignTasks } from '../workload/tasks.ts'
import type { Role } from './role.ts'

/** Works until it is told to finish, or killed. */
export async function runWorker(role: Role, store: Store, note: (line: Note) => void): Promise<void> {
  const engine = createEngine({ store, tasks: campaignTasks(note), report: (message) => console.error(message) })
  const worker = await engine.startWorker({
    name: role.name,
    queues: { default: 4, flows: 4 },
    leaseMs: role.leaseMs,
    // Resting workflows leave its memory soon, so that they are woken elsewhere.
    residentMs: 1_500,
  })
  await new Promise((resolve) => process.once('message', resolve))
  await worker.stop({ graceMs: 2_000 })
}
