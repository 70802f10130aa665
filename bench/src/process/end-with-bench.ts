import type { ChildProcess } from 'node:child_process'
import { rmSync } from 'node:fs'

const children = new Set<{ readonly child: ChildProcess; readonly folder: string | undefined }>()
let isWatching = false

/** A server, and the folder that it writes to, which are gone when the bench is, however it ends short of SIGKILL. */
export function endWithBench(child: ChildProcess, folder?: string): void {
  const entry = { child, folder }
  children.add(entry)
  child.once('exit', () => children.delete(entry))
  if (isWatching) return
  isWatching = true
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => process.exit(1))
  process.once('exit', endAll)
}

function endAll(): void {
  for (const { child, folder } of children) {
    child.kill('SIGTERM')
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true })
  }
}
