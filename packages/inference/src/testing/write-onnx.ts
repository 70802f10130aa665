// Writes ONNX models in a few lines, so that tests and measurements need no Python.
import { bytesField as bytes, numberField as number, textField as text } from '../onnx/write-proto.ts'

export type Attribute = number | readonly number[] | string
export type NodeSpec = {
  readonly op: string
  readonly inputs: readonly string[]
  readonly outputs: readonly string[]
  readonly domain?: string
  readonly attributes?: Readonly<Record<string, Attribute>>
}
export type ValueSpec = {
  readonly name: string
  readonly elementType?: number
  readonly dims: readonly (number | string)[]
}
export type WeightSpec = {
  readonly name: string
  readonly dims: readonly number[]
  readonly values: Float32Array
  /** Says that the values lie in this file instead. */
  readonly externalFile?: string
}
export type ModelSpec = {
  readonly nodes: readonly NodeSpec[]
  readonly inputs: readonly ValueSpec[]
  readonly outputs: readonly ValueSpec[]
  readonly weights?: readonly WeightSpec[]
  readonly opset?: number
  readonly opsets?: Readonly<Record<string, number>>
}

const FLOAT = 1

/** The bytes of a model file. */
export function writeOnnx({ nodes, inputs, outputs, weights = [], opset = 17, opsets = {} }: ModelSpec): Buffer {
  const graph = Buffer.concat([
    ...nodes.map((node) => bytes(1, nodeBytes(node))),
    text(2, 'graph'),
    ...weights.map((weight) => bytes(5, weightBytes(weight))),
    ...inputs.map((value) => bytes(11, valueBytes(value))),
    ...outputs.map((value) => bytes(12, valueBytes(value))),
  ])
  const versions = Object.entries({ '': opset, ...opsets })
  return Buffer.concat([
    number(1, 8),
    text(2, 'headrace-test'),
    bytes(7, graph),
    ...versions.map(([domain, version]) => bytes(8, Buffer.concat([text(1, domain), number(2, version)]))),
  ])
}

function nodeBytes({ op, inputs, outputs, domain, attributes = {} }: NodeSpec): Buffer {
  return Buffer.concat([
    ...inputs.map((name) => text(1, name)),
    ...outputs.map((name) => text(2, name)),
    text(4, op),
    ...Object.entries(attributes).map(([name, value]) => bytes(5, attributeBytes(name, value))),
    ...(domain === undefined ? [] : [text(7, domain)]),
  ])
}

function attributeBytes(name: string, value: Attribute): Buffer {
  const head = text(1, name)
  if (typeof value === 'string') return Buffer.concat([head, text(4, value), number(20, 3)])
  if (typeof value === 'number') return Buffer.concat([head, number(3, value), number(20, 2)])
  return Buffer.concat([head, ...value.map((one) => number(8, one)), number(20, 7)])
}

function weightBytes({ name, dims, values, externalFile }: WeightSpec): Buffer {
  const raw = Buffer.from(values.buffer, values.byteOffset, values.byteLength)
  const where =
    externalFile === undefined
      ? bytes(9, raw)
      : Buffer.concat([bytes(13, entry('location', externalFile)), number(14, 1)])
  return Buffer.concat([...dims.map((dim) => number(1, dim)), number(2, FLOAT), text(8, name), where])
}

function entry(key: string, value: string): Buffer {
  return Buffer.concat([text(1, key), text(2, value)])
}

function valueBytes({ name, elementType = FLOAT, dims }: ValueSpec): Buffer {
  const shape = dims.map((dim) => bytes(1, typeof dim === 'number' ? number(1, dim) : text(2, dim)))
  const tensor = Buffer.concat([number(1, elementType), bytes(2, Buffer.concat(shape))])
  return Buffer.concat([text(1, name), bytes(2, bytes(1, tensor))])
}
