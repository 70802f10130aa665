import type { ModelOutput } from '../manifest/manifest.ts'
import { jsonOfData } from '../tensor/json-tensor.ts'
import { rowsOf, type Tensor } from '../tensor/tensor.ts'

/** What one row came out as, by the manifest's word for its output. */
export type ShapedOutput =
  | {
      readonly kind: 'classification'
      readonly classes: readonly { readonly label: string; readonly index: number; readonly score: number | null }[]
    }
  | {
      readonly kind: 'regression'
      readonly values: { readonly [field: string]: number | null }
      readonly unit?: string
    }
  | { readonly kind: 'tensor'; readonly shape: readonly number[]; readonly data: readonly (number | boolean | null)[] }

/** @param topK instead of the manifest's */
export function shapeOutput(tensor: Tensor, output: ModelOutput, topK?: number): ShapedOutput {
  switch (output.kind) {
    case 'classification':
      return { kind: 'classification', classes: classesOf(tensor, output, topK ?? output.topK) }
    case 'regression': {
      const values = jsonOfData(tensor).map((value, at) => [output.fields?.[at] ?? String(at), Number(value)] as const)
      return {
        kind: 'regression',
        values: Object.fromEntries(values),
        ...(output.unit !== undefined && { unit: output.unit }),
      }
    }
    case 'tensor':
      return { kind: 'tensor', shape: tensor.dims, data: jsonOfData(tensor) }
    default:
      return output satisfies never
  }
}

/** Row `at` of what a run gave; the whole of it where the model does not take several rows. */
export function outputRow(tensor: Tensor, at: number, isBatched: boolean): Tensor {
  if (!isBatched) return tensor
  const { dtype, dims, data } = rowsOf(tensor, at, at + 1)
  return { dtype, dims: dims.slice(1), data }
}

type Classification = ModelOutput & { readonly kind: 'classification' }

function classesOf(tensor: Tensor, { activation, labels }: Classification, topK: number) {
  const scores = activate(Array.from(tensor.data as ArrayLike<number | bigint>, Number), activation)
  const order = scores.map((_, index) => index).sort((a, b) => orderly(scores[b]) - orderly(scores[a]) || a - b)
  return order.slice(0, topK).map((index) => ({
    label: labels?.[index] ?? String(index),
    index,
    score: Number.isFinite(scores[index]) ? (scores[index] as number) : null, // sound: index is one of scores
  }))
}

/** What is no number comes last. */
function orderly(score: number | undefined): number {
  return score === undefined || Number.isNaN(score) ? Number.NEGATIVE_INFINITY : score
}

function activate(scores: readonly number[], activation: Classification['activation']): readonly number[] {
  switch (activation) {
    case 'softmax': {
      // The largest is taken off first, so that no power overflows.
      const largest = scores.reduce((most, score) => Math.max(most, score), Number.NEGATIVE_INFINITY)
      const powers = scores.map((score) => Math.exp(score - largest))
      const sum = powers.reduce((total, power) => total + power, 0)
      return powers.map((power) => power / sum)
    }
    case 'sigmoid':
      return scores.map((score) => 1 / (1 + Math.exp(-score)))
    case 'none':
      return scores
    default:
      return activation satisfies never
  }
}
