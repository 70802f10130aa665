/** What a statement takes: a scalar, or a list for `unnest`. */
export type Value = string | number | bigint | boolean | null | undefined | readonly Scalar[]
type Scalar = string | number | boolean | null | undefined

/** A value as PostgreSQL's text format has it. */
export function encodeValue(value: Value): string | null {
  if (value === null || value === undefined) return null
  if (typeof value === 'string') return value
  if (typeof value === 'object') return encodeArray(value)
  return typeof value === 'boolean' ? (value ? 't' : 'f') : String(value)
}

function encodeArray(values: readonly Scalar[]): string {
  let text = '{'
  for (let index = 0; index < values.length; index++) {
    if (index > 0) text += ','
    text += encodeElement(values[index])
  }
  return `${text}}`
}

const SPECIAL = /["\\]/
const SPECIALS = /["\\]/g

function encodeElement(value: Scalar): string {
  if (value === null || value === undefined) return 'NULL'
  if (typeof value === 'number') return String(value)
  if (typeof value === 'boolean') return value ? 't' : 'f'
  return SPECIAL.test(value) ? `"${value.replace(SPECIALS, '\\$&')}"` : `"${value}"`
}

/** A column of an answer, as PostgreSQL describes it. */
export type Field = { readonly name: string; readonly dataTypeID: number }

const BOOLEAN = 16
/** int8, int2, int4, oid, float4, float8, numeric. Whole numbers here stay below 2^53. */
const NUMBERS = new Set([20, 21, 23, 26, 700, 701, 1700])
/** int2[], int4[], int8[]. */
const NUMBER_ARRAYS = new Set([1005, 1007, 1016])

export function decodeRow(fields: readonly Field[], values: readonly (string | null)[]): Record<string, unknown> {
  const row: Record<string, unknown> = {}
  for (let index = 0; index < fields.length; index++) {
    const field = fields[index] as Field
    row[field.name] = decodeValue(field.dataTypeID, values[index] ?? null)
  }
  return row
}

function decodeValue(type: number, value: string | null): unknown {
  if (value === null) return null
  if (NUMBERS.has(type)) return Number(value)
  if (type === BOOLEAN) return value === 't'
  if (NUMBER_ARRAYS.has(type)) return value === '{}' ? [] : value.slice(1, -1).split(',').map(Number)
  return value
}

/** PostgreSQL's text cannot hold the character 0, which says nothing in a message either. */
export function withoutNul(text: string): string {
  return text.includes('\u0000') ? text.replaceAll('\u0000', '\uFFFD') : text
}
