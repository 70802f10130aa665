import {
  describeFailure,
  mirrored,
  type Plan,
  type SimulationReport,
  shrinkReport,
  simulate,
} from '@headrace/engine/testing'
import { simulatedMemory } from '@headrace/store-memory/testing'
import { SimulatedSqlite } from '@headrace/store-sqlite/testing'
import type { SimulateOptions } from './options.ts'

export type SimulateReport = {
  readonly store: string
  readonly from: number
  readonly seeds: number
  readonly seconds: number
  /** Over all seeds: jobs, events, harm of each kind, and so on. */
  readonly counts: Readonly<Record<string, number>>
  readonly failures: readonly { readonly seed: number; readonly broken: readonly string[]; readonly plan: Plan }[]
}

export type Listener = {
  /** A seed is done. */
  done(seeds: number, failures: number): void
  /** A promise was broken; what, and how to see it again. */
  failed(description: string): void
}

/** Runs one simulation for each seed; what is found is shrunk. */
export async function simulateSeeds(options: SimulateOptions, listener: Listener): Promise<SimulateReport> {
  const startedAt = performance.now()
  const seconds = () => (performance.now() - startedAt) / 1_000
  using files = new SimulatedSqlite()
  const stores = {
    sqlite: () => files.open(),
    memory: simulatedMemory,
    both: () => mirrored(files.open(), simulatedMemory()),
  }
  const open = stores[options.store]
  const counts: Record<string, number> = {}
  const failures: { seed: number; broken: readonly string[]; plan: Plan }[] = []
  let seeds = 0
  for (const what of plansOf(options)) {
    if (seconds() >= options.seconds) break
    const report = await simulate({ ...what, open: open() })
    seeds++
    addCounts(counts, report)
    if (report.broken.length > 0) {
      const { plan, runs } = await shrinkReport(report, open)
      failures.push({ seed: report.plan.seed, broken: report.broken, plan })
      listener.failed(describeFailure(report, options.store, { plan, runs }))
    }
    listener.done(seeds, failures.length)
  }
  const { store, from } = options
  return { store, from, seeds, seconds: Math.round(seconds() * 10) / 10, counts, failures }
}

function* plansOf({ plan, from, seeds }: SimulateOptions): Generator<{ plan: Plan } | { seed: number }> {
  if (plan !== undefined) yield { plan }
  else for (let seed = from; seed < from + seeds; seed++) yield { seed }
}

function addCounts(counts: Record<string, number>, { jobs, events, ...report }: SimulationReport): void {
  const all = { jobs, events, simulatedMs: report.simulatedMs, ...report.counts }
  for (const [name, count] of Object.entries(all)) counts[name] = (counts[name] ?? 0) + count
}
