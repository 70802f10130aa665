import { closeSync, openSync, writeSync } from 'node:fs'
import { ModelError } from '../errors.ts'
import type { ModelManifest } from '../manifest/manifest.ts'
import { FileBytes } from '../onnx/file-bytes.ts'
import { type Field, fieldsOf, type Message, messageOf, ProtoError, textOf } from '../onnx/proto.ts'
import { readingOnnx, readOnnx } from '../onnx/read-onnx.ts'
import { bytesHead, numberField, textField } from '../onnx/write-proto.ts'
import { matchWeights } from './match-weights.ts'
import { readSafetensors, SAFETENSORS_DTYPES, type StoredTensor } from './read-safetensors.ts'

export type JoinOptions = {
  readonly graphPath: string
  readonly weightsPath: string
  /** Written anew; what is left of it after an error is the caller's to remove. */
  readonly targetPath: string
  readonly manifest: ModelManifest
  readonly sizeBytesMax: number
}

/** Bytes of a new file: some that are made here, or a range of another file. */
type Piece = Buffer | Message

const COPY_BYTES = 4_000_000
/** From this version of ONNX's format on a weight need not be among the graph's inputs. */
const IR_VERSION_WITHOUT_INPUTS = 4

// Numbers of fields in onnx.proto.
const MODEL_GRAPH = 7
const GRAPH_INITIALIZER = 5
const GRAPH_INPUT = 11
const INPUT_NAME = 1
const TENSOR = { dims: 1, dataType: 2, name: 8, rawData: 9 } as const

/**
 * Writes one ONNX file of a graph and the weights of a safetensors file. Every byte of the graph stays as it is but for the
 * weights that come anew; what is then checked, loaded and stored is that one file.
 * @throws {ModelError} `weights_damaged`, `weights_mismatch`, `model_too_large`, and what `readOnnx` refuses
 */
export function joinWeights({ graphPath, weightsPath, targetPath, manifest, sizeBytesMax }: JoinOptions): void {
  const model = readOnnx(graphPath)
  using graph = new FileBytes(graphPath)
  using weights = new FileBytes(weightsPath)
  const tensors = readSafetensors(weights)
  matchWeights(model, tensors, manifest)
  const pieces = readingOnnx(graph, () =>
    piecesOf(graph, { weights, tensors, dropsInputs: model.irVersion >= IR_VERSION_WITHOUT_INPUTS }),
  )
  const sizeBytes = lengthOf(pieces)
  if (sizeBytes > sizeBytesMax)
    throw new ModelError(
      'model_too_large',
      `The model and its weights have ${sizeBytes} bytes together, more than the ${sizeBytesMax} taken here. Quantise the model.`,
    )
  write(pieces, targetPath)
}

type Parts = {
  readonly weights: FileBytes
  readonly tensors: ReadonlyMap<string, StoredTensor>
  readonly dropsInputs: boolean
}

function piecesOf(file: FileBytes, parts: Parts): readonly Piece[] {
  const fields = [...fieldsOf({ file, start: 0, end: file.size })]
  const graphs = fields.filter(({ number }) => number === MODEL_GRAPH)
  if (graphs.length !== 1) throw new ProtoError(`It has ${graphs.length} graphs.`)
  return withEnds(fields, file.size).flatMap(({ field, end }): readonly Piece[] => {
    if (field.number !== MODEL_GRAPH) return [{ file, start: field.at, end }]
    const inner = graphPieces(messageOf(file, field), parts)
    return [bytesHead(MODEL_GRAPH, lengthOf(inner)), ...inner]
  })
}

/** The graph without what comes anew, and behind it the new weights. */
function graphPieces(graph: Message, { weights, tensors, dropsInputs }: Parts): readonly Piece[] {
  const pieces: Piece[] = []
  for (const { field, end } of withEnds([...fieldsOf(graph)], graph.end)) {
    const name = nameOf(graph.file, field)
    if (name !== undefined && tensors.has(name) && (field.number === GRAPH_INITIALIZER || dropsInputs)) continue
    const last = pieces.at(-1)
    if (last !== undefined && !Buffer.isBuffer(last) && last.end === field.at)
      pieces[pieces.length - 1] = { ...last, end }
    else pieces.push({ file: graph.file, start: field.at, end })
  }
  for (const [name, tensor] of tensors) pieces.push(...tensorPieces(name, { weights, tensor }))
  return pieces
}

/** Of a weight or an input; undefined for what is neither. */
function nameOf(file: FileBytes, field: Field): string | undefined {
  if (field.number !== GRAPH_INITIALIZER && field.number !== GRAPH_INPUT) return undefined
  const number = field.number === GRAPH_INITIALIZER ? TENSOR.name : INPUT_NAME
  let name: string | undefined
  for (const inner of fieldsOf(messageOf(file, field))) if (inner.number === number) name = textOf(file, inner)
  return name
}

function tensorPieces(
  name: string,
  { weights, tensor }: { readonly weights: FileBytes; readonly tensor: StoredTensor },
): readonly Piece[] {
  const { dtype, shape, start, end } = tensor
  const head = Buffer.concat([
    ...shape.map((dim) => numberField(TENSOR.dims, dim)),
    numberField(TENSOR.dataType, SAFETENSORS_DTYPES[dtype].elementType),
    textField(TENSOR.name, name),
    bytesHead(TENSOR.rawData, end - start),
  ])
  return [bytesHead(GRAPH_INITIALIZER, head.length + end - start), head, { file: weights, start, end }]
}

/** Each field with where the next one begins. */
function withEnds(fields: readonly Field[], end: number): readonly { readonly field: Field; readonly end: number }[] {
  return fields.map((field, at) => ({ field, end: fields[at + 1]?.at ?? end }))
}

function lengthOf(pieces: readonly Piece[]): number {
  return pieces.reduce((sum, piece) => sum + (Buffer.isBuffer(piece) ? piece.length : piece.end - piece.start), 0)
}

function write(pieces: readonly Piece[], targetPath: string): void {
  const target = openSync(targetPath, 'wx', 0o600)
  try {
    for (const piece of pieces) {
      if (Buffer.isBuffer(piece)) writeAll(target, piece)
      else
        for (let at = piece.start; at < piece.end; at += COPY_BYTES)
          writeAll(target, piece.file.slice(at, Math.min(piece.end, at + COPY_BYTES)))
    }
  } finally {
    closeSync(target)
  }
}

function writeAll(file: number, bytes: Buffer): void {
  for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at)
}
