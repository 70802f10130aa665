import { ModelError } from '../errors.ts'
import type { ModelInput } from '../manifest/manifest.ts'
import { ARRAYS, type Dtype, sizeOf, type Tensor, type TensorData } from './tensor.ts'

/** A tensor as JSON: nested lists, or its numbers in a row with their shape. */
export type JsonTensor =
  | JsonList
  | number
  | boolean
  | { readonly shape: readonly number[]; readonly data: readonly unknown[] }
type JsonList = readonly (JsonList | number | boolean)[]

/** Of one request's input; more comes as images, or in several requests. */
const VALUES_MAX = 20_000_000

/**
 * Reads one input of a request. What lacks the batch dimension is taken as one row.
 * @throws {ModelError} `model_input_invalid`, naming the input and what it must be
 */
export function tensorOfJson(value: unknown, input: ModelInput): Tensor {
  const { dims, values } = isFlat(value) ? flatOf(value, input) : nestedOf(value, input)
  const whole = dims.length === input.shape.length - 1 && input.shape[0] === 'batch' ? [1, ...dims] : dims
  checkShape(whole, input)
  return { dtype: input.dtype, dims: whole, data: dataOf(values, input) }
}

/** @throws {ModelError} `model_input_invalid` */
export function checkShape(dims: readonly number[], { name, shape }: ModelInput): void {
  const fits = dims.length === shape.length && shape.every((dim, axis) => typeof dim === 'string' || dim === dims[axis])
  if (!fits) throw invalid(name, `has the shape [${dims.join(', ')}]; it must be [${shape.join(', ')}]`)
  if (dims.some((dim) => dim === 0)) throw invalid(name, 'has no values; give at least one row')
}

function isFlat(value: unknown): value is { shape: unknown; data: unknown } {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && 'data' in value && 'shape' in value
}

function flatOf({ shape, data }: { shape: unknown; data: unknown }, { name }: ModelInput) {
  const isShape = Array.isArray(shape) && shape.every((dim) => Number.isInteger(dim) && dim >= 0)
  if (!isShape) throw invalid(name, 'has a "shape" that is no list of whole numbers')
  if (!Array.isArray(data)) throw invalid(name, 'has "data" that is no list of numbers')
  if (data.length !== sizeOf(shape))
    throw invalid(
      name,
      `has ${data.length} numbers in "data", and the shape [${shape.join(', ')}] means ${sizeOf(shape)}`,
    )
  return { dims: shape as readonly number[], values: data as readonly unknown[] } // sound: checked above
}

function nestedOf(value: unknown, { name, shape }: ModelInput) {
  const dims: number[] = []
  for (let level = value; Array.isArray(level); level = level[0]) {
    dims.push(level.length)
    if (dims.length > shape.length) throw invalid(name, `is nested deeper than its ${shape.length} dimensions`)
  }
  if (!Number.isFinite(sizeOf(dims)) || sizeOf(dims) > VALUES_MAX)
    throw invalid(name, `has more than ${VALUES_MAX} numbers; send fewer rows at once`)
  const values: unknown[] = []
  const collect = (level: unknown, axis: number): void => {
    if (axis === dims.length) {
      values.push(level)
      return
    }
    if (!Array.isArray(level) || level.length !== dims[axis])
      throw invalid(
        name,
        `is ragged: a list at depth ${axis + 1} has not ${dims[axis]} entries, as the first one there has`,
      )
    for (const inner of level) collect(inner, axis + 1)
  }
  collect(value, 0)
  return { dims, values }
}

const RANGES: Readonly<Partial<Record<Dtype, readonly [number, number]>>> = {
  int8: [-128, 127],
  uint8: [0, 255],
  int16: [-32_768, 32_767],
  uint16: [0, 65_535],
  int32: [-(2 ** 31), 2 ** 31 - 1],
  uint32: [0, 2 ** 32 - 1],
  int64: [Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER],
  uint64: [0, Number.MAX_SAFE_INTEGER],
}

function dataOf(values: readonly unknown[], { name, dtype }: ModelInput): TensorData {
  const data = new ARRAYS[dtype](values.length)
  const [min, max] = RANGES[dtype] ?? [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY]
  const isBig = data instanceof BigInt64Array || data instanceof BigUint64Array
  for (const [at, value] of values.entries()) {
    const number = typeof value === 'boolean' ? Number(value) : value
    const fits =
      typeof number === 'number' &&
      Number.isFinite(number) &&
      (RANGES[dtype] === undefined || (Number.isInteger(number) && number >= min && number <= max)) &&
      (dtype !== 'bool' || number === 0 || number === 1)
    if (!fits)
      throw invalid(name, `has ${JSON.stringify(value)?.slice(0, 60)} as its value ${at}, which is no ${dtype}`)
    data[at] = (isBig ? BigInt(number) : number) as never // sound: the array's own kind of number
  }
  return data
}

/** The numbers of a tensor as JSON has them: what is no finite number becomes null. */
export function jsonOfData({ dtype, data }: Tensor): readonly (number | boolean | null)[] {
  return Array.from(data as ArrayLike<number | bigint>, (value) => {
    const number = Number(value)
    if (dtype === 'bool') return number !== 0
    return Number.isFinite(number) ? number : null
  })
}

function invalid(name: string, what: string): ModelError {
  return new ModelError('model_input_invalid', `The input "${name}" ${what}.`)
}
