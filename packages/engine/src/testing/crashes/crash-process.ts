import { createEngine } from '../../engine.ts'
import type { Store } from '../../store/store.ts'
import { crashTasks } from './crash-tasks.ts'

export type FromProcess =
  | { readonly ready: true }
  | { readonly begun: string }
  | { readonly report: string }
  | { readonly submitted: string }
export type ToProcess = 'go on' | 'submit'

/** What a crash process is told on its command line. */
export type CrashProcessOptions = {
  /** Of the store, as whoever opens it understands it. */
  readonly address: string
  readonly name: string
  readonly leaseMs: number
  /** 0: it has no worker. */
  readonly slots: number
}

/**
 * A whole process with a store and a worker, for `testCrashes` to kill: what the program of a store calls that is named to it.
 * @param open opens the store at an address
 */
export async function runCrashProcess(open: (address: string) => Promise<Store>): Promise<void> {
  const { address, name, leaseMs, slots }: CrashProcessOptions = JSON.parse(process.argv[2] ?? '')
  const released = Promise.withResolvers<void>()
  const tasks = crashTasks({ name, begun: (task) => say({ begun: task }), goOn: () => released.promise })
  const store = await open(address)
  const engine = createEngine({ store, tasks: tasks.all, report: (report) => say({ report }) })
  if (slots > 0) {
    const worker = await engine.startWorker({ name, leaseMs, queues: { default: slots } })
    process.once('SIGTERM', async () => {
      await worker.stop({ graceMs: 0 })
      await store[Symbol.asyncDispose]()
      process.exit()
    })
  }
  process.on('message', async (message: ToProcess) => {
    if (message === 'go on') released.resolve()
    if (message === 'submit') say({ submitted: (await engine.submit(tasks.whoami, null)).id })
  })
  process.on('disconnect', () => process.exit())
  say({ ready: true })
}

function say(message: FromProcess): void {
  process.send?.(message)
}
