import type { Json, WireLayer } from '@headrace/wire'

/** A survey of land or soil as a table: one row per class, the largest first. */
export type Survey = {
  readonly name: string
  readonly title: string
  readonly rows: readonly SurveyRow[]
  readonly totalM2: number
}

export type SurveyRow = {
  readonly key: string
  /** The class's own code: an NLCD number, a soil group's letters. */
  readonly code: string
  readonly type: string
  readonly areaM2: number
  /** 0 to 1. */
  readonly share: number
  readonly color: string
  /** Land only: the part within the active river area; undefined where the survey has none. */
  readonly riverAreaM2: number | undefined
}

/**
 * Reads `{survey: {name, displayName, categories}}`.
 * @returns undefined when the value is something else
 */
export function surveyOf(result: Json | undefined, layers: readonly WireLayer[] = []): Survey | undefined {
  // The one output of a process without named ones comes as `{result: …}`.
  const survey = field(result, 'survey') ?? field(field(result, 'result'), 'survey')
  const categories = field(survey, 'categories')
  if (!Array.isArray(categories) || categories.length === 0) return undefined
  if (!categories.every((category) => typeof field(category, 'area') === 'number')) return undefined
  const name = text(field(survey, 'name')) ?? 'survey'
  const rows = categories.map((category, index) => surveyRow(category, index, layers))
  return {
    name,
    title: text(field(survey, 'displayName')) ?? name,
    rows: rows.sort((a, b) => b.areaM2 - a.areaM2),
    totalM2: rows.reduce((sum, row) => sum + row.areaM2, 0),
  }
}

function surveyRow(category: Json, index: number, layers: readonly WireLayer[]): SurveyRow {
  const code = text(field(category, 'nlcd')) ?? text(field(category, 'code')) ?? String(index)
  const type = text(field(category, 'type')) ?? code
  const coverage = field(category, 'coverage')
  const riverArea = field(category, 'active_river_area')
  return {
    key: `${code}/${index}`,
    code,
    type,
    areaM2: Number(field(category, 'area')),
    share: typeof coverage === 'number' ? coverage : 0,
    color: colorOf(code, type, index, layers),
    riverAreaM2: typeof riverArea === 'number' ? riverArea : undefined,
  }
}

/** The layer's own colour for the class, by name or number; else NLCD's; else one of a row that stays apart. */
function colorOf(code: string, type: string, index: number, layers: readonly WireLayer[]): string {
  const classes = layers.flatMap((layer) => layer.classes)
  const named = classes.find((one) => one.name.toLowerCase() === type.toLowerCase())
  const numbered = () => classes.find((one) => String(one.value) === code)
  return (
    named?.color ?? numbered()?.color ?? NLCD_COLORS[code] ?? SPARE_COLORS[index % SPARE_COLORS.length] ?? '#888888'
  )
}

/** The legend of the National Land Cover Database, by class number. */
const NLCD_COLORS: Readonly<Record<string, string>> = {
  '11': '#466b9f',
  '12': '#d1def8',
  '21': '#dec5c5',
  '22': '#d99282',
  '23': '#eb0000',
  '24': '#ab0000',
  '31': '#b3ac9f',
  '41': '#68ab5f',
  '42': '#1c5f2c',
  '43': '#b5c58f',
  '52': '#ccb879',
  '71': '#dfdfc2',
  '81': '#dcd939',
  '82': '#ab6c28',
  '90': '#b8d9eb',
  '95': '#6c9fb8',
}

const SPARE_COLORS = ['#1b7f86', '#c28b2c', '#7a5ea8', '#5b8f3f', '#b5533c', '#3f6fb0', '#8c8c3a', '#a34f7f']

/** Hectares for what a person can walk over, square kilometres beyond: `12.3 ha`, `4,210 ha`, `158 km²`. */
export function areaText(m2: number): string {
  const hectares = m2 / 10_000
  if (hectares >= 10_000) return `${grouped(m2 / 1_000_000)} km²`
  if (hectares > 0 && hectares < 0.01) return `${grouped(m2)} m²`
  return `${grouped(hectares)} ha`
}

function grouped(value: number): string {
  const digits = value >= 100 ? 0 : value >= 10 ? 1 : 2
  return value.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits })
}

/** `12.3 %`, with the small ones not rounded to nothing: `<0.1 %`. */
export function shareText(share: number): string {
  const percent = share * 100
  if (percent > 0 && percent < 0.1) return '<0.1 %'
  return `${percent.toFixed(1)} %`
}

function field(value: Json | undefined, name: string): Json | undefined {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return undefined
  return (value as { readonly [key: string]: Json })[name]
}

function text(value: Json | undefined): string | undefined {
  return typeof value === 'string' ? value : typeof value === 'number' ? String(value) : undefined
}
