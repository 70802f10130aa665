import { execFile } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Machine } from '../machine/about.ts'
import type { Planned } from './plan.ts'

export type ResultRow = {
  readonly name: string
  readonly versions: Readonly<Record<string, string>>
  readonly durability: string
  readonly figures: Readonly<Record<string, number>>
  readonly runs: readonly number[]
  readonly otherCpuShare?: number
}

/** One bench on one store, as it was measured. */
export type Result = {
  readonly key: string
  readonly store: string
  readonly figure: string
  readonly what: string
  readonly at: string
  readonly machine: Machine
  readonly headrace: ResultRow
  readonly peers: readonly ResultRow[]
  readonly notMeasured: readonly { readonly name: string; readonly why: string }[]
  readonly failed: readonly { readonly name: string; readonly error: string }[]
}

const run = promisify(execFile)
const MAIN = join(import.meta.dirname, '../main.ts')

/** Measures in a process of its own, so that one bench leaves nothing behind in the next. */
export async function measure({ key, bench, args }: Planned, store: string, more: readonly string[]): Promise<Result> {
  const { stdout } = await run(process.execPath, [MAIN, bench, ...args, '--store', store, ...more, '--whole-report'])
  return { key, ...(JSON.parse(stdout) as Omit<Result, 'key'>) }
}

/** One result a line. */
export function readResults(file: string): Result[] {
  if (!existsSync(file)) return []
  const lines = readFileSync(file, 'utf8').trim().split('\n')
  return lines.map((line) => JSON.parse(line) as Result)
}

/** The newer of two results of the same bench on the same store is kept. */
export function writeResults(file: string, results: readonly Result[]): void {
  const all = new Map(readResults(file).map((result) => [`${result.key} ${result.store}`, result]))
  for (const result of results) all.set(`${result.key} ${result.store}`, result)
  writeFileSync(file, [...all.values()].map((result) => `${JSON.stringify(result)}\n`).join(''))
}
