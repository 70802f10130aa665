import { type Cell, isGivenUp, type Measured, type MeasuredOne, spreadOf } from './measured.ts'
import { type Row, rows, sizes } from './plan.ts'
import { shownName } from './system-name.ts'

/** Above this, a figure is worth less. */
const LOUD_SHARE = 0.1

/** One table of all systems, with what is to be known of single cells in notes below. */
export function tableOf(measured: Measured): string {
  const systems = systemsOf(measured)
  const notes = new Notes()
  const lines = [
    ['', ...systems.map(shownName)],
    ['---', ...systems.map(() => '---:')],
    ['versions', ...systems.map((system) => versionsOf(measured, system))],
    ['flushed to the disk', ...systems.map((system) => durabilityOf(measured, system, notes))],
    ...allRows(measured).map(([row, one]) => [
      row.title(one.settings),
      ...systems.map((system) => cellText(row, one, system, notes)),
    ]),
  ]
  return [markdownTable(lines), notes.text(), loudOf(measured)].filter((part) => part !== '').join('\n\n')
}

/** What Headrace was to reach, what it reached, and where it did not. */
export function goalsOf(measured: Measured): string {
  const stores = ['sqlite', 'postgres'] as const
  const lines = allRows(measured).flatMap(([row, one]) => {
    const { goals } = row
    if (goals === undefined) return []
    const cells = stores.flatMap((store) => [
      reached(row, one.cells[`headrace:${store}`], goals[store]),
      goals[store].map(shown).join(' / '),
    ])
    return [[row.title(one.settings), ...cells]]
  })
  return markdownTable([['', 'SQLite', 'goal', 'PostgreSQL', 'goal'], ['---', ...Array(4).fill('---:')], ...lines])
}

/** Three digits of what is large, two of what is small. */
export function shown(value: number): string {
  if (value >= 100) return Number(value.toPrecision(3)).toLocaleString('en-US')
  return String(Number(value.toPrecision(2)))
}

/** All that were asked for, in the order of the columns. */
export function systemsOf({ measurements }: Measured): string[] {
  return [...new Set(Object.values(measurements).flatMap(({ cells }) => Object.keys(cells)))]
}

function allRows({ measurements }: Measured): (readonly [Row, MeasuredOne])[] {
  return Object.values<Row>(rows).flatMap((row) => {
    const one = measurements[row.of]
    return one === undefined ? [] : [[row, one] as const]
  })
}

function cellText(row: Row, one: MeasuredOne, system: string, notes: Notes): string {
  const cell = one.cells[system]
  if (cell === undefined) return ''
  if (cell.state === 'absent') return `—${notes.mark(sentence(cell.why))}`
  if (cell.state === 'failed') return `failed${notes.mark(sentence(`it failed: ${cell.error}`))}`
  const text = figuresText(row, cell)
  const marks = notesOf(row, one, cell).map((note) => notes.mark(note))
  return `${system.startsWith('headrace:') ? `**${text}**` : text}${marks.join('')}`
}

function shownCount(count: number): string {
  return count.toLocaleString('en-US')
}

function sentence(words: string): string {
  return `${words.charAt(0).toUpperCase()}${words.slice(1)}.`
}

function figuresText({ figures }: Row, cell: Cell): string {
  const values = figures.map((figure) => spreadOf(cell, figure)?.median)
  return `${isGivenUp(cell) ? '> ' : ''}${values.map((value) => (value === undefined ? '—' : shown(value))).join(' / ')}`
}

function notesOf({ of }: Row, { settings, runs }: MeasuredOne, cell: Cell & { readonly state: 'measured' }): string[] {
  const size = sizes[of]
  const given = size && cell.runs[0]?.[size]
  return [
    ...(given !== undefined && given < settings[size as 'jobs']
      ? [
          `With ${shownCount(given)} of ${shownCount(settings[size as 'jobs'])} ${size}: its rate is steady, and time is short.`,
        ]
      : []),
    ...(cell.error === undefined ? [] : [`${cell.runs.length} of ${runs} runs; the next one failed: ${cell.error}.`]),
    ...(cell.error === undefined && cell.runs.length < runs
      ? [`${cell.runs.length} of ${runs} runs: it takes long.`]
      : []),
  ]
}

function reached({ figures, moreIsBetter }: Row, cell: Cell | undefined, goals: readonly number[]): string {
  const texts = goals.flatMap((goal, index) => {
    const value = spreadOf(cell, figures[index] ?? '')?.median
    if (value === undefined) return []
    return [(moreIsBetter ? value >= goal : value <= goal) ? shown(value) : `**${shown(value)}, missed**`]
  })
  return texts.join(' / ') || '—'
}

function versionsOf({ measurements }: Measured, system: string): string {
  const cells = Object.values(measurements).flatMap(({ cells }) => cells[system] ?? [])
  const versions = Object.assign({}, ...cells.map((cell) => cell.versions)) as Record<string, string>
  return Object.entries(versions)
    .map(([name, version]) => `${name} ${version}`)
    .join(', ')
}

function durabilityOf({ measurements }: Measured, system: string, notes: Notes): string {
  const cells = Object.values(measurements).flatMap(({ cells }) => cells[system] ?? [])
  const measured = cells.find((cell) => cell.state === 'measured')
  if (measured === undefined) return '—'
  const lossy = measured.durability.includes('everysec')
  return `${measured.durability}${lossy ? notes.mark('Up to a second of accepted jobs may be lost with the power.') : ''}`
}

function loudOf({ measurements }: Measured): string {
  const loud = Object.entries(measurements).flatMap(([key, { cells }]) => {
    const shares = Object.values(cells).map((cell) => (cell.state === 'measured' ? cell.otherCpuShare : 0))
    const most = Math.max(...shares)
    return most > LOUD_SHARE ? [`${key} (up to ${Math.round(most * 100)} %)`] : []
  })
  if (loud.length === 0) return ''
  return `Something else took more than ${LOUD_SHARE * 100} % of the machine in some run of ${loud.join(', ')}.`
}

function markdownTable(lines: readonly (readonly string[])[]): string {
  return lines.map((cells) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`).join('\n')
}

/** Notes below a table; the same words are said once. */
class Notes {
  readonly #texts: string[] = []

  /** @returns the mark that leads to the note */
  mark(text: string): string {
    if (!this.#texts.includes(text)) this.#texts.push(text)
    return `<sup>${this.#texts.indexOf(text) + 1}</sup>`
  }

  text(): string {
    return this.#texts.map((text, index) => `<sup>${index + 1}</sup> ${text}`).join('<br>\n')
  }
}
