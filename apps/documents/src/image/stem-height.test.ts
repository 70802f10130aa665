import assert from 'node:assert/strict'
import { test } from 'node:test'
import sharp from 'sharp'
import { drawText, pngOf, TALE } from '../testing/make-documents.ts'
import { type Raster, rasterOf } from './raster.ts'
import { stemHeight } from './stem-height.ts'

async function pageOf(
  ...texts: readonly { readonly sizePx: number; readonly top: number; readonly text: string }[]
): Promise<Raster> {
  const sheets = texts.map(async ({ text, ...place }) => ({
    input: await pngOf(drawText(text, place)),
    blend: 'darken' as const,
  }))
  const [first, ...others] = await Promise.all(sheets)
  return rasterOf(sharp(first?.input).composite(others).toColourspace('b-w'), 300)
}

test('stems are about half as tall as the letters’ size', async () => {
  for (const sizePx of [30, 46, 80]) {
    const stem = stemHeight(await pageOf({ sizePx, top: 300, text: TALE })) ?? 0
    assert.ok(stem >= 0.35 * sizePx && stem <= 0.6 * sizePx, `${stem} of ${sizePx}`)
  }
})

test('a footnote counts beside the text above it', async () => {
  const text = { sizePx: 60, top: 300, text: TALE }
  const stem = stemHeight(await pageOf(text, { sizePx: 26, top: 3_150, text: TALE })) ?? 0
  assert.ok(stem <= 0.6 * 26, `${stem}`)
})

test('a blank page has no letters to measure', () => {
  const blank = { data: Buffer.alloc(10_000, 255), widthPx: 100, heightPx: 100, channels: 1, dpi: 300 } as const
  assert.equal(stemHeight(blank), undefined)
})
