import type { CellWindow } from '../grid/grid.ts'
import { blockSide } from '../raster/cog-shape.ts'
import type { Selection } from '../select/selection.ts'
import { type RowSpans, spansOf } from '../select/spans.ts'
import type { CellCount } from './counts.ts'
import { type LayerStack, readCodes, type StackedLayer } from './layer-stack.ts'

/** Square metres of a cell: one figure for all, or one for each row of the tile. */
export type CellAreas = { readonly constantM2: number } | { readonly rowsM2: Float64Array }

/** Counts one tile's cells at once, block by block, holding one block of each layer. */
export function countTileSync(
  stack: LayerStack,
  tile: CellWindow,
  by: { selection: Selection; areas: CellAreas },
): CellCount[] {
  const tally = new Tally(stack, by.areas)
  const spans = spansOf(by.selection, tile)
  for (let row = tile.row; row < tile.row + tile.rows; row += blockSide) {
    for (let col = tile.col; col < tile.col + tile.cols; col += blockSide) {
      const rows = Math.min(blockSide, tile.row + tile.rows - row)
      const cols = Math.min(blockSide, tile.col + tile.cols - col)
      tally.addBlock({ row, col, rows, cols }, spans.slice(row - tile.row, row - tile.row + rows), row - tile.row)
    }
  }
  return tally.result()
}

/** Cells of one tile by the combination of codes that they hold. */
class Tally {
  readonly #stack: LayerStack
  readonly #areas: CellAreas
  readonly #cells: number[] = []
  readonly #areasM2: number[] = []

  constructor(stack: LayerStack, areas: CellAreas) {
    this.#stack = stack
    this.#areas = areas
  }

  /** `rowInTile` is the block's first row within the tile, which row areas are counted from. */
  addBlock(block: CellWindow, spans: RowSpans, rowInTile: number): void {
    const isSelected = spans.some((row) => row.some((_, i) => i % 2 === 0 && meets(row, i, block)))
    if (!isSelected) return
    for (const layer of this.#stack.layers) readCodes(layer, block)
    for (const [index, row] of spans.entries()) {
      const areaM2 = 'rowsM2' in this.#areas ? (this.#areas.rowsM2[rowInTile + index] ?? 0) : 0
      for (let i = 0; i < row.length; i += 2) {
        const start = Math.max(row[i] as number, block.col) - block.col
        const end = Math.min(row[i + 1] as number, block.col + block.cols) - block.col
        this.#addRun(index * block.cols + start, index * block.cols + end, areaM2)
      }
    }
  }

  // The first layer's codes become those of pairs with the second's, these those of pairs with the third's, and so on. Neighbours
  // are often alike, so a stretch of one code is added at once.
  #addRun(start: number, end: number, areaM2: number): void {
    const [first, ...others] = this.#stack.layers as [StackedLayer, ...StackedLayer[]] // a stack holds a layer
    const { codes } = first
    for (const other of others) other.pairs.combine(codes, other.codes, start, end)
    for (let at = start; at < end; ) {
      const code = codes[at] as number // within the block
      let next = at + 1
      while (next < end && codes[next] === code) next++
      this.#cells[code] = (this.#cells[code] ?? 0) + (next - at)
      if (areaM2 !== 0) this.#areasM2[code] = (this.#areasM2[code] ?? 0) + areaM2 * (next - at)
      at = next
    }
  }

  result(): CellCount[] {
    const counts: CellCount[] = []
    for (const [code, cells = 0] of this.#cells.entries()) {
      if (cells === 0) continue
      const areaM2 = 'constantM2' in this.#areas ? cells * this.#areas.constantM2 : (this.#areasM2[code] ?? 0)
      counts.push({ values: this.#valuesOf(code), cells, areaM2 })
    }
    return counts
  }

  #valuesOf(code: number): (number | null)[] {
    const values: (number | null)[] = []
    let left = code
    for (let layer = this.#stack.layers.length - 1; layer >= 0; layer--) {
      const pairs = layer > 0 ? this.#stack.layers[layer]?.pairs.pairs : undefined
      const own = pairs ? pairs[2 * left + 1] : left
      values.unshift(this.#stack.layers[layer]?.codebook.values[own ?? 0] ?? null)
      left = pairs?.[2 * left] ?? left
    }
    return values
  }
}

function meets(row: readonly number[], i: number, block: CellWindow): boolean {
  return (row[i] as number) < block.col + block.cols && (row[i + 1] as number) > block.col
}
