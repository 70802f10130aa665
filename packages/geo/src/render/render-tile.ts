import type { LayerHandle } from '../catalogue/layer-handle.ts'
import { projector } from '../crs/crs.ts'
import { TileAddressInvalidError } from '../errors.ts'
import type { Cells } from '../raster/cell-type.ts'
import { blockSide } from '../raster/cog-shape.ts'
import { type Palette, paletteOf } from './palette.ts'
import { encodePng } from './png.ts'

/** A square of the web's map: zoom, column from the west and row from the north (OGC Two Dimensional Tile Matrix Set: WebMercatorQuad). */
export type TileAddress = { readonly z: number; readonly x: number; readonly y: number }

const tilePixels = 256
const zoomMax = 24

/**
 * Draws a layer on one tile of the web's map (Web Mercator, 256 × 256 pixels): nearest cell, from the overview whose cells are
 * about a pixel wide, in the layer's class colours. Missing cells, values without a class and the outside are clear.
 * @returns a PNG
 * @throws {TileAddressInvalidError} for an address that does not exist
 * @throws {LayerDamagedError} when the layer's file cannot be read
 * @example await renderTile(land, { z: 9, x: 149, y: 193 })
 */
export async function renderTile(
  handle: LayerHandle,
  address: TileAddress,
  options: { signal?: AbortSignal } = {},
): Promise<Buffer> {
  requireAddress(address)
  const palette = paletteOf(handle.layer)
  const places = cellsOfPixels(handle, address)
  if (!hasAnyCell(places, handle)) return await emptyTile()
  const level = levelFor(handle, places)
  const indexes = await colorPixels(handle, { places, level, palette, signal: options.signal })
  return await encodePng(indexes, { width: tilePixels, height: tilePixels, palette: palette.colors })
}

function requireAddress({ z, x, y }: TileAddress): void {
  const isOnMap = (position: number) => Number.isInteger(position) && position >= 0 && position < 2 ** z
  if (!Number.isInteger(z) || z < 0 || z > zoomMax || !isOnMap(x) || !isOnMap(y)) {
    throw new TileAddressInvalidError({ z, x, y }, zoomMax)
  }
}

let empty: Promise<Buffer> | undefined

function emptyTile(): Promise<Buffer> {
  empty ??= encodePng(new Uint8Array(tilePixels ** 2), {
    width: tilePixels,
    height: tilePixels,
    palette: [[0, 0, 0, 0]],
  })
  return empty
}

/** Column and row, with fractions, of each pixel's centre on the layer's grid: x0, y0, x1, y1 …; NaN beyond the projection. */
type PixelPlaces = Float64Array

// Places are computed every `step` pixels and interpolated between, which is off by far less than a pixel where a tile covers some
// degrees; the few tiles of low zooms, on which projections bend, are computed closer.
function cellsOfPixels({ layer }: LayerHandle, address: TileAddress): PixelPlaces {
  const { forward } = projector(layer.crs)
  const step = address.z >= 7 ? 16 : 2
  const knots = tilePixels / step + 1
  const lattice = new Float64Array(knots * knots * 2)
  for (let row = 0; row < knots; row++) {
    for (let col = 0; col < knots; col++) {
      const [x, y] = forward(lonLatOf(address, col * step, row * step))
      lattice[(row * knots + col) * 2] = (x - layer.grid.left) / layer.grid.cellWidth
      lattice[(row * knots + col) * 2 + 1] = (layer.grid.top - y) / layer.grid.cellHeight
    }
  }
  return interpolate(lattice, knots, step)
}

// EPSG:3857 is spherical Mercator: lon = 360 x − 180, lat = atan(sinh(π (1 − 2 y))) with x and y as shares of the map.
function lonLatOf({ z, x, y }: TileAddress, pixelX: number, pixelY: number): [number, number] {
  const across = (x + pixelX / tilePixels) / 2 ** z
  const down = (y + pixelY / tilePixels) / 2 ** z
  return [360 * across - 180, (Math.atan(Math.sinh(Math.PI * (1 - 2 * down))) * 180) / Math.PI]
}

function interpolate(lattice: Float64Array, knots: number, step: number): PixelPlaces {
  const places = new Float64Array(tilePixels * tilePixels * 2)
  const at = (row: number, col: number, axis: number) => lattice[(row * knots + col) * 2 + axis] as number // within the lattice
  for (let row = 0; row < tilePixels; row++) {
    const knotRow = Math.floor(row / step)
    const down = (row + 0.5) / step - knotRow
    for (let col = 0; col < tilePixels; col++) {
      const knotCol = Math.floor(col / step)
      const across = (col + 0.5) / step - knotCol
      for (const axis of [0, 1]) {
        const top = at(knotRow, knotCol, axis) * (1 - across) + at(knotRow, knotCol + 1, axis) * across
        const bottom = at(knotRow + 1, knotCol, axis) * (1 - across) + at(knotRow + 1, knotCol + 1, axis) * across
        places[(row * tilePixels + col) * 2 + axis] = top * (1 - down) + bottom * down
      }
    }
  }
  return places
}

function hasAnyCell(places: PixelPlaces, { layer: { grid } }: LayerHandle): boolean {
  for (let i = 0; i < places.length; i += 2) {
    if (isOnGrid(places[i] as number, places[i + 1] as number, grid)) return true
  }
  return false
}

function isOnGrid(col: number, row: number, { rows, cols }: { rows: number; cols: number }): boolean {
  return col >= 0 && col < cols && row >= 0 && row < rows
}

// The coarsest level whose cells are no wider than a pixel, judged in the middle of the tile.
function levelFor({ levels }: LayerHandle, places: PixelPlaces): number {
  const middle = (tilePixels / 2) * tilePixels + tilePixels / 2
  const width = Math.abs((places[middle * 2 + 2] as number) - (places[middle * 2] as number))
  const level = Number.isFinite(width) && width > 1 ? Math.floor(Math.log2(width) + 0.01) : 0
  return Math.min(level, levels.length - 1)
}

type Drawing = { places: PixelPlaces; level: number; palette: Palette; signal: AbortSignal | undefined }

async function colorPixels(handle: LayerHandle, drawing: Drawing): Promise<Uint8Array> {
  const indexes = new Uint8Array(tilePixels * tilePixels)
  for (const { blockRow, blockCol, pixels } of groupByBlock(handle, drawing)) {
    drawing.signal?.throwIfAborted()
    const cells = await handle.readBlock(drawing.level, { blockRow, blockCol })
    for (const { pixel, at } of pixels) indexes[pixel] = drawing.palette.indexOf((cells as Cells)[at] as number) // within the block
  }
  return indexes
}

type BlockPixels = { blockRow: number; blockCol: number; pixels: { pixel: number; at: number }[] }

function groupByBlock({ layer, levels }: LayerHandle, { places, level }: Drawing): Iterable<BlockPixels> {
  const { rows = 0, cols = 0, blocksAcross = 0 } = levels[level] ?? {}
  const groups = new Map<number, BlockPixels>()
  const scale = 2 ** level
  for (let pixel = 0; pixel < tilePixels * tilePixels; pixel++) {
    const [x, y] = [places[2 * pixel] as number, places[2 * pixel + 1] as number]
    if (!isOnGrid(x, y, layer.grid)) continue
    const col = Math.min(cols - 1, Math.floor(x / scale))
    const row = Math.min(rows - 1, Math.floor(y / scale))
    const [blockRow, blockCol] = [Math.floor(row / blockSide), Math.floor(col / blockSide)]
    const key = blockRow * blocksAcross + blockCol
    const group = groups.get(key) ?? { blockRow, blockCol, pixels: [] }
    groups.set(key, group)
    group.pixels.push({ pixel, at: (row % blockSide) * blockSide + (col % blockSide) })
  }
  return groups.values()
}
