import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const isInstalled = spawnSync('gdal_rasterize', ['--version']).error === undefined

/** For a test's `skip`: why GDAL is not there, or false. Where CI is set it is false, and the test fails instead. */
export const skipWithoutGdal: string | false =
  isInstalled || process.env.CI ? false : 'GDAL is not installed (apt install gdal-bin)'

/**
 * The cells of rasters of bytes on one grid whose centre lies in an area, as GDAL counts them: by their values, joined
 * by a space.
 * @param area a GeoJSON geometry in longitude and latitude
 */
export function gdalCounts(rasters: readonly string[], area: object): Map<string, number> {
  const folder = mkdtempSync(join(tmpdir(), 'watershed-gdal-'))
  try {
    const mask = burn(rasters[0] ?? '', area, folder)
    const layers = rasters.map((raster) => cellsOf(raster, folder))
    const counts = new Map<string, number>()
    for (const [index, isInside] of mask.entries()) {
      if (isInside === 0) continue
      const key = layers.map((cells) => cells[index]).join(' ')
      counts.set(key, (counts.get(key) ?? 0) + 1)
    }
    return counts
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** 1 for each cell in the area, else 0. */
function burn(raster: string, geometry: object, folder: string): Buffer {
  const { size, geoTransform, coordinateSystem } = JSON.parse(run('gdalinfo', ['-json', raster]))
  const [lonLat, projected, crs, mask] = ['lon-lat.geojson', 'area.gpkg', 'crs.wkt', 'mask'].map((name) =>
    join(folder, name),
  )
  writeFileSync(lonLat ?? '', JSON.stringify({ type: 'Feature', properties: {}, geometry }))
  writeFileSync(crs ?? '', coordinateSystem.wkt)
  run('ogr2ogr', ['-s_srs', 'OGC:CRS84', '-t_srs', crs ?? '', projected ?? '', lonLat ?? ''])
  const [left, width, , top, , height] = geoTransform
  const edges = [left, top + height * size[1], left + width * size[0], top].map(String)
  const grid = ['-te', ...edges, '-ts', String(size[0]), String(size[1])]
  run('gdal_rasterize', ['-q', '-burn', '1', '-ot', 'Byte', '-of', 'ENVI', ...grid, projected ?? '', mask ?? ''])
  return readFileSync(mask ?? '')
}

function cellsOf(raster: string, folder: string): Buffer {
  const path = join(folder, `cells-${Math.random()}`)
  run('gdal_translate', ['-q', '-of', 'ENVI', '-ot', 'Byte', raster, path])
  return readFileSync(path)
}

function run(program: string, args: readonly string[]): string {
  return execFileSync(program, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
}
