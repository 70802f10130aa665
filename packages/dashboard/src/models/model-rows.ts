import type { WireModel, WireModelVersion } from '@headrace/wire'

/** One line of the table: a version of a model. */
export type ModelRow = WireModelVersion & { readonly model: string }

/** Every version of every model, in the server's order. */
export function rowsOf(models: readonly WireModel[]): readonly ModelRow[] {
  return models.flatMap(({ name, versions }) => versions.map((version) => ({ model: name, ...version })))
}

/** @example refOf({ model: 'digits', version: '2' }) // 'digits@2' */
export function refOf({ model, version }: { readonly model: string; readonly version: string }): string {
  return `${model}@${version}`
}

/** What a model is asked with: a picture, or JSON. */
export function asksFor({ inputs }: Pick<WireModelVersion, 'inputs'>): 'image' | 'json' {
  return inputs.some(({ image }) => image) ? 'image' : 'json'
}

/** One row of zeros for each input, or one row of the table, to begin with. */
export function exampleOf({ inputs }: Pick<WireModelVersion, 'inputs'>): string {
  const [first] = inputs
  if (first?.table)
    return JSON.stringify({ rows: [Object.fromEntries(first.table.columns.map(({ name }) => [name, 0]))] }, null, 2)
  const zeros = inputs.map(({ name, shape }) => [
    name,
    zerosOf(shape.map((dim) => (typeof dim === 'number' ? dim : 1))),
  ])
  return JSON.stringify({ inputs: Object.fromEntries(zeros) }, null, sizeOf(inputs) > 64 ? 0 : 2)
}

function sizeOf(inputs: WireModelVersion['inputs']): number {
  return Math.max(
    ...inputs.map(({ shape }) => shape.reduce<number>((size, dim) => size * (typeof dim === 'number' ? dim : 1), 1)),
  )
}

type Zeros = number | readonly Zeros[]

/** Of large inputs only the shape is shown: the numbers are for who asks. */
function zerosOf(
  dims: readonly number[],
): Zeros | { readonly shape: readonly number[]; readonly data: readonly number[] } {
  if (dims.reduce((size, dim) => size * dim, 1) > 4_096) return { shape: dims, data: [] }
  return nested(dims)
}

function nested([dim, ...rest]: readonly number[]): Zeros {
  return dim === undefined ? 0 : Array.from({ length: dim }, () => nested(rest))
}

/** @example msText(7.26) // '7.3 ms' */
export function msText(ms: number | undefined): string {
  if (ms === undefined) return ''
  return ms < 100 ? `${ms.toFixed(1)} ms` : `${Math.round(ms).toLocaleString('en')} ms`
}

/** @example shareText(0.98213) // '98.2 %' */
export function shareText(score: number | null): string {
  return score === null ? 'none' : `${(score * 100).toFixed(1)} %`
}
