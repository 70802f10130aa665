import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { dropDatabasesOf } from '../postgres/database.ts'
import { endWithBench } from '../process/end-with-bench.ts'
import type { Run } from '../run.ts'
import type { Measurement } from './plan.ts'

const CELL = fileURLToPath(new URL('./cell.ts', import.meta.url))
/** More than the slowest peer takes for anything. Some peers lose a result in some run, and would be waited for without end. */
const WITHIN_MS = 240_000
/** After being asked to end. */
const KILLED_AFTER_MS = 5_000
const COMPLAINTS_CHARS = 20_000
/** As much as a footnote holds. */
const REASON_CHARS = 200

/**
 * Measures one system once, in a process of its own: every run begins alike, and whoever crashes or hangs takes nothing along.
 * @throws {Error} with the reason that it gave, or that it took too long
 */
export async function runCell(
  system: string,
  { bench, settings }: Pick<Measurement, 'bench' | 'settings'>,
  { withinMs = WITHIN_MS } = {},
): Promise<Run> {
  const child = spawn(process.execPath, [CELL, JSON.stringify({ system, bench, settings })], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  endWithBench(child)
  let isLate = false
  const late = setTimeout(() => {
    isLate = true
    child.kill('SIGTERM')
  }, withinMs)
  const killed = setTimeout(() => child.kill('SIGKILL'), withinMs + KILLED_AFTER_MS)
  const said = text(child.stdout)
  // Not awaited to its end: the workers, which share it, may live a moment longer.
  let complaints = ''
  child.stderr.on('data', (data) => {
    complaints = (complaints + data).slice(-COMPLAINTS_CHARS)
  })
  const [code] = await once(child, 'exit')
  clearTimeout(late)
  clearTimeout(killed)
  if (code === 0) return JSON.parse(await said) as Run
  await dropDatabasesOf(child.pid ?? 0)
  throw new Error(isLate ? `not done within ${withinMs / 1_000} s` : reasonIn(complaints))
}

function reasonIn(complaints: string): string {
  const [, reason] = [...complaints.matchAll(/^\w*(?:Error|Exception)[^:\n]*: (.+)$/gm)].at(-1) ?? []
  return (reason ?? complaints.trim()).slice(0, REASON_CHARS) || 'it ended without a word'
}
