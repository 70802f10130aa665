import assert from 'node:assert/strict'
import { truncateSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import type { Area, PolygonRings } from '../area/area.ts'
import { parseArea } from '../area/parse-area.ts'
import type { LayerHandle } from '../catalogue/layer-handle.ts'
import { crsOfDefinition, parseCrs, projector } from '../crs/crs.ts'
import {
  AreaOutsideLayersError,
  CountsDifferError,
  GridMismatchError,
  LayerDamagedError,
  LayersMissingError,
  TileRefInvalidError,
} from '../errors.ts'
import { cellsOfBytes, isMissing } from '../raster/cell-type.ts'
import { type CellRule, selectPolygons } from '../select/selection.ts'
import { countSpans, spansOf } from '../select/spans.ts'
import { gdalCells, gdalMask, gdalReproject, polygonsOf, skipWithoutGdal } from '../testing/gdal.ts'
import { readSample, samplePath, skipWithoutSampleData } from '../testing/sample-data.ts'
import { TestCatalogue } from '../testing/small-raster.ts'
import { countCells, countTile, tilesOfArea } from './count-cells.ts'
import { type CellCounts, mergeCounts } from './counts.ts'

/** An area whose corners, in metres of EPSG:5070, are these; rings are closed here. */
function areaInAlbers(...corners: [number, number][]): Area {
  const { inverse } = projector(parseCrs('EPSG:5070'))
  const ring = corners.map(inverse)
  return parseArea({ type: 'Polygon', coordinates: [[...ring, ring[0]]] })
}

const rectangle = (left: number, bottom: number, right: number, top: number): [number, number][] => [
  [left, bottom],
  [right, bottom],
  [right, top],
  [left, top],
]

/** `11 2: 434` for each combination, as upstream prints them. */
const shown = (counts: CellCounts): string[] =>
  counts.counts.map(({ values, cells }) => `${values.map((value) => value ?? 'null').join(' ')}: ${cells}`)

test('cells are counted by value, missing ones as null, with their area', async () => {
  using catalogue = new TestCatalogue()
  const rows = [
    [11, 11, 41, 41],
    [11, 11, 41, 9],
    [81, 81, 9, 9],
    [81, 81, 9, 9],
  ]
  const land = await catalogue.openSmall('land', { rows, nodata: 9, top: 4000 })
  const counts = await countCells({ layers: [land], area: areaInAlbers(...rectangle(-10, -10, 4010, 4010)) })
  assert.deepEqual(shown(counts), ['11: 4', '41: 3', '81: 4', 'null: 5'])
  assert.equal(counts.cells, 16)
  assert.equal(counts.counts[0]?.areaM2, 4e6)
  assert.equal(counts.areaM2, 16e6)
  assert.equal(counts.isPartial, true)
  assert.deepEqual(counts.layers, [{ name: 'land', sha256: land.layer.sha256 }])
})

test('several layers are counted by the combinations of their values', async () => {
  using catalogue = new TestCatalogue()
  const land = await catalogue.openSmall('land', {
    rows: [
      [11, 11, 41],
      [41, 41, 41],
      [81, 81, 81],
    ],
    top: 3000,
  })
  const soil = await catalogue.openSmall('soil', {
    rows: [
      [0, 1, 1],
      [2, 2, 1],
      [1, 1, 0],
    ],
    nodata: 0,
    top: 3000,
  })
  const slope = await catalogue.openSmall('slope', {
    rows: [
      [3.9, 3.1, -0.5],
      [0.5, 1, 1],
      [2, 2, 2],
    ],
    cellType: 'float32',
    top: 3000,
  })
  const area = areaInAlbers(...rectangle(100, 100, 2900, 2900))
  assert.deepEqual(shown(await countCells({ layers: [land, soil], area })), [
    '11 1: 1',
    '11 null: 1',
    '41 1: 2',
    '41 2: 2',
    '81 1: 2',
    '81 null: 1',
  ])
  assert.deepEqual(shown(await countCells({ layers: [soil, land, slope], area })), [
    '1 11 3: 1',
    '1 41 0: 1',
    '1 41 1: 1',
    '1 81 2: 2',
    '2 41 0: 1',
    '2 41 1: 1',
    'null 11 3: 1',
    'null 81 2: 1',
  ])
})

test('float cells are truncated toward zero, and NaN is missing', async () => {
  using catalogue = new TestCatalogue()
  const slope = await catalogue.openSmall('slope', {
    rows: [[3.9, -3.9, -0.2, Number.NaN]],
    cellType: 'float32',
    top: 1000,
  })
  const counts = await countCells({ layers: [slope], area: areaInAlbers(...rectangle(0, 0, 4000, 1000)) })
  assert.deepEqual(shown(counts), ['-3: 1', '0: 1', '3: 1', 'null: 1'])
})

test('an area that reaches beyond the layer is counted where the layer is, and says so', async () => {
  using catalogue = new TestCatalogue()
  const land = await catalogue.openSmall('land', {
    rows: [
      [1, 2],
      [3, 4],
    ],
    top: 2000,
  })
  const beyond = await countCells({ layers: [land], area: areaInAlbers(...rectangle(1000, 0, 9000, 1000)) })
  assert.deepEqual(shown(beyond), ['4: 1'])
  assert.equal(beyond.isPartial, true)
  const within = await countCells({ layers: [land], area: areaInAlbers(...rectangle(100, 100, 1900, 1900)) })
  assert.equal(within.isPartial, false)
})

test('an area outside the layer is an error that names both extents', async () => {
  using catalogue = new TestCatalogue()
  const land = await catalogue.openSmall('land', { rows: [[1]], top: 1000 })
  const area = areaInAlbers(...rectangle(500_000, 0, 501_000, 1000))
  await assert.rejects(countCells({ layers: [land], area }), (error) => {
    assert.ok(error instanceof AreaOutsideLayersError)
    assert.match(error.message, /land \[-96\.0000, 23\.0/)
    return true
  })
})

test('an area between cell centres selects no cell', async () => {
  using catalogue = new TestCatalogue()
  const land = await catalogue.openSmall('land', {
    rows: [
      [1, 1],
      [1, 1],
    ],
    top: 2000,
  })
  const sliver = areaInAlbers(...rectangle(900, 900, 1100, 1100))
  assert.equal((await countCells({ layers: [land], area: sliver })).cells, 0)
  assert.equal((await countCells({ layers: [land], area: sliver, rule: 'overlap' })).cells, 4)
  assert.deepEqual(tilesOfArea(land, sliver), [])
})

test('layers of different extents on one lattice are counted together; what one lacks is null', async () => {
  using catalogue = new TestCatalogue()
  const land = await catalogue.openSmall('land', {
    rows: [
      [1, 1, 1],
      [2, 2, 2],
      [3, 3, 3],
    ],
    top: 3000,
  })
  const soil = await catalogue.openSmall('soil', { rows: [[7, 8, 9]], left: 1000, top: 2000.000001 })
  const counts = await countCells({ layers: [land, soil], area: areaInAlbers(...rectangle(0, 0, 3000, 3000)) })
  assert.deepEqual(shown(counts), ['1 null: 3', '2 7: 1', '2 8: 1', '2 null: 1', '3 null: 3'])
})

test('layers that are off one lattice are an error that says by how much', async () => {
  using catalogue = new TestCatalogue()
  const area = areaInAlbers(...rectangle(0, 0, 2000, 1000))
  const land = await catalogue.openSmall('land', { rows: [[1, 1]], top: 1000 })
  const shifted = await catalogue.openSmall('shifted', { rows: [[1, 1]], top: 1000, left: 400 })
  const finer = await catalogue.openSmall('finer', { rows: [[1, 1]], top: 1000, cellSize: 500 })
  const elsewhere = await catalogue.openSmall('elsewhere', { rows: [[1, 1]], top: 1000, crs: 'EPSG:3857' })
  await assert.rejects(countCells({ layers: [land, shifted], area }), {
    code: 'grid_mismatch',
    message: /0\.4000 of a cell apart/,
  })
  await assert.rejects(countCells({ layers: [land, finer], area }), {
    code: 'grid_mismatch',
    message: /1000 x 1000 and 500 x 500/,
  })
  await assert.rejects(countCells({ layers: [land, elsewhere], area }), GridMismatchError)
  await assert.rejects(countCells({ layers: [], area }), LayersMissingError)
})

test('the area of cells in degrees is that of their latitudes', async () => {
  using catalogue = new TestCatalogue()
  const world = await catalogue.openSmall('world', {
    rows: [
      [1, 1],
      [2, 2],
    ],
    crs: 'EPSG:4326',
    top: 1,
    cellSize: 1,
  })
  const area = parseArea({
    type: 'Polygon',
    coordinates: [
      [
        [0, -1],
        [2, -1],
        [2, 1],
        [0, 1],
        [0, -1],
      ],
    ],
  })
  const counts = await countCells({ layers: [world], area })
  // What PROJ's cylindrical equal-area projection gives for the cell of one degree at the equator.
  for (const { areaM2 } of counts.counts) assert.ok(Math.abs(areaM2 / 2e6 - 12308.463894) < 1e-5, String(areaM2))
})

// Some thousand rows, so that there are several tiles, and values that differ by row and column.
async function openLarge(catalogue: TestCatalogue): Promise<{ land: LayerHandle; area: Area }> {
  const rows = Array.from({ length: 1100 }, (_, row) =>
    Array.from({ length: 1300 }, (_, col) => (row * 7 + col * 13) % 5),
  )
  const land = await catalogue.openSmall('land', { rows, nodata: 0, top: 33_000, cellSize: 30 })
  return { land, area: areaInAlbers([500, 700], [38_000, 3000], [30_000, 32_500], [9000, 25_000]) }
}

test('the sum over the tiles of an area is the whole, to the last bit', async () => {
  using catalogue = new TestCatalogue()
  const { land, area } = await openLarge(catalogue)
  for (const rule of ['centre', 'overlap'] as const) {
    const tiles = tilesOfArea(land, area, { rule })
    assert.ok(tiles.length > 4)
    const parts = await Promise.all(tiles.map((tile) => countTile([land, land], area, tile, rule)))
    assert.deepEqual(
      parts.map(({ cells }) => cells),
      tiles.map(({ cells }) => cells),
    )
    assert.deepEqual(mergeCounts(parts), await countCells({ layers: [land, land], area, rule }))
    const coarser = tilesOfArea(land, area, { rule, tileSide: 1024 })
    const same = await Promise.all(coarser.map((tile) => countTile([land, land], area, tile, rule)))
    assert.deepEqual(mergeCounts(same), mergeCounts(parts))
  }
})

test('threads count what one thread counts, and report progress up to 1', async () => {
  using catalogue = new TestCatalogue()
  const { land, area } = await openLarge(catalogue)
  const fractions: number[] = []
  const inline = await countCells({ layers: [land], area, threads: 0 })
  const threaded = await countCells({
    layers: [land],
    area,
    threads: 2,
    onProgress: (fraction) => fractions.push(fraction),
  })
  assert.deepEqual(threaded, inline)
  assert.deepEqual(
    fractions,
    fractions.toSorted((one, other) => one - other),
  )
  assert.equal(fractions.at(-1), 1)
})

test('tiles that the filter leaves out are not counted', async () => {
  using catalogue = new TestCatalogue()
  const { land, area } = await openLarge(catalogue)
  const [first] = tilesOfArea(land, area)
  const counts = await countCells({
    layers: [land],
    area,
    tileFilter: ({ row, col }) => row === first?.row && col === first?.col,
  })
  assert.equal(counts.cells, first?.cells)
})

for (const threads of [0, 2]) {
  test(`an aborted count ends with the signal's reason (${threads === 0 ? 'inline' : 'in threads'})`, async () => {
    using catalogue = new TestCatalogue()
    const { land, area } = await openLarge(catalogue)
    const controller = new AbortController()
    const reason = new Error('no longer wanted')
    const counting = countCells({
      layers: [land],
      area,
      threads,
      signal: controller.signal,
      onProgress: () => controller.abort(reason),
    })
    await assert.rejects(counting, reason)
    await assert.rejects(countCells({ layers: [land], area, threads, signal: controller.signal }), reason)
  })

  test(`a layer cut off while it is counted is an error that names it (${threads === 0 ? 'inline' : 'in threads'})`, async () => {
    using catalogue = new TestCatalogue()
    const { land, area } = await openLarge(catalogue)
    truncateSync(join((await catalogue.get()).folder, land.layer.file), land.layer.sizeBytes - 3000)
    await assert.rejects(countCells({ layers: [land], area, threads }), (error) => {
      assert.ok(error instanceof LayerDamagedError)
      assert.equal(error.layerName, 'land')
      return true
    })
  })
}

test('a tile of another grid is refused', async () => {
  using catalogue = new TestCatalogue()
  const land = await catalogue.openSmall('land', { rows: [[1]], top: 1000 })
  const area = areaInAlbers(...rectangle(0, 0, 1000, 1000))
  await assert.rejects(countTile([land], area, { row: 0, col: 0, rows: 512, cols: 512, cells: 1 }), TileRefInvalidError)
})

test('counts of different layers are not merged', async () => {
  using catalogue = new TestCatalogue()
  const area = areaInAlbers(...rectangle(0, 0, 1000, 1000))
  const one = await countCells({ layers: [await catalogue.openSmall('one', { rows: [[1]], top: 1000 })], area })
  const two = await countCells({ layers: [await catalogue.openSmall('two', { rows: [[1]], top: 1000 })], area })
  assert.throws(() => mergeCounts([one, two]), CountsDifferError)
  assert.throws(() => mergeCounts([]), CountsDifferError)
})

test('an area that winds over two parts counts each cell once', async () => {
  using catalogue = new TestCatalogue()
  const land = await catalogue.openSmall('land', { rows: [[1, 1, 1, 1]], top: 1000 })
  const [left] = areaInAlbers(...rectangle(0, 0, 3000, 1000)).coordinates as [PolygonRings]
  const [right] = areaInAlbers(...rectangle(1000, 0, 4000, 1000)).coordinates as [PolygonRings]
  const counts = await countCells({
    layers: [land],
    area: parseArea({ type: 'MultiPolygon', coordinates: [left, right] }),
  })
  assert.deepEqual(shown(counts), ['1: 4'])
})

// ---- against GDAL ---------------------------------------------------------------------------------------------------

const skip = skipWithoutSampleData || skipWithoutGdal

type Feature = { type: string; properties: Record<string, unknown>; geometry: { type: string; coordinates: unknown } }

/** What GDAL makes of it: reprojects the area by ogr2ogr, burns it by gdal_rasterize, and reads the cells by gdal_translate. */
function countByGdal(
  feature: Feature,
  layers: readonly LayerHandle[],
  sources: readonly string[],
  rule: CellRule,
): Map<string, number> {
  const [{ layer }] = layers as [LayerHandle]
  const isLonLat = layer.crs.kind === 'geographic'
  const polygons = isLonLat ? polygonsOf(feature.geometry) : gdalReproject(feature.geometry, layer.crs.proj4)
  const mask = gdalMask(polygons, layer.grid, rule)
  const cells = sources.map((source, i) =>
    cellsOfBytes((layers[i] as LayerHandle).layer.cellType, gdalCells(samplePath(source))),
  )
  const counts = new Map<string, number>()
  for (const [at, isBurnt] of mask.entries()) {
    if (isBurnt === 0) continue
    const key = cells
      .map((values, i) => {
        const value = values[at] as number
        return isMissing(value, (layers[i] as LayerHandle).layer.nodata) ? 'null' : String(Math.trunc(value) + 0)
      })
      .join(' ')
    counts.set(key, (counts.get(key) ?? 0) + 1)
  }
  return counts
}

const delaware = {
  nlcd: 'delaware/NLCD_DE-clipped.tif',
  soil: 'delaware/soil-clipped-reduced.tif',
  mukey: 'delaware/gSSURGO_DE_10m1-clipped.tif',
}

for (const rule of ['centre', 'overlap'] as const) {
  test(`on the three Delaware areas counts are GDAL's, by ${rule}`, { skip }, async () => {
    using catalogue = new TestCatalogue()
    const nlcd = await catalogue.open({ path: samplePath(delaware.nlcd), name: 'nlcd' })
    const soil = await catalogue.open({ path: samplePath(delaware.soil), name: 'soil' })
    const mukey = await catalogue.open({ path: samplePath(delaware.mukey), name: 'mukey' })
    for (const feature of readSample<{ features: Feature[] }>('delaware/aois.geojson').features) {
      for (const [layers, sources] of [
        [[nlcd], [delaware.nlcd]],
        [[soil], [delaware.soil]],
        [
          [nlcd, soil],
          [delaware.nlcd, delaware.soil],
        ],
        [
          [mukey, nlcd],
          [delaware.mukey, delaware.nlcd],
        ],
      ] as const) {
        const counts = await countCells({ layers, area: parseArea(feature), rule })
        assertSame(counts, countByGdal(feature, layers, sources, rule))
      }
    }
  })

  test(`on the municipalities of Sao Miguel, in degrees, counts are GDAL's, by ${rule}`, { skip }, async () => {
    using catalogue = new TestCatalogue()
    const cover = await catalogue.open({ path: samplePath('sao-miguel/clc2018_v2020_20u1.tif'), name: 'cover' })
    const height = await catalogue.open({ path: samplePath('sao-miguel/eu_dem_v11.tif'), name: 'height' })
    const people = await catalogue.open({ path: samplePath('sao-miguel/gpw_v411_2020_count_2020.tif'), name: 'people' })
    for (const feature of readSample<{ features: Feature[] }>('sao-miguel/concelhos.geojson').features) {
      const area = parseArea(feature)
      for (const [layer, source] of [
        [cover, 'sao-miguel/clc2018_v2020_20u1.tif'],
        [height, 'sao-miguel/eu_dem_v11.tif'],
        [people, 'sao-miguel/gpw_v411_2020_count_2020.tif'],
      ] as const) {
        assertSame(await countCells({ layers: [layer], area, rule }), countByGdal(feature, [layer], [source], rule))
      }
    }
  })
}

function assertSame(counts: CellCounts, expected: Map<string, number>): void {
  const found = new Map(
    counts.counts.map(({ values, cells }) => [values.map((value) => value ?? 'null').join(' '), cells]),
  )
  assert.ok(expected.size > 0)
  assert.deepEqual([...found].sort(), [...expected].sort())
}

test('the polygons of the slope zones hold 75 and 50 cells by centre, 95 and 73 by overlap', {
  skip: skipWithoutSampleData,
}, async () => {
  using catalogue = new TestCatalogue()
  const { layer } = await catalogue.open({ path: samplePath('slope-zones/slope.tif'), name: 'slope' })
  const { features } = readSample<{ features: Feature[] }>('slope-zones/polygons.geojson')
  const cellsBy = (rule: CellRule) =>
    features.map((feature) => {
      const selection = selectPolygons(polygonsOf(feature.geometry), { grid: layer.grid, rule })
      return countSpans(
        spansOf(selection, { row: 0, col: 0, rows: layer.grid.rows, cols: layer.grid.cols }),
        0,
        layer.grid.cols,
      )
    })
  assert.deepEqual(cellsBy('centre'), [75, 50])
  assert.deepEqual(cellsBy('overlap'), [95, 73])
})

test('the areas of a UTM grid are those of the ground, not of the map', async () => {
  using catalogue = new TestCatalogue()
  const crs = '+proj=utm +zone=18 +datum=WGS84 +units=m +no_defs'
  // On the central meridian the scale is 0.9996, so a map square of 1 km² covers 1 / 0.9996² km² of ground.
  const land = await catalogue.openSmall('land', { rows: [[1, 1]], crs, left: 499_000, top: 4_400_000 })
  const { inverse } = projector(crsOfDefinition(crs))
  const ring = [
    [499_000, 4_399_000],
    [501_000, 4_399_000],
    [501_000, 4_400_000],
    [499_000, 4_400_000],
    [499_000, 4_399_000],
  ] as const
  const counts = await countCells({
    layers: [land],
    area: parseArea({ type: 'Polygon', coordinates: [ring.map(inverse)] }),
  })
  assert.ok(Math.abs(counts.areaM2 / (2e6 / 0.9996 ** 2) - 1) < 1e-5, String(counts.areaM2))
})
