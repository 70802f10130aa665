import { type Crs, parametersOf, projector } from '../crs/crs.ts'
import { ringAreaM2, zoneAreaM2 } from './ellipsoid-area.ts'
import type { CellWindow, Grid } from './grid.ts'

/**
 * Square metres of one cell of each row of a window.
 *
 * On an equal-area system it is the cell's own size, exactly (30 m cells of EPSG:5070 are 900 m²). On longitude and latitude
 * and on Mercator it is the ellipsoid's area between the row's two latitudes, exact to float rounding. On any other
 * projection (UTM, Lambert conformal conic) it is the ellipsoid's area of the cell in the middle column of the window, which
 * other columns of the same row differ from by what the projection's scale varies: below 0.2 % across a UTM zone.
 * @returns `window.rows` figures, the northmost first
 */
export function cellAreasM2(crs: Crs, grid: Grid, window: CellWindow): Float64Array {
  const areas = new Float64Array(window.rows)
  if (crs.isEqualArea) return areas.fill(grid.cellWidth * grid.cellHeight * crs.metresPerUnit ** 2)
  const middle = window.col + Math.floor(window.cols / 2)
  const cellArea =
    crs.kind === 'geographic' || isMercator(crs) ? zoneCellArea(crs, grid) : projectedCellArea(crs, grid, middle)
  for (let i = 0; i < window.rows; i++) areas[i] = cellArea(window.row + i)
  return areas
}

const isMercator = (crs: Crs): boolean => parametersOf(crs.proj4).get('proj') === 'merc'

function zoneCellArea(crs: Crs, grid: Grid): (row: number) => number {
  const { inverse } = projector(crs)
  const span = inverse([grid.left + grid.cellWidth, grid.top])[0] - inverse([grid.left, grid.top])[0]
  const latitudeAt = (row: number) => inverse([grid.left, grid.top - row * grid.cellHeight])[1]
  return (row) => zoneAreaM2(latitudeAt(row + 1), latitudeAt(row), span)
}

function projectedCellArea(crs: Crs, grid: Grid, col: number): (row: number) => number {
  const { inverse } = projector(crs)
  const left = grid.left + col * grid.cellWidth
  return (row) => {
    const top = grid.top - row * grid.cellHeight
    const [right, bottom] = [left + grid.cellWidth, top - grid.cellHeight]
    const corners: [number, number][] = [
      [left, bottom],
      [right, bottom],
      [right, top],
      [left, top],
      [left, bottom],
    ]
    return ringAreaM2(corners.map(inverse))
  }
}
