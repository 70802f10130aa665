const INPUT_PAD = 'x'.repeat(165)
const RESULT_PAD = 'y'.repeat(70)

export type BenchInput = { readonly i: number; readonly kind: 'bench'; readonly pad: string }
export type BenchResult = { readonly i: number; readonly ok: true; readonly pad: string }

/** About 200 bytes of JSON, the same for every peer. */
export function benchInput(i: number): BenchInput {
  return { i, kind: 'bench', pad: INPUT_PAD }
}

/** About 100 bytes of JSON, the same for every peer. */
export function benchResult(i: number): BenchResult {
  return { i, ok: true, pad: RESULT_PAD }
}
