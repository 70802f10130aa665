import type { Box } from '@headrace/wire'

/** Boxes in the pixels of a picture that is so many times as large. */
export function scaledBoxes<Boxed extends { readonly box: Box }>(
  boxed: readonly Boxed[],
  scale: number,
): readonly Boxed[] {
  if (scale === 1) return boxed
  const at = (value: number) => Math.round(value * scale)
  return boxed.map((one) => ({ ...one, box: one.box.map(at) as unknown as Box })) // four, as before
}
