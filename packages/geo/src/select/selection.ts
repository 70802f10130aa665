import type { Area, LonLat } from '../area/area.ts'
import { bboxOfArea } from '../area/area.ts'
import { type Crs, projector } from '../crs/crs.ts'
import { AreaOutsideLayersError } from '../errors.ts'
import type { CellWindow, Grid } from '../grid/grid.ts'

/**
 * Which cells an area selects. `centre`: those whose centre it holds, as `gdal_rasterize` burns. `overlap`: those of which it
 * covers any part, as `gdal_rasterize -at`.
 */
export type CellRule = 'centre' | 'overlap'

/**
 * An area on a grid: its edges in cells, x from the grid's left edge and y down from its top edge, so that cell (row, col)
 * is the square from (col, row) to (col + 1, row + 1). Edge i is `edges[4 * i]` to `edges[4 * i + 3]` as x0, y0, x1, y1 and
 * belongs to polygon `parts[i]`; edges of one polygon stand together. Both arrays are in shared memory, for threads.
 */
export type Selection = {
  readonly rule: CellRule
  readonly edges: Float64Array
  readonly parts: Int32Array
}

/** Polygons of closed rings of [x, y], in one coordinate system or another. */
export type Polygons = readonly (readonly (readonly LonLat[])[])[]

/**
 * Puts an area on a grid. Its vertices are reprojected and joined by straight lines in the grid's coordinate system, as GDAL and
 * Model My Watershed do; an edge is not densified, so one of many kilometres cuts the corner that its line in degrees bows
 * round (some metres per 10 km at mid latitudes).
 * @throws {AreaOutsideLayersError} when a vertex has no place in the coordinate system
 */
export function selectArea(area: Area, on: { crs: Crs; grid: Grid; rule: CellRule }): Selection {
  const { forward } = projector(on.crs)
  const projected = area.coordinates.map((polygon) => polygon.map((ring) => ring.map(forward)))
  const isPlaced = projected.every((polygon) => polygon.every((ring) => ring.every(isFinitePosition)))
  if (!isPlaced) throw new AreaOutsideLayersError(bboxOfArea(area), [])
  return selectPolygons(projected, on)
}

const isFinitePosition = ([x, y]: LonLat): boolean => Number.isFinite(x) && Number.isFinite(y)

/** As `selectArea`, for polygons in the grid's own coordinate system. */
export function selectPolygons(polygons: Polygons, { grid, rule }: { grid: Grid; rule: CellRule }): Selection {
  let count = 0
  for (const polygon of polygons) for (const ring of polygon) count += Math.max(0, ring.length - 1)
  const edges = new Float64Array(new SharedArrayBuffer(count * 32))
  const parts = new Int32Array(new SharedArrayBuffer(count * 4))
  let edge = 0
  for (const [part, polygon] of polygons.entries()) {
    for (const ring of polygon) {
      for (let i = 1; i < ring.length; i++) {
        edges.set([...toCells(ring[i - 1] as LonLat, grid), ...toCells(ring[i] as LonLat, grid)], 4 * edge) // within the ring
        parts[edge++] = part
      }
    }
  }
  return { rule, edges, parts }
}

function toCells([x, y]: LonLat, grid: Grid): [number, number] {
  return [(x - grid.left) / grid.cellWidth, (grid.top - y) / grid.cellHeight]
}

/** The smallest window of rows and columns that holds every cell an area could select; it may reach beyond the grid. */
export function windowOfSelection({ edges }: Selection): CellWindow {
  let [left, top, right, bottom] = [Infinity, Infinity, -Infinity, -Infinity]
  for (let i = 0; i < edges.length; i += 2) {
    const [x, y] = [edges[i] as number, edges[i + 1] as number]
    left = Math.min(left, x)
    right = Math.max(right, x)
    top = Math.min(top, y)
    bottom = Math.max(bottom, y)
  }
  if (left > right) return { row: 0, col: 0, rows: 0, cols: 0 }
  const [row, col] = [Math.floor(top), Math.floor(left)]
  return { row, col, rows: Math.ceil(bottom) - row, cols: Math.ceil(right) - col }
}
