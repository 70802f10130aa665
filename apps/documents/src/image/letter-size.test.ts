import assert from 'node:assert/strict'
import { test } from 'node:test'
import sharp from 'sharp'
import { drawText, pngOf, TALE } from '../testing/make-documents.ts'
import { letterSize } from './letter-size.ts'
import { type Raster, rasterOf, resized } from './raster.ts'

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
    const stem = letterSize(await pageOf({ sizePx, top: 300, text: TALE }))?.stemPx ?? 0
    assert.ok(stem >= 0.35 * sizePx && stem <= 0.6 * sizePx, `${stem} of ${sizePx}`)
  }
})

test('a footnote counts beside the text above it', async () => {
  const text = { sizePx: 60, top: 300, text: TALE }
  const stem = letterSize(await pageOf(text, { sizePx: 26, top: 3_150, text: TALE }))?.stemPx ?? 0
  assert.ok(stem <= 0.6 * 26, `${stem}`)
})

test('strokes stand nearer to one another in narrow letters', async () => {
  const page = await pageOf({ sizePx: 46, top: 300, text: TALE })
  const narrow = await resized(page, { widthPx: page.widthPx * 0.7, heightPx: page.heightPx })
  const [as, narrowed] = [letterSize(page), letterSize(narrow)]
  assert.ok(
    Math.abs((narrowed?.pitchPx ?? 0) - 0.7 * (as?.pitchPx ?? 0)) <= 1,
    `${narrowed?.pitchPx} of ${as?.pitchPx}`,
  )
  assert.ok(Math.abs((narrowed?.stemPx ?? 0) - (as?.stemPx ?? 0)) <= 1, `${narrowed?.stemPx} of ${as?.stemPx}`)
})

test('a blank page has no letters to measure', () => {
  const blank = { data: Buffer.alloc(10_000, 255), widthPx: 100, heightPx: 100, channels: 1, dpi: 300 } as const
  assert.equal(letterSize(blank), undefined)
})
