import type { Box } from '@headrace/wire'

/** How many times as large, along a picture and down it. */
export type Scale = { readonly x: number; readonly y: number }

/** Boxes in the pixels of a picture that is so many times as large. */
export function scaledBoxes<Boxed extends { readonly box: Box }>(
  boxed: readonly Boxed[],
  { x, y }: Scale,
): readonly Boxed[] {
  if (x === 1 && y === 1) return boxed
  return boxed.map((one) => {
    const [left, top, right, bottom] = one.box
    return { ...one, box: [Math.round(left * x), Math.round(top * y), Math.round(right * x), Math.round(bottom * y)] }
  })
}
