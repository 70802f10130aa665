import { existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'

// The shared sample data: HEADRACE_TEST_DATA, or ../shared/data beside the repository.
const repository = resolve(import.meta.dirname, '../../..')
const folder = join(
  process.env.HEADRACE_TEST_DATA ?? resolve(repository, '../shared/data'),
  'watershed-sample/delaware',
)

/** For a test's `skip`: why the sample data is not there, or false. Where CI is set it is false, and the test fails instead. */
export const skipWithoutDelaware: string | false =
  existsSync(folder) || process.env.CI ? false : `no sample data at ${folder}; set HEADRACE_TEST_DATA`

export const landPath = join(folder, 'NLCD_DE-clipped.tif')
export const soilPath = join(folder, 'soil-clipped-reduced.tif')
/** Both rasters have 1000 × 1000 cells of 10 m, and this top left corner in EPSG:5070. */
export const delawareGrid = { rows: 1000, cols: 1000, left: 1_709_015, top: 2_050_195, cellWidth: 10, cellHeight: 10 }
export const DELAWARE_CELL_M2 = 100

export type AreaFeature = {
  readonly type: 'Feature'
  readonly properties: { readonly name: string }
  readonly geometry: object
}

/** Three areas inside those rasters: upstream's own test polygon, a triangle, and one with a hole. */
export function readAreas(): readonly AreaFeature[] {
  return JSON.parse(readFileSync(join(folder, 'aois.geojson'), 'utf8')).features
}
