import { ModelError } from '../errors.ts'
import { FileBytes } from './file-bytes.ts'
import { type Field, fieldsOf, type Message, messageOf, numberOf, numbersOf, ProtoError, textOf } from './proto.ts'
import { refuseOtherFormats } from './recognise.ts'

/** What a model says of itself, without its weights. */
export type OnnxModel = {
  readonly irVersion: number
  readonly producer: string
  /** Version by operator set; the empty name is ONNX's own. */
  readonly opsets: ReadonlyMap<string, number>
  /** Graph inputs that are no stored weights. */
  readonly inputs: readonly OnnxValue[]
  /** The outer graph's own, those that lie in other files too. */
  readonly weights: readonly OnnxWeight[]
  readonly outputs: readonly OnnxValue[]
  /** `domain:operator` of every node, those of inner graphs and functions too. */
  readonly operators: ReadonlySet<string>
  /** Functions that the model brings itself, as `domain:name`. */
  readonly functions: ReadonlySet<string>
  /** Files beside the model that its weights are said to lie in. */
  readonly externalFiles: readonly string[]
  readonly nodes: number
}

/** `elementType` is ONNX's number; undefined for what is no tensor. A dimension without a size is null or has a name. */
export type OnnxValue = {
  readonly name: string
  readonly elementType: number | undefined
  readonly dims: readonly (number | string | null)[] | undefined
}

/** `isExternal`: only said to lie in another file. */
export type OnnxWeight = {
  readonly name: string
  readonly elementType: number
  readonly dims: readonly number[]
  readonly isExternal: boolean
}

const DEPTH_MAX = 50
const DIMS_MAX = 100
const NODES_MAX = 1_000_000

/**
 * Looks through a model file without loading it: nothing of it is executed, and its weights are skipped.
 * @throws {ModelError} `model_format_unsupported` for another format, `model_damaged` for what cannot be read as ONNX
 */
export function readOnnx(path: string): OnnxModel {
  using file = new FileBytes(path)
  return readingOnnx(file, () => new Reader(file).model())
}

/** Reads a file that should be ONNX. @throws {ModelError} as `readOnnx` does */
export function readingOnnx<Value>(file: FileBytes, read: () => Value): Value {
  refuseOtherFormats(file)
  try {
    return read()
  } catch (error) {
    if (!(error instanceof ProtoError || error instanceof RangeError)) throw error
    throw new ModelError(
      'model_damaged',
      `The file is no whole ONNX model: ${error.message} Export it again, check it with onnx.checker.check_model, and send it again.`,
      { cause: error },
    )
  }
}

class Reader {
  readonly #file: FileBytes
  readonly #operators = new Set<string>()
  readonly #external = new Set<string>()
  #nodes = 0

  constructor(file: FileBytes) {
    this.#file = file
  }

  model(): OnnxModel {
    let irVersion = 0
    let producer = ''
    const opsets = new Map<string, number>()
    const functions = new Set<string>()
    let graph: ReturnType<Reader['graph']> | undefined
    for (const field of fieldsOf({ file: this.#file, start: 0, end: this.#file.size })) {
      if (field.number === 1) irVersion = numberOf(field)
      else if (field.number === 2) producer = textOf(this.#file, field)
      else if (field.number === 7) graph = this.graph(messageOf(this.#file, field), 0)
      else if (field.number === 8) this.#opset(messageOf(this.#file, field), opsets)
      else if (field.number === 25) functions.add(this.#function(messageOf(this.#file, field)))
    }
    if (graph === undefined || irVersion === 0) throw new ProtoError('It has no graph.')
    const stored = new Set(graph.weights.map(({ name }) => name))
    return {
      irVersion,
      producer,
      opsets,
      functions,
      inputs: graph.inputs.filter(({ name }) => !stored.has(name)),
      weights: graph.weights,
      outputs: graph.outputs,
      operators: this.#operators,
      externalFiles: [...this.#external],
      nodes: this.#nodes,
    }
  }

  graph(message: Message, depth: number) {
    if (depth > DEPTH_MAX) throw new ProtoError(`Graphs are nested deeper than ${DEPTH_MAX}.`)
    const [inputs, outputs, weights]: [OnnxValue[], OnnxValue[], OnnxWeight[]] = [[], [], []]
    for (const field of fieldsOf(message)) {
      if (field.number === 1) this.#node(messageOf(this.#file, field), depth)
      else if (field.number === 5) weights.push(this.#tensor(messageOf(this.#file, field)))
      else if (field.number === 11) inputs.push(this.#value(messageOf(this.#file, field)))
      else if (field.number === 12) outputs.push(this.#value(messageOf(this.#file, field)))
      else if (field.number === 15) this.#sparse(messageOf(this.#file, field))
    }
    return { inputs, outputs, weights }
  }

  #opset(message: Message, opsets: Map<string, number>): void {
    let [domain, version] = ['', 0]
    for (const field of fieldsOf(message)) {
      if (field.number === 1) domain = textOf(this.#file, field)
      else if (field.number === 2) version = numberOf(field)
    }
    opsets.set(domain === 'ai.onnx' ? '' : domain, version)
  }

  #function(message: Message): string {
    let [domain, name] = ['', '']
    for (const field of fieldsOf(message)) {
      if (field.number === 1) name = textOf(this.#file, field)
      else if (field.number === 7) this.#node(messageOf(this.#file, field), 1)
      else if (field.number === 10) domain = textOf(this.#file, field)
    }
    return `${domain}:${name}`
  }

  #node(message: Message, depth: number): void {
    if (++this.#nodes > NODES_MAX) throw new ProtoError(`It has more than ${NODES_MAX} nodes.`)
    let [domain, operator] = ['', '']
    for (const field of fieldsOf(message)) {
      if (field.number === 4) operator = textOf(this.#file, field)
      else if (field.number === 5) this.#attribute(messageOf(this.#file, field), depth)
      else if (field.number === 7) domain = textOf(this.#file, field)
    }
    this.#operators.add(`${domain === 'ai.onnx' ? '' : domain}:${operator}`)
  }

  #attribute(message: Message, depth: number): void {
    for (const field of fieldsOf(message)) {
      if (field.number === 5 || field.number === 10) this.#tensor(messageOf(this.#file, field))
      else if (field.number === 6 || field.number === 11) this.graph(messageOf(this.#file, field), depth + 1)
      else if (field.number === 22 || field.number === 23) this.#sparse(messageOf(this.#file, field))
    }
  }

  #sparse(message: Message): void {
    for (const field of fieldsOf(message))
      if (field.number === 1 || field.number === 2) this.#tensor(messageOf(this.#file, field))
  }

  /** What it is; its values are skipped. */
  #tensor(message: Message): OnnxWeight {
    let [name, elementType] = ['', 0]
    const dims: number[] = []
    let isExternal = false
    let location: string | undefined
    for (const field of fieldsOf(message)) {
      if (field.number === 1) this.#addDims(dims, field)
      else if (field.number === 2) elementType = numberOf(field)
      else if (field.number === 8) name = textOf(this.#file, field)
      else if (field.number === 14) isExternal ||= numberOf(field) === 1
      else if (field.number === 13) location = this.#location(messageOf(this.#file, field)) ?? location
    }
    isExternal ||= location !== undefined
    if (isExternal) this.#external.add(location ?? '(unnamed)')
    return { name, elementType, dims, isExternal }
  }

  #addDims(dims: number[], field: Field): void {
    dims.push(...numbersOf(this.#file, field))
    if (dims.length > DIMS_MAX) throw new ProtoError(`A tensor has more than ${DIMS_MAX} dimensions.`)
  }

  #location(message: Message): string | undefined {
    let [key, value] = ['', '']
    for (const field of fieldsOf(message)) {
      if (field.number === 1) key = textOf(this.#file, field)
      else if (field.number === 2) value = textOf(this.#file, field)
    }
    return key === 'location' ? value : undefined
  }

  #value(message: Message): OnnxValue {
    let name = ''
    let type: Omit<OnnxValue, 'name'> = { elementType: undefined, dims: undefined }
    for (const field of fieldsOf(message)) {
      if (field.number === 1) name = textOf(this.#file, field)
      else if (field.number === 2) type = this.#type(messageOf(this.#file, field))
    }
    return { name, ...type }
  }

  #type(message: Message): Omit<OnnxValue, 'name'> {
    let elementType: number | undefined
    let dims: (number | string | null)[] | undefined
    for (const field of fieldsOf(message)) {
      if (field.number !== 1) continue // a sequence, a map or the like
      elementType = 0
      for (const inner of fieldsOf(messageOf(this.#file, field))) {
        if (inner.number === 1) elementType = numberOf(inner)
        else if (inner.number === 2) dims = this.#shape(messageOf(this.#file, inner))
      }
    }
    return { elementType, dims }
  }

  #shape(message: Message): (number | string | null)[] {
    const dims: (number | string | null)[] = []
    for (const field of fieldsOf(message)) {
      if (field.number !== 1) continue
      let dim: number | string | null = null
      for (const inner of fieldsOf(messageOf(this.#file, field))) {
        if (inner.number === 1) dim = numberOf(inner)
        else if (inner.number === 2) dim = textOf(this.#file, inner)
      }
      dims.push(dim)
    }
    return dims
  }
}
