import { allocateCells, type Cells, type CellType, isFloat, isMissing } from './cell-type.ts'

/** How four cells become one: the commonest value of a class, or the mean of a measure. */
export type OverviewRule = 'mode' | 'mean'

/**
 * Halves full rows of cells in both directions. Each result cell stands for the 2 × 2 cells under it (fewer at the right and
 * bottom edge), of which missing ones are left out; it is missing where all are. Of values equally common, the first in
 * reading order is taken; means of integers are rounded to the nearest.
 * @param cells `rows` × `cols`, row by row
 * @returns `ceil(rows / 2)` × `ceil(cols / 2)`
 * @example halve(Uint8Array.of(1, 2, 2, 2), { rows: 2, cols: 2, cellType: 'uint8', nodata: null, rule: 'mode' }) // [2]
 */
export function halve(
  cells: Cells,
  shape: { rows: number; cols: number; cellType: CellType; nodata: number | null; rule: OverviewRule },
): Cells {
  const { rows, cols, cellType, nodata } = shape
  const [halfRows, halfCols] = [Math.ceil(rows / 2), Math.ceil(cols / 2)]
  const result = allocateCells(cellType, halfRows * halfCols)
  const missing = nodata ?? (isFloat(cellType) ? Number.NaN : 0)
  const four = new Float64Array(4)
  for (let row = 0; row < halfRows; row++) {
    for (let col = 0; col < halfCols; col++) {
      const found = gather(cells, shape, { row: 2 * row, col: 2 * col }, four)
      result[row * halfCols + col] = found === 0 ? missing : combine(four, found, shape)
    }
  }
  return result
}

// Puts the cells that are there, and not missing, into `four`, and says how many there are.
function gather(
  cells: Cells,
  { rows, cols, nodata }: { rows: number; cols: number; nodata: number | null },
  at: { row: number; col: number },
  four: Float64Array,
): number {
  let found = 0
  for (let row = at.row; row < Math.min(at.row + 2, rows); row++) {
    for (let col = at.col; col < Math.min(at.col + 2, cols); col++) {
      const value = cells[row * cols + col] as number // within rows and cols
      if (!isMissing(value, nodata)) four[found++] = value
    }
  }
  return found
}

function combine(
  four: Float64Array,
  found: number,
  { cellType, rule }: { cellType: CellType; rule: OverviewRule },
): number {
  if (rule === 'mode') return mode(four, found)
  let sum = 0
  for (let i = 0; i < found; i++) sum += four[i] as number
  return isFloat(cellType) ? sum / found : Math.round(sum / found)
}

function mode(four: Float64Array, found: number): number {
  const [a, b, c, d] = four as unknown as [number, number, number, number]
  if (found < 3) return a
  if (a === b || a === c || (found === 4 && a === d)) return a
  if (b === c || (found === 4 && b === d)) return b
  return found === 4 && c === d ? c : a
}
