import type { Planned } from './plan.ts'
import type { Result, ResultRow } from './results.ts'

/** `**36,200 jobs/s** · bullmq:redis 7,881`, and so on: one line per bench, each peer beside it. */
export function tableOf(plan: readonly Planned[], results: readonly Result[]): string {
  const stores = ['sqlite', 'postgres'].filter((store) => results.some((result) => result.store === store))
  const head = ['', ...stores.map((store) => `Headrace, ${STORE_NAMES[store]}`), 'peers, in the same run']
  const lines = plan.flatMap((planned) => {
    const measured = results.filter(({ key }) => key === planned.key)
    if (measured.length === 0) return []
    const own = stores.map((store) => {
      const result = measured.find((one) => one.store === store)
      return result === undefined ? '–' : `**${cellOf(planned, result, result.headrace)}**`
    })
    return [[planned.title, ...own, peersOf(planned, newest(measured))]]
  })
  return [head, head.map(() => '---'), ...lines].map((cells) => `| ${cells.join(' | ')} |`).join('\n')
}

/** Who was measured: versions, what a power cut may take. */
export function peopleOf(results: readonly Result[]): string {
  const rows = new Map<string, ResultRow>()
  for (const result of results) for (const row of [result.headrace, ...result.peers]) rows.set(row.name, row)
  const lines = [...rows.values()].map(({ name, versions, durability }) => [
    name,
    Object.entries(versions)
      .map(([of, version]) => `${of} ${version}`)
      .join(', '),
    durability,
  ])
  return [['', 'versions', 'durable when the call returns'], ['---', '---', '---'], ...lines]
    .map((cells) => `| ${cells.join(' | ')} |`)
    .join('\n')
}

/** What else took the CPU, and who was not measured: so that nobody reads more into a figure than there is. */
export function caveatsOf(plan: readonly Planned[], results: readonly Result[]): string {
  const lines: string[] = []
  const loud = results.filter((result) => loudest(result) > 0.1)
  for (const result of loud)
    lines.push(
      `- ${result.key} on ${result.store}: something else took up to ${Math.round(loudest(result) * 100)} % of the machine.`,
    )
  for (const { key } of plan) {
    const result = newest(results.filter((one) => one.key === key))
    for (const { name, why } of result?.notMeasured ?? []) lines.push(`- ${key}: ${name} was not measured: ${why}.`)
    for (const { name, error } of result?.failed ?? []) lines.push(`- ${key}: ${name} failed: ${error}.`)
  }
  return [...new Set(lines)].join('\n')
}

const STORE_NAMES: Readonly<Record<string, string>> = { sqlite: 'embedded SQLite', postgres: 'PostgreSQL' }

function peersOf(planned: Planned, result: Result | undefined): string {
  const cells = (result?.peers ?? []).map((row) => `${row.name} ${cellOf(planned, result as Result, row)}`)
  return cells.join(' · ') || '–'
}

function cellOf({ key, unit, more }: Planned, { figure }: Result, { figures }: ResultRow): string {
  const main = figures[figure] ?? Number.NaN
  // A recovery of which not all jobs were seen again was given up.
  const sign = key === 'recovery' && (figures.resumed ?? 0) < (figures.jobs ?? 0) ? '> ' : ''
  const behind = Object.entries(more)
    .filter(([name]) => figures[name] !== undefined)
    .map(([name, what]) => `${what} ${shown(figures[name] ?? Number.NaN)}`)
  return `${sign}${shown(main)} ${unit}${behind.length > 0 ? ` (${behind.join(', ')})` : ''}`
}

export function shown(value: number): string {
  if (value >= 1_000) return Math.round(value).toLocaleString('en-US')
  return String(Number(value.toPrecision(value >= 100 ? 3 : 2)))
}

function newest(results: readonly Result[]): Result | undefined {
  return [...results].sort((a, b) => b.at.localeCompare(a.at))[0]
}

function loudest({ headrace, peers }: Result): number {
  return Math.max(...[headrace, ...peers].map(({ otherCpuShare }) => otherCpuShare ?? 0))
}
