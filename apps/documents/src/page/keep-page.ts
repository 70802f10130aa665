import { artifactIdOfBytes } from '@headrace/artifacts'
import type { ThreadJob } from '@headrace/engine'
import type { DocumentPage } from '@headrace/wire'
import { type Raster, scaledTo, toJpeg } from '../image/raster.ts'
import { scaledBoxes } from '../image/scaled-boxes.ts'
import { detectLanguage } from '../language/detect-language.ts'
import { meanConfidence, type Recognised } from '../ocr/recognise.ts'
import { markdownOfPage, textOfPage } from './page-text.ts'
import type { ReadOptions, ReadPage } from './work.ts'

/** A page as it was read, in the pixels of `raster`. */
export type SeenPage = Recognised & { readonly number: number; readonly source: 'ocr' | 'text-layer' }

/** Keeps the page's words with the job, and its image if that is asked for, and gives the rest. Boxes are those of the image. */
export async function keepSeenPage(
  seen: SeenPage,
  { imageDpi, keepsImage }: Pick<ReadOptions, 'imageDpi' | 'keepsImage'>,
  job: ThreadJob,
): Promise<ReadPage> {
  const { number, source, turnedDegrees, straightenedDegrees } = seen
  const raster = keepsImage && seen.raster.dpi > imageDpi ? await scaledTo(seen.raster, imageDpi) : seen.raster
  const times = raster.widthPx / seen.raster.widthPx
  const scale = { x: times, y: times }
  const words = scaledBoxes(seen.words, scale)
  const tables = scaledBoxes(seen.tables, scale).map((table) => ({ ...table, cells: scaledBoxes(table.cells, scale) }))
  const text = textOfPage(words)
  return keepPage(
    {
      number,
      source,
      text,
      ...languageOf(text),
      ...(source === 'ocr' && words.length > 0 && { confidence: Math.round(meanConfidence(words)) }),
      ...(keepsImage ? { image: await keepImage(raster, number, job) } : { pixels: pixelsOf(raster) }),
      turnedDegrees,
      straightenedDegrees,
      words,
      tables,
      markdown: markdownOfPage(words, tables),
    },
    job,
  )
}

/** A document without pages becomes one page that is but text. */
export function keepFlatPage(
  { text, markdown }: { text: string; markdown: string },
  job: ThreadJob,
): Promise<ReadPage> {
  const page = { number: 1, source: 'text', turnedDegrees: 0, straightenedDegrees: 0, words: [], tables: [] } as const
  return keepPage({ ...page, text, markdown, ...languageOf(text) }, job)
}

async function keepPage(page: DocumentPage, job: ThreadJob): Promise<ReadPage> {
  const content = Buffer.from(JSON.stringify(page))
  await job.artifact(`page-${page.number}.json`, content, 'application/json')
  const { words, tables: _, text, markdown: __, ...rest } = page
  const wordCount = page.source === 'text' ? (text.match(/\S+/g) ?? []).length : words.length
  return { ...rest, wordCount, data: artifactIdOfBytes(content) }
}

async function keepImage(raster: Raster, number: number, job: ThreadJob): Promise<NonNullable<DocumentPage['image']>> {
  const content = await toJpeg(raster)
  await job.artifact(`page-${number}.jpg`, content, 'image/jpeg')
  return { artifact: artifactIdOfBytes(content), mediaType: 'image/jpeg', ...pixelsOf(raster) }
}

function pixelsOf({ widthPx, heightPx, dpi }: Raster): NonNullable<DocumentPage['pixels']> {
  return { widthPx, heightPx, dpi: Math.round(dpi) }
}

function languageOf(text: string): { language?: string } {
  const language = detectLanguage(text)
  return language === undefined ? {} : { language }
}
