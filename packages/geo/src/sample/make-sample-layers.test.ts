import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { parseArea } from '../area/parse-area.ts'
import { countCells } from '../count/count-cells.ts'
import { TemporaryFolder, TestCatalogue } from '../testing/small-raster.ts'
import { basinOf, drain, outlineOf } from './drainage.ts'
import { makeSampleLayers } from './make-sample-layers.ts'
import { nlcdClasses, soilGroupClasses } from './nlcd-classes.ts'

test('the sample has every land cover class and soil group, says that it is synthetic, and its area is the basin it names', async () => {
  using folder = new TemporaryFolder()
  using catalogue = new TestCatalogue()
  const sample = await makeSampleLayers(folder.path)
  const [landOptions, soilOptions] = sample.layers
  assert.ok(landOptions && soilOptions)
  assert.match(landOptions.title, /synthetic/)
  assert.match(sample.area.properties.description, /Synthetic/)
  const [land, soil] = [await catalogue.open(landOptions), await catalogue.open(soilOptions)]
  assert.deepEqual(land.layer.grid, soil.layer.grid)
  const everywhere = parseArea({
    type: 'Polygon',
    coordinates: [
      [
        [-76, 39.9],
        [-75, 39.9],
        [-75, 40.5],
        [-76, 40.5],
        [-76, 39.9],
      ],
    ],
  })
  const valuesOf = async (layer: typeof land) => {
    const { counts, cells } = await countCells({ layers: [layer], area: everywhere })
    assert.equal(cells, 1024 * 1024)
    return counts.map(({ values }) => values[0])
  }
  assert.deepEqual(
    await valuesOf(land),
    nlcdClasses.map(({ value }) => value),
  )
  assert.deepEqual(await valuesOf(soil), [...soilGroupClasses.map(({ value }) => value), null])
  const basin = await countCells({ layers: [land, soil], area: parseArea(sample.area) })
  assert.equal(basin.cells, sample.area.properties.cells)
  assert.equal(basin.areaM2, sample.area.properties.cells * 900)
  assert.equal(basin.isPartial, false)
})

test('the sample is the same every time', async () => {
  using one = new TemporaryFolder()
  using two = new TemporaryFolder()
  const [first, second] = [await makeSampleLayers(one.path), await makeSampleLayers(two.path)]
  assert.deepEqual(first.area, second.area)
  for (const [i, { path }] of first.layers.entries()) {
    assert.ok(readFileSync(path).equals(readFileSync(second.layers[i]?.path ?? '')))
  }
  // Over an existing one, as at a second start that found no layers.
  await makeSampleLayers(one.path)
})

test('water runs down to the edge, and out of hollows over their rim', () => {
  // The hollow in the middle spills over the gap of 0.3 in the east.
  const heights = Float32Array.of(0.9, 0.9, 0.9, 0.9, 0.1, 0.3, 0.9, 0.9, 0.9)
  const { downstream, cells, depth } = drain(heights, 3)
  assert.equal(downstream[4], 5)
  assert.equal(downstream[5], 5)
  assert.equal(cells[5], 2)
  assert.equal(depth[4], Math.floor(0.3 * 4096) - Math.floor(0.1 * 4096))
})

test('the outline of a mask goes round its cells', () => {
  const mask = Uint8Array.of(0, 0, 0, 0, 0, 1, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0)
  assert.deepEqual(outlineOf(mask, 4), [
    [1, 1],
    [3, 1],
    [3, 3],
    [2, 3],
    [2, 2],
    [1, 2],
    [1, 1],
  ])
})

test('a basin holds what drains through its outlet', () => {
  const heights = Float32Array.of(0.9, 0.8, 0.9, 0.9, 0.5, 0.9, 0.9, 0.2, 0.9)
  const drainage = drain(heights, 3)
  const basin = basinOf(drainage, 7)
  assert.equal(
    basin.reduce((sum, cell) => sum + cell, 0),
    drainage.cells[7],
  )
  assert.equal(basin[4], 1)
})
