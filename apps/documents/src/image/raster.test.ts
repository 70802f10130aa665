import assert from 'node:assert/strict'
import { test } from 'node:test'
import { halved, type Raster, toGrey, turned, withoutEmptyColour } from './raster.ts'

function grey(rows: readonly (readonly number[])[]): Raster {
  return { data: Buffer.from(rows.flat()), widthPx: rows[0]?.length ?? 0, heightPx: rows.length, channels: 1, dpi: 300 }
}

test('a picture whose three channels are alike becomes one channel, and one coloured pixel keeps all three', () => {
  const alike: Raster = { data: Buffer.from([7, 7, 7, 200, 200, 200]), widthPx: 2, heightPx: 1, channels: 3, dpi: 300 }
  assert.deepEqual(withoutEmptyColour(alike), grey([[7, 200]]))
  const coloured = { ...alike, data: Buffer.from([7, 7, 7, 200, 201, 200]) }
  assert.equal(withoutEmptyColour(coloured), coloured)
})

test('a halved copy has the rounded mean of four pixels in each; a row or column that is left over is left out', () => {
  const half = halved(
    grey([
      [0, 10, 255, 255, 9],
      [20, 31, 255, 254, 9],
      [1, 1, 1, 1, 1],
    ]),
  )
  assert.deepEqual(half, { ...grey([[15, 255]]), dpi: 150 })
})

test('a grey picture is still one channel when it was turned', async () => {
  assert.deepEqual(await turned(grey([[1, 2]]), 90), grey([[1], [2]]))
  const plain = grey([[1, 2]])
  assert.equal(await toGrey(plain), plain)
})
