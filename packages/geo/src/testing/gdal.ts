import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Grid } from '../grid/grid.ts'
import { extentOf } from '../grid/grid.ts'
import type { CellRule, Polygons } from '../select/selection.ts'

const isInstalled = spawnSync('gdal_rasterize', ['--version']).error === undefined

/** For a test's `skip`: why GDAL is not there, or false. Where CI is set it is false, and the test fails instead. */
export const skipWithoutGdal: string | false =
  isInstalled || process.env.CI ? false : 'GDAL is not installed (apt install gdal-bin)'

/** Runs a GDAL program and gives back what it prints. */
export function gdal(program: string, args: readonly string[], input?: string): string {
  return execFileSync(program, args, { encoding: 'utf8', input, stdio: ['pipe', 'pipe', 'pipe'], maxBuffer: 1 << 28 })
}

/** The cells of a raster's first band as GDAL reads them: their bytes, row by row, little-endian. */
export function gdalCells(path: string): Buffer {
  return inFolder((folder) => {
    gdal('gdal_translate', ['-q', '-of', 'ENVI', '-b', '1', path, join(folder, 'cells')])
    return readFileSync(join(folder, 'cells'))
  })
}

/** A GeoJSON geometry's polygons, reprojected from longitude and latitude by ogr2ogr. */
export function gdalReproject(geometry: unknown, crs: string): Polygons {
  const collection = { type: 'FeatureCollection', features: [{ type: 'Feature', properties: {}, geometry }] }
  const options = ['-f', 'GeoJSON', '-s_srs', 'EPSG:4326', '-t_srs', crs, '-lco', 'COORDINATE_PRECISION=9']
  const printed = gdal('ogr2ogr', [...options, '/vsistdout/', '/vsistdin/'], JSON.stringify(collection))
  return polygonsOf(JSON.parse(printed).features[0].geometry)
}

/** The polygons of a GeoJSON Polygon or MultiPolygon, unchecked. */
export function polygonsOf(geometry: { type: string; coordinates: unknown }): Polygons {
  return (geometry.type === 'Polygon' ? [geometry.coordinates] : geometry.coordinates) as Polygons // files of known shape
}

/** The cells that gdal_rasterize burns, 1 each, row by row. Polygons are in the grid's coordinate system. */
export function gdalMask(polygons: Polygons, grid: Grid, rule: CellRule): Uint8Array {
  return inFolder((folder) => {
    const area = join(folder, 'area.geojson')
    writeFileSync(area, JSON.stringify({ type: 'MultiPolygon', coordinates: polygons }))
    const size = ['-te', ...extentOf(grid).map(String), '-ts', String(grid.cols), String(grid.rows)]
    const touched = rule === 'overlap' ? ['-at'] : []
    gdal('gdal_rasterize', [
      '-q',
      '-burn',
      '1',
      '-ot',
      'Byte',
      '-of',
      'ENVI',
      ...touched,
      ...size,
      area,
      join(folder, 'mask'),
    ])
    return readFileSync(join(folder, 'mask'))
  })
}

function inFolder<Result>(use: (folder: string) => Result): Result {
  const folder = mkdtempSync(join(tmpdir(), 'geo-gdal-'))
  try {
    return use(folder)
  } finally {
    rmSync(folder, { recursive: true })
  }
}
