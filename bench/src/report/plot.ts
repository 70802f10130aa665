import type { Planned } from './plan.ts'
import type { Result } from './results.ts'
import { shown } from './table.ts'

const WIDTH = 720
const LABEL = 210
const BAR = 20
const GAP = 8
const TOP = 40
/** Beyond so many times the smallest, bars are drawn by their logarithm, or the small ones could not be seen. */
const LINEAR_RATIO_MAX = 30

/** Bars of one bench, the best first, as an SVG that is legible on light and on dark ground. */
export function plotOf({ title, unit }: Planned, results: readonly Result[]): string {
  const bars = barsOf(results)
  const values = bars.map(({ value }) => value)
  const [least, most] = [Math.min(...values), Math.max(...values)]
  const isLogarithmic = most / least > LINEAR_RATIO_MAX
  const length = (value: number) => {
    const share = isLogarithmic ? (1 + Math.log10(value / least)) / (1 + Math.log10(most / least)) : value / most
    return Math.round(share * (WIDTH - LABEL - 130))
  }
  const height = TOP + bars.length * (BAR + GAP) + GAP
  const lines = bars.flatMap(({ name, value, isOurs }, index) => {
    const y = TOP + index * (BAR + GAP)
    const middle = y + BAR / 2 + 4
    return [
      `<text x="${LABEL - 8}" y="${middle}" text-anchor="end">${name}</text>`,
      `<rect class="${isOurs ? 'ours' : 'theirs'}" x="${LABEL}" y="${y}" width="${length(value)}" height="${BAR}" rx="3"/>`,
      `<text x="${LABEL + length(value) + 6}" y="${middle}">${shown(value)} ${unit}</text>`,
    ]
  })
  const note = isLogarithmic ? ' (logarithmic)' : ''
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="${title}">
<style>
text { font: 13px system-ui, sans-serif; fill: #1f2328 } .title { font-weight: 600; font-size: 14px }
.ours { fill: #0b6e99 } .theirs { fill: #9aa4ad }
@media (prefers-color-scheme: dark) { text { fill: #e6edf3 } .ours { fill: #4db8e5 } .theirs { fill: #6b7680 } }
</style>
<text class="title" x="8" y="22">${title}${note}</text>
${lines.join('\n')}
</svg>
`
}

function barsOf(results: readonly Result[]) {
  const bars = new Map<string, { name: string; value: number; isOurs: boolean }>()
  for (const { figure, headrace, peers } of results) {
    for (const { name, figures } of [headrace, ...peers]) {
      const value = figures[figure] ?? Number.NaN
      if (value > 0) bars.set(name, { name, value, isOurs: name === headrace.name })
    }
  }
  const moreIsBetter = results[0]?.figure.endsWith('PerSecond') === true
  return [...bars.values()].sort((a, b) => (moreIsBetter ? b.value - a.value : a.value - b.value))
}
