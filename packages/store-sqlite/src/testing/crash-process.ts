// A process with a store and a worker, for the crash tests to kill: `crash-process.ts <file> <name> <leaseMs> <slots>`.
import { createEngine } from '@headrace/engine'
import { openSqliteStore } from '../sqlite-store.ts'
import { crashTasks } from './crash-tasks.ts'

export type FromProcess =
  | { readonly ready: true }
  | { readonly begun: string }
  | { readonly report: string }
  | { readonly submitted: string }
export type ToProcess = 'go on' | 'submit'

const [path = '', name = '', leaseMs = '15000', slots = '1'] = process.argv.slice(2)

function say(message: FromProcess): void {
  process.send?.(message)
}

let letGo: () => void = () => {}
const released = new Promise<void>((resolve) => {
  letGo = resolve
})
const tasks = crashTasks({ name, begun: (task) => say({ begun: task }), goOn: () => released })
const store = await openSqliteStore(path)
const engine = createEngine({ store, tasks: tasks.all, report: (report) => say({ report }) })
if (Number(slots) > 0) {
  const worker = await engine.startWorker({ name, leaseMs: Number(leaseMs), queues: { default: Number(slots) } })
  process.once('SIGTERM', async () => {
    await worker.stop({ graceMs: 0 })
    await store[Symbol.asyncDispose]()
    process.exit()
  })
}
process.on('message', async (message: ToProcess) => {
  if (message === 'go on') letGo()
  if (message === 'submit') say({ submitted: (await engine.submit(tasks.whoami, null)).id })
})
process.on('disconnect', () => process.exit())
say({ ready: true })
