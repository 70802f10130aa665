import type { Crs } from '../crs/crs.ts'
import type { Grid } from '../grid/grid.ts'
import type { CellType } from '../raster/cell-type.ts'

/** What a cell's number stands for: a class of a list, or a measure. */
export type LayerKind = 'categorical' | 'continuous'

/** One class of a categorical layer. `color` is `#rrggbb`. */
export type LayerClass = { readonly value: number; readonly name: string; readonly color: string }

/** West, south, east and north edge in degrees. */
export type BboxLonLat = readonly [west: number, south: number, east: number, north: number]

/** A layer of the catalogue: plain JSON, as its manifest holds it. */
export type Layer = {
  readonly name: string
  readonly title: string
  readonly kind: LayerKind
  readonly crs: Crs
  readonly grid: Grid
  readonly cellType: CellType
  /** The value of missing cells, as cells hold it; null where every value counts. NaN is missing in any case. */
  readonly nodata: number | null
  readonly classes: readonly LayerClass[]
  /** Least and greatest value of the cells that are not missing; null where all are. */
  readonly range: { readonly min: number; readonly max: number } | null
  /** SHA-256 of grid, coordinate system, cell type, nodata and cells, whatever the compression: the layer's version. */
  readonly sha256: string
  readonly bboxLonLat: BboxLonLat
  /** Its ground is invented, as the sample's is. */
  readonly isSynthetic: boolean
  /** ISO 8601, UTC. */
  readonly addedAt: string
  /** The layer's file within the catalogue's folder, and its size. */
  readonly file: string
  readonly sizeBytes: number
}
