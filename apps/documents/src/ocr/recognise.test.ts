import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { DocumentWord } from '@headrace/wire'
import sharp from 'sharp'
import { type Raster, rasterOf } from '../image/raster.ts'
import { knownPages } from '../testing/known-pages.ts'
import { drawText, pngOf, TALE } from '../testing/make-documents.ts'
import { recognise } from './recognise.ts'

/** Of the known pages the one of a typewriter, whose letters are all as wide as an m. */
const TYPED = 2

/** One that says of every picture that it is a single word, and remembers how large each was. */
function fakeReader(confidence: number) {
  const widths: number[] = []
  const read = async ({ widthPx, heightPx }: Raster): Promise<DocumentWord[]> => {
    widths.push(widthPx)
    return [{ text: 'word', box: [0, 0, widthPx, heightPx], confidence, line: 0 }]
  }
  return { widths, read }
}

async function pageOf(sizePx: number): Promise<Raster> {
  return rasterOf(sharp(await pngOf(drawText(TALE, { sizePx }))), 300)
}

test('a page of large letters is read on a smaller copy, and its words’ boxes are in the page’s own pixels', async () => {
  const { widths, read } = fakeReader(90)
  const { words, raster } = await recognise(await pageOf(60), read)
  assert.equal(widths.length, 1)
  assert.ok((widths[0] ?? 0) < 2_480 * 0.7, `${widths}`)
  assert.deepEqual([raster.widthPx, words[0]?.box], [2_480, [0, 0, 2_480, 3_508]])
})

test('wide letters are narrowed besides, and their boxes are in the page’s own pixels all the same', async () => {
  const copies: Raster[] = []
  const [typed] = await Array.fromAsync(knownPages((index) => index === TYPED))
  const { words, raster } = await recognise(await rasterOf(sharp(typed?.png), 300), async (copy) => {
    copies.push(copy)
    return [{ text: 'word', box: [copy.widthPx / 4, 0, copy.widthPx / 2, copy.heightPx / 2], confidence: 90, line: 0 }]
  })
  const [copy] = copies
  assert.ok((copy?.widthPx ?? 0) / raster.widthPx < (0.9 * (copy?.heightPx ?? 0)) / raster.heightPx, `${copy?.widthPx}`)
  assert.deepEqual(words[0]?.box, [620, 0, 1_240, 1_754])
})

test('a page of small print is read as it is', async () => {
  const { widths, read } = fakeReader(90)
  await recognise(await pageOf(24), read)
  assert.deepEqual(widths, [2_480])
})

test('what is not sure on a copy is read on its head, and then in full', async () => {
  const { widths, read } = fakeReader(50)
  await recognise(await pageOf(60), read)
  const isCopy = widths.map((width) => width < 2_480)
  assert.deepEqual(isCopy, [true, true, false], `${widths}`)
})
