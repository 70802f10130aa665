import type { ThreadJob } from '@headrace/engine'
import type { PDFPageProxy } from 'pdfjs-dist/legacy/build/pdf.mjs'
import { decodeImage } from '../image/decode-image.ts'
import type { Raster } from '../image/raster.ts'
import { recognise } from '../ocr/recognise.ts'
import { warmEngine } from '../ocr/warm-engine.ts'
import { dpiOfPage, drawPage, scaleOfDpi } from '../pdf/draw-page.ts'
import { asDocumentError } from '../pdf/open-pdf.ts'
import { isReadable, textLayerOf } from '../pdf/text-layer.ts'
import { warmPdf } from '../pdf/warm-pdf.ts'
import { ruledTables } from '../table/ruled-page.ts'
import { keepSeenPage, type SeenPage } from './keep-page.ts'
import type { PageInput, PathOf, ReadPage, Surroundings } from './work.ts'

const OCR_DPI = 300
/** A page with fewer letters of its own may be a picture with a page number below it. */
const LAYER_LETTERS_MIN = 25

/** Reads one page of a document that has pages. */
export async function readPage(
  input: PageInput,
  around: Surroundings,
  pathOf: PathOf,
  job: ThreadJob,
): Promise<ReadPage> {
  const { kind, source, page: number, options } = input
  const seen =
    kind === 'pdf'
      ? await readPdfPage(input, around, pathOf(source), job)
      : await recognised(await decodeImage(pathOf(source), number - 1, around.limits), input, around, job)
  return keepSeenPage(seen, options, job)
}

async function readPdfPage(input: PageInput, around: Surroundings, path: string, job: ThreadJob): Promise<SeenPage> {
  const { source, page: number, options } = input
  try {
    const pdf = await warmPdf(source, path, around.limits)
    const page = await pdf.getPage(number)
    const layer = await layerOfPage(page, input, around, job)
    const letters = layer.words.reduce((sum, { text }) => sum + text.length, 0)
    if (options.ocr === 'never' || (options.ocr === 'auto' && letters >= LAYER_LETTERS_MIN)) return layer
    const drawn = await draw(page, OCR_DPI, around, job)
    const read = await recognised(drawn, input, around, job)
    return options.ocr === 'auto' && read.words.length <= layer.words.length ? layer : read
  } catch (error) {
    job.signal.throwIfAborted()
    throw asDocumentError(error)
  }
}

async function layerOfPage(
  page: PDFPageProxy,
  { page: number, options }: PageInput,
  around: Surroundings,
  job: ThreadJob,
): Promise<SeenPage> {
  const raster = await draw(page, options.imageDpi, around, job)
  const found = await textLayerOf(page, scaleOfDpi(raster.dpi))
  const words = isReadable(found) ? found : []
  const tables = words.length > 0 ? await ruledTables(raster, words) : []
  return { number, source: 'text-layer', words, tables, raster, turnedDegrees: 0, straightenedDegrees: 0 }
}

function draw(page: PDFPageProxy, dpi: number, { limits }: Surroundings, job: ThreadJob): Promise<Raster> {
  return drawPage(page, dpiOfPage(page, dpi, limits.pagePixelsMax), job.signal)
}

async function recognised(
  raster: Raster,
  { page: number, options }: PageInput,
  around: Surroundings,
  job: ThreadJob,
): Promise<SeenPage> {
  if (options.ocr === 'never')
    return { number, source: 'ocr', words: [], tables: [], raster, turnedDegrees: 0, straightenedDegrees: 0 }
  const { pageMs: timeoutMs } = around.limits
  const engine = () => warmEngine(options.languages, around)
  const read = await recognise(raster, async (grey) => (await engine()).read(grey, { signal: job.signal, timeoutMs }))
  return { number, source: 'ocr', ...read }
}
