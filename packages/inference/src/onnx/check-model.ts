import { ModelError } from '../errors.ts'
import type { ModelInput, ModelManifest } from '../manifest/manifest.ts'
import type { Dtype } from '../tensor/tensor.ts'
import type { OnnxModel, OnnxValue } from './read-onnx.ts'

/** What the runtime used here takes, by operator set; a test tries both ends on it. */
export const OPSETS: Readonly<Record<string, readonly [number, number]>> = {
  '': [7, 26],
  'ai.onnx.ml': [1, 5],
  'com.microsoft': [1, 1],
}

/** ONNX's numbers of element types, as in TensorProto.DataType. */
export const ELEMENT_TYPES: Readonly<Record<number, string>> = {
  1: 'float32',
  2: 'uint8',
  3: 'int8',
  4: 'uint16',
  5: 'int16',
  6: 'int32',
  7: 'int64',
  8: 'string',
  9: 'bool',
  10: 'float16',
  11: 'float64',
  12: 'uint32',
  13: 'uint64',
  16: 'bfloat16',
}

/**
 * Whether a model may be loaded as its manifest says, before it is.
 * @throws {ModelError} the first thing that is wrong, with what to do
 */
export function checkModel(model: OnnxModel, manifest: ModelManifest): void {
  refuseExternalData(model)
  checkOpsets(model)
  checkOperators(model)
  checkInputs(model, manifest)
  checkOutputs(model, manifest)
}

function refuseExternalData({ externalFiles }: OnnxModel): void {
  if (externalFiles.length === 0) return
  const names = externalFiles.slice(0, 3).map((name) => JSON.stringify(name.slice(0, 100)))
  throw new ModelError(
    'model_external_data',
    `The model keeps weights in other files (${names.join(', ')}), and only the model itself came. No other file is ever opened. Save it ` +
      'as one file: onnx.save_model(onnx.load("model.onnx"), "whole.onnx", save_as_external_data=False).',
  )
}

/** Sets that are not known here do no harm as long as no node uses them, which `checkOperators` sees. */
function checkOpsets({ opsets }: OnnxModel): void {
  if (!opsets.has(''))
    throw new ModelError('model_opset_unsupported', 'The model names no version of ONNX’s operators. Export it again.')
  for (const [domain, version] of opsets) {
    const [min, max] = OPSETS[domain] ?? [version, version]
    if (version >= min && version <= max) continue
    const name = domain === '' ? 'ONNX’s operators (opset)' : `the operators ${domain}`
    throw new ModelError(
      'model_opset_unsupported',
      `The model uses version ${version} of ${name}; versions ${min} to ${max} run here. Export it with opset_version=${version > max ? max : 17}` +
        `${version < min ? ', or convert it with onnx.version_converter.convert_version(model, 17)' : ''}.`,
    )
  }
}

function checkOperators({ operators, functions, nodes }: OnnxModel): void {
  if (nodes === 0)
    throw new ModelError('model_damaged', 'The model has no operators: its graph is empty. Export it again.')
  const strange = [...operators].filter(
    (operator) => OPSETS[domainOf(operator)] === undefined && !functions.has(operator),
  )
  if (strange.length === 0) return
  throw new ModelError(
    'model_operator_unsupported',
    `The model uses operators that ONNX Runtime does not bring: ${strange.slice(0, 5).join(', ')}. Libraries of operators are never loaded here. ` +
      'Export it with operators of ONNX itself.',
  )
}

function domainOf(operator: string): string {
  return operator.slice(0, operator.lastIndexOf(':'))
}

function checkInputs({ inputs }: OnnxModel, manifest: ModelManifest): void {
  const missing = inputs.find(({ name }) => !manifest.inputs.some((input) => input.name === name))
  if (missing)
    throw mismatch(
      `The model has an input "${missing.name}" ${describe(missing)} that the manifest does not list. Add it under inputs`,
    )
  for (const input of manifest.inputs) {
    const value = inputs.find(({ name }) => name === input.name)
    if (value === undefined)
      throw mismatch(
        `The manifest has an input "${input.name}" that the model lacks; it has ${listOf(inputs)}. Correct the name`,
      )
    if (!isOfType(value, input.dtype))
      throw mismatch(
        `The model’s input "${input.name}" is ${describe(value)}, and the manifest says ${input.dtype}. Correct the dtype`,
      )
    if (!isOfShape(value, input))
      throw mismatch(
        `The model’s input "${input.name}" is ${describe(value)}, and the manifest says [${input.shape.join(', ')}]. Correct the shape`,
      )
  }
}

function checkOutputs({ outputs }: OnnxModel, manifest: ModelManifest): void {
  for (const output of manifest.outputs) {
    const value = outputs.find(({ name }) => name === output.name)
    if (value === undefined)
      throw mismatch(
        `The manifest has an output "${output.name}" that the model lacks; it has ${listOf(outputs)}. Correct the name`,
      )
    if (value.elementType === undefined)
      throw mismatch(
        `The model’s output "${output.name}" is a sequence or a map. Export it as a tensor (skl2onnx: options={"zipmap": False})`,
      )
    const type = ELEMENT_TYPES[value.elementType]
    if (type === undefined || ['string', 'float16', 'bfloat16'].includes(type))
      throw mismatch(
        `The model’s output "${output.name}" is of ${type ?? 'an unknown type'}. Leave it out of the manifest, or cast it to float32 in the model`,
      )
    checkLabels(output, value)
  }
}

function checkLabels(output: ModelManifest['outputs'][number], { dims }: OnnxValue): void {
  const last = dims?.at(-1)
  const names =
    output.kind === 'classification' ? output.labels : output.kind === 'regression' ? output.fields : undefined
  if (names === undefined || typeof last !== 'number' || (dims?.length ?? 0) < 2 || last === names.length) return
  const what = output.kind === 'classification' ? 'labels' : 'fields'
  throw mismatch(
    `The model’s output "${output.name}" has ${last} values in a row, and the manifest ${names.length} ${what}. Give one for each`,
  )
}

function isOfType({ elementType }: OnnxValue, dtype: Dtype): boolean {
  return elementType !== undefined && ELEMENT_TYPES[elementType] === dtype
}

/** A dimension that the model leaves open may be any; one that it fixes must be that. */
function isOfShape({ dims }: OnnxValue, { shape }: ModelInput): boolean {
  if (dims === undefined) return true
  if (dims.length !== shape.length) return false
  return dims.every((dim, axis) => typeof dim !== 'number' || dim === shape[axis])
}

function describe({ elementType, dims }: OnnxValue): string {
  if (elementType === undefined) return 'no tensor'
  return `${ELEMENT_TYPES[elementType] ?? `of type ${elementType}`} [${dims?.map((dim) => dim ?? '?').join(', ') ?? 'of any shape'}]`
}

function listOf(values: readonly OnnxValue[]): string {
  return (
    values
      .slice(0, 10)
      .map((value) => `"${value.name}" ${describe(value)}`)
      .join(', ') || 'none'
  )
}

function mismatch(message: string): ModelError {
  return new ModelError('model_signature_mismatch', `${message}.`)
}
