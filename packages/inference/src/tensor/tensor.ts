/** The number types that models take and give here, with the array that holds each. */
export const ARRAYS = {
  float32: Float32Array,
  float64: Float64Array,
  int8: Int8Array,
  uint8: Uint8Array,
  int16: Int16Array,
  uint16: Uint16Array,
  int32: Int32Array,
  uint32: Uint32Array,
  int64: BigInt64Array,
  uint64: BigUint64Array,
  bool: Uint8Array,
} as const

export type Dtype = keyof typeof ARRAYS
export type TensorData = InstanceType<(typeof ARRAYS)[Dtype]>

/** Row-major; `data` holds exactly the product of `dims`. */
export type Tensor = { readonly dtype: Dtype; readonly dims: readonly number[]; readonly data: TensorData }
export type Tensors = { readonly [name: string]: Tensor }

export function isDtype(value: unknown): value is Dtype {
  return typeof value === 'string' && Object.hasOwn(ARRAYS, value)
}

export function sizeOf(dims: readonly number[]): number {
  return dims.reduce((product, dim) => product * dim, 1)
}

/** Tensors of one shape but for their first dimension, one after the other along it. */
export function concat(tensors: readonly Tensor[]): Tensor {
  const [first] = tensors
  if (first === undefined) throw new Error('There is nothing to put together.')
  if (tensors.length === 1) return first
  const rows = tensors.reduce((sum, { dims }) => sum + (dims[0] ?? 0), 0)
  const data = new ARRAYS[first.dtype](tensors.reduce((sum, tensor) => sum + tensor.data.length, 0))
  let at = 0
  for (const tensor of tensors) {
    data.set(tensor.data as never, at) // sound: all are of one dtype
    at += tensor.data.length
  }
  return { dtype: first.dtype, dims: [rows, ...first.dims.slice(1)], data }
}

/** Rows `start` up to and without `end`, along the first dimension; a view, not a copy. */
export function rowsOf({ dtype, dims, data }: Tensor, start: number, end: number): Tensor {
  const rowSize = sizeOf(dims.slice(1))
  return { dtype, dims: [end - start, ...dims.slice(1)], data: data.subarray(start * rowSize, end * rowSize) }
}
