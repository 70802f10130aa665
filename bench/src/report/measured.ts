import type { Machine } from '../machine/about.ts'
import type { Figures, Settings } from '../workloads/workload.ts'
import type { MeasurementKey } from './plan.ts'

/** What came of one system in one measurement. */
export type Cell = { readonly versions: Readonly<Record<string, string>> } & (
  | {
      readonly state: 'measured'
      readonly runs: readonly Figures[]
      readonly durability: string
      /** The greatest share of the machine that something else took in any run. */
      readonly otherCpuShare: number
      /** What kept it from further runs. */
      readonly error?: string
    }
  | { readonly state: 'failed'; readonly error: string }
  /** It cannot do it, or is not installed. */
  | { readonly state: 'absent'; readonly why: string }
)

export type MeasuredOne = {
  readonly settings: Settings
  /** How many runs were asked for. */
  readonly runs: number
  /** By system. */
  readonly cells: Readonly<Record<string, Cell>>
}

/** All that was measured, as `report --json` prints it. */
export type Measured = {
  readonly machines: readonly (Machine & { readonly at: string })[]
  readonly measurements: Readonly<Partial<Record<MeasurementKey, MeasuredOne>>>
}

/** Several as one: what one system did in one measurement is the last one's that has it. */
export function together(all: readonly Measured[]): Measured {
  return all.reduce((before, next) => {
    const measurements = { ...before.measurements }
    for (const key of Object.keys(next.measurements) as MeasurementKey[]) {
      const one = next.measurements[key]
      if (one !== undefined) measurements[key] = { ...one, cells: { ...measurements[key]?.cells, ...one.cells } }
    }
    return { machines: [...before.machines, ...next.machines], measurements }
  })
}

/** The middle one of a figure's values over the runs, the least and the greatest; undefined if no run has it. */
export function spreadOf(
  cell: Cell | undefined,
  figure: string,
): { readonly median: number; readonly least: number; readonly most: number } | undefined {
  if (cell?.state !== 'measured') return undefined
  const values = cell.runs.flatMap((run) => {
    const value = run[figure]
    return typeof value === 'number' && Number.isFinite(value) ? [value] : []
  })
  const sorted = values.sort((a, b) => a - b)
  const [least, most] = [sorted[0], sorted.at(-1)]
  const median = sorted[Math.floor((sorted.length - 1) / 2)]
  if (least === undefined || most === undefined || median === undefined) return undefined
  return { median, least, most }
}

/** Whether a recovery was given up in some run: it would have taken longer. */
export function isGivenUp(cell: Cell | undefined): boolean {
  return (
    cell?.state === 'measured' && cell.runs.some(({ resumed, jobs = 0 }) => resumed !== undefined && resumed < jobs)
  )
}
