import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

export type WorkerProcess = { readonly pid: number; stop(): Promise<void> }

/** Starts a module in a process of its own and waits until it prints READY. It ends when its input does. */
export async function startWorkerProcess(
  module: URL,
  args: readonly string[],
  execArgv: readonly string[] = [],
): Promise<WorkerProcess> {
  const child = spawn(process.execPath, [...execArgv, fileURLToPath(module), ...args], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const exited = once(child, 'exit')
  const ready = (async () => {
    for await (const line of createInterface({ input: child.stdout })) if (line === 'READY') return
    throw new Error(`${module.pathname} ended before it was ready`)
  })()
  await ready
  return {
    pid: child.pid ?? 0,
    async stop() {
      child.stdin.end()
      await exited
    },
  }
}
