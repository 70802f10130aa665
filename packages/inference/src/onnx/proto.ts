import type { FileBytes } from './file-bytes.ts'

// Protocol Buffers' wire format, as far as ONNX uses it: https://protobuf.dev/programming-guides/encoding/

/** One field of a message: a number, or where its bytes lie in the file; `at` is where the field itself begins. */
export type Field = { readonly number: number; readonly at: number } & (
  | { readonly wire: 'varint'; readonly value: number }
  | { readonly wire: 'bytes'; readonly start: number; readonly end: number }
  | { readonly wire: 'fixed' }
)

export type Message = { readonly file: FileBytes; readonly start: number; readonly end: number }

export class ProtoError extends Error {
  override readonly name = 'ProtoError'
}

const TEXT_BYTES_MAX = 65_536
const NUMBERS_BYTES_MAX = 65_536

/** The fields of a message, in the order in which they are written. @throws {ProtoError} where the bytes are none */
export function* fieldsOf({ file, start, end }: Message): Generator<Field> {
  let at = start
  const varint = (): number => {
    const read = varintAt({ file, start: at, end })
    at = read.end
    return read.value
  }
  while (at < end) {
    const from = at
    const tag = varint()
    const number = Math.floor(tag / 8)
    const kind = tag % 8
    if (number === 0) throw new ProtoError(`There is no field 0, as byte ${at} says.`)
    if (kind === 0) yield { number, at: from, wire: 'varint', value: varint() }
    else if (kind === 2) {
      const length = varint()
      if (length > end - at)
        throw new ProtoError(`Field ${number} at byte ${at} is ${length} bytes long, beyond the end.`)
      yield { number, at: from, wire: 'bytes', start: at, end: at + length }
      at += length
    } else if (kind === 1 || kind === 5) {
      at += kind === 1 ? 8 : 4
      if (at > end) throw new ProtoError(`Field ${number} is cut off at byte ${at}.`)
      yield { number, at: from, wire: 'fixed' }
    } else throw new ProtoError(`Byte ${at} names a wire type ${kind} that does not exist.`)
  }
}

function varintAt({ file, start, end }: Message): { readonly value: number; readonly end: number } {
  let at = start
  let value = 0
  for (let shift = 0; shift < 70; shift += 7) {
    if (at >= end) throw new ProtoError(`A number is cut off at byte ${at}.`)
    const byte = file.byteAt(at++)
    // Beyond 53 bits a number is no longer exact; only lengths, dimensions and small enumerations are looked at.
    value += (byte & 0x7f) * 2 ** shift
    if (byte < 0x80) return { value, end: at }
  }
  throw new ProtoError(`A number at byte ${at} has no end.`)
}

export function textOf(file: FileBytes, field: Field): string {
  if (field.wire !== 'bytes') throw new ProtoError(`Field ${field.number} is no text.`)
  if (field.end - field.start > TEXT_BYTES_MAX)
    throw new ProtoError(`A text of ${field.end - field.start} bytes is too long.`)
  return file.slice(field.start, field.end).toString('utf8')
}

export function numberOf(field: Field): number {
  if (field.wire !== 'varint') throw new ProtoError(`Field ${field.number} is no number.`)
  return field.value
}

/** Of a field that is repeated: one of its numbers, or all of them in one. */
export function numbersOf(file: FileBytes, field: Field): readonly number[] {
  if (field.wire === 'varint') return [field.value]
  if (field.wire !== 'bytes' || field.end - field.start > NUMBERS_BYTES_MAX)
    throw new ProtoError(`Field ${field.number} is no list of numbers, or too long a one.`)
  const values: number[] = []
  for (let at = field.start; at < field.end; ) {
    const read = varintAt({ file, start: at, end: field.end })
    values.push(read.value)
    at = read.end
  }
  return values
}

export function messageOf(file: FileBytes, field: Field): Message {
  if (field.wire !== 'bytes') throw new ProtoError(`Field ${field.number} is no message.`)
  return { file, start: field.start, end: field.end }
}
