import { openSync, readdirSync, readFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import type { JobId } from '@headrace/engine'
import type { Request } from './workload/expected.ts'

/** What a process did or was told, by itself and in the order of its doing. */
export type Note =
  | { readonly kind: 'accepted'; readonly id: JobId; readonly key: string; readonly request: Request }
  | { readonly kind: 'signalled'; readonly id: JobId }
  | { readonly kind: 'effect'; readonly jobId: JobId; readonly attempt: number; readonly step?: string }
  | { readonly kind: 'undone'; readonly jobId: JobId }
  | { readonly kind: 'seen'; readonly id: JobId; readonly outcome: string }

/**
 * Appends lines to a file of this process's own. A line is with the kernel when this returns, so that it outlives the
 * process, whatever kills it.
 */
export function openLedger(folder: string, name: string): (note: Note) => void {
  const file = openSync(join(folder, `${name}.jsonl`), 'a')
  return (note) => void writeSync(file, `${JSON.stringify(note)}\n`)
}

/** Everything that was noted by anybody. A line that its writer was killed in the middle of is left out. */
export function readLedger(folder: string): Note[] {
  const files = readdirSync(folder).filter((name) => name.endsWith('.jsonl'))
  return files.flatMap((name) => {
    const lines = readFileSync(join(folder, name), 'utf8').split('\n')
    // The last one is empty, or was cut off.
    return lines.slice(0, -1).map((line) => JSON.parse(line) as Note)
  })
}
