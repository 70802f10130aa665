import { aboutMachine } from '../machine/about.ts'
import { isOurs, type PeerKind } from '../peer.ts'
import { lackOf, type Run, SLOW_MS } from '../run.ts'
import { byTurns, type Turns } from '../turns.ts'
import type { Cell, Measured, MeasuredOne } from './measured.ts'
import type { Measurement } from './plan.ts'

export type MeasureOptions = {
  readonly kinds: readonly PeerKind[]
  readonly measurements: readonly Measurement[]
  readonly runs: number
  /** Measures one system once. Throws what kept it from that. */
  readonly measureCell: (system: string, measurement: Measurement) => Promise<Run>
  /** Is told of each run as it ends. */
  readonly tell: (line: string) => void
}

type Installation = { readonly kind: PeerKind; readonly versions: Cell['versions']; readonly missing?: string }

/** All that was asked for, each measurement by turns; what fails is told of in its cell, and keeps nothing else back. */
export async function measureAll(options: MeasureOptions): Promise<Measured> {
  const found = await Promise.all(options.kinds.map(installationOf))
  const measurements: Partial<Record<Measurement['key'], MeasuredOne>> = {}
  for (const measurement of options.measurements) {
    measurements[measurement.key] = await measureOne(options, measurement, found)
  }
  return { machines: [{ ...aboutMachine(), at: new Date().toISOString() }], measurements }
}

async function installationOf(kind: PeerKind): Promise<Installation> {
  const found = await kind.find()
  return 'missing' in found ? { kind, versions: {}, missing: found.missing } : { kind, versions: found.versions }
}

async function measureOne(
  options: MeasureOptions,
  measurement: Measurement,
  found: readonly Installation[],
): Promise<MeasuredOne> {
  const runs = Math.min(options.runs, measurement.runsMax)
  const whyNot = ({ kind, missing }: Installation) => lackOf(kind, measurement.bench) ?? missing
  const turns = await byTurns(
    found.filter((one) => whyNot(one) === undefined),
    { runs, slowMs: ({ kind }) => (isOurs(kind) ? Number.POSITIVE_INFINITY : SLOW_MS) },
    ({ kind: { name } }, run) => tellingOf(options, `${measurement.key} ${run}/${runs} ${name}`, measurement, name),
  )
  const cells = found.map((one) => [one.kind.name, { ...cellOf(turns.get(one), whyNot(one)), versions: one.versions }])
  return { settings: measurement.settings, runs, cells: Object.fromEntries(cells) }
}

async function tellingOf(
  { measureCell, tell }: MeasureOptions,
  label: string,
  measurement: Measurement,
  system: string,
): Promise<Run> {
  const start = performance.now()
  const ended = (how: string) => tell(`${label}: ${how} (${Math.round((performance.now() - start) / 1_000)} s)`)
  try {
    const run = await measureCell(system, measurement)
    ended(
      Object.entries(run.figures)
        .map(([name, value]) => `${name} ${value}`)
        .join(', '),
    )
    return run
  } catch (error) {
    ended(`failed: ${(error as Error).message}`)
    throw error
  }
}

function cellOf(turns: Turns<Run> | undefined, whyNot = 'it was not asked for') {
  if (turns === undefined) return { state: 'absent' as const, why: whyNot }
  const { runs, error } = turns
  const [first] = runs
  if (first === undefined) return { state: 'failed' as const, error: error?.message ?? 'it did not begin' }
  return {
    state: 'measured' as const,
    runs: runs.map(({ figures }) => figures),
    durability: first.durability,
    otherCpuShare: Math.max(...runs.map(({ load }) => load?.otherCpuShare ?? 0)),
    ...(error !== undefined && { error: error.message }),
  }
}
