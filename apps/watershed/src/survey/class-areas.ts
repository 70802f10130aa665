import type { CellCount } from '@headrace/geo'

/** Cells and ground of one class. */
export type ClassArea = { readonly cells: number; readonly areaM2: number }

const NONE: ClassArea = { cells: 0, areaM2: 0 }

/** Cells and ground by class, for a class that `classOf` finds in each count. */
export class ClassAreas {
  readonly #areas = new Map<number | null, ClassArea>()

  constructor(counts: readonly CellCount[], classOf: (count: CellCount) => number | null) {
    for (const count of counts) {
      const key = classOf(count)
      const { cells, areaM2 } = this.of(key)
      this.#areas.set(key, { cells: cells + count.cells, areaM2: areaM2 + count.areaM2 })
    }
  }

  of(key: number | null): ClassArea {
    return this.#areas.get(key) ?? NONE
  }
}

/** `cells` of `all`, from 0 to 1; 0 of none. */
export function shareOf(cells: number, all: number): number {
  return all === 0 ? 0 : cells / all
}
