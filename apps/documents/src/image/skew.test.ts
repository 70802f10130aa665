import assert from 'node:assert/strict'
import { test } from 'node:test'
import sharp from 'sharp'
import { drawText, pngOf, TALE } from '../testing/make-documents.ts'
import { toBinary } from './binary.ts'
import { type Raster, rasterOf, shrunkTo, turned } from './raster.ts'
import { type Lie, lieOf } from './skew.ts'

const page = await rasterOf(sharp(await pngOf(drawText(TALE))).toColourspace('b-w'), 300)

async function lieOfTurned(degrees: number, raster: Raster = page): Promise<Lie> {
  return lieOf(toBinary(shrunkTo(await turned(raster, degrees), 1_000).small))
}

test('a page on its side is to be turned so that its letters stand on their feet', async () => {
  assert.deepEqual(await lieOfTurned(0), { turnDegrees: 0, straightenDegrees: 0 })
  assert.deepEqual(await lieOfTurned(90), { turnDegrees: 270, straightenDegrees: 0 })
  assert.deepEqual(await lieOfTurned(270), { turnDegrees: 90, straightenDegrees: 0 })
})

test('a page that lies askew is straightened to a tenth of a degree, on its side too', async () => {
  for (const askew of [-12, 2.3, 14]) {
    const level = await lieOfTurned(askew)
    assert.equal(level.turnDegrees, 0)
    assert.ok(Math.abs(level.straightenDegrees + askew) <= 0.1, `${askew}: ${level.straightenDegrees}`)
    const sideways = await lieOfTurned(90, await turned(page, askew))
    assert.equal(sideways.turnDegrees, 270)
    assert.ok(
      Math.abs(sideways.straightenDegrees + askew) <= 0.1,
      `${askew}, on its side: ${sideways.straightenDegrees}`,
    )
  }
})

test('a page without ink lies as it is', () => {
  assert.deepEqual(lieOf({ data: new Uint8Array(10_000), width: 100, height: 100 }), {
    turnDegrees: 0,
    straightenDegrees: 0,
  })
})

test('a sheet of nothing but level rules between margins lies as it is', () => {
  const [width, height] = [600, 800]
  const data = new Uint8Array(width * height)
  for (let y = 60; y < height - 60; y += 40) data.fill(1, y * width + 50, y * width + width - 50)
  assert.deepEqual(lieOf({ data, width, height }), { turnDegrees: 0, straightenDegrees: 0 })
  for (let y = 60; y < height - 60; y += 40) data.fill(1, y * width, (y + 1) * width)
  assert.deepEqual(lieOf({ data, width, height }), { turnDegrees: 0, straightenDegrees: 0 })
})
