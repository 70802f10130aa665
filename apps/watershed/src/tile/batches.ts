import type { TileRef } from '@headrace/geo'

/**
 * Groups tiles for at most so many jobs: one tile each where they suffice, else neighbours together, as evenly as may be.
 * @example toBatches([a, b, c, d, e], 3) // [[a, b], [c, d], [e]]
 */
export function toBatches(tiles: readonly TileRef[], batchesMax: number): readonly (readonly TileRef[])[] {
  const count = Math.min(tiles.length, batchesMax)
  return Array.from({ length: count }, (_, index) => {
    return tiles.slice(Math.ceil((index * tiles.length) / count), Math.ceil(((index + 1) * tiles.length) / count))
  })
}
