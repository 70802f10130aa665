import type { LayerHandle } from '../catalogue/layer-handle.ts'
import { GridMismatchError, LayersMissingError } from '../errors.ts'
import { alignGrids, type CellWindow, type Grid } from '../grid/grid.ts'
import type { Cells } from '../raster/cell-type.ts'
import { blockSide } from '../raster/cog-shape.ts'
import { Codebook, PairBook } from './codebook.ts'

/** Layers on one lattice of cells, read together. Rows and columns are those of the first. */
export type LayerStack = { readonly grid: Grid; readonly layers: readonly StackedLayer[] }

/** A layer, where its first cell lies on the first layer's rows and columns, and its last few blocks. */
export type StackedLayer = {
  readonly handle: LayerHandle
  readonly row: number
  readonly col: number
  readonly codebook: Codebook
  /** Combines the codes of the layers before it with its own. */
  readonly pairs: PairBook
  /** The codes of the block being counted, row by row. */
  readonly codes: Int32Array
  readonly recent: Map<number, Cells>
}

/** Compares two coordinate systems; given by the caller, so that a counting thread need not load a projection library. */
export type IsSameCrs = (one: LayerHandle['layer']['crs'], other: LayerHandle['layer']['crs']) => boolean

/**
 * Checks that layers share a coordinate system, a cell size and their cell edges; their extents may differ.
 * @throws {LayersMissingError} without a layer
 * @throws {GridMismatchError} naming the two that differ, and how
 */
export function stackLayers(handles: readonly LayerHandle[], isSameCrs: IsSameCrs): LayerStack {
  const [first] = handles
  if (!first) throw new LayersMissingError()
  const layers = handles.map((handle) => {
    const own = {
      codebook: new Codebook(handle.layer),
      pairs: new PairBook(),
      codes: new Int32Array(blockSide * blockSide),
    }
    return { handle, ...own, recent: new Map<number, Cells>(), ...placeOn(first, handle, isSameCrs) }
  })
  return { grid: first.layer.grid, layers }
}

function placeOn(first: LayerHandle, other: LayerHandle, isSameCrs: IsSameCrs): { row: number; col: number } {
  const [one, two] = [first.layer, other.layer]
  if (!isSameCrs(one.crs, two.crs)) {
    throw new GridMismatchError(one.name, two.name, `one is in ${one.crs.proj4}, the other in ${two.crs.proj4}`)
  }
  const alignment = alignGrids(one.grid, two.grid)
  if ('difference' in alignment) throw new GridMismatchError(one.name, two.name, alignment.difference)
  return alignment
}

/**
 * Reads one layer's cells in a window of the stack, of at most a block's size, into its `codes`: 0 for a missing cell or one beyond
 * the layer, else the code of its value in the layer's codebook.
 */
export function readCodes(layer: StackedLayer, window: CellWindow): void {
  const { codes } = layer
  codes.fill(0, 0, window.rows * window.cols)
  const { rows, cols } = layer.handle.layer.grid
  const top = Math.max(0, window.row - layer.row)
  const left = Math.max(0, window.col - layer.col)
  const bottom = Math.min(rows, window.row - layer.row + window.rows)
  const right = Math.min(cols, window.col - layer.col + window.cols)
  for (let blockRow = Math.floor(top / blockSide); blockRow * blockSide < bottom; blockRow++) {
    for (let blockCol = Math.floor(left / blockSide); blockCol * blockSide < right; blockCol++) {
      const cells = readRecent(layer, { blockRow, blockCol })
      const part = {
        top: Math.max(top, blockRow * blockSide),
        left: Math.max(left, blockCol * blockSide),
        bottom: Math.min(bottom, (blockRow + 1) * blockSide),
        right: Math.min(right, (blockCol + 1) * blockSide),
      }
      encodePart(layer, { cells, blockRow, blockCol }, part, window)
    }
  }
}

function encodePart(
  layer: StackedLayer,
  block: { cells: Cells; blockRow: number; blockCol: number },
  part: { top: number; left: number; bottom: number; right: number },
  window: CellWindow,
): void {
  const count = part.right - part.left
  for (let row = part.top; row < part.bottom; row++) {
    const source = (row - block.blockRow * blockSide) * blockSide + part.left - block.blockCol * blockSide
    const target = (row + layer.row - window.row) * window.cols + part.left + layer.col - window.col
    layer.codebook.encode(block.cells, source, { codes: layer.codes, target, count })
  }
}

// Windows of a layer that is off the first one's blocks share blocks with their neighbours.
const recentMax = 64

function readRecent(layer: StackedLayer, at: { blockRow: number; blockCol: number }): Cells {
  const { handle, recent } = layer
  if (layer.row % blockSide === 0 && layer.col % blockSide === 0) return handle.readBlockSync(0, at) // each is read once
  const key = at.blockRow * (handle.levels[0]?.blocksAcross ?? 0) + at.blockCol
  const cells = recent.get(key) ?? handle.readBlockSync(0, at)
  recent.delete(key)
  recent.set(key, cells)
  for (const oldest of recent.keys()) {
    if (recent.size <= recentMax) break
    recent.delete(oldest)
  }
  return cells
}
