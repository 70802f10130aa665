import type { Json } from '@headrace/wire'
import { bar } from '../terminal/progress-bar.ts'
import { type Column, table } from '../terminal/table.ts'
import type { Terminal } from '../terminal/terminal.ts'

/** One class of a survey, as the source system (Model My Watershed) writes it. `area` in m², `coverage` from 0 to 1. */
type Category = { readonly type: string; readonly area: number; readonly coverage: number }

const BAR_WIDTH = 24

/**
 * A survey of land or soil as a table with bars, the largest class first.
 * @returns undefined when the result holds no survey
 */
export function surveyText(terminal: Terminal, result: Json): string | undefined {
  const categories = categoriesOf(result).filter((category) => category.area > 0)
  if (categories.length === 0) return undefined
  const rows = categories.toSorted((a, b) => b.area - a.area)
  const totalHa = rows.reduce((sum, category) => sum + category.area, 0) / 10_000
  const largest = Math.max(...rows.map((category) => category.coverage))
  return `${table(terminal, columnsUpTo(largest), rows)}\n${hectares(totalHa * 10_000)} ha in all`
}

function columnsUpTo(largest: number): readonly Column<Category>[] {
  return [
    { title: 'LAND COVER', text: (category) => category.type, isFlexible: true },
    { title: 'HECTARES', text: (category) => hectares(category.area), align: 'right' },
    { title: 'SHARE', text: (category) => `${(category.coverage * 100).toFixed(1)} %`, align: 'right' },
    { title: '', text: (category) => bar(category.coverage / largest, BAR_WIDTH), style: () => 'green' },
  ]
}

function hectares(areaM2: number): string {
  return (areaM2 / 10_000).toLocaleString('en', { maximumFractionDigits: 1, minimumFractionDigits: 1 })
}

function categoriesOf(result: Json): readonly Category[] {
  const survey = field(result, 'survey') ?? field(field(result, 'result'), 'survey')
  const categories = field(survey, 'categories')
  return Array.isArray(categories) ? categories.filter(isCategory) : []
}

function isCategory(value: Json): value is Json & Category {
  return (
    typeof field(value, 'type') === 'string' &&
    typeof field(value, 'area') === 'number' &&
    typeof field(value, 'coverage') === 'number'
  )
}

function field(value: Json | undefined, name: string): Json | undefined {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return undefined
  return (value as { readonly [key: string]: Json })[name] // sound: an object that is no array
}
