import { z } from 'zod'
import { ModelError } from '../errors.ts'
import type { FileBytes } from '../onnx/file-bytes.ts'

// The format: eight bytes with the header's length, little-endian; the header, a JSON object by tensor; then the tensors' bytes,
// row-major and little-endian, without a gap. https://huggingface.co/docs/safetensors

/** Where a tensor of a safetensors file lies; its bytes are row-major and little-endian, as ONNX has them. */
export type StoredTensor = {
  readonly dtype: SafetensorsDtype
  readonly shape: readonly number[]
  /** Of the file. */
  readonly start: number
  readonly end: number
}

/** ONNX's number of each element type, as in TensorProto.DataType, and bytes of one element. */
export const SAFETENSORS_DTYPES = {
  BOOL: { elementType: 9, bytes: 1 },
  U8: { elementType: 2, bytes: 1 },
  I8: { elementType: 3, bytes: 1 },
  F8_E4M3: { elementType: 17, bytes: 1 },
  F8_E5M2: { elementType: 19, bytes: 1 },
  U16: { elementType: 4, bytes: 2 },
  I16: { elementType: 5, bytes: 2 },
  F16: { elementType: 10, bytes: 2 },
  BF16: { elementType: 16, bytes: 2 },
  U32: { elementType: 12, bytes: 4 },
  I32: { elementType: 6, bytes: 4 },
  F32: { elementType: 1, bytes: 4 },
  U64: { elementType: 13, bytes: 8 },
  I64: { elementType: 7, bytes: 8 },
  F64: { elementType: 11, bytes: 8 },
} as const

export type SafetensorsDtype = keyof typeof SAFETENSORS_DTYPES

/** Of a checkpoint with 100,000 tensors; the format's own library takes six times as much. */
const HEADER_BYTES_MAX = 16_000_000
const LENGTH_BYTES = 8
const DIMS_MAX = 16

const DTYPES = Object.keys(SAFETENSORS_DTYPES) as [SafetensorsDtype, ...SafetensorsDtype[]] // sound: the keys of a constant
const Whole = z.int().min(0)
const Entry = z.strictObject({
  dtype: z.enum(DTYPES),
  shape: z.array(Whole).max(DIMS_MAX),
  data_offsets: z.tuple([Whole, Whole]),
})
const Metadata = z.record(z.string(), z.string())

/**
 * Reads what a safetensors file holds, without its values. Nothing of it is executed.
 * @throws {ModelError} `weights_damaged` unless every byte of the file belongs to the header or to exactly one tensor
 */
export function readSafetensors(file: FileBytes): ReadonlyMap<string, StoredTensor> {
  const dataStart = LENGTH_BYTES + headerBytesOf(file)
  const header = parseHeader(file.slice(LENGTH_BYTES, dataStart))
  const tensors = new Map<string, StoredTensor>()
  for (const [name, value] of Object.entries(header)) {
    if (name === '__metadata__') checkMetadata(value)
    else tensors.set(name, tensorOf(name, value, dataStart))
  }
  if (tensors.size === 0) throw damaged('it holds no tensor')
  checkLayout(tensors, dataStart, file.size)
  return tensors
}

function headerBytesOf(file: FileBytes): number {
  if (file.size < LENGTH_BYTES) throw damaged(`it has ${file.size} bytes, and its first 8 say how long its header is`)
  const length = file.slice(0, LENGTH_BYTES).readBigUInt64LE()
  if (length > BigInt(HEADER_BYTES_MAX))
    throw damaged(`its header is said to have ${length} bytes; at most ${HEADER_BYTES_MAX} are read`)
  if (length > BigInt(file.size - LENGTH_BYTES))
    throw damaged(`its header is said to have ${length} bytes, and only ${file.size - LENGTH_BYTES} follow`)
  return Number(length)
}

function parseHeader(bytes: Buffer): object {
  let header: unknown
  try {
    header = JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes))
  } catch (cause) {
    throw damaged(`its header is no JSON in UTF-8 (${(cause as Error).message})`, cause)
  }
  if (typeof header === 'object' && header !== null && !Array.isArray(header)) return header
  throw damaged('its header is no JSON object')
}

function checkMetadata(value: unknown): void {
  if (!Metadata.safeParse(value).success) throw damaged('its __metadata__ is no object of texts')
}

function tensorOf(name: string, value: unknown, dataStart: number): StoredTensor {
  const parsed = Entry.safeParse(value)
  if (!parsed.success) {
    const flaws = parsed.error.issues.map(({ path, message }) => `${path.map(String).join('.') || 'it'}: ${message}`)
    throw damaged(`its tensor ${shown(name)} is described wrongly: ${flaws.slice(0, 3).join('; ')}`)
  }
  const { dtype, shape, data_offsets: offsets } = parsed.data
  const [from, to] = offsets
  const sizeBytes = shape.reduce((product, dim) => product * dim, SAFETENSORS_DTYPES[dtype].bytes)
  if (to - from !== sizeBytes)
    throw damaged(
      `its tensor ${shown(name)} takes ${sizeBytes} bytes as ${dtype} [${shape.join(', ')}], and lies from ${from} to ${to}`,
    )
  return { dtype, shape, start: dataStart + from, end: dataStart + to }
}

/** One behind the other from the header to the end: none overlap, nothing lies hidden between them, none is cut off. */
function checkLayout(tensors: ReadonlyMap<string, StoredTensor>, dataStart: number, size: number): void {
  const sorted = [...tensors].sort(([, a], [, b]) => a.start - b.start || a.end - b.end)
  let end = dataStart
  for (const [name, tensor] of sorted) {
    if (tensor.start < end) throw damaged(`its tensor ${shown(name)} overlaps the one before it`)
    if (tensor.start > end)
      throw damaged(`${tensor.start - end} bytes before its tensor ${shown(name)} belong to no tensor`)
    end = tensor.end
  }
  if (end > size) throw damaged(`its tensors take ${end} bytes, and it has ${size}: it is cut off`)
  if (end < size) throw damaged(`${size - end} bytes at its end belong to no tensor`)
}

function shown(name: string): string {
  return JSON.stringify(name.slice(0, 100))
}

function damaged(why: string, cause?: unknown): ModelError {
  return new ModelError(
    'weights_damaged',
    `The weights are no whole safetensors file: ${why}. Write them again with safetensors’ save_file, and send them again.`,
    { cause },
  )
}
