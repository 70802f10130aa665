import { readFile, stat } from 'node:fs/promises'
import type { DocumentPage } from '@headrace/wire'
import { PDFDocument, type PDFEmbeddedPage, type PDFPage } from 'pdf-lib'
import { InvisibleText } from './invisible-text.ts'

export type PdfSources = {
  /** The PDF that the pages come from, if they do. */
  readonly original: string | undefined
  readonly pathOf: (artifact: string) => string
  readonly warn: (message: string) => void
}

/** A larger original is not unpacked a second time; its pages are pictures then. */
const ORIGINAL_BYTES_MAX = 64_000_000
const POINTS_PER_INCH = 72

/**
 * A PDF in which every page can be searched: pages that say their text are as they were, others are their picture with the
 * recognised words behind it, unseen. Only what is drawn comes along from an original: no scripts, actions or files.
 */
export async function makeSearchablePdf(
  pages: readonly DocumentPage[],
  { original, pathOf, warn }: PdfSources,
): Promise<Uint8Array> {
  const pdf = await PDFDocument.create({ updateMetadata: false })
  const invisible = new InvisibleText(pdf)
  const drawn =
    original === undefined ? new Map<number, PDFEmbeddedPage>() : await embedOriginal(pdf, { original, pages, warn })
  for (const page of pages) {
    const { image } = page
    if (image === undefined) continue
    const toPoints = POINTS_PER_INCH / image.dpi
    const sheet = pdf.addPage([image.widthPx * toPoints, image.heightPx * toPoints])
    const embedded = drawn.get(page.number)
    if (embedded) sheet.drawPage(embedded, { x: 0, y: 0, width: sheet.getWidth(), height: sheet.getHeight() })
    else {
      const picture = await pdf.embedJpg(await readFile(pathOf(image.artifact)))
      sheet.drawImage(picture, { x: 0, y: 0, width: sheet.getWidth(), height: sheet.getHeight() })
      invisible.write(sheet, page.words, toPoints)
    }
  }
  invisible.finish()
  return pdf.save({ addDefaultPage: false, updateFieldAppearances: false })
}

type Original = {
  readonly original: string
  readonly pages: readonly DocumentPage[]
  readonly warn: (message: string) => void
}

/** The pages of the original that say their text and lie as they are seen, ready to be drawn on a new sheet. */
async function embedOriginal(
  pdf: PDFDocument,
  { original, pages, warn }: Original,
): Promise<Map<number, PDFEmbeddedPage>> {
  const numbers = pages.filter(({ source }) => source === 'text-layer').map(({ number }) => number)
  if (numbers.length === 0) return new Map()
  try {
    const { size } = await stat(original)
    if (size > ORIGINAL_BYTES_MAX) throw new Error(`it has ${size} bytes`)
    const source = await PDFDocument.load(await readFile(original), { updateMetadata: false })
    const upright = numbers.filter((number) => isPlain(source.getPage(number - 1)))
    const embedded = await pdf.embedPages(upright.map((number) => source.getPage(number - 1)))
    await Promise.all(embedded.map((page) => page.embed()))
    return new Map(upright.map((number, index) => [number, embedded[index] as PDFEmbeddedPage])) // one for each
  } catch (error) {
    warn(`The searchable PDF holds pictures of the pages instead of the pages themselves: ${(error as Error).message}`)
    return new Map()
  }
}

/** A turned page, or one that shows only a part of itself, is drawn as its picture. */
function isPlain(page: PDFPage): boolean {
  const [media, crop] = [page.getMediaBox(), page.getCropBox()]
  const isWhole = media.x === 0 && media.y === 0 && media.width === crop.width && media.height === crop.height
  return page.getRotation().angle % 360 === 0 && isWhole && page.node.Contents() !== undefined
}
