import { ModelError } from '../errors.ts'
import type { ModelManifest } from '../manifest/manifest.ts'
import { ELEMENT_TYPES } from '../onnx/check-model.ts'
import type { OnnxModel } from '../onnx/read-onnx.ts'
import { SAFETENSORS_DTYPES, type StoredTensor } from './read-safetensors.ts'

type Tensors = ReadonlyMap<string, StoredTensor>

/** What a graph has a place for: a weight of its own, or an input that its export left its weights to. */
type Place = {
  readonly elementType: number
  /** A dimension that the graph leaves open has a name or is null; undefined where any shape will do. */
  readonly dims: readonly (number | string | null)[] | undefined
  readonly mustCome: boolean
}

/** Numbers that an export works out itself, such as the shape that a tensor is given: no training changes them. */
const UNTRAINED: ReadonlySet<string> = new Set(['int32', 'int64', 'bool'])
const LISTED_MAX = 5

/**
 * Whether a file of weights is of this graph: each tensor has its place, of the same type and shape, and each place that
 * training fills its tensor.
 * @throws {ModelError} `weights_mismatch`, naming what does not fit
 */
export function matchWeights(
  model: Pick<OnnxModel, 'inputs' | 'weights'>,
  tensors: Tensors,
  { inputs, weights }: Pick<ModelManifest, 'inputs' | 'weights'>,
): void {
  const keep = weights?.keep ?? []
  const asked = new Set(inputs.map(({ name }) => name))
  const places = new Map<string, Place>()
  for (const weight of model.weights)
    places.set(weight.name, { ...weight, mustCome: weight.isExternal || (isTrained(weight) && !isKept(weight, keep)) })
  for (const { name, elementType = 0, dims } of model.inputs)
    if (!asked.has(name)) places.set(name, { elementType, dims, mustCome: true })
  refuseUnknown(places, tensors)
  refuseMissing(places, tensors)
  for (const [name, tensor] of tensors) refuseOtherKind(name, { tensor, place: places.get(name) })
}

function isTrained({ elementType, dims }: OnnxModel['weights'][number]): boolean {
  return dims.length > 0 && !UNTRAINED.has(ELEMENT_TYPES[elementType] ?? '')
}

function isKept({ name }: { readonly name: string }, keep: readonly string[]): boolean {
  return keep.some((kept) => (kept.endsWith('*') ? name.startsWith(kept.slice(0, -1)) : name === kept))
}

function refuseUnknown(places: ReadonlyMap<string, Place>, tensors: Tensors): void {
  const unknown = [...tensors.keys()].filter((name) => !places.has(name))
  if (unknown.length === 0) return
  throw mismatch(
    `The weights have ${listOf(unknown)}, and the graph has no weight of that name; it has ${listOf([...places.keys()])}. ` +
      'Export the graph so that it keeps the names (torch.onnx.export: do_constant_folding=False), or rename the tensors',
  )
}

function refuseMissing(places: ReadonlyMap<string, Place>, tensors: Tensors): void {
  const missing = [...places].filter(([name, { mustCome }]) => mustCome && !tensors.has(name)).map(([name]) => name)
  if (missing.length === 0) return
  throw mismatch(
    `The weights lack ${listOf(missing)}, which the graph needs. Save all of the model’s weights, or list in the manifest’s weights.keep ` +
      'what stays as the graph has it',
  )
}

function refuseOtherKind(
  name: string,
  { tensor, place }: { readonly tensor: StoredTensor; readonly place: Place | undefined },
): void {
  if (place === undefined) return
  const { elementType } = SAFETENSORS_DTYPES[tensor.dtype]
  const isSameShape =
    place.dims === undefined ||
    (place.dims.length === tensor.shape.length &&
      place.dims.every((dim, axis) => typeof dim !== 'number' || dim === tensor.shape[axis]))
  if (elementType === place.elementType && isSameShape) return
  const own = `${ELEMENT_TYPES[place.elementType] ?? `type ${place.elementType}`} [${place.dims?.map((dim) => dim ?? '?').join(', ') ?? 'of any shape'}]`
  throw mismatch(
    `The graph’s weight ${JSON.stringify(name.slice(0, 100))} is ${own}, and the file has ${tensor.dtype} [${tensor.shape.join(', ')}]. Save the weights of the ` +
      'same model, in the type in which the graph has them',
  )
}

function listOf(names: readonly string[]): string {
  const shown = names.slice(0, LISTED_MAX).map((name) => JSON.stringify(name.slice(0, 100)))
  const more = names.length > LISTED_MAX ? ` and ${names.length - LISTED_MAX} more` : ''
  return shown.length === 0 ? 'none' : `${shown.join(', ')}${more}`
}

function mismatch(message: string): ModelError {
  return new ModelError('weights_mismatch', `${message}.`)
}
