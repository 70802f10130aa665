import type { Measured } from './measured.ts'
import { pictures, rows } from './plan.ts'
import { plotOf } from './plot.ts'
import { goalsOf, tableOf } from './table.ts'

const BEGIN = '<!-- figures: written by npm run bench -- report -->'
const END = '<!-- end of the figures -->'

export type PageParts = {
  readonly page: string
  /** By file name. */
  readonly pictures: Readonly<Record<string, string>>
}

/** The page with its figures replaced, and the pictures that it shows from the folder `images` beside it. */
export function pageOf(page: string, measured: Measured): PageParts {
  const [before, rest] = page.split(BEGIN)
  const after = rest?.split(END)[1]
  if (before === undefined || after === undefined)
    throw new Error(`The page has no place for the figures: lines of ${BEGIN} and ${END}.`)
  const drawn = pictures.filter(({ panels }) =>
    panels.some(({ row }) => measured.measurements[rows[row].of] !== undefined),
  )
  const figures = [
    conditionsOf(measured),
    tableOf(measured),
    ...drawn.map(({ file, title }) => `![${title}](images/${file})`),
    'What Headrace was to reach on such a machine, and what it reached:',
    goalsOf(measured),
  ]
  return {
    page: `${before}${BEGIN}\n\n${figures.join('\n\n')}\n\n${END}${after}`,
    pictures: Object.fromEntries(drawn.map((picture) => [picture.file, plotOf(picture, measured)])),
  }
}

function conditionsOf({ machines, measurements }: Measured): string {
  const [machine] = machines
  if (machine === undefined) return 'Nothing was measured yet.'
  const { cpu, cores, memoryGb, system, node } = machine
  const disk = machines.map(({ fdatasyncMs }) => fdatasyncMs).sort((a, b) => a - b)
  const days = [...new Set(machines.map(({ at }) => at.slice(0, 10)))].sort().join(', ')
  const runs = Math.max(...Object.values(measurements).map((one) => one.runs))
  const flush = disk[0] === disk.at(-1) ? disk[0] : `${disk[0]} to ${disk.at(-1)}`
  return [
    `Measured on ${days}: ${cores} cores (${cpu}), ${memoryGb} GB, ${system}, Node ${node.slice(1)}; an fdatasync takes ${flush} ms.`,
    runs > 1
      ? `Medians of ${runs} runs, by turns, each system alone at work; in the plots the line is from the least to the greatest.`
      : 'One run of each, by turns, each system alone at work.',
  ].join('\n')
}
