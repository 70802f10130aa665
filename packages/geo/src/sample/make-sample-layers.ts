import { mkdir, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { AddLayerOptions } from '../catalogue/add-layer.ts'
import { parseCrs, projector } from '../crs/crs.ts'
import { geoKeysOf } from '../crs/geo-keys.ts'
import type { Grid } from '../grid/grid.ts'
import { blockSide } from '../raster/cog-shape.ts'
import { CogWriter } from '../raster/cog-writer.ts'
import { basinOf, outlineOf } from './drainage.ts'
import { inventLandscape, type Landscape } from './landscape.ts'
import { nlcdClasses, soilGroupClasses } from './nlcd-classes.ts'

/** What `makeSampleLayers` made. */
export type Sample = {
  /** Ready for `addLayer`: land cover, then soil, on one grid. */
  readonly layers: readonly (Pick<AddLayerOptions, 'path' | 'kind' | 'classes' | 'isSynthetic'> & {
    name: string
    title: string
  })[]
  /** A GeoJSON Feature: the basin of a stream, wholly inside the layers. Also written to `areaPath`. */
  readonly area: SampleArea
  readonly areaPath: string
}

export type SampleArea = {
  readonly type: 'Feature'
  readonly properties: { readonly name: string; readonly description: string; readonly cells: number }
  readonly geometry: { readonly type: 'Polygon'; readonly coordinates: [number, number][][] }
}

const side = 1024
const cellM = 30
const seed = 20_260_101
const crsName = 'EPSG:5070'
// South east Pennsylvania: the middle of the sample lies near 75.53° west, 40.2° north.
const centreLonLat = [-75.53, 40.2] as const
const basinCellsMin = 20_000
const basinCellsMax = 80_000

/**
 * Invents a piece of country and writes it as two GeoTIFFs and a GeoJSON area: NLCD land cover with all its 16 classes and
 * hydrologic soil groups, 1024 × 1024 cells of 30 m in EPSG:5070, and the basin of one of its streams. Nothing in it is real: the
 * ground is fractal noise, laid out in south east Pennsylvania only so that it lies somewhere. It is the same, byte for byte, every
 * time, and takes about a second.
 * @param folder made where it is missing; files of the same names in it are replaced
 * @example
 * const sample = await makeSampleLayers('/var/lib/headrace/sample')
 * for (const layer of sample.layers) await addLayer(catalogue, layer)
 * const area = parseArea(sample.area)
 */
export async function makeSampleLayers(folder: string): Promise<Sample> {
  await mkdir(folder, { recursive: true })
  const landscape = inventLandscape(side, seed)
  const grid = sampleGrid()
  const landPath = await writeRaster(join(folder, 'sample-land.tif'), { cells: landscape.land, grid, nodata: null })
  const soilPath = await writeRaster(join(folder, 'sample-soil.tif'), { cells: landscape.soil, grid, nodata: 0 })
  const area = sampleArea(landscape, grid)
  const areaPath = join(folder, 'sample-area.geojson')
  await writeFile(areaPath, `${JSON.stringify(area)}\n`)
  return {
    layers: [
      {
        path: landPath,
        name: 'sample-land',
        title: 'Land cover (synthetic sample)',
        kind: 'categorical',
        classes: nlcdClasses,
        isSynthetic: true,
      },
      {
        path: soilPath,
        name: 'sample-soil',
        title: 'Soil groups (synthetic sample)',
        kind: 'categorical',
        classes: soilGroupClasses,
        isSynthetic: true,
      },
    ],
    area,
    areaPath,
  }
}

// Edges at multiples of a cell, so that the grid is what one would expect of a 30 m raster.
function sampleGrid(): Grid {
  const [x, y] = projector(parseCrs(crsName)).forward(centreLonLat)
  const half = (side * cellM) / 2
  const left = Math.round((x - half) / cellM) * cellM
  const top = Math.round((y + half) / cellM) * cellM
  return { rows: side, cols: side, left, top, cellWidth: cellM, cellHeight: cellM }
}

async function writeRaster(
  path: string,
  raster: { cells: Uint8Array; grid: Grid; nodata: number | null },
): Promise<string> {
  const { cells, grid, nodata } = raster
  const partial = `${path}.partial`
  await rm(partial, { force: true })
  const geoKeys = geoKeysOf(parseCrs(crsName))
  const writer = new CogWriter(partial, {
    grid,
    nodata,
    geoKeys,
    cellType: 'uint8',
    overviewRule: 'mode',
    isPredicted: false,
  })
  try {
    for (let row = 0; row < grid.rows; row += blockSide) {
      await writer.writeRows(cells.subarray(row * grid.cols, (row + blockSide) * grid.cols))
    }
    await writer.finish()
  } finally {
    await writer.discard()
  }
  await rename(partial, path)
  return path
}

function sampleArea(landscape: Landscape, grid: Grid): SampleArea {
  const mask = chooseBasin(landscape)
  const { inverse } = projector(parseCrs(crsName))
  const toLonLat = ([col, row]: [number, number]) => inverse([grid.left + col * cellM, grid.top - row * cellM])
  return {
    type: 'Feature',
    properties: {
      name: 'Sample watershed',
      description: 'The basin of an invented stream. Synthetic: nothing here is real.',
      cells: mask.reduce((sum, cell) => sum + cell, 0),
    },
    geometry: { type: 'Polygon', coordinates: [outlineOf(mask, side).map(toLonLat)] },
  }
}

// Of the basins that are not too large, and drain into one that is, the one with the most kinds of land.
function chooseBasin({ drainage, land }: Landscape): Uint8Array {
  const { cells, downstream } = drainage
  let best = { mask: new Uint8Array(cells.length), kinds: 0 }
  for (let cell = 0; cell < cells.length; cell++) {
    const size = cells[cell] as number
    const isWhole = size <= basinCellsMax && (cells[downstream[cell] as number] as number) > basinCellsMax
    if (size < basinCellsMin || !isWhole) continue
    const mask = basinOf(drainage, cell)
    const kinds = countKinds(land, mask)
    if (kinds > best.kinds) best = { mask, kinds }
  }
  return best.mask
}

function countKinds(land: Uint8Array, mask: Uint8Array): number {
  const isMet = new Uint8Array(256)
  for (let cell = 0; cell < mask.length; cell++) if (mask[cell] === 1) isMet[land[cell] as number] = 1
  return isMet.reduce((sum, met) => sum + met, 0)
}
