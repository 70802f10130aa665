import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Planned, plan } from './plan.ts'
import { plotOf } from './plot.ts'
import { measure, type Result, readResults, writeResults } from './results.ts'
import { caveatsOf, peopleOf, tableOf } from './table.ts'

const DOCS = join(import.meta.dirname, '../../../docs')
const PAGE = join(DOCS, 'performance.md')
const RESULTS = join(DOCS, 'performance/results.jsonl')
const [BEGIN, END] = ['<!-- figures: written by npm run bench -- report -->', '<!-- end of the figures -->']

/** Of the benches with peers only these have a plot; the others are a figure of one system, or of memory. */
const PLOTTED = new Set(['bulk', 'each', 'latency', 'chord', 'chain', 'recovery', 'backlog'])

/**
 * Measures (all of the plan, or only the keys that are given; none with `measure: false`), keeps the results in
 * `docs/performance/results.jsonl`, and writes the tables and plots of the page anew.
 */
export async function writeReport(options: {
  readonly store: string
  readonly only: readonly string[] | undefined
  readonly measure: boolean
  readonly more: readonly string[]
}): Promise<void> {
  mkdirSync(join(DOCS, 'performance'), { recursive: true })
  if (options.measure) await measureAll(options)
  const results = readResults(RESULTS)
  const page = readFileSync(PAGE, 'utf8')
  const [before, rest] = page.split(BEGIN)
  const after = rest?.split(END)[1]
  if (before === undefined || after === undefined) throw new Error(`${PAGE} has no place for the figures: ${BEGIN}`)
  writeFileSync(PAGE, `${before}${BEGIN}\n\n${figures(results)}\n\n${END}${after}`)
}

async function measureAll({
  store,
  only,
  more,
}: {
  store: string
  only: readonly string[] | undefined
  more: readonly string[]
}) {
  for (const planned of plan) {
    if (only !== undefined && !only.includes(planned.key)) continue
    console.error(`${planned.key} on ${store.split(':')[0]} …`)
    try {
      writeResults(RESULTS, [await measure(planned, store, more)])
    } catch (error) {
      // The others are worth having all the same; what was measured before stays.
      console.error(`${planned.key} failed: ${(error as Error).message}`)
      process.exitCode = 1
    }
  }
}

function figures(results: readonly Result[]): string {
  const [one] = results
  if (one === undefined) return 'Nothing was measured yet.'
  const { cpu, cores, memoryGb, system, node } = one.machine
  const disk = results.map(({ machine }) => machine.fdatasyncMs).sort((a, b) => a - b)
  const days = [...new Set(results.map(({ at }) => at.slice(0, 10)))].sort().join(', ')
  return [
    `Measured ${days} on ${cores} cores (${cpu}), ${memoryGb} GB, ${system}, Node ${node.slice(1)}; an \`fdatasync\` took ${disk[0]}–${disk.at(-1)} ms. Medians of the runs, by turns.`,
    tableOf(plan, results),
    ...plan.filter(({ key }) => PLOTTED.has(key)).flatMap((planned) => plot(planned, results)),
    peopleOf(results),
    caveatsOf(plan, results),
  ].join('\n\n')
}

function plot(planned: Planned, results: readonly Result[]): string[] {
  const measured = results.filter(({ key }) => key === planned.key)
  if (measured.length === 0) return []
  writeFileSync(join(DOCS, `performance/${planned.key}.svg`), plotOf(planned, measured))
  return [`![${planned.title}](performance/${planned.key}.svg)`]
}
