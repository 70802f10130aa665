import { TileRefInvalidError } from '../errors.ts'
import type { CellWindow, Grid } from '../grid/grid.ts'
import { blockSide } from '../raster/cog-shape.ts'
import { type Selection, windowOfSelection } from '../select/selection.ts'
import { countSpans, spansOf } from '../select/spans.ts'

/** A part of an area's cells: a window of the first layer's grid and how many of its cells the area selects. Plain JSON. */
export type TileRef = CellWindow & { readonly cells: number }

/** Rows and columns of a tile where not said otherwise: four blocks, some milliseconds of work. */
export const tileSideDefault = 512

/**
 * The tiles of a grid that a selection has cells in, row by row from the top left. Their edges are multiples of `tileSide`, so
 * tiles of two areas on one grid coincide; together they hold each selected cell once.
 */
export function tilesOfSelection(selection: Selection, grid: Grid, tileSide: number): TileRef[] {
  if (!Number.isInteger(tileSide) || tileSide < blockSide || tileSide % blockSide !== 0) {
    throw new RangeError(`tileSide is ${tileSide}; it must be a multiple of ${blockSide}.`)
  }
  const tiles: TileRef[] = []
  const within = windowOnGrid(selection, grid)
  for (let row = startOf(within.row, tileSide); row < within.row + within.rows; row += tileSide) {
    const rows = Math.min(tileSide, grid.rows - row)
    const spans = spansOf(selection, { row, rows, col: 0, cols: grid.cols })
    for (let col = startOf(within.col, tileSide); col < within.col + within.cols; col += tileSide) {
      const cols = Math.min(tileSide, grid.cols - col)
      const cells = countSpans(spans, col, col + cols)
      if (cells > 0) tiles.push({ row, col, rows, cols, cells })
    }
  }
  return tiles
}

const startOf = (position: number, tileSide: number): number => Math.floor(position / tileSide) * tileSide

/** The part of the grid that a selection reaches; no rows where it reaches none. */
export function windowOnGrid(selection: Selection, grid: Grid): CellWindow {
  const all = windowOfSelection(selection)
  const [row, col] = [Math.max(0, all.row), Math.max(0, all.col)]
  const rows = Math.max(0, Math.min(grid.rows, all.row + all.rows) - row)
  const cols = Math.max(0, Math.min(grid.cols, all.col + all.cols) - col)
  return rows === 0 || cols === 0 ? { row: 0, col: 0, rows: 0, cols: 0 } : { row, col, rows, cols }
}

/** Whether some of the area lies beyond the grid, by more than a hundredth of a cell. */
export function reachesBeyond({ edges }: Selection, grid: Grid): boolean {
  for (let i = 0; i < edges.length; i += 2) {
    const [x, y] = [edges[i] as number, edges[i + 1] as number]
    if (x < -0.01 || y < -0.01 || x > grid.cols + 0.01 || y > grid.rows + 0.01) return true
  }
  return false
}

/** @throws {TileRefInvalidError} when a tile, perhaps from another release or layer, is not a window of the grid */
export function requireTile(tile: TileRef, grid: Grid): void {
  const { row, col, rows, cols } = tile
  if (![row, col, rows, cols].every(Number.isInteger))
    throw new TileRefInvalidError(tile, 'its bounds are not integers')
  if (row < 0 || col < 0 || rows < 1 || cols < 1 || row + rows > grid.rows || col + cols > grid.cols) {
    throw new TileRefInvalidError(tile, `the grid has ${grid.rows} rows and ${grid.cols} columns`)
  }
}
