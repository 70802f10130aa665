import { defaultSettings, type Figures } from '../workloads/workload.ts'
import type { Cell, Measured, MeasuredOne } from './measured.ts'
import type { MeasurementKey } from './plan.ts'

/** For tests: a cell in which these runs were measured. */
export function measuredCell(
  runs: readonly Figures[],
  more: Partial<Cell & { readonly state: 'measured' }> = {},
): Cell & { readonly state: 'measured' } {
  const durability = 'fsync on'
  return { state: 'measured', runs, durability, otherCpuShare: 0, versions: { postgresql: '15.20' }, ...more }
}

/** For tests: what was measured on a machine of the year 2030. */
export function measuredOf(
  measurements: Readonly<Partial<Record<MeasurementKey, Readonly<Record<string, Cell>>>>>,
): Measured {
  const machine = { cpu: 'any', cores: 2, memoryGb: 8, system: 'Linux', node: 'v26.0.0', fdatasyncMs: 0.2 }
  const ones = Object.entries(measurements).map(([key, cells]): [string, MeasuredOne] => [
    key,
    { settings: defaultSettings, runs: 3, cells },
  ])
  return { machines: [{ ...machine, at: '2030-01-01T00:00:00.000Z' }], measurements: Object.fromEntries(ones) }
}
