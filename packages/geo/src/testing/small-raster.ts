import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type AddLayerOptions, addLayer } from '../catalogue/add-layer.ts'
import { type Catalogue, openCatalogue } from '../catalogue/catalogue.ts'
import { type LayerHandle, openLayer } from '../catalogue/layer-handle.ts'
import { parseCrs } from '../crs/crs.ts'
import { geoKeysOf } from '../crs/geo-keys.ts'
import type { Grid } from '../grid/grid.ts'
import { allocateCells, type CellType } from '../raster/cell-type.ts'
import { CogWriter } from '../raster/cog-writer.ts'

/** A folder that is removed at the end of its scope. */
export class TemporaryFolder implements Disposable {
  readonly path = mkdtempSync(join(tmpdir(), 'geo-test-'));

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true, force: true })
  }
}

/** A raster small enough to write down: its rows of cells, and where it lies. 1000 m cells from (0, 0) down in EPSG:5070 where not said. */
export type SmallRaster = {
  readonly rows: readonly (readonly number[])[]
  readonly crs?: string
  readonly cellType?: CellType
  readonly nodata?: number | null
  readonly left?: number
  readonly top?: number
  readonly cellSize?: number
}

export function gridOf(raster: SmallRaster): Grid {
  const { rows, left = 0, top = 0, cellSize = 1000 } = raster
  return { rows: rows.length, cols: rows[0]?.length ?? 0, left, top, cellWidth: cellSize, cellHeight: cellSize }
}

/** Writes a small raster as a GeoTIFF. */
export async function writeSmallRaster(path: string, raster: SmallRaster): Promise<string> {
  const { cellType = 'uint8', nodata = null, crs = 'EPSG:5070' } = raster
  const grid = gridOf(raster)
  const geoKeys = geoKeysOf(parseCrs(crs))
  const writer = new CogWriter(path, { grid, cellType, nodata, geoKeys, overviewRule: 'mode', isPredicted: false })
  const cells = allocateCells(cellType, grid.rows * grid.cols)
  cells.set(raster.rows.flat())
  await writer.writeRows(cells)
  await writer.finish()
  await writer.discard()
  return path
}

/** A catalogue in a folder of its own, with everything opened from it closed at the end. */
export class TestCatalogue implements Disposable {
  readonly folder = new TemporaryFolder()
  readonly #handles: LayerHandle[] = []
  #catalogue: Catalogue | undefined

  async get(): Promise<Catalogue> {
    this.#catalogue ??= await openCatalogue(this.folder.path)
    return this.#catalogue
  }

  async open(options: AddLayerOptions): Promise<LayerHandle> {
    const catalogue = await this.get()
    await addLayer(catalogue, options)
    const handle = await openLayer(catalogue, options.name)
    this.#handles.push(handle)
    return handle
  }

  /** Adds a small raster and opens it. */
  async openSmall(name: string, raster: SmallRaster, options: Partial<AddLayerOptions> = {}): Promise<LayerHandle> {
    const path = await writeSmallRaster(join(this.folder.path, `${name}.tif`), raster)
    return await this.open({ path, name, ...options })
  }

  [Symbol.dispose](): void {
    for (const handle of this.#handles) handle.close()
    this.folder[Symbol.dispose]()
  }
}
