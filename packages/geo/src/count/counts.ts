import { CountsDifferError } from '../errors.ts'
import type { CellRule } from '../select/selection.ts'

/** How many cells hold one combination of values. */
export type CellCount = {
  /** One value per layer, in the order asked; null where the layer's cell is missing. Floats are truncated toward zero. */
  readonly values: readonly (number | null)[]
  readonly cells: number
  /** Ground that these cells cover: exact where the layers' coordinate system is equal-area; see `cellAreasM2` for others. */
  readonly areaM2: number
}

/** Cells of one or several layers on one grid, counted by the values they hold. Plain JSON. */
export type CellCounts = {
  /** The layers counted, and the version of each. */
  readonly layers: readonly { readonly name: string; readonly sha256: string }[]
  readonly rule: CellRule
  /** Ascending by the first layer's value, then by the second's and so on; null comes last. */
  readonly counts: readonly CellCount[]
  /** Every cell selected, missing ones too. */
  readonly cells: number
  readonly areaM2: number
  /** Whether the area reaches beyond the first layer's grid, whose cells are all that is counted. */
  readonly isPartial: boolean
}

/**
 * Adds up the counts of parts, for example the tiles of an area. Merging an area's tiles in the order `tilesOfArea` gives
 * them equals counting the area whole, to the last bit.
 * @throws {CountsDifferError} when they are of different layers, versions or rules, or there are none
 */
export function mergeCounts(parts: readonly CellCounts[]): CellCounts {
  const [first] = parts
  if (!first) throw new CountsDifferError('there are none')
  const sum = new CountSum()
  for (const part of parts) {
    requireAlike(first, part)
    sum.add(part.counts)
  }
  return sum.result({ ...first, isPartial: parts.some((part) => part.isPartial) })
}

/** Counts that are being added up, in the order they come. */
export class CountSum {
  readonly #sums = new Map<string, { values: readonly (number | null)[]; cells: number; areaM2: number }>()

  add(counts: readonly CellCount[]): void {
    for (const { values, cells, areaM2 } of counts) {
      const key = values.join(' ')
      const sum = this.#sums.get(key)
      if (!sum) this.#sums.set(key, { values, cells, areaM2 })
      else {
        sum.cells += cells
        sum.areaM2 += areaM2
      }
    }
  }

  /** The counts in order, with their totals. */
  result({ layers, rule, isPartial }: Pick<CellCounts, 'layers' | 'rule' | 'isPartial'>): CellCounts {
    const counts = [...this.#sums.values()].sort((one, other) => compareValues(one.values, other.values))
    const cells = counts.reduce((sum, count) => sum + count.cells, 0)
    const areaM2 = counts.reduce((sum, count) => sum + count.areaM2, 0)
    return { layers, rule, counts, cells, areaM2, isPartial }
  }
}

function compareValues(one: readonly (number | null)[], other: readonly (number | null)[]): number {
  for (const [index, value] of one.entries()) {
    const difference = (value ?? Number.POSITIVE_INFINITY) - (other[index] ?? Number.POSITIVE_INFINITY)
    if (difference !== 0 && !Number.isNaN(difference)) return difference
  }
  return 0
}

function requireAlike(one: CellCounts, other: CellCounts): void {
  if (one.rule !== other.rule) throw new CountsDifferError(`one is by ${one.rule}, another by ${other.rule}`)
  const names = (counts: CellCounts) =>
    counts.layers.map(({ name, sha256 }) => `${name} (${sha256.slice(0, 12)})`).join(', ')
  if (names(one) !== names(other)) throw new CountsDifferError(`one is of ${names(one)}, another of ${names(other)}`)
}
