import type { GeoKeyTags } from '../crs/geo-keys.ts'
import type { Grid } from '../grid/grid.ts'
import { type CellType, isFloat } from './cell-type.ts'
import type { OverviewRule } from './overview.ts'

/** Rows and columns of a block in our files. */
export const blockSide = 256

/** What a Cloud Optimized GeoTIFF of ours holds. */
export type CogShape = {
  readonly grid: Grid
  readonly cellType: CellType
  readonly nodata: number | null
  readonly geoKeys: GeoKeyTags
  readonly overviewRule: OverviewRule
  /** Predict neighbours, which helps measures and not classes. */
  readonly isPredicted: boolean
}

/** One resolution of the file: the first is the raster itself, each next one half of it. */
export type CogLevel = {
  readonly rows: number
  readonly cols: number
  /** Compressed length of each block, row by row. */
  readonly blockBytes: readonly number[]
}

/** TIFF's predictor for a cell type: 2 for integers, 3 for floats, 1 for none. */
export function predictorOf({ cellType, isPredicted }: Pick<CogShape, 'cellType' | 'isPredicted'>): number {
  if (!isPredicted) return 1
  return isFloat(cellType) ? 3 : 2
}
