import assert from 'node:assert/strict'
import { test } from 'node:test'
import sharp from 'sharp'
import type { LayerHandle } from '../catalogue/layer-handle.ts'
import { parseCrs, projector } from '../crs/crs.ts'
import { isMissing } from '../raster/cell-type.ts'
import { nlcdClasses } from '../sample/nlcd-classes.ts'
import { samplePath, skipWithoutSampleData } from '../testing/sample-data.ts'
import { TestCatalogue } from '../testing/small-raster.ts'
import { legendOf } from './palette.ts'
import { renderTile, type TileAddress } from './render-tile.ts'

/** Red, green, blue and opacity of a PNG's pixels, as an independent decoder reads them. */
async function pixelsOf(png: Buffer): Promise<Buffer> {
  const { data, info } = await sharp(png).ensureAlpha().raw().toBuffer({ resolveWithObject: true })
  assert.deepEqual([info.width, info.height, info.channels], [256, 256, 4])
  return data
}

const pixelAt = (pixels: Buffer, x: number, y: number): number[] => [
  ...pixels.subarray((y * 256 + x) * 4, (y * 256 + x) * 4 + 4),
]

/** The tile that holds a position, and where in it. */
function tileAt([lon, lat]: readonly [number, number], z: number): TileAddress {
  const share = 0.5 - Math.asinh(Math.tan((lat * Math.PI) / 180)) / (2 * Math.PI)
  return { z, x: Math.floor(((lon + 180) / 360) * 2 ** z), y: Math.floor(share * 2 ** z) }
}

// A tile of zoom 2 is a quarter of the world wide; this raster's cells are an eighth.
const worldTop = 20037508.342789244

test('cells have the colours of their classes; missing cells, values without a class and the outside are clear', async () => {
  using catalogue = new TestCatalogue()
  const raster = {
    rows: [[11, 82, 0, 55]],
    nodata: 0,
    crs: 'EPSG:3857',
    left: 0,
    top: worldTop,
    cellSize: worldTop / 8,
  }
  const layer = await catalogue.openSmall('land', raster, { classes: nlcdClasses })
  const pixels = await pixelsOf(await renderTile(layer, { z: 2, x: 2, y: 0 }))
  assert.deepEqual(pixelAt(pixels, 10, 10), [0x46, 0x6b, 0x9f, 255])
  assert.deepEqual(pixelAt(pixels, 63, 63), [0x46, 0x6b, 0x9f, 255])
  assert.deepEqual(pixelAt(pixels, 64, 0), [0xab, 0x6c, 0x28, 255])
  assert.deepEqual(pixelAt(pixels, 130, 10), [0, 0, 0, 0])
  assert.deepEqual(pixelAt(pixels, 200, 10), [0, 0, 0, 0])
  assert.deepEqual(pixelAt(pixels, 10, 64), [0, 0, 0, 0])
})

test('a tile beside the layer is wholly clear', async () => {
  using catalogue = new TestCatalogue()
  const layer = await catalogue.openSmall('land', { rows: [[1]], crs: 'EPSG:3857' })
  const pixels = await pixelsOf(await renderTile(layer, { z: 5, x: 1, y: 1 }))
  assert.equal(
    pixels.every((byte) => byte === 0),
    true,
  )
})

test('an address that is no tile is refused', async () => {
  using catalogue = new TestCatalogue()
  const layer = await catalogue.openSmall('land', { rows: [[1]] })
  for (const address of [
    { z: -1, x: 0, y: 0 },
    { z: 1, x: 2, y: 0 },
    { z: 1, x: 0, y: -1 },
    { z: 1.5, x: 0, y: 0 },
    { z: 99, x: 0, y: 0 },
    { z: 3, x: Number.NaN, y: 0 },
  ]) {
    await assert.rejects(renderTile(layer, address), { code: 'tile_address_invalid', message: /There is no map tile/ })
  }
})

test('each pixel shows the cell under its centre, on a real raster in Albers', {
  skip: skipWithoutSampleData,
}, async () => {
  using catalogue = new TestCatalogue()
  const layer = await catalogue.open({
    path: samplePath('delaware/NLCD_DE-clipped.tif'),
    name: 'nlcd',
    classes: nlcdClasses,
  })
  for (const z of [13, 15, 17]) {
    const address = tileAt([-75.655, 39.768], z)
    const pixels = await pixelsOf(await renderTile(layer, address))
    const wrong = countWrong(layer, address, pixels)
    // Interpolated places are some hundredths of a cell off, so a pixel centre on a cell's edge may show its neighbour.
    assert.ok(wrong < 256 * 256 * 0.002, `${wrong} pixels at zoom ${z}`)
  }
})

// Projects each pixel's centre by itself, and looks its cell up at full resolution.
function countWrong(layer: LayerHandle, { z, x, y }: TileAddress, pixels: Buffer): number {
  const { forward } = projector(parseCrs('EPSG:5070'))
  const { grid, nodata } = layer.layer
  let wrong = 0
  for (let row = 0; row < 256; row++) {
    for (let col = 0; col < 256; col++) {
      const lon = ((x + (col + 0.5) / 256) / 2 ** z) * 360 - 180
      const lat = (Math.atan(Math.sinh(Math.PI * (1 - (2 * (y + (row + 0.5) / 256)) / 2 ** z))) * 180) / Math.PI
      const [east, north] = forward([lon, lat])
      const cell = cellAt(
        layer,
        Math.floor((grid.top - north) / grid.cellHeight),
        Math.floor((east - grid.left) / grid.cellWidth),
      )
      const color = nlcdClasses.find(({ value }) => value === cell)?.color
      const expected = cell === undefined || isMissing(cell, nodata) || !color ? '#000000' : color
      const [red, green, blue] = pixelAt(pixels, col, row)
      if (Number.parseInt(expected.slice(1), 16) !== (red ?? 0) * 65536 + (green ?? 0) * 256 + (blue ?? 0)) wrong++
    }
  }
  return wrong
}

const blocks = new Map<string, ReturnType<LayerHandle['readBlockSync']>>()

function cellAt(layer: LayerHandle, row: number, col: number): number | undefined {
  const { rows, cols } = layer.layer.grid
  if (row < 0 || col < 0 || row >= rows || col >= cols) return undefined
  const at = { blockRow: Math.floor(row / 256), blockCol: Math.floor(col / 256) }
  const key = JSON.stringify(at)
  if (!blocks.has(key)) blocks.set(key, layer.readBlockSync(0, at))
  return blocks.get(key)?.[(row % 256) * 256 + (col % 256)]
}

test('at low zoom an overview is drawn, and shows what the layer mostly holds', async () => {
  using catalogue = new TestCatalogue()
  const rows = Array.from({ length: 1024 }, () => Array<number>(1024).fill(82))
  for (const row of rows) row.fill(11, 0, 512)
  const raster = { rows, crs: 'EPSG:3857', left: -worldTop, top: worldTop, cellSize: worldTop / 512 }
  const layer = await catalogue.openSmall('world', raster, { classes: nlcdClasses })
  const pixels = await pixelsOf(await renderTile(layer, { z: 0, x: 0, y: 0 }))
  assert.deepEqual(pixelAt(pixels, 127, 100), [0x46, 0x6b, 0x9f, 255])
  assert.deepEqual(pixelAt(pixels, 128, 100), [0xab, 0x6c, 0x28, 255])
})

test('a measure is drawn from its least to its greatest value, and its legend says which', async () => {
  using catalogue = new TestCatalogue()
  const raster = {
    rows: [[0, 50, 100, -9999]],
    cellType: 'float32' as const,
    nodata: -9999,
    crs: 'EPSG:3857',
    top: worldTop,
    cellSize: worldTop / 8,
  }
  const layer = await catalogue.openSmall('slope', raster)
  const pixels = await pixelsOf(await renderTile(layer, { z: 2, x: 2, y: 0 }))
  const legend = legendOf(layer.layer)
  assert.deepEqual(
    legend.map(({ value }) => value),
    [0, 25, 50, 75, 100],
  )
  for (const [x, stop] of [
    [10, 0],
    [70, 2],
    [130, 4],
  ] as const) {
    const color = `#${pixelAt(pixels, x, 10)
      .slice(0, 3)
      .map((channel) => channel.toString(16).padStart(2, '0'))
      .join('')}`
    assert.equal(color, legend[stop]?.color)
  }
  assert.equal(pixelAt(pixels, 200, 10)[3], 0)
})

test('classes are their own legend, and a categorical layer without classes tells its values apart', async () => {
  using catalogue = new TestCatalogue()
  const raster = { rows: [[1, 2, 3, 4]], crs: 'EPSG:3857', top: worldTop, cellSize: worldTop / 8 }
  const named = await catalogue.openSmall('named', raster, { classes: nlcdClasses })
  assert.deepEqual(legendOf(named.layer)[0], { value: 11, name: 'Open Water', color: '#466b9f' })
  const bare = await catalogue.openSmall('bare', raster)
  assert.deepEqual(legendOf(bare.layer), [])
  const pixels = await pixelsOf(await renderTile(bare, { z: 2, x: 2, y: 0 }))
  const colors = new Set([10, 74, 138, 202].map((x) => pixelAt(pixels, x, 10).join()))
  assert.equal(colors.size, 4)
})
