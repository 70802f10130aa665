import assert from 'node:assert/strict'
import { truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { parseCrs } from '../crs/crs.ts'
import { geoKeysOf } from '../crs/geo-keys.ts'
import { gdal, skipWithoutGdal } from '../testing/gdal.ts'
import { TemporaryFolder } from '../testing/small-raster.ts'
import { TiffFile } from '../tiff/tiff-file.ts'
import { readTiffImage } from '../tiff/tiff-image.ts'
import { layOutCog } from './cog-layout.ts'
import type { CogShape } from './cog-shape.ts'

const shape: CogShape = {
  grid: { rows: 512, cols: 512, left: 0, top: 0, cellWidth: 30, cellHeight: 30 },
  cellType: 'uint8',
  nodata: 0,
  geoKeys: geoKeysOf(parseCrs('EPSG:5070')),
  overviewRule: 'mode',
  isPredicted: false,
}

/** A file with this head whose blocks are a hole: blocks of these many bytes, four of the raster and one of its overview. */
function writeHollow(folder: string, blockBytes: number): { path: string; headBytes: number } {
  const levels = [
    { rows: 512, cols: 512, blockBytes: Array<number>(4).fill(blockBytes) },
    { rows: 256, cols: 256, blockBytes: [blockBytes] },
  ]
  const head = layOutCog(shape, levels)
  const path = join(folder, 'hollow.tif')
  writeFileSync(path, head)
  truncateSync(path, head.length + 5 * blockBytes)
  return { path, headBytes: head.length }
}

for (const [name, blockBytes, isBig] of [
  ['a small file is a classic TIFF', 1000, false],
  ['a file of 5 GB is a BigTIFF', 1_000_000_000, true],
] as const) {
  test(`${name}, with its coarsest level first`, { skip: skipWithoutGdal }, () => {
    using folder = new TemporaryFolder()
    const { path, headBytes } = writeHollow(folder.path, blockBytes)
    using file = new TiffFile(path)
    assert.equal(file.isBig, isBig)
    const [full, overview] = file.directories.map((directory) => readTiffImage(file, directory))
    assert.deepEqual(overview?.offsets, [headBytes])
    assert.deepEqual(
      full?.offsets,
      [1, 2, 3, 4].map((blocks) => headBytes + blocks * blockBytes),
    )
    const info = JSON.parse(gdal('gdalinfo', ['-json', path]))
    assert.deepEqual(info.size, [512, 512])
    assert.deepEqual(info.bands[0].overviews[0].size, [256, 256])
  })
}
