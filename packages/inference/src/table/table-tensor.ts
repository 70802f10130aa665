import { ModelError } from '../errors.ts'
import type { ModelInput } from '../manifest/manifest.ts'
import { checkShape, tensorOfJson } from '../tensor/json-tensor.ts'
import type { Tensor } from '../tensor/tensor.ts'

export type TableInput = ModelInput & { readonly table: NonNullable<ModelInput['table']> }

/**
 * Rows of a table as the model's input: each an object by column, or a list in the columns' order.
 * @throws {ModelError} `model_input_invalid`, naming the row and the column
 */
export function tableTensor(rows: unknown, input: TableInput): Tensor {
  if (!Array.isArray(rows) || rows.length === 0)
    throw new ModelError(
      'model_input_invalid',
      'The rows must be a list of at least one row, each an object by column.',
    )
  checkShape([rows.length, input.table.columns.length], input)
  return tensorOfJson(
    rows.map((row: unknown, at) => valuesOf(row, at, input)),
    input,
  )
}

function valuesOf(row: unknown, at: number, { table: { columns } }: TableInput): number[] {
  if (Array.isArray(row) && row.length !== columns.length)
    throw invalid(at, `has ${row.length} values; there are ${columns.length} columns`)
  if (typeof row !== 'object' || row === null) throw invalid(at, 'is no object by column and no list')
  const cells = row as Readonly<Record<string, unknown>> // sound: any object may be asked for a name
  if (!Array.isArray(row)) refuseStrangers(cells, at, columns)
  return columns.map(({ name, mean, std, default: fallback }, index) => {
    const cell = (Array.isArray(row) ? row[index] : cells[name]) ?? fallback
    if (typeof cell !== 'number' || !Number.isFinite(cell))
      throw invalid(at, `has ${JSON.stringify(cell)?.slice(0, 60) ?? 'nothing'} as "${name}"; it must be a number`)
    return (cell - mean) / std
  })
}

function refuseStrangers(
  cells: Readonly<Record<string, unknown>>,
  at: number,
  columns: readonly { name: string }[],
): void {
  const strange = Object.keys(cells).find((name) => !columns.some((column) => column.name === name))
  if (strange === undefined) return
  const names = columns.slice(0, 20).map(({ name }) => name)
  throw invalid(
    at,
    `has a column "${strange.slice(0, 100)}" that the model does not know; it knows ${names.join(', ')}`,
  )
}

function invalid(at: number, what: string): ModelError {
  return new ModelError('model_input_invalid', `Row ${at + 1} ${what}.`)
}
