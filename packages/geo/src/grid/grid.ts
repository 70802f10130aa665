/**
 * A north-up grid of cells. Row 0 is the northmost and column 0 the westmost; cell (row, col) covers
 * `[left + col * cellWidth, left + (col + 1) * cellWidth]` by `[top - (row + 1) * cellHeight, top - row * cellHeight]`.
 */
export type Grid = {
  readonly rows: number
  readonly cols: number
  /** x of the left edge of column 0 and y of the top edge of row 0, in units of the coordinate system. */
  readonly left: number
  readonly top: number
  /** Both positive, in units of the coordinate system. */
  readonly cellWidth: number
  readonly cellHeight: number
}

/** Rows and columns of a part of a grid: `rows` × `cols` cells from (row, col) on. */
export type CellWindow = {
  readonly row: number
  readonly col: number
  readonly rows: number
  readonly cols: number
}

/** Left, bottom, right and top edge of a grid, in its own units. */
export function extentOf(grid: Grid): [left: number, bottom: number, right: number, top: number] {
  return [grid.left, grid.top - grid.rows * grid.cellHeight, grid.left + grid.cols * grid.cellWidth, grid.top]
}

/** Where cell (0, 0) of `other` lies on the rows and columns of `grid`, or what keeps the two from lying on one lattice. */
export type Alignment = { readonly row: number; readonly col: number } | { readonly difference: string }

/**
 * Compares two grids of one coordinate system. They align when their cells have one size and their edges coincide; their
 * extents may differ. Edges may lie `offLatticeMax` cells off, since files round their origins
 * (the sample's NLCD says 2050194.999999999, its soil 2050195).
 */
export function alignGrids(grid: Grid, other: Grid): Alignment {
  const growth = Math.max(
    Math.abs(other.cellWidth / grid.cellWidth - 1) * Math.max(grid.cols, other.cols),
    Math.abs(other.cellHeight / grid.cellHeight - 1) * Math.max(grid.rows, other.rows),
  )
  if (!(growth <= offLatticeMax)) {
    return { difference: `their cells are ${cellSize(grid)} and ${cellSize(other)} in units of the coordinate system` }
  }
  const col = (other.left - grid.left) / grid.cellWidth
  const row = (grid.top - other.top) / grid.cellHeight
  const off = Math.max(Math.abs(col - Math.round(col)), Math.abs(row - Math.round(row)))
  if (off > offLatticeMax) return { difference: `their cell edges lie ${off.toFixed(4)} of a cell apart` }
  return { row: Math.round(row), col: Math.round(col) }
}

const offLatticeMax = 0.01

const cellSize = (grid: Grid): string => `${grid.cellWidth} x ${grid.cellHeight}`
