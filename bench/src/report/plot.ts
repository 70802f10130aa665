import { type Cell, isGivenUp, type Measured, spreadOf } from './measured.ts'
import { type Panel, type Picture, type Row, rows } from './plan.ts'
import { shownName } from './system-name.ts'
import { shown, systemsOf } from './table.ts'

const WIDTH = 880
const MARGIN = 16
const HEAD = 44
const COLUMNS = 2
const PANEL = (WIDTH - 3 * MARGIN) / COLUMNS
const PANEL_HEAD = 30
const LABEL = 188
const VALUE = 98
const BAR = 14
const STEP = 20
/** Of the text beside a bar. */
const BASELINE = 11
/** A shorter line would be a dot. */
const SPREAD_MIN = 5
/** Beyond so many times the smallest, bars are drawn by their logarithm, or the small ones could not be seen. */
const LINEAR_RATIO_MAX = 30

/** A panel of bars for each row, all systems in the same order, as an SVG that is legible on light and on dark ground. */
export function plotOf({ title, panels }: Picture, measured: Measured): string {
  const systems = systemsOf(measured)
  const measuredPanels = panels.filter(({ row }) => measured.measurements[rows[row].of] !== undefined)
  const panelHeight = PANEL_HEAD + systems.length * STEP + MARGIN
  const height = HEAD + Math.ceil(measuredPanels.length / COLUMNS) * panelHeight
  const groups = measuredPanels.map((panel, index) => {
    const x = MARGIN + (index % COLUMNS) * (PANEL + MARGIN)
    const y = HEAD + Math.floor(index / COLUMNS) * panelHeight
    return `<g transform="translate(${x} ${y})">\n${panelOf(panel, systems, measured)}\n</g>`
  })
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="${escaped(title)}">
<style>
.ground { fill: #ffffff } text { font: 12px system-ui, sans-serif; fill: #1f2328 } .muted { fill: #656d76 }
.label { text-anchor: end } .title { font-size: 15px; font-weight: 600 } .panel { font-weight: 600 } .value { font-variant-numeric: tabular-nums }
.ours { fill: #0b6e99 } .theirs { fill: #a3adb6 } .spread { stroke: #1f2328; stroke-width: 1.5 }
@media (prefers-color-scheme: dark) {
  .ground { fill: #0d1117 } text { fill: #e6edf3 } .muted { fill: #8d96a0 }
  .ours { fill: #4db8e5 } .theirs { fill: #59636e } .spread { stroke: #e6edf3 }
}
</style>
<rect class="ground" width="${WIDTH}" height="${height}" rx="6"/>
<text class="title" x="${MARGIN}" y="26">${escaped(title)}</text>
${groups.join('\n')}
</svg>
`
}

function panelOf({ row: key, title }: Panel, systems: readonly string[], measured: Measured): string {
  const row: Row = rows[key]
  const one = measured.measurements[row.of]
  if (one === undefined) return ''
  const [figure = ''] = row.figures
  const spreads = systems.map((system) => spreadOf(one.cells[system], figure))
  const scale = scaleOf(spreads.flatMap((spread) => spread ?? []))
  const note = `${row.moreIsBetter ? 'more' : 'less'} is better${scale.isLogarithmic ? ', logarithmic' : ''}`
  const lines = systems.map((system, index) => {
    const cell = one.cells[system]
    const bar = barOf({ cell, spread: spreads[index], unit: row.unit, isOurs: system.startsWith('headrace:') }, scale)
    const label = textAt(LABEL - 8, shownName(system), 'label')
    return `<g transform="translate(0 ${PANEL_HEAD + index * STEP})">${label}${bar}</g>`
  })
  return [
    `<text class="panel" x="0" y="4">${escaped(title(one.settings))}</text>`,
    `<text class="muted" x="0" y="19">${note}</text>`,
    ...lines,
  ].join('\n')
}

type Bar = {
  readonly cell: Cell | undefined
  readonly spread: ReturnType<typeof spreadOf>
  readonly unit: string
  readonly isOurs: boolean
}

/** The median as a bar, the runs' least and greatest as a line across its end. */
function barOf({ cell, spread, unit, isOurs }: Bar, { length }: ReturnType<typeof scaleOf>): string {
  if (spread === undefined) return textAt(LABEL, cell?.state === 'failed' ? 'failed' : '—', 'muted')
  const [width, from, to] = [length(spread.median), length(spread.least), length(spread.most)]
  const middle = BAR / 2
  const line = `<line class="spread" x1="${LABEL + from}" y1="${middle}" x2="${LABEL + to}" y2="${middle}"/>`
  const value = `${isGivenUp(cell) ? '> ' : ''}${shown(spread.median)} ${unit}`
  return [
    `<rect class="${isOurs ? 'ours' : 'theirs'}" x="${LABEL}" width="${width}" height="${BAR}" rx="2"/>`,
    ...(to - from < SPREAD_MIN ? [] : [line]),
    textAt(LABEL + Math.max(width, to) + 6, value, 'value'),
  ].join('')
}

function textAt(x: number, words: string, kind: string): string {
  return `<text class="${kind}" x="${x}" y="${BASELINE}">${escaped(words)}</text>`
}

function scaleOf(spreads: readonly { readonly median: number; readonly most: number }[]) {
  const most = Math.max(...spreads.map((spread) => spread.most))
  const least = Math.max(Math.min(...spreads.map(({ median }) => median)), most / 1e6)
  const isLogarithmic = most / least > LINEAR_RATIO_MAX
  const share = (value: number) =>
    isLogarithmic ? Math.max(0, 1 + Math.log10(value / least)) / (1 + Math.log10(most / least)) : value / most
  return { isLogarithmic, length: (value: number) => Math.round(share(value) * (PANEL - LABEL - VALUE)) }
}

function escaped(words: string): string {
  return words.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')
}
